//! Arrays: `{1,NULL,3}`, `{{"a b",c},{d,"NULL"}}`, `[5:7]={1,2,3}`.

use super::needs_quotes;
use crate::types::array::{Dimension, MAX_DIMENSIONS};
use crate::types::parse::Cursor;

/// Dimensions, and the texts of the elements in row-major order; `None` is NULL.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Literal {
    pub(crate) dimensions: Vec<Dimension>,
    pub(crate) elements: Vec<Option<String>>,
}

/// Reads an array whose elements have `delimiter` between them; `None` if the text is none.
pub(crate) fn parse(text: &str, delimiter: char) -> Option<Literal> {
    let mut cursor = Cursor::new(text);
    let bounds = parse_bounds(&mut cursor)?;
    let mut body = Body::default();
    body.parse(&mut cursor, delimiter)?;
    let lens = body.lens.iter().copied().flatten();
    let dimensions = match bounds {
        None => lens.map(|len| Dimension { len, lower: 1 }).collect(),
        Some(bounds) if lens.eq(bounds.iter().map(|bound| bound.len)) => bounds,
        Some(_) => return None,
    };
    cursor.is_at_end().then_some(Literal {
        dimensions,
        elements: body.elements,
    })
}

/// Takes `[5:7][-1:0]=`, if it is next.
fn parse_bounds(cursor: &mut Cursor<'_>) -> Option<Option<Vec<Dimension>>> {
    let mut dimensions = Vec::new();
    while cursor.take(&['[']).is_some() {
        let lower = parse_bound(cursor)?;
        cursor.take(&[':'])?;
        let upper = parse_bound(cursor)?;
        cursor.take(&[']'])?;
        let len = (i64::from(upper) - i64::from(lower)).checked_add(1)?;
        let len = usize::try_from(len).ok()?;
        dimensions.push(Dimension { len, lower });
        if dimensions.len() > MAX_DIMENSIONS {
            return None;
        }
    }
    if dimensions.is_empty() {
        return Some(None);
    }
    cursor.take(&['=']).map(|_| Some(dimensions))
}

fn parse_bound(cursor: &mut Cursor<'_>) -> Option<i32> {
    let sign = if cursor.take(&['-']).is_some() { -1 } else { 1 };
    i32::try_from(sign * cursor.number()?).ok()
}

/// What is read between the outermost braces.
#[derive(Default)]
struct Body {
    /// Length of each dimension, once its first sub-array is closed.
    lens: Vec<Option<usize>>,
    /// How many members each open sub-array has so far, outermost first.
    open: Vec<usize>,
    elements: Vec<Option<String>>,
}

impl Body {
    fn parse(&mut self, cursor: &mut Cursor<'_>, delimiter: char) -> Option<()> {
        if cursor.tag("{}") {
            return Some(());
        }
        self.descend(cursor)?;
        loop {
            while self.descend(cursor).is_some() {}
            // Elements are at the deepest level only.
            if self.open.len() != self.lens.len() {
                return None;
            }
            let element = parse_element(cursor, delimiter)?;
            self.elements.push(element);
            *self.open.last_mut()? += 1;
            while cursor.take(&['}']).is_some() {
                self.ascend()?;
                if self.open.is_empty() {
                    return Some(());
                }
            }
            cursor.take(&[delimiter])?;
        }
    }

    /// Opens a sub-array, if it is next and may be there.
    fn descend(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        let depth = self.open.len();
        let fits = depth < self.lens.len() || (self.elements.is_empty() && depth < MAX_DIMENSIONS);
        if !fits {
            return None;
        }
        cursor.take(&['{'])?;
        self.open.push(0);
        if self.lens.len() == depth {
            self.lens.push(None);
        }
        Some(())
    }

    /// Closes a sub-array, which must be as long as the others of its dimension.
    fn ascend(&mut self) -> Option<()> {
        let len = self.open.pop()?;
        let known = self.lens[self.open.len()].get_or_insert(len);
        if *known != len {
            return None;
        }
        if let Some(members) = self.open.last_mut() {
            *members += 1;
        }
        Some(())
    }
}

fn parse_element(cursor: &mut Cursor<'_>, delimiter: char) -> Option<Option<String>> {
    if cursor.is_at('"') {
        return cursor.quoted(false).map(Some);
    }
    match cursor.plain(&['{', '}', delimiter]) {
        "" => None,
        text if text.eq_ignore_ascii_case("null") => Some(None),
        text => Some(Some(text.to_owned())),
    }
}

