//! `timetz`.

use std::fmt;
use std::str::FromStr;

use super::PgTime;
use super::parse::{Cursor, ParseError};
use super::time::parse_clock;

/// A `timetz`: a time of day from 00:00 to 24:00, and the offset of its zone from UTC.
///
/// Two values are equal if both parts are, although `12:00+02` and `10:00+00` are the same moment of a day.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PgTimeTz {
    time: PgTime,
    offset: i32,
}

/// PostgreSQL has no offset of 16 hours or more, in seconds.
const OFFSETS: i32 = 16 * 3_600;

impl PgTimeTz {
    /// A time at an offset in seconds east of UTC; `None` for 16 hours or more.
    pub const fn new(time: PgTime, offset: i32) -> Option<Self> {
        if -OFFSETS < offset && offset < OFFSETS {
            Some(Self { time, offset })
        } else {
            None
        }
    }

    /// The time of day, at its offset.
    pub const fn time(self) -> PgTime {
        self.time
    }

    /// Seconds east of UTC.
    pub const fn offset(self) -> i32 {
        self.offset
    }
}

fn parse(text: &str) -> Option<PgTimeTz> {
    let mut cursor = Cursor::new(text);
    let time = PgTime::from_micros(parse_clock(&mut cursor)?)?;
    let sign = match cursor.take(&['+', '-'])? {
        '-' => -1,
        _ => 1,
    };
    let mut offset = cursor.number().filter(|hours| *hours < 24)? * 3_600;
    for unit in [60, 1] {
        if cursor.take(&[':']).is_none() {
            break;
        }
        offset += cursor.number().filter(|part| *part < 60)? * unit;
    }
    let offset = i32::try_from(sign * offset).ok()?;
    PgTimeTz::new(time, offset).filter(|_| cursor.is_at_end())
}

impl FromStr for PgTimeTz {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse(text).ok_or_else(|| ParseError::new("timetz", text))
    }
}

impl fmt::Display for PgTimeTz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let seconds = self.offset.unsigned_abs();
        write!(f, "{}{sign}{:02}", self.time, seconds / 3_600)?;
        let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
        if minutes != 0 || seconds != 0 {
            write!(f, ":{minutes:02}")?;
        }
        if seconds != 0 {
            write!(f, ":{seconds:02}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for PgTimeTz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_is_read_with_every_part() {
        for (text, offset) in [
            ("00:00:00+00", 0),
            ("24:00:00-15:59:59", -57_599),
            ("03:04:05.123456+05:30:15", 19_815),
            ("03:04:05-00:00:01", -1),
        ] {
            let value = text.parse::<PgTimeTz>();
            assert_eq!(value.clone().map(PgTimeTz::offset), Ok(offset), "{text}");
            assert_eq!(value.map(|value| value.to_string()).as_deref(), Ok(text));
        }
        for text in [
            "",
            "12:00:00",
            "12:00:00+16",
            "12:00:00+1:2:3:4",
            "25:00:00+00",
        ] {
            assert!(text.parse::<PgTimeTz>().is_err(), "{text}");
        }
    }
}
