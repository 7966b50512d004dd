//! The text of a value, as PostgreSQL's output functions write it under the settings that generated triggers pin:
//! `TimeZone` UTC, `DateStyle` ISO, `IntervalStyle` iso_8601, `extra_float_digits` 1, `bytea_output` hex, `lc_monetary` C.

use std::fmt::LowerExp;

use uuid::Uuid;

use super::{
    ParseError, PgBit, PgBox, PgBytes, PgChar, PgCidr, PgCircle, PgDate, PgHstore, PgInet,
    PgInterval, PgJson, PgLine, PgLseg, PgLsn, PgMacAddr, PgMacAddr8, PgMoney, PgNumeric, PgPath,
    PgPoint, PgPolygon, PgText, PgTid, PgTime, PgTimeTz, PgTimestamp, PgTimestampTz, PgXid, PgXid8,
};

/// A type that reads PostgreSQL's text of its values, `value::text`.
pub trait FromText: Sized {
    /// What stands between the elements of an array of this type; `;` for `box`, `,` for every other.
    const DELIMITER: char = ',';

    /// # Errors
    /// The text is no value of this type.
    fn from_text(text: &str) -> Result<Self, ParseError>;
}

/// A type that writes PostgreSQL's text of its values, `value::text` (`t` and `f` for a boolean, as within arrays).
pub trait ToText: FromText {
    /// The text; reading it gives the value again.
    fn to_text(&self) -> String;
}

/// Types whose `FromStr` and `Display` are PostgreSQL's.
macro_rules! by_traits {
    ($($type:ty)*) => {$(
        impl FromText for $type {
            fn from_text(text: &str) -> Result<Self, ParseError> {
                text.parse()
            }
        }

        impl ToText for $type {
            fn to_text(&self) -> String {
                self.to_string()
            }
        }
    )*};
}
by_traits! {
    PgBit PgChar PgCidr PgCircle PgDate PgHstore PgInet PgInterval PgLine PgLseg PgLsn PgMacAddr PgMacAddr8 PgMoney
    PgNumeric PgPath PgPoint PgPolygon PgTid PgTime PgTimeTz PgXid PgXid8
}

/// Types of Rust whose texts are the same in PostgreSQL.
macro_rules! by_rust {
    ($($type:ty: $what:literal)*) => {$(
        impl FromText for $type {
            fn from_text(text: &str) -> Result<Self, ParseError> {
                text.parse().map_err(|_| ParseError::new($what, text))
            }
        }

        impl ToText for $type {
            fn to_text(&self) -> String {
                self.to_string()
            }
        }
    )*};
}
by_rust! {
    i16: "smallint"
    i32: "integer"
    i64: "bigint"
    u32: "oid"
    Uuid: "uuid"
}

impl FromText for bool {
    fn from_text(text: &str) -> Result<Self, ParseError> {
        match text {
            "t" | "true" => Ok(true),
            "f" | "false" => Ok(false),
            _ => Err(ParseError::new("boolean", text)),
        }
    }
}

impl ToText for bool {
    fn to_text(&self) -> String {
        if *self { "t" } else { "f" }.into()
    }
}

macro_rules! float {
    ($($type:ty: $what:literal, $plain:expr;)*) => {$(
        impl FromText for $type {
            fn from_text(text: &str) -> Result<Self, ParseError> {
                // NaN, Infinity and -Infinity are among the texts that Rust reads.
                text.parse().map_err(|_| ParseError::new($what, text))
            }
        }

        impl ToText for $type {
            fn to_text(&self) -> String {
                if self.is_nan() {
                    "NaN".into()
                } else if self.is_infinite() {
                    if *self > 0.0 { "Infinity" } else { "-Infinity" }.into()
                } else {
                    finite_text(self, $plain)
                }
            }
        }
    )*};
}
// From the second number on, the power of ten has an exponent: the digits that surely fit.
float! {
    f32: "real", 6;
    f64: "double precision", 15;
}

/// The shortest digits that read back, and where PostgreSQL would write one, an exponent.
fn finite_text(value: &(impl LowerExp + ToString), plain: i32) -> String {
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..plain).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

impl FromText for String {
    fn from_text(text: &str) -> Result<Self, ParseError> {
        Ok(text.to_owned())
    }
}

impl ToText for String {
    fn to_text(&self) -> String {
        self.clone()
    }
}

impl FromText for PgText {
    fn from_text(text: &str) -> Result<Self, ParseError> {
        Ok(Self(text.to_owned()))
    }
}

impl ToText for PgText {
    fn to_text(&self) -> String {
        self.0.clone()
    }
}

impl FromText for PgJson {
    fn from_text(text: &str) -> Result<Self, ParseError> {
        Ok(Self::new(text))
    }
}

impl ToText for PgJson {
    fn to_text(&self) -> String {
        self.as_str().to_owned()
    }
}

impl FromText for PgBytes {
    fn from_text(text: &str) -> Result<Self, ParseError> {
        text.strip_prefix("\\x")
            .and_then(Self::from_hex)
            .ok_or_else(|| ParseError::new("bytea in hexadecimal", text))
    }
}

impl ToText for PgBytes {
    fn to_text(&self) -> String {
        self.to_string()
    }
}

impl FromText for PgBox {
    const DELIMITER: char = ';';

    fn from_text(text: &str) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl ToText for PgBox {
    fn to_text(&self) -> String {
        self.to_string()
    }
}

impl FromText for PgTimestamp {
    fn from_text(text: &str) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl ToText for PgTimestamp {
    /// Unlike `Display`, which has the `T` of ISO 8601, as JSON does.
    fn to_text(&self) -> String {
        self.to_string().replacen('T', " ", 1)
    }
}

impl FromText for PgTimestampTz {
    fn from_text(text: &str) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl ToText for PgTimestampTz {
    /// Unlike `Display`, which has the `T` of ISO 8601 and the minutes of the offset, as JSON does.
    fn to_text(&self) -> String {
        self.to_string()
            .replacen('T', " ", 1)
            .replacen("+00:00", "+00", 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_postgresql_writes_them() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.5, "1.5"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (1e14, "100000000000000"),
            (1e15, "1e+15"),
            (-1.234_567_890_123_456_8e17, "-1.2345678901234568e+17"),
            (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(value.to_text(), text);
            assert_eq!(f64::from_text(text), Ok(value));
        }
        assert_eq!(1e6_f32.to_text(), "1e+06");
        assert_eq!(f64::NAN.to_text(), "NaN");
        assert!(f64::from_text("NaN").is_ok_and(f64::is_nan));
        assert!(f64::from_text("").is_err());
    }

    #[test]
    fn booleans_and_integers_are_read_in_full() {
        assert_eq!(bool::from_text("t"), Ok(true));
        assert_eq!(bool::from_text("false"), Ok(false));
        assert!(bool::from_text("yes").is_err());
        assert_eq!(i64::from_text("-9223372036854775808"), Ok(i64::MIN));
        assert_eq!(u32::from_text("4294967295"), Ok(u32::MAX));
        assert!(i16::from_text("32768").is_err());
        assert!(i16::from_text(" 1").is_err());
        assert!(PgBytes::from_text("3q0=").is_err());
    }
}
