//! `bit` and `varbit`.

use std::fmt;
use std::str::FromStr;

use super::parse::ParseError;

/// The bits of a `bit(n)` or `varbit`, the leftmost first.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PgBit(pub Vec<bool>);

impl FromStr for PgBit {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bit = |digit| match digit {
            b'0' => Some(false),
            b'1' => Some(true),
            _ => None,
        };
        let bits: Option<_> = text.bytes().map(bit).collect();
        bits.map(Self)
            .ok_or_else(|| ParseError::new("bit string", text))
    }
}

impl fmt::Display for PgBit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|bit| f.write_str(if *bit { "1" } else { "0" }))
    }
}

impl fmt::Debug for PgBit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "B'{self}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_read_from_the_left() {
        assert_eq!("".parse(), Ok(PgBit(vec![])));
        assert_eq!("100".parse(), Ok(PgBit(vec![true, false, false])));
        assert_eq!(PgBit(vec![true, false]).to_string(), "10");
        assert!("102".parse::<PgBit>().is_err());
        assert!("x1".parse::<PgBit>().is_err());
    }
}
