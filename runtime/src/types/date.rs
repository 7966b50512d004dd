//! `date`.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};

use super::civil;
use super::parse::{Cursor, ParseError};

/// A `date`: a day, or one of the infinities.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PgDate(i32);

/// Day 0 in chrono's count, where day 1 is 0001-01-01.
const EPOCH_IN_CHRONO: i32 = 730_120;

impl PgDate {
    /// Later than any day.
    pub const INFINITY: Self = Self(i32::MAX);
    /// Earlier than any day.
    pub const NEG_INFINITY: Self = Self(i32::MIN);

    /// The date of a number of days since 2000-01-01; the two extremes of `i32` are the infinities, as in PostgreSQL.
    pub const fn from_days(days: i32) -> Self {
        Self(days)
    }

    /// Days since 2000-01-01, see [`PgDate::from_days`].
    pub const fn days(self) -> i32 {
        self.0
    }

    /// `None` for an infinity and for years that chrono does not have.
    pub fn to_chrono(self) -> Option<NaiveDate> {
        if self == Self::INFINITY || self == Self::NEG_INFINITY {
            return None;
        }
        NaiveDate::from_num_days_from_ce_opt(self.0.checked_add(EPOCH_IN_CHRONO)?)
    }
}

impl From<NaiveDate> for PgDate {
    fn from(date: NaiveDate) -> Self {
        Self(date.num_days_from_ce() - EPOCH_IN_CHRONO)
    }
}

impl FromStr for PgDate {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "infinity" => return Ok(Self::INFINITY),
            "-infinity" => return Ok(Self::NEG_INFINITY),
            _ => {}
        }
        let parse = || {
            let mut cursor = Cursor::new(text);
            let (year, month, day) = civil::parse_date(&mut cursor)?;
            let year = civil::parse_era(&mut cursor, year)?;
            let number = civil::day_number(year, month, day)?;
            i32::try_from(number).ok().filter(|_| cursor.is_at_end())
        };
        parse()
            .map(Self)
            .ok_or_else(|| ParseError::new("date", text))
    }
}

impl fmt::Display for PgDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::INFINITY => f.write_str("infinity"),
            Self::NEG_INFINITY => f.write_str("-infinity"),
            Self(days) => {
                let (date, era) = civil::text(i64::from(days));
                write!(f, "{date}{era}")
            }
        }
    }
}

impl fmt::Debug for PgDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
