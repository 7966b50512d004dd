//! What SQL of ours creates, read from its text: so that there is one place that says what a function is, its template.

use std::collections::BTreeMap;

use crate::live::snapshot::Function;

const CREATE: &str = "CREATE OR REPLACE FUNCTION ";
const TABLE: &str = "CREATE TABLE IF NOT EXISTS ";

/// A function that a text creates.
#[derive(Clone, Debug, Default)]
pub(super) struct FunctionText {
    /// What it will look like; without owner.
    pub(super) function: Function,
    /// Whether its text says who may call it.
    pub(super) says_public: bool,
}

/// The functions that a text creates, in order.
pub(super) fn functions(sql: &str) -> Vec<FunctionText> {
    let mut found: Vec<FunctionText> = Vec::new();
    let mut rest = sql;
    while !rest.is_empty() {
        if let Some(text) = rest.strip_prefix(CREATE) {
            let Some((function, tail)) = function(text) else {
                break;
            };
            found.push(FunctionText {
                function,
                says_public: false,
            });
            rest = tail;
        } else if let (Some(last), Some(says)) = (found.last_mut(), grant(rest)) {
            last.function.public = says;
            last.says_public = true;
        } else if let (Some(last), true) =
            (found.last_mut(), rest.starts_with("COMMENT ON FUNCTION "))
        {
            let Some((comment, tail)) = rest
                .split_once(" IS ")
                .and_then(|(_, text)| literal(text.trim_start()))
            else {
                break;
            };
            last.function.comment = Some(comment);
            rest = tail;
        }
        rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
    }
    found
}

/// Whether a line grants the call to everybody, or takes that away.
fn grant(text: &str) -> Option<bool> {
    if text.starts_with("GRANT EXECUTE ON FUNCTION ") {
        Some(true)
    } else if text.starts_with("REVOKE ALL ON FUNCTION ") {
        Some(false)
    } else {
        None
    }
}

fn function(text: &str) -> Option<(Function, &str)> {
    let (_schema, rest) = ident(text)?;
    let (name, rest) = ident(rest.strip_prefix('.')?)?;
    let mut rest = rest.strip_prefix('(')?;
    let (mut arguments, mut argument_names) = (Vec::new(), Vec::new());
    let mut defaults = Vec::new();
    loop {
        rest = rest.trim_start_matches([',', ' ', '\n']);
        if rest.starts_with(')') {
            break;
        }
        let (argument, tail) = ident(rest)?;
        let end = tail.find([',', ')'])?;
        argument_names.push(argument);
        let argument = tail[..end].trim();
        let (ty, default) = match argument.split_once(" DEFAULT ") {
            Some((ty, default)) => (unqualified(ty), Some(default)),
            None => (unqualified(argument), None),
        };
        // As PostgreSQL prints it.
        defaults.extend(default.map(|default| match default {
            "NULL" => format!("NULL::{ty}"),
            default => default.to_owned(),
        }));
        arguments.push(ty);
        rest = &tail[end..];
    }
    let (header, rest) = rest[1..].split_once("\nAS $")?;
    let (tag, rest) = rest.split_once('$')?;
    let (body, rest) = rest.split_once(&format!("${tag}$"))?;
    let words: Vec<&str> = header.split_whitespace().collect();
    let after = |word: &str| {
        let place = words.iter().position(|other| *other == word)?;
        words.get(place + 1).copied()
    };
    let volatility = if words.contains(&"IMMUTABLE") {
        "i"
    } else if words.contains(&"STABLE") {
        "s"
    } else {
        "v"
    };
    let settings = header
        .lines()
        .filter_map(|line| line.strip_prefix("SET "))
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, value)| format!("{name}={}", value.trim_matches('\'')))
        .collect();
    let function = Function {
        name,
        arguments,
        argument_names,
        defaults: defaults.join(", "),
        returns: unqualified(after("RETURNS")?),
        language: after("LANGUAGE")?.to_owned(),
        volatility: volatility.to_owned(),
        definer: words.contains(&"DEFINER"),
        settings,
        body: body.to_owned(),
        // What PostgreSQL grants by itself.
        public: true,
        ..Function::default()
    };
    Some((function, rest))
}

/// Types of ours are PostgreSQL's own. In its catalog, the name of an array begins with `_`.
fn unqualified(ty: &str) -> String {
    let name = ty.strip_prefix("pg_catalog.").unwrap_or(ty);
    match name.strip_suffix("[]") {
        Some(element) => format!("_{element}"),
        None => name.to_owned(),
    }
}

/// A quoted identifier at the beginning of a text, and what follows it.
fn ident(text: &str) -> Option<(String, &str)> {
    delimited(text.strip_prefix('"')?, '"')
}

/// A literal at the beginning of a text, and what follows it.
pub(super) fn literal(text: &str) -> Option<(String, &str)> {
    match text.strip_prefix('E') {
        Some(escaped) => {
            let (text, rest) = delimited(escaped.strip_prefix('\'')?, '\'')?;
            Some((unescaped(&text), rest))
        }
        None => delimited(text.strip_prefix('\'')?, '\''),
    }
}

/// Text of a literal with escapes, as ours have them.
fn unescaped(text: &str) -> String {
    let mut unescaped = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        unescaped.push(match char {
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                other => other.unwrap_or('\\'),
            },
            other => other,
        });
    }
    unescaped
}

