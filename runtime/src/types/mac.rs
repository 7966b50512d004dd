//! `macaddr` and `macaddr8`.

use std::fmt;
use std::str::FromStr;

use super::parse::ParseError;

/// A `macaddr`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PgMacAddr(pub [u8; 6]);

/// A `macaddr8`, an address in the format EUI-64.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PgMacAddr8(pub [u8; 8]);

/// `08:00:2b`: pairs of hexadecimal digits, a colon between them.
fn parse<const N: usize>(text: &str) -> Option<[u8; N]> {
    let pair = |pair: &str| {
        let digits = pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
        u8::from_str_radix(pair, 16).ok().filter(|_| digits)
    };
    let bytes: Option<Vec<u8>> = text.split(':').map(pair).collect();
    bytes?.try_into().ok()
}

macro_rules! common {
    ($type:ident: $what:literal) => {
        impl FromStr for $type {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<Self, ParseError> {
                parse(text)
                    .map(Self)
                    .ok_or_else(|| ParseError::new($what, text))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let pairs: Vec<String> = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
                f.write_str(&pairs.join(":"))
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}
common!(PgMacAddr: "macaddr");
common!(PgMacAddr8: "macaddr8");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_number_of_pairs_is_an_address() {
        let short = "08:00:2b:01:02:ff";
        assert_eq!(short.parse(), Ok(PgMacAddr([8, 0, 0x2b, 1, 2, 0xff])));
        assert!(short.parse::<PgMacAddr8>().is_err());
        let long = "08:00:2b:01:02:03:04:05";
        let value = long.parse::<PgMacAddr8>().map(|value| value.to_string());
        assert_eq!(value.as_deref(), Ok(long));
        for text in [
            "",
            "08:00:2b:01:02:+1",
            "08:00:2b:01:02:0g",
            "08-00-2b-01-02-03",
        ] {
            assert!(text.parse::<PgMacAddr>().is_err(), "{text}");
        }
    }
}
