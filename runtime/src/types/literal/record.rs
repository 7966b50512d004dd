//! Records: `(1,"b ""c"" \\d",)`, where nothing at all is NULL and `""` is the empty text.

use super::push_doubled;
use crate::types::parse::Cursor;

const SPECIAL: [char; 3] = ['(', ')', ','];

/// Reads the texts of the attributes; `None` within is NULL. A record without attributes looks like one with a single NULL,
/// and is read as that.
pub(crate) fn parse(text: &str) -> Option<Vec<Option<String>>> {
    let mut cursor = Cursor::new(text);
    cursor.take(&['('])?;
    let mut attributes = Vec::new();
    loop {
        attributes.push(if cursor.is_at('"') {
            Some(cursor.quoted(true)?)
        } else {
            let plain = cursor.plain(&SPECIAL);
            (!plain.is_empty()).then(|| plain.to_owned())
        });
        if cursor.take(&[',', ')'])? == ')' {
            return cursor.is_at_end().then_some(attributes);
        }
    }
}

/// Writes a record as PostgreSQL does.
pub(crate) fn write(attributes: impl Iterator<Item = Option<String>>) -> String {
    let mut out = String::from("(");
    for (index, attribute) in attributes.enumerate() {
        if index > 0 {
            out.push(',');
        }
        if let Some(text) = attribute {
            push_doubled(&mut out, &text, &SPECIAL);
        }
    }
    out.push(')');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_and_written_again() {
        for (text, attributes) in [
            ("()", vec![None]),
            ("(,)", vec![None, None]),
            ("(\"\")", vec![Some("")]),
            (
                r#"(a,"b ""c"" \\d",)"#,
                vec![Some("a"), Some(r#"b "c" \d"#), None],
            ),
            ("(NULL,é)", vec![Some("NULL"), Some("é")]),
            (
                r#"("(1,""x y"")","{1,2}")"#,
                vec![Some("(1,\"x y\")"), Some("{1,2}")],
            ),
        ] {
            let attributes: Vec<Option<String>> = attributes
                .into_iter()
                .map(|text| text.map(ToOwned::to_owned))
                .collect();
            assert_eq!(parse(text).as_ref(), Some(&attributes), "{text}");
            assert_eq!(write(attributes.into_iter()), text);
        }
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for text in [
            "", "(", ")", "1", "(a", "(a,", "(a)b", "(a b)", "(\"a)", "(\"a\"b)", "(a\"b\")",
            "((a))", "(\"\\",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
