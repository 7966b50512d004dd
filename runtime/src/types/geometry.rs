//! The geometric types. Their numbers are `double precision`, so that they have no total order.

use std::fmt;
use std::str::FromStr;

use super::parse::{Cursor, ParseError};
use super::{FromText, ToText};

/// A `point`: `(x,y)`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PgPoint {
    /// Abscissa.
    pub x: f64,
    /// Ordinate.
    pub y: f64,
}

/// A `line`, which has no ends: the points where `a * x + b * y + c` is 0. Its text is `{a,b,c}`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PgLine {
    /// Factor of x.
    pub a: f64,
    /// Factor of y.
    pub b: f64,
    /// What is added.
    pub c: f64,
}

/// An `lseg`, a line between two points: `[(x,y),(x,y)]`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PgLseg {
    /// One end.
    pub start: PgPoint,
    /// The other end.
    pub end: PgPoint,
}

/// A `box`: `(x,y),(x,y)`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PgBox {
    /// The corner with the greater coordinates; PostgreSQL swaps them, if they are not.
    pub upper_right: PgPoint,
    /// The opposite corner.
    pub lower_left: PgPoint,
}

/// A `path` through points: `((x,y),…)` if it is closed, `[(x,y),…]` if it is open.
#[derive(Clone, Debug, PartialEq)]
pub struct PgPath {
    /// Whether it returns to the first point.
    pub closed: bool,
    /// At least one point.
    pub points: Vec<PgPoint>,
}

/// A `polygon`: `((x,y),…)`.
#[derive(Clone, Debug, PartialEq)]
pub struct PgPolygon {
    /// At least one point.
    pub points: Vec<PgPoint>,
}

/// A `circle`: `<(x,y),r>`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PgCircle {
    /// The center.
    pub center: PgPoint,
    /// The radius, not negative.
    pub radius: f64,
}

fn number(cursor: &mut Cursor<'_>) -> Option<f64> {
    let text = cursor.plain(&[',', '(', ')', '[', ']', '{', '}', '<', '>']);
    f64::from_text(text).ok()
}

fn point(cursor: &mut Cursor<'_>) -> Option<PgPoint> {
    cursor.take(&['('])?;
    let x = number(cursor)?;
    cursor.take(&[','])?;
    let y = number(cursor)?;
    cursor.take(&[')'])?;
    Some(PgPoint { x, y })
}

fn pair(cursor: &mut Cursor<'_>) -> Option<(PgPoint, PgPoint)> {
    let first = point(cursor)?;
    cursor.take(&[','])?;
    Some((first, point(cursor)?))
}

fn points(cursor: &mut Cursor<'_>) -> Option<Vec<PgPoint>> {
    let mut points = vec![point(cursor)?];
    while cursor.take(&[',']).is_some() {
        points.push(point(cursor)?);
    }
    Some(points)
}

fn line(cursor: &mut Cursor<'_>) -> Option<PgLine> {
    cursor.take(&['{'])?;
    let a = number(cursor)?;
    cursor.take(&[','])?;
    let b = number(cursor)?;
    cursor.take(&[','])?;
    let c = number(cursor)?;
    cursor.take(&['}'])?;
    Some(PgLine { a, b, c })
}

fn lseg(cursor: &mut Cursor<'_>) -> Option<PgLseg> {
    cursor.take(&['['])?;
    let (start, end) = pair(cursor)?;
    cursor.take(&[']'])?;
    Some(PgLseg { start, end })
}

fn corners(cursor: &mut Cursor<'_>) -> Option<PgBox> {
    let (upper_right, lower_left) = pair(cursor)?;
    Some(PgBox {
        upper_right,
        lower_left,
    })
}

fn path(cursor: &mut Cursor<'_>) -> Option<PgPath> {
    let closed = cursor.take(&['(', '['])? == '(';
    let points = points(cursor)?;
    cursor.take(&[if closed { ')' } else { ']' }])?;
    Some(PgPath { closed, points })
}

fn polygon(cursor: &mut Cursor<'_>) -> Option<PgPolygon> {
    cursor.take(&['('])?;
    let points = points(cursor)?;
    cursor.take(&[')'])?;
    Some(PgPolygon { points })
}

fn circle(cursor: &mut Cursor<'_>) -> Option<PgCircle> {
    cursor.take(&['<'])?;
    let center = point(cursor)?;
    cursor.take(&[','])?;
    let radius = number(cursor)?;
    cursor.take(&['>'])?;
    Some(PgCircle { center, radius })
}

macro_rules! from_str {
    ($($type:ty: $what:literal, $parse:ident;)*) => {$(
        impl FromStr for $type {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<Self, ParseError> {
                let mut cursor = Cursor::new(text);
                $parse(&mut cursor)
                    .filter(|_| cursor.is_at_end())
                    .ok_or_else(|| ParseError::new($what, text))
            }
        }
    )*};
}
from_str! {
    PgPoint: "point", point;
    PgLine: "line", line;
    PgLseg: "lseg", lseg;
    PgBox: "box", corners;
    PgPath: "path", path;
    PgPolygon: "polygon", polygon;
    PgCircle: "circle", circle;
}

impl fmt::Display for PgPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({},{})", self.x.to_text(), self.y.to_text())
    }
}

impl fmt::Display for PgLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c] = [self.a, self.b, self.c].map(|number| number.to_text());
        write!(f, "{{{a},{b},{c}}}")
    }
}

impl fmt::Display for PgLseg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{},{}]", self.start, self.end)
    }
}

impl fmt::Display for PgBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.upper_right, self.lower_left)
    }
}

fn list(points: &[PgPoint]) -> String {
    let points: Vec<String> = points.iter().map(PgPoint::to_string).collect();
    points.join(",")
}

impl fmt::Display for PgPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, close) = if self.closed { ('(', ')') } else { ('[', ']') };
        write!(f, "{open}{}{close}", list(&self.points))
    }
}

impl fmt::Display for PgPolygon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({})", list(&self.points))
    }
}

impl fmt::Display for PgCircle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{},{}>", self.center, self.radius.to_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same<T: FromStr<Err = ParseError> + ToString>(texts: &[&str], wrong: &[&str]) {
        for text in texts {
            let value = text.parse::<T>().map(|value| value.to_string());
            assert_eq!(value.as_deref(), Ok(*text));
        }
        for text in wrong {
            assert!(text.parse::<T>().is_err(), "{text}");
        }
    }

    #[test]
    fn figures_are_read_and_written_again() {
        same::<PgPoint>(
            &["(1,2)", "(-0,1e+20)", "(NaN,-Infinity)"],
            &["", "(1)", "(1,2", "1,2", "(1,2)x", "(,)", "(1,2,3)"],
        );
        same::<PgLine>(&["{1,-1,0.5}"], &["", "{1,2}", "{1,2,3", "(1,2,3)"]);
        same::<PgLseg>(&["[(1,2),(3,4)]"], &["", "[(1,2)]", "((1,2),(3,4))"]);
        same::<PgBox>(&["(3,4),(1,2)"], &["", "(3,4)", "((3,4),(1,2))"]);
        same::<PgPath>(
            &["((1,2))", "[(1,2),(3,4)]"],
            &["", "()", "[]", "((1,2)]", "[(1,2),]"],
        );
        same::<PgPolygon>(&["((1,2),(3,4))"], &["", "()", "[(1,2)]"]);
        same::<PgCircle>(&["<(1,2),0.1>"], &["", "<(1,2)>", "<(1,2),3"]);
    }
}
