//! Names: of PostgreSQL as SQL would read them, and of the schema file as Rust can use them.

use super::QualifiedName;

/// Bytes of a PostgreSQL identifier.
const LENGTH: usize = 63;

/// `name`, `schema.name`, each part perhaps in double quotes; without them it is folded to lower case, as in SQL.
pub(crate) fn table(text: &str) -> Result<QualifiedName, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let (part, tail) = part(rest)?;
        check(&part)?;
        parts.push(part);
        match tail.strip_prefix('.') {
            Some(tail) => rest = tail,
            None if tail.is_empty() => break,
            None => {
                return Err(format!(
                    "`{tail}` does not belong here; other characters need double quotes"
                ));
            }
        }
    }
    match <[String; 2]>::try_from(parts) {
        Ok([schema, name]) => Ok(QualifiedName { schema, name }),
        Err(mut parts) if parts.len() == 1 => Ok(QualifiedName {
            schema: "public".into(),
            name: parts.remove(0),
        }),
        Err(_) => Err("a table has at most a schema before its name".into()),
    }
}

fn part(text: &str) -> Result<(String, &str), String> {
    if let Some(quoted) = text.strip_prefix('"') {
        let mut name = String::new();
        let mut rest = quoted;
        loop {
            let (head, tail) = rest
                .split_once('"')
                .ok_or("a `\"` without its other half")?;
            name += head;
            match tail.strip_prefix('"') {
                Some(tail) => {
                    name.push('"');
                    rest = tail;
                }
                None => return Ok((name, tail)),
            }
        }
    }
    let starts = |c: char| c.is_alphabetic() || c == '_';
    let continues = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let end = text.find(|c| !continues(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if !name.starts_with(starts) {
        return Err("a name is missing, or needs double quotes".into());
    }
    Ok((name.to_ascii_lowercase(), rest))
}

/// Whether PostgreSQL takes a name as it is.
pub(super) fn check(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("an empty name".into());
    }
    if name.contains('\0') {
        return Err("a name with a NUL character".into());
    }
    if name.len() > LENGTH {
        return Err(format!(
            "a name of {} bytes; PostgreSQL would cut it to {LENGTH}",
            name.len()
        ));
    }
    Ok(())
}

/// Whether a name of the schema file can be a name in Rust.
pub(crate) fn is_rust_name(name: &str) -> bool {
    let mut characters = name.chars();
    let first = characters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.chars().any(|c| c != '_')
}

/// Names that are not even possible as raw identifiers.
pub(crate) fn is_never_raw(field: &str) -> bool {
    matches!(field, "self" | "super" | "crate" | "Self")
}

/// Names of types that generated code uses without a path.
pub(crate) fn hides_a_type(name: &str) -> bool {
    const USED: [&str; 24] = [
        "Arc",
        "AsRef",
        "Box",
        "Clone",
        "Copy",
        "Debug",
        "Default",
        "Drop",
        "Eq",
        "Err",
        "From",
        "Into",
        "Listeners",
        "None",
        "Ok",
        "Option",
        "PartialEq",
        "Result",
        "Self",
        "Send",
        "Some",
        "String",
        "Sync",
        "Vec",
    ];
    USED.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_as_sql_reads_it() {
        for (text, schema, name) in [
            ("author", "public", "author"),
            ("App.Author", "app", "author"),
            ("app.\"Author Table\"", "app", "Author Table"),
            ("\"a\"\"b\".\"c.d\"", "a\"b", "c.d"),
            ("straße", "public", "straße"),
        ] {
            assert_eq!(
                table(text),
                Ok(QualifiedName {
                    schema: schema.into(),
                    name: name.into()
                }),
                "{text}"
            );
        }
        let long = "x".repeat(64);
        for text in [
            "", ".", "a.", "a.b.c", "a b", "1a", "\"\"", "\"a", "a\"b\"", "a-b", &long,
        ] {
            assert!(table(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_rust_name_has_letters_digits_and_underscores() {
        for name in ["a", "_a", "A1", "type", "a__b"] {
            assert!(is_rust_name(name), "{name}");
        }
        for name in ["", "_", "__", "1a", "a-b", "é", "a b", "r#x"] {
            assert!(!is_rust_name(name), "{name}");
        }
    }
}