/// Writes an array as PostgreSQL does: bounds only if one is not 1, quotes only where they are needed.
pub(crate) fn write(
    dimensions: &[Dimension],
    elements: impl Iterator<Item = Option<String>>,
    delimiter: char,
) -> String {
    let mut out = String::new();
    if dimensions.is_empty() {
        return "{}".into();
    }
    if dimensions.iter().any(|dimension| dimension.lower != 1) {
        for dimension in dimensions {
            out += &format!("[{}:{}]", dimension.lower, dimension.upper());
        }
        out.push('=');
    }
    for (index, element) in elements.enumerate() {
        let boundaries = boundaries(dimensions, index);
        if index > 0 {
            out.push_str(&"}".repeat(boundaries));
            out.push(delimiter);
        }
        out.push_str(&"{".repeat(boundaries));
        push_element(&mut out, element.as_deref(), delimiter);
    }
    out.push_str(&"}".repeat(dimensions.len()));
    out
}

/// How many sub-arrays begin at an element.
fn boundaries(dimensions: &[Dimension], index: usize) -> usize {
    let mut members = 1_usize;
    let begins = |dimension: &&Dimension| {
        members = members.saturating_mul(dimension.len);
        index.checked_rem(members) == Some(0)
    };
    dimensions.iter().rev().take_while(begins).count()
}

fn push_element(out: &mut String, element: Option<&str>, delimiter: char) {
    let Some(text) = element else {
        out.push_str("NULL");
        return;
    };
    if !needs_quotes(text, &['{', '}', delimiter]) && !text.eq_ignore_ascii_case("null") {
        out.push_str(text);
        return;
    }
    out.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> (Vec<(usize, i32)>, Vec<Option<String>>) {
        let literal = parse(text, ',').unwrap_or_else(|| panic!("{text}"));
        let written = write(&literal.dimensions, literal.elements.iter().cloned(), ',');
        assert_eq!(written, text);
        let dimensions = literal.dimensions.iter();
        (
            dimensions.map(|each| (each.len, each.lower)).collect(),
            literal.elements,
        )
    }

    fn some(texts: &[&str]) -> Vec<Option<String>> {
        texts.iter().map(|text| Some((*text).to_owned())).collect()
    }

    #[test]
    fn arrays_are_read_and_written_again() {
        assert_eq!(literal("{}"), (vec![], vec![]));
        assert_eq!(literal("{1,2}"), (vec![(2, 1)], some(&["1", "2"])));
        assert_eq!(
            literal(r#"{NULL,"NULL","null","",é,"a\"\\b","{x","a b"}"#),
            (
                vec![(8, 1)],
                [
                    vec![None],
                    some(&["NULL", "null", "", "é", "a\"\\b", "{x", "a b"])
                ]
                .concat()
            )
        );
        assert_eq!(
            literal("[5:7]={1,2,3}"),
            (vec![(3, 5)], some(&["1", "2", "3"]))
        );
        assert_eq!(
            literal("[-1:0][2:4]={{1,2,3},{4,5,6}}"),
            (vec![(2, -1), (3, 2)], some(&["1", "2", "3", "4", "5", "6"]))
        );
        assert_eq!(
            literal("{{{1},{2}},{{3},{4}}}"),
            (vec![(2, 1), (2, 1), (1, 1)], some(&["1", "2", "3", "4"]))
        );
        assert_eq!(literal("{{{{{{1}}}}}}").0, vec![(1, 1); 6]);
        assert_eq!(
            literal("[2147483647:2147483647]={1}").0,
            vec![(1, 2_147_483_647)]
        );
    }

    #[test]
    fn another_delimiter_splits() {
        let boxes = parse("{(1,2),(0,0);(3,4),(1,1)}", ';').map(|literal| literal.elements);
        assert_eq!(boxes, Some(some(&["(1,2),(0,0)", "(3,4),(1,1)"])));
    }

    #[test]
    fn what_is_no_array_is_refused() {
        let deep = "{".repeat(1_000_000);
        for text in [
            "",
            "{",
            "}",
            "1",
            "{1",
            "{1,}",
            "{,1}",
            "{1 ,2}",
            "{1}}",
            "{1}x",
            "{{1},2}",
            "{1,{2}}",
            "{{1},{2,3}}",
            "{{1}{2}}",
            "{{}}",
            "{\"a}",
            "{\"a\\",
            "{a\"b\"}",
            "{\"a\"b}",
            "[1:2]={1}",
            "[1:2]{1,2}",
            "[2:1]={}",
            "[1]={1}",
            "[1:1]={{1}}",
            "[1:99999999999]={1}",
            "[1:1][1:1][1:1][1:1][1:1][1:1][1:1]={{{{{{{1}}}}}}}",
            "{{{{{{{1}}}}}}}",
            &deep,
        ] {
            let shown: String = text.chars().take(40).collect();
            assert_eq!(parse(text, ','), None, "{shown}");
        }
    }
}
