//! `numeric`.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

use super::parse::ParseError;

/// A `numeric` as PostgreSQL prints it: every digit, the scale, `NaN` and the infinities.
///
/// Two values are equal if their texts are: `1.5` and `1.50` differ, as their scales do.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PgNumeric(String);

impl PgNumeric {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `None` for NaN, for an infinity, and for more digits than [`Decimal`] holds.
    pub fn to_decimal(&self) -> Option<Decimal> {
        Decimal::from_str_exact(&self.0).ok()
    }

    pub(super) fn from_trusted(text: String) -> Self {
        Self(text)
    }
}

impl From<Decimal> for PgNumeric {
    fn from(value: Decimal) -> Self {
        Self(value.to_string())
    }
}

impl FromStr for PgNumeric {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if matches!(text, "NaN" | "Infinity" | "-Infinity")
            || (all_digits(whole) && all_digits(fraction))
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new("numeric", text))
        }
    }
}

impl fmt::Display for PgNumeric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PgNumeric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
