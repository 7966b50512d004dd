//! `timestamp` and `timestamptz`.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, Utc};

use super::civil;
use super::parse::{Cursor, ParseError};
use super::time::{DAY, clock_text, parse_clock};

/// A `timestamp` (without time zone): a date and a time of day, or one of the infinities.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PgTimestamp(i64);

/// A `timestamptz`: a point in time, or one of the infinities.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PgTimestampTz(i64);

/// 2000-01-01 in microseconds since 1970.
const EPOCH_IN_UNIX: i64 = 946_684_800_000_000;

macro_rules! common {
    ($type:ident, $what:literal, $zone:literal, $parse:expr) => {
        impl $type {
            /// Later than any other.
            pub const INFINITY: Self = Self(i64::MAX);
            /// Earlier than any other.
            pub const NEG_INFINITY: Self = Self(i64::MIN);

            /// From microseconds since 2000-01-01 00:00 (UTC); the two extremes of `i64` are the infinities, as in PostgreSQL.
            pub const fn from_micros(micros: i64) -> Self {
                Self(micros)
            }

            /// Microseconds since 2000-01-01 00:00 (UTC), see `from_micros`.
            pub const fn micros(self) -> i64 {
                self.0
            }

            fn to_utc(self) -> Option<DateTime<Utc>> {
                if self == Self::INFINITY || self == Self::NEG_INFINITY {
                    return None;
                }
                DateTime::from_timestamp_micros(self.0.checked_add(EPOCH_IN_UNIX)?)
            }
        }

        impl FromStr for $type {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<Self, ParseError> {
                match text {
                    "infinity" => Some(Self::INFINITY),
                    "-infinity" => Some(Self::NEG_INFINITY),
                    _ => parse(text, $parse).map(Self),
                }
                .ok_or_else(|| ParseError::new($what, text))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match *self {
                    Self::INFINITY => f.write_str("infinity"),
                    Self::NEG_INFINITY => f.write_str("-infinity"),
                    Self(micros) => {
                        let (date, era) = civil::text(micros.div_euclid(DAY));
                        write!(
                            f,
                            "{date}T{}{}{era}",
                            clock_text(micros.rem_euclid(DAY)),
                            $zone
                        )
                    }
                }
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}
common!(PgTimestamp, "timestamp", "", |_| Some(0));
common!(PgTimestampTz, "timestamptz", "+00:00", parse_offset);

/// Date, time, offset and era; microseconds since 2000.
fn parse(text: &str, offset: impl Fn(&mut Cursor<'_>) -> Option<i64>) -> Option<i64> {
    let mut cursor = Cursor::new(text);
    let (year, month, day) = civil::parse_date(&mut cursor)?;
    cursor.take(&['T', ' '])?;
    let clock = parse_clock(&mut cursor)?;
    let offset = offset(&mut cursor)?;
    let year = civil::parse_era(&mut cursor, year)?;
    let day = civil::day_number(year, month, day)?;
    let micros = day
        .checked_mul(DAY)?
        .checked_add(clock)?
        .checked_sub(offset)?;
    Some(micros).filter(|_| cursor.is_at_end())
}

/// `Z`, `+02`, `+05:30` or `-00:43:08` in microseconds.
fn parse_offset(cursor: &mut Cursor<'_>) -> Option<i64> {
    let sign = match cursor.take(&['+', '-', 'Z'])? {
        'Z' => return Some(0),
        '-' => -1,
        _ => 1,
    };
    let mut seconds = cursor.number().filter(|hours| *hours < 24)? * 3_600;
    for unit in [60, 1] {
        if cursor.take(&[':']).is_none() {
            break;
        }
        seconds += cursor.number().filter(|part| *part < 60)? * unit;
    }
    Some(sign * seconds * 1_000_000)
}

impl PgTimestamp {
    /// `None` for an infinity and for years that chrono does not have.
    pub fn to_chrono(self) -> Option<NaiveDateTime> {
        self.to_utc().map(|time| time.naive_utc())
    }
}

impl PgTimestampTz {
    /// `None` for an infinity and for years that chrono does not have.
    pub fn to_chrono(self) -> Option<DateTime<Utc>> {
        self.to_utc()
    }
}

impl From<NaiveDateTime> for PgTimestamp {
    /// Cuts to microseconds.
    fn from(time: NaiveDateTime) -> Self {
        Self(time.and_utc().timestamp_micros() - EPOCH_IN_UNIX)
    }
}

impl From<DateTime<Utc>> for PgTimestampTz {
    /// Cuts to microseconds.
    fn from(time: DateTime<Utc>) -> Self {
        Self(time.timestamp_micros() - EPOCH_IN_UNIX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamptz_is_read_in_every_form_that_postgresql_writes() {
        for (text, micros) in [
            ("2000-01-01T00:00:00+00:00", 0),
            ("2000-01-01T02:00:00.5+02:00", 500_000),
            ("1999-12-31 23:16:52-00:43:08", 0),
            (
                "294276-12-31T23:59:59.999999+00:00",
                9_223_371_331_199_999_999,
            ),
            ("4713-11-24T00:00:00+00:00 BC", -211_781_865_600_000_000),
            ("infinity", i64::MAX),
            ("-infinity", i64::MIN),
        ] {
            assert_eq!(
                text.parse::<PgTimestampTz>().map(PgTimestampTz::micros),
                Ok(micros),
                "{text}"
            );
        }
        for text in [
            "",
            "2000-01-01",
            "2000-01-01T00:00:00",
            "2000-01-01T00:00:00+00:00 ",
            "2000-13-01T00:00:00Z",
            "0000-01-01T00:00:00Z",
        ] {
            assert!(text.parse::<PgTimestampTz>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_text_reads_back() {
        for micros in [
            0,
            -1,
            1,
            i64::MAX,
            i64::MIN,
            9_223_371_331_199_999_999,
            -211_781_865_600_000_000,
        ] {
            let value = PgTimestamp::from_micros(micros);
            assert_eq!(value.to_string().parse(), Ok(value));
            let value = PgTimestampTz::from_micros(micros);
            assert_eq!(value.to_string().parse(), Ok(value));
        }
    }
}
