//! A binary value, front to back.

use super::{Boxed, exactly};

/// What is left of a value. Every method fails, if it is too short.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(crate) fn slice(&mut self, length: usize) -> Result<&'a [u8], Boxed> {
        let (slice, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or("a value ends before its time")?;
        self.rest = rest;
        Ok(slice)
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Boxed> {
        exactly(self.slice(N)?)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Boxed> {
        self.bytes().map(u8::from_be_bytes)
    }

    pub(crate) fn i32(&mut self) -> Result<i32, Boxed> {
        self.bytes().map(i32::from_be_bytes)
    }

    pub(crate) fn f64(&mut self) -> Result<f64, Boxed> {
        self.bytes().map(f64::from_be_bytes)
    }

    /// A number of things, not negative.
    pub(crate) fn count(&mut self) -> Result<usize, Boxed> {
        Ok(usize::try_from(self.i32()?)?)
    }

    /// A value after its length; `None` for NULL, whose length is -1.
    pub(crate) fn nullable(&mut self) -> Result<Option<&'a [u8]>, Boxed> {
        match self.i32()? {
            -1 => Ok(None),
            length => self.slice(usize::try_from(length)?).map(Some),
        }
    }

    /// A value after its length, not NULL.
    pub(crate) fn value(&mut self) -> Result<&'a [u8], Boxed> {
        self.nullable()?
            .ok_or_else(|| "NULL where none may be".into())
    }

    /// # Errors
    /// Something is left.
    pub(crate) fn end(self) -> Result<(), Boxed> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err("a value goes on after its end".into())
        }
    }
}