/// Up to the delimiter that is not doubled.
fn delimited(text: &str, delimiter: char) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let (head, tail) = rest.split_once(delimiter)?;
        value += head;
        match tail.strip_prefix(delimiter) {
            Some(tail) => {
                value.push(delimiter);
                rest = tail;
            }
            None => return Some((value, tail)),
        }
    }
}

/// Tables that a text creates: columns with their types, as PostgreSQL prints them.
pub(super) fn tables(sql: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut tables = BTreeMap::new();
    for text in sql.split(TABLE).skip(1) {
        let Some((name, rest)) = ident(text)
            .and_then(|(_schema, rest)| rest.strip_prefix('.'))
            .and_then(ident)
        else {
            continue;
        };
        let columns = rest
            .lines()
            .take_while(|line| !line.starts_with(')') && !line.ends_with(';'))
            .filter_map(|line| ident(line.trim_start()))
            .map(|(column, rest)| (column, column_type(rest)))
            .collect();
        tables.insert(name, columns);
    }
    tables
}

/// The word that names the type, as PostgreSQL prints it.
fn column_type(text: &str) -> String {
    let word = text.trim_start();
    let end = word.find([' ', ',']).unwrap_or(word.len());
    match &word[..end] {
        "timestamptz" => "timestamp with time zone",
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::history::{History, Key};

    #[test]
    fn a_function_is_read_from_its_text() {
        let sql = "-- Channel x.\nCREATE OR REPLACE FUNCTION \"s\".\"a\"\"b\"(\"payload\" pg_catalog.text, \"f\" pg_catalog.jsonb[]) RETURNS pg_catalog.void LANGUAGE plpgsql\n\
                   STABLE SECURITY DEFINER\nSET search_path = pg_catalog, pg_temp\nSET datestyle = 'ISO, YMD'\nAS $p$\nBEGIN $pgpubsub$\nEND\n$p$;\n\
                   -- why\nREVOKE ALL ON FUNCTION \"s\".\"a\" FROM PUBLIC;\nCOMMENT ON FUNCTION \"s\".\"a\" IS E'it''s \\\\\nCREATE OR REPLACE FUNCTION ';\n\
                   CREATE OR REPLACE FUNCTION \"s\".\"c\"()\nRETURNS trigger LANGUAGE plpgsql\nAS $$x$$;\n";
        let found = functions(sql);
        assert_eq!(found.len(), 2);
        let FunctionText {
            function,
            says_public,
        } = &found[0];
        assert!(says_public & !function.public & function.definer);
        assert_eq!(function.name, "a\"b");
        assert_eq!(function.arguments, ["text", "_jsonb"]);
        assert_eq!(function.argument_names, ["payload", "f"]);
        assert_eq!((&*function.returns, &*function.volatility), ("void", "s"));
        assert_eq!(
            function.settings,
            ["search_path=pg_catalog, pg_temp", "datestyle=ISO, YMD"]
        );
        assert_eq!(function.body, "\nBEGIN $pgpubsub$\nEND\n");
        assert_eq!(
            function.comment.as_deref(),
            Some("it's \\\nCREATE OR REPLACE FUNCTION ")
        );
        assert_eq!(
            (&*found[1].function.body, found[1].says_public),
            ("x", false)
        );
    }

    #[test]
    fn the_tables_of_the_storage_are_read_from_its_text() {
        let sql = "CREATE TABLE IF NOT EXISTS \"s\".\"t\" (\n  \"id\"  bigint GENERATED ALWAYS AS IDENTITY,\n  \"at\" timestamptz, -- when\n  \"ops\" text[] NOT NULL,\n  PRIMARY KEY (\"id\")\n);\n";
        let columns = &super::tables(sql)["t"];
        assert_eq!(columns["at"], "timestamp with time zone");
        assert_eq!(columns["ops"], "text[]");
        assert_eq!(columns.len(), 3);
    }

    #[test]
    fn every_function_of_the_templates_is_read() {
        let text = include_str!("../../tests/golden/names.yaml");
        let sources = crate::diagnostic::Sources::new("schema.yaml", text);
        let schema = crate::schema::load_text(&sources).expect("a schema").schema;
        let plan = crate::plan::plan(&schema, &History::default());
        let texts = crate::render::objects(&plan.expect("a plan")).expect("texts");
        for text in texts {
            let found = functions(&text.sql);
            match &text.object.key {
                Key::Storage { .. } => {
                    assert_eq!(tables(&text.sql).len(), 6);
                    assert_eq!(found.len(), 6);
                }
                Key::Notify { function, .. } | Key::Capture { function, .. } => {
                    assert_eq!(found[0].function.name, *function);
                    assert!(found[0].says_public && found[0].function.comment.is_some());
                }
                Key::Processed { .. } => {
                    assert_eq!(tables(&text.sql)["processed"].len(), 13);
                    assert_eq!(found.len(), 1);
                }
                Key::DbVersion { .. } => assert!(!found.is_empty()),
                Key::Schedules { .. } => {
                    assert_eq!(tables(&text.sql).len(), 1);
                    assert_eq!(found.len(), 3);
                }
                Key::Index { .. }
                | Key::Trigger { .. }
                | Key::Listener { .. }
                | Key::Schedule { .. } => {
                    assert!(found.is_empty())
                }
            }
        }
    }
}
