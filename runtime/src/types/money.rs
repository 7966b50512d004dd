//! `money`.

use std::fmt;
use std::str::FromStr;

use super::parse::ParseError;

/// A `money` as PostgreSQL stores it: a number of the smallest unit, cents under `lc_monetary` C.
///
/// How many of them make one of the currency is a setting of the server, not a part of the value. The text is that of the
/// locale C, the only one that this type reads: `-$1,234.56`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PgMoney(pub i64);

fn parse(text: &str) -> Option<i64> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, cents) = unsigned.strip_prefix('$')?.split_once('.')?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if cents.len() != 2 || !digits(cents) || !whole.split(',').all(digits) {
        return None;
    }
    let sign = if unsigned == text { "" } else { "-" };
    format!("{sign}{}{cents}", whole.replace(',', ""))
        .parse()
        .ok()
}

impl FromStr for PgMoney {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse(text)
            .map(Self)
            .ok_or_else(|| ParseError::new("money like \"$1,234.56\"", text))
    }
}

impl fmt::Display for PgMoney {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = self.0.unsigned_abs();
        let whole = (amount / 100).to_string();
        let mut grouped = String::new();
        for (index, digit) in whole.char_indices() {
            if index > 0 && (whole.len() - index) % 3 == 0 {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}${grouped}.{:02}", amount % 100)
    }
}

impl fmt::Debug for PgMoney {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_written_again() {
        for (text, amount) in [
            ("$0.00", 0),
            ("-$0.05", -5),
            ("$999.99", 99_999),
            ("$1,000.00", 100_000),
            ("-$92,233,720,368,547,758.08", i64::MIN),
            ("$92,233,720,368,547,758.07", i64::MAX),
        ] {
            assert_eq!(text.parse(), Ok(PgMoney(amount)));
            assert_eq!(PgMoney(amount).to_string(), text);
        }
        for text in [
            "",
            "$",
            "1.00",
            "$1",
            "$1.0",
            "$1.000",
            "$.10",
            "$,1.00",
            "$92,233,720,368,547,758.08",
            "$+1.00",
            "--$1.00",
        ] {
            assert!(text.parse::<PgMoney>().is_err(), "{text}");
        }
    }
}
