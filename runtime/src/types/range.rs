//! Ranges and multiranges.

use std::fmt;
use std::ops::Bound;
use std::str::FromStr;

use super::literal::range;
use super::{FromText, ParseError, ToText};

/// A range of values.
///
/// PostgreSQL writes ranges of whole numbers and of days as `[lower,upper)`, whatever was written to it; an infinity of a
/// type is a value, and not the same as no bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PgRange<T> {
    /// No value.
    Empty,
    /// The values between two bounds.
    Between {
        /// The least value.
        lower: Bound<T>,
        /// The greatest value.
        upper: Bound<T>,
    },
}

/// Ranges that do not touch each other, in ascending order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PgMultirange<T>(pub Vec<PgRange<T>>);

impl<T: FromText> PgRange<T> {
    fn from_bounds(bounds: range::Bounds) -> Result<Self, ParseError> {
        let Some((lower, upper)) = bounds else {
            return Ok(Self::Empty);
        };
        let read = |bound: Bound<String>| {
            Ok(match bound {
                Bound::Included(text) => Bound::Included(T::from_text(&text)?),
                Bound::Excluded(text) => Bound::Excluded(T::from_text(&text)?),
                Bound::Unbounded => Bound::Unbounded,
            })
        };
        Ok(Self::Between {
            lower: read(lower)?,
            upper: read(upper)?,
        })
    }
}

impl<T: FromText> FromStr for PgRange<T> {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bounds = range::parse(text).ok_or_else(|| ParseError::new("range", text))?;
        Self::from_bounds(bounds)
    }
}

impl<T: FromText> FromText for PgRange<T> {
    fn from_text(text: &str) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl<T: ToText> ToText for PgRange<T> {
    fn to_text(&self) -> String {
        let text = |bound: &Bound<T>| bound.as_ref().map(T::to_text);
        range::write(match self {
            Self::Empty => None,
            Self::Between { lower, upper } => Some((text(lower), text(upper))),
        })
    }
}

impl<T: ToText> fmt::Display for PgRange<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl<T: FromText> FromStr for PgMultirange<T> {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let ranges = range::parse_multi(text).ok_or_else(|| ParseError::new("multirange", text))?;
        let ranges: Result<_, _> = ranges.into_iter().map(PgRange::from_bounds).collect();
        ranges.map(Self)
    }
}

impl<T: FromText> FromText for PgMultirange<T> {
    fn from_text(text: &str) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl<T: ToText> ToText for PgMultirange<T> {
    fn to_text(&self) -> String {
        range::write_multi(self.0.iter().map(PgRange::to_text))
    }
}

impl<T: ToText> fmt::Display for PgMultirange<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}
