//! `time`.

use std::fmt;
use std::str::FromStr;

use chrono::{NaiveTime, Timelike};

use super::parse::{Cursor, ParseError};

/// A `time` of day from 00:00 to 24:00, both included.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PgTime(i64);

const SECOND: i64 = 1_000_000;
pub(super) const DAY: i64 = 86_400 * SECOND;

impl PgTime {
    /// The time of a number of microseconds since midnight; `None` beyond 24:00.
    pub const fn from_micros(micros: i64) -> Option<Self> {
        if 0 <= micros && micros <= DAY {
            Some(Self(micros))
        } else {
            None
        }
    }

    /// Microseconds since midnight.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// `None` for 24:00, which chrono does not have.
    pub fn to_chrono(self) -> Option<NaiveTime> {
        let seconds = u32::try_from(self.0 / SECOND).ok()?;
        let nanos = u32::try_from(self.0 % SECOND * 1_000).ok()?;
        NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos)
    }
}

impl From<NaiveTime> for PgTime {
    /// Cuts to microseconds; a leap second becomes the last microsecond before it.
    fn from(time: NaiveTime) -> Self {
        let micros = i64::from(time.nanosecond() / 1_000).min(SECOND - 1);
        Self(i64::from(time.num_seconds_from_midnight()) * SECOND + micros)
    }
}

/// `12:34:56.789` in microseconds.
pub(super) fn parse_clock(cursor: &mut Cursor<'_>) -> Option<i64> {
    let hours = cursor.number().filter(|hours| *hours <= 24)?;
    cursor.take(&[':'])?;
    let minutes = cursor.number().filter(|minutes| *minutes < 60)?;
    cursor.take(&[':'])?;
    let seconds = cursor.number().filter(|seconds| *seconds <= 60)?;
    let fraction = cursor.fraction()?;
    Some(((hours * 60 + minutes) * 60 + seconds) * SECOND + fraction)
        .filter(|micros| *micros <= DAY)
}

/// `12:34:56.789`, without zeros at the end of the fraction.
pub(super) fn clock_text(micros: i64) -> String {
    let (seconds, fraction) = (micros / SECOND, micros % SECOND);
    let clock = format!(
        "{:02}:{:02}:{:02}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    );
    if fraction == 0 {
        clock
    } else {
        format!("{clock}.{fraction:06}")
            .trim_end_matches('0')
            .to_owned()
    }
}

impl FromStr for PgTime {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        let micros = parse_clock(&mut cursor).filter(|_| cursor.is_at_end());
        micros
            .map(Self)
            .ok_or_else(|| ParseError::new("time", text))
    }
}

impl fmt::Display for PgTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&clock_text(self.0))
    }
}

impl fmt::Debug for PgTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
