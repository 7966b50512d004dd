//! Identifiers and literals of SQL, identifiers of Rust.

use heck::{ToPascalCase, ToShoutySnakeCase, ToSnakeCase};

/// An SQL identifier, always quoted.
pub fn sql_ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// An SQL string literal that means the same whatever `standard_conforming_strings` says.
pub fn sql_literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    // A line of its own in the file could look like one that a tool reads.
    if quoted.contains(['\\', '\n', '\r']) {
        let escaped = quoted
            .replace('\\', "\\\\")
            .replace('\n', "\\n")
            .replace('\r', "\\r");
        format!("E'{escaped}'")
    } else {
        format!("'{quoted}'")
    }
}

/// A dollar quote that does not occur in the body.
pub fn dollar_tag(body: &str) -> String {
    (0..)
        .map(|number| match number {
            0 => "$pgpubsub$".to_owned(),
            _ => format!("$pgpubsub{number}$"),
        })
        .find(|tag| !body.contains(tag.trim_end_matches('$')))
        .expect("a body is finite, tags are not")
}

/// A name for an SQL range that none of the taken names equals.
pub fn free_sql_name<'a>(wanted: &str, taken: impl Iterator<Item = &'a str> + Clone) -> String {
    let mut name = wanted.to_owned();
    while taken.clone().any(|other| other == name) {
        name.insert(0, '_');
    }
    name
}

/// Types of the prelude that the generated code names: a model of this name must not hide them.
const PRELUDE: &[&str] = &[
    "Box", "Default", "Err", "From", "None", "Ok", "Option", "Result", "Send", "Some", "String",
    "Sync", "Vec", "L",
];

/// A Rust type name.
pub fn rust_type(name: &str) -> String {
    let pascal = legal_start(name.to_pascal_case());
    if pascal == "Self" || PRELUDE.contains(&pascal.as_str()) {
        format!("{pascal}_")
    } else {
        pascal
    }
}

/// A Rust constant.
pub fn rust_const(name: &str) -> String {
    legal_start(name.to_shouty_snake_case())
}

/// A Rust field or function.
pub fn rust_field(name: &str) -> String {
    let snake = legal_start(name.to_snake_case());
    match snake.as_str() {
        // These cannot be raw identifiers.
        "self" | "super" | "crate" => format!("{snake}_"),
        _ if is_keyword(&snake) => format!("r#{snake}"),
        _ => snake,
    }
}

/// A method of `Listeners`.
pub fn rust_builder(name: &str) -> String {
    let field = rust_field(name);
    match field.as_str() {
        "new" | "all" => format!("{field}_"),
        _ => field,
    }
}

fn legal_start(name: String) -> String {
    if name.chars().next().is_none_or(char::is_numeric) {
        format!("_{name}")
    } else {
        name
    }
}

/// Strict and reserved words of the editions 2021 and 2024.
fn is_keyword(word: &str) -> bool {
    [
        "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do",
        "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in",
        "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
        "return", "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe",
        "unsized", "use", "virtual", "where", "while", "yield",
    ]
    .contains(&word)
}

/// A Rust string literal on one line.
pub fn rust_literal(text: &str) -> String {
    format!("{text:?}")
}

/// Documentation as lines without trailing blanks or bare carriage returns, which `///` does not allow.
pub fn doc_lines(doc: Option<&str>) -> Vec<String> {
    let mut fenced = false;
    doc.unwrap_or_default()
        .trim()
        .lines()
        .map(|line| {
            let line = line.replace('\r', " ").trim_end().to_owned();
            if !line.trim_start().starts_with("```") {
                return line;
            }
            fenced = !fenced;
            // rustdoc would compile and run a block without a language.
            if fenced && line.trim_start() == "```" {
                line + "text"
            } else {
                line
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sql_identifiers_double_their_quotes() {
        assert_eq!(sql_ident("Sel\"ect é"), "\"Sel\"\"ect é\"");
    }

    #[test]
    fn sql_literals_do_not_depend_on_settings() {
        for (text, literal) in [("a", "'a'"), ("it's", "'it''s'"), ("a\\'b", "E'a\\\\''b'")] {
            assert_eq!(sql_literal(text), literal);
        }
    }

    #[test]
    fn dollar_tags_avoid_the_body() {
        assert_eq!(dollar_tag("x"), "$pgpubsub$");
        assert_eq!(dollar_tag("a $pgpubsub$ b"), "$pgpubsub1$");
        assert_eq!(dollar_tag("a $pgpubsub"), "$pgpubsub1$");
    }

    #[test]
    fn code_in_documentation_is_no_doctest() {
        let lines = doc_lines(Some(" Like so:  \n```\nx\n```\n```sql\ny\n```\n"));
        assert_eq!(
            lines,
            ["Like so:", "```text", "x", "```", "```sql", "y", "```"]
        );
        assert!(doc_lines(None).is_empty());
    }

    #[test]
    fn rust_names_compile() {
        for (name, expected) in [
            ("type", "r#type"),
            ("self", "self_"),
            ("Self", "self_"),
            ("1st", "_1st"),
            ("crate", "crate_"),
            ("mixedCase", "mixed_case"),
            ("plain", "plain"),
        ] {
            assert_eq!(rust_field(name), expected);
        }
        for (name, expected) in [
            ("self", "Self_"),
            ("option", "Option_"),
            ("blog_post", "BlogPost"),
        ] {
            assert_eq!(rust_type(name), expected);
        }
        assert_eq!(rust_builder("new"), "new_");
    }
}
