//! `bytea`, and `bytes` of a message.

use std::fmt;
use std::ops::Deref;

/// Bytes.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PgBytes(pub Vec<u8>);

impl PgBytes {
    /// Reads `\xdead`, PostgreSQL's hexadecimal form.
    pub(crate) fn from_hex(digits: &str) -> Option<Self> {
        let digits = digits.as_bytes();
        if digits.len() % 2 != 0 {
            return None;
        }
        let nibble = |digit: u8| char::from(digit).to_digit(16);
        let byte = |pair: &[u8]| u8::try_from(nibble(pair[0])? * 16 + nibble(pair[1])?).ok();
        digits
            .chunks_exact(2)
            .map(byte)
            .collect::<Option<Vec<u8>>>()
            .map(Self)
    }
}

impl Deref for PgBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for PgBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for PgBytes {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl From<PgBytes> for Vec<u8> {
    fn from(bytes: PgBytes) -> Self {
        bytes.0
    }
}

impl fmt::Display for PgBytes {
    /// PostgreSQL's hexadecimal form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\\x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PgBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
