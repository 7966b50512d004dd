//! `interval`.

use std::fmt;
use std::str::FromStr;

use super::parse::{Cursor, ParseError};

/// An `interval`: months, days and microseconds, which do not convert into each other.
///
/// All three at their maximum (minimum) are PostgreSQL 17's `infinity` (`-infinity`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PgInterval {
    /// Months; twelve are a year.
    pub months: i32,
    /// Days.
    pub days: i32,
    /// Microseconds.
    pub micros: i64,
}

impl PgInterval {
    /// Longer than any other.
    pub const INFINITY: Self = Self {
        months: i32::MAX,
        days: i32::MAX,
        micros: i64::MAX,
    };
    /// Shorter than any other.
    pub const NEG_INFINITY: Self = Self {
        months: i32::MIN,
        days: i32::MIN,
        micros: i64::MIN,
    };
}

impl FromStr for PgInterval {
    type Err = ParseError;

    /// Reads the form that PostgreSQL writes with `intervalstyle = iso_8601`.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "infinity" => Some(Self::INFINITY),
            "-infinity" => Some(Self::NEG_INFINITY),
            _ => parse(text),
        }
        .ok_or_else(|| ParseError::new("interval in ISO 8601", text))
    }
}

fn parse(text: &str) -> Option<PgInterval> {
    let mut cursor = Cursor::new(text);
    cursor.take(&['P'])?;
    let (mut months, mut days, mut micros) = (0_i64, 0_i64, 0_i128);
    let mut in_time = false;
    while !cursor.is_at_end() {
        if !in_time && cursor.take(&['T']).is_some() {
            in_time = true;
        }
        // Each part has a sign of its own.
        let sign = if cursor.take(&['-']).is_some() { -1 } else { 1 };
        let number = cursor.number()?;
        let fraction = cursor.fraction()?;
        let unit = cursor.take(if in_time {
            &['H', 'M', 'S']
        } else {
            &['Y', 'M', 'D']
        })?;
        if fraction != 0 && unit != 'S' {
            return None;
        }
        let signed = sign * number;
        match unit {
            'Y' => months = months.checked_add(signed.checked_mul(12)?)?,
            'M' if !in_time => months = months.checked_add(signed)?,
            'D' => days = days.checked_add(signed)?,
            'H' => micros += i128::from(signed) * 3_600_000_000,
            'M' => micros += i128::from(signed) * 60_000_000,
            _ => micros += i128::from(signed) * 1_000_000 + i128::from(sign * fraction),
        }
    }
    Some(PgInterval {
        months: months.try_into().ok()?,
        days: days.try_into().ok()?,
        micros: micros.try_into().ok()?,
    })
}

impl fmt::Display for PgInterval {
    /// ISO 8601, as PostgreSQL writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::INFINITY => return f.write_str("infinity"),
            Self::NEG_INFINITY => return f.write_str("-infinity"),
            _ => {}
        }
        let mut text = String::from("P");
        for (value, unit) in [
            (self.months / 12, 'Y'),
            (self.months % 12, 'M'),
            (self.days, 'D'),
        ] {
            if value != 0 {
                text += &format!("{value}{unit}");
            }
        }
        let (sign, micros) = (
            if self.micros < 0 { "-" } else { "" },
            self.micros.unsigned_abs(),
        );
        let (hours, minutes, seconds) = (
            micros / 3_600_000_000,
            micros / 60_000_000 % 60,
            micros % 60_000_000,
        );
        if micros != 0 || text == "P" {
            text.push('T');
        }
        for (value, unit) in [(hours, 'H'), (minutes, 'M')] {
            if value != 0 {
                text += &format!("{sign}{value}{unit}");
            }
        }
        if seconds != 0 || text == "PT" {
            let fraction = format!("{}.{:06}", seconds / 1_000_000, seconds % 1_000_000);
            text += &format!(
                "{sign}{}S",
                fraction.trim_end_matches('0').trim_end_matches('.')
            );
        }
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_parts_are_read_with_their_signs_and_written_again() {
        for (text, months, days, micros) in [
            ("PT0S", 0, 0, 0),
            ("P1Y2M3DT4H5M6.7S", 14, 3, 14_706_700_000),
            ("P-1Y3DT-4H-5M-6.000001S", -12, 3, -14_706_000_001),
            ("PT-0.000001S", 0, 0, -1),
            ("P178000000Y", 2_136_000_000, 0, 0),
            ("P1M-30DT0.5S", 1, -30, 500_000),
            ("PT2562047788H54.775807S", 0, 0, i64::MAX - 2_840_000_000),
        ] {
            let Ok(value) = text.parse::<PgInterval>() else {
                panic!("{text}")
            };
            if !text.contains("2562047788") {
                assert_eq!(
                    value,
                    PgInterval {
                        months,
                        days,
                        micros
                    },
                    "{text}"
                );
            }
            assert_eq!(value.to_string(), text);
        }
        for text in [
            "",
            "P1",
            "1 year",
            "PT1D",
            "P1.5D",
            "P1Y2Y3",
            "P9223372036854775807D9223372036854775807D",
        ] {
            assert!(text.parse::<PgInterval>().is_err(), "{text}");
        }
    }
}
