//! Ranges `empty`, `[1,5)`, `(,"a b"]`, and multiranges `{[1,3),[5,9)}`.

use std::ops::Bound;

use super::push_doubled;
use crate::types::parse::Cursor;

const SPECIAL: [char; 5] = ['(', ')', '[', ']', ','];

/// The bounds of a range; `None` if it is empty.
pub(crate) type Bounds = Option<(Bound<String>, Bound<String>)>;

/// Reads a range; `None` if the text is none.
pub(crate) fn parse(text: &str) -> Option<Bounds> {
    let mut cursor = Cursor::new(text);
    let bounds = parse_one(&mut cursor)?;
    cursor.is_at_end().then_some(bounds)
}

/// Reads a multirange; `None` if the text is none.
pub(crate) fn parse_multi(text: &str) -> Option<Vec<Bounds>> {
    let mut cursor = Cursor::new(text);
    let mut ranges = Vec::new();
    if !cursor.tag("{}") {
        cursor.take(&['{'])?;
        loop {
            ranges.push(parse_one(&mut cursor)?);
            if cursor.take(&[',', '}'])? == '}' {
                break;
            }
        }
    }
    cursor.is_at_end().then_some(ranges)
}

fn parse_one(cursor: &mut Cursor<'_>) -> Option<Bounds> {
    if cursor.tag("empty") {
        return Some(None);
    }
    let lower_included = cursor.take(&['[', '('])? == '[';
    let lower = parse_bound(cursor)?;
    cursor.take(&[','])?;
    let upper = parse_bound(cursor)?;
    let upper_included = cursor.take(&[']', ')'])? == ']';
    Some(Some((
        bound(lower, lower_included),
        bound(upper, upper_included),
    )))
}

/// Takes the text of a bound; `None` within is no bound.
fn parse_bound(cursor: &mut Cursor<'_>) -> Option<Option<String>> {
    if cursor.is_at('"') {
        return cursor.quoted(true).map(Some);
    }
    let plain = cursor.plain(&SPECIAL);
    Some((!plain.is_empty()).then(|| plain.to_owned()))
}

fn bound(text: Option<String>, included: bool) -> Bound<String> {
    match text {
        None => Bound::Unbounded,
        Some(text) if included => Bound::Included(text),
        Some(text) => Bound::Excluded(text),
    }
}

/// Writes a range as PostgreSQL does.
pub(crate) fn write(bounds: Bounds) -> String {
    let Some((lower, upper)) = bounds else {
        return "empty".into();
    };
    let mut out = String::new();
    out.push(if matches!(lower, Bound::Included(_)) {
        '['
    } else {
        '('
    });
    push_bound(&mut out, &lower);
    out.push(',');
    push_bound(&mut out, &upper);
    out.push(if matches!(upper, Bound::Included(_)) {
        ']'
    } else {
        ')'
    });
    out
}

fn push_bound(out: &mut String, bound: &Bound<String>) {
    if let Bound::Included(text) | Bound::Excluded(text) = bound {
        push_doubled(out, text, &SPECIAL);
    }
}

/// Writes a multirange as PostgreSQL does.
pub(crate) fn write_multi(ranges: impl Iterator<Item = String>) -> String {
    format!("{{{}}}", ranges.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_written_again() {
        let text = |text: &str| text.to_owned();
        for (literal, bounds) in [
            ("empty", None),
            (
                "[1,5)",
                Some((Bound::Included(text("1")), Bound::Excluded(text("5")))),
            ),
            (
                "(,1.50]",
                Some((Bound::Unbounded, Bound::Included(text("1.50")))),
            ),
            ("(,)", Some((Bound::Unbounded, Bound::Unbounded))),
            (
                r#"["","a ""\\]"]"#,
                Some((Bound::Included(text("")), Bound::Included(text(r#"a "\]"#)))),
            ),
        ] {
            assert_eq!(parse(literal), Some(bounds.clone()), "{literal}");
            assert_eq!(write(bounds), literal);
        }
        for literal in ["{}", "{[1,3),[5,9)}", "{(,)}"] {
            let ranges =
                parse_multi(literal).map(|ranges| write_multi(ranges.into_iter().map(write)));
            assert_eq!(ranges.as_deref(), Some(literal));
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in [
            "",
            "emp",
            "empty ",
            "[",
            "[1",
            "[1,",
            "[1,2",
            "1,2)",
            "[1,2,3)",
            "[ 1,2)",
            "[1,2)x",
            "[\"1,2)",
            "[1\"2\",3)",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        for text in ["", "{", "[1,2)", "{[1,2)", "{[1,2),}", "{}x", "{,}"] {
            assert_eq!(parse_multi(text), None, "{text}");
        }
    }
}
