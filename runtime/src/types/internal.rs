//! Types of PostgreSQL's own bookkeeping: `pg_lsn`, `xid`, `cid`, `xid8` and `tid`.

use std::fmt;
use std::str::FromStr;

use super::parse::{Cursor, ParseError};

/// A `pg_lsn`: a place in the write-ahead log, in bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PgLsn(pub u64);

/// An `xid` or `cid`: the number of a transaction, or of a command within one. Both wrap around, so they have no order.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct PgXid(pub u32);

/// An `xid8`: the number of a transaction, which does not wrap around.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PgXid8(pub u64);

/// A `tid`: the place of a row's version in its table.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PgTid {
    /// Number of the page.
    pub block: u32,
    /// Number within the page.
    pub offset: u16,
}

impl FromStr for PgLsn {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let half = |half: &str| {
            let digits = half.bytes().all(|byte| byte.is_ascii_hexdigit());
            u32::from_str_radix(half, 16).ok().filter(|_| digits)
        };
        text.split_once('/')
            .and_then(|(high, low)| Some(u64::from(half(high)?) << 32 | u64::from(half(low)?)))
            .map(Self)
            .ok_or_else(|| ParseError::new("pg_lsn", text))
    }
}

impl FromStr for PgXid {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        text.parse()
            .map(Self)
            .map_err(|_| ParseError::new("xid", text))
    }
}

impl FromStr for PgXid8 {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        text.parse()
            .map(Self)
            .map_err(|_| ParseError::new("xid8", text))
    }
}

impl FromStr for PgTid {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let parse = || {
            let mut cursor = Cursor::new(text);
            cursor.take(&['('])?;
            let block = cursor.number()?.try_into().ok()?;
            cursor.take(&[','])?;
            let offset = cursor.number()?.try_into().ok()?;
            cursor.take(&[')'])?;
            cursor.is_at_end().then_some(Self { block, offset })
        };
        parse().ok_or_else(|| ParseError::new("tid", text))
    }
}

impl fmt::Display for PgLsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

impl fmt::Display for PgXid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for PgXid8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for PgTid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({},{})", self.block, self.offset)
    }
}

macro_rules! debug_as_text {
    ($($type:ident)*) => {$(
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}
debug_as_text!(PgLsn PgXid PgXid8 PgTid);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_over_their_whole_range() {
        assert_eq!("FFFFFFFF/FFFFFFFF".parse(), Ok(PgLsn(u64::MAX)));
        assert_eq!("16/B374D848".parse(), Ok(PgLsn(0x16_B374_D848)));
        assert_eq!(PgLsn(0x16_0000_0001).to_string(), "16/1");
        assert_eq!("4294967295".parse(), Ok(PgXid(u32::MAX)));
        assert_eq!("18446744073709551615".parse(), Ok(PgXid8(u64::MAX)));
        let (block, offset) = (u32::MAX, u16::MAX);
        assert_eq!("(4294967295,65535)".parse(), Ok(PgTid { block, offset }));
        for text in ["", "/", "1", "100000000/0", "+1/1", "1/1/1"] {
            assert!(text.parse::<PgLsn>().is_err(), "{text}");
        }
        for text in ["", "()", "(1,2", "(1,65536)", "(1,2)x", "1,2"] {
            assert!(text.parse::<PgTid>().is_err(), "{text}");
        }
    }
}
