//! `"char"`, the type of one byte.

use std::fmt;
use std::str::FromStr;

use super::parse::ParseError;

/// A `"char"`: one byte, not to be confused with `char(1)`.
///
/// Its text is empty for 0, the character for other ASCII, and `\351` in octal for the upper half (from PostgreSQL 16;
/// before, such a byte has no text that UTF-8 could carry).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PgChar(pub u8);

fn parse(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [] => Some(0),
        [byte] => Some(*byte),
        [b'\\', octal @ ..] if octal.len() == 3 && octal.iter().all(u8::is_ascii_digit) => {
            u8::from_str_radix(&text[1..], 8).ok()
        }
        _ => None,
    }
}

impl FromStr for PgChar {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse(text)
            .map(Self)
            .ok_or_else(|| ParseError::new("\"char\"", text))
    }
}

impl fmt::Display for PgChar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            byte if byte.is_ascii() => write!(f, "{}", char::from(byte)),
            byte => write!(f, "\\{byte:03o}"),
        }
    }
}

impl fmt::Debug for PgChar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_read_and_written_again() {
        for byte in 0..=u8::MAX {
            assert_eq!(PgChar(byte).to_string().parse(), Ok(PgChar(byte)));
        }
        assert_eq!(PgChar(0o351).to_string(), "\\351");
        for text in ["ab", "é", "\\400", "\\35", "\\+12", "\\3511"] {
            assert!(text.parse::<PgChar>().is_err(), "{text}");
        }
    }
}
