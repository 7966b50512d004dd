//! Texts of column types: `bigint pk`, `numeric(40,20)?`, `timestamp(3) with time zone`, `text[]`.

use super::builtin::{Builtin, Modifier, REFUSED};
use super::{PgType, QualifiedName, identifier};

/// A column type with its marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ColumnType {
    pub ty: PgType,
    pub nullable: bool,
    pub primary_key: bool,
    pub parent: bool,
}

/// The declared types, for looking up: key and name in the database.
pub(super) type Declared<'d> = &'d [(&'d str, QualifiedName)];

/// Why a text is no column type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// There is no such type; the name that was looked up.
    Unknown(String),
    /// What is wrong, and what to do.
    Impossible(String, Option<String>),
}

/// What people write who think of another language.
pub(super) const ALIASES: [(&str, &str); 14] = [
    ("string", "text"),
    ("str", "text"),
    ("i16", "smallint"),
    ("i32", "integer"),
    ("i64", "bigint"),
    ("long", "bigint"),
    ("f32", "real"),
    ("f64", "double precision"),
    ("double", "double precision"),
    ("bytes", "bytea"),
    ("blob", "bytea"),
    ("datetime", "timestamptz"),
    ("duration", "interval"),
    ("nvarchar", "varchar"),
];

pub(super) fn parse(text: &str, declared: Declared<'_>) -> Result<ColumnType, Problem> {
    let mut rest = text.trim();
    let (mut primary_key, mut parent) = (false, false);
    loop {
        let marks = [("pk", &mut primary_key), ("parent", &mut parent)];
        let mark = marks.into_iter().find_map(|(mark, seen)| {
            let head = rest.strip_suffix(mark)?;
            (head.ends_with([' ', '?', ']', ')']) && !*seen).then_some((head.trim_end(), seen))
        });
        let Some((head, seen)) = mark else { break };
        (rest, *seen) = (head, true);
    }
    let nullable = rest.ends_with('?');
    rest = rest.trim_end_matches('?').trim_end();
    if nullable && primary_key {
        return Err(impossible(
            "a column of the primary key cannot be null",
            Some("remove the `?`"),
        ));
    }
    let array = rest.ends_with("[]");
    if array {
        rest = rest[..rest.len() - 2].trim_end();
    }
    if rest.ends_with(']') {
        return Err(impossible(
            "PostgreSQL knows one type of arrays, whatever their dimensions and bounds",
            Some("write `text[]`"),
        ));
    }
    let element = scalar(rest, declared)?;
    let ty = if array {
        PgType::Array(Box::new(element))
    } else {
        element
    };
    Ok(ColumnType {
        ty,
        nullable,
        primary_key,
        parent,
    })
}

fn impossible(problem: impl Into<String>, help: Option<&str>) -> Problem {
    Problem::Impossible(problem.into(), help.map(Into::into))
}

/// Words that may stand behind `interval`; they cut on the way in, the type in Rust is the same.
const INTERVAL_FIELDS: [&str; 13] = [
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "year to month",
    "day to hour",
    "day to minute",
    "day to second",
    "hour to minute",
    "hour to second",
    "minute to second",
];

fn scalar(text: &str, declared: Declared<'_>) -> Result<PgType, Problem> {
    if let Some(index) = declared.iter().position(|(name, _)| *name == text.trim()) {
        return Ok(PgType::Declared(index));
    }
    let (name, modifiers) = split(text)?;
    let plain = match name.split_once(' ') {
        Some(("interval", fields)) if INTERVAL_FIELDS.contains(&fields) => "interval",
        _ => &name,
    };
    // As the database prints them for a search path that does not see them.
    let plain = ["pg_catalog.", "public."]
        .iter()
        .find_map(|schema| plain.strip_prefix(schema))
        .filter(|plain| Builtin::find(plain).is_some())
        .unwrap_or(plain);
    if let Some((_, problem, help)) = REFUSED.iter().find(|(names, ..)| names.contains(&plain)) {
        return Err(impossible(*problem, Some(help)));
    }
    let Some(builtin) = Builtin::find(plain) else {
        return qualified(text, name, declared);
    };
    Ok(PgType::Builtin {
        builtin,
        modifier: modifier(builtin, &name, modifiers.as_deref())?,
    })
}

/// `app.post_state`: a declared type by its name in the database.
fn qualified(text: &str, name: String, declared: Declared<'_>) -> Result<PgType, Problem> {
    let Some(table) = text
        .contains('.')
        .then(|| identifier::table(text.trim()).ok())
        .flatten()
    else {
        return Err(Problem::Unknown(name));
    };
    match declared.iter().position(|(_, sql)| *sql == table) {
        Some(index) => Ok(PgType::Declared(index)),
        None => Err(impossible(
            format!("the type `{}` is not declared", text.trim()),
            Some(&format!(
                "declare it, for instance `types: {{{}: {{enum: [...], sql: {}}}}}`, and use its key here",
                table.name,
                text.trim()
            )),
        )),
    }
}

/// What stands in parentheses, as PostgreSQL prints it.
fn modifier(builtin: &Builtin, name: &str, inner: Option<&str>) -> Result<String, Problem> {
    let Some(inner) = inner else {
        return Ok(String::new());
    };
    if builtin.modifier == Modifier::Any {
        let usual = |c: char| c.is_ascii_alphanumeric() || ", _-".contains(c);
        return if inner.chars().all(usual) {
            Ok(format!("({inner})"))
        } else {
            Err(impossible(format!("`({inner})` is no modifier"), None))
        };
    }
    let numbers: Result<Vec<i64>, _> = inner
        .split(',')
        .map(|number| number.trim().parse())
        .collect();
    let numbers = numbers.map_err(|_| impossible(format!("`({inner})` holds no numbers"), None))?;
    match (builtin.modifier, numbers.as_slice()) {
        (Modifier::Length, [length @ 1..=10_485_760]) => Ok(format!("({length})")),
        (Modifier::Length, _) => Err(impossible(
            format!("the length of `{name}` is 1 to 10485760"),
            None,
        )),
        // It only rounds on the way in; the type in Rust is the same.
        (Modifier::Precision, [0..=6]) => Ok(String::new()),
        (Modifier::Precision, _) => Err(impossible(
            format!("the precision of `{name}` is 0 to 6"),
            None,
        )),
        (Modifier::Numeric, [precision @ 1..=1000]) => Ok(format!("({precision},0)")),
        (Modifier::Numeric, [precision @ 1..=1000, scale @ -1000..=1000]) => {
            Ok(format!("({precision},{scale})"))
        }
        (Modifier::Numeric, _) => Err(impossible(
            "`numeric(p,s)` has a precision of 1 to 1000 and a scale of -1000 to 1000",
            None,
        )),
        (Modifier::None | Modifier::Any, _) => Err(impossible(
            format!("`{name}` takes no number in parentheses"),
            None,
        )),
    }
}

/// The name in lower case with single spaces, without the parentheses, and what is in them.
fn split(text: &str) -> Result<(String, Option<String>), Problem> {
    let name = |text: &str| {
        text.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase()
    };
    let Some((head, rest)) = text.split_once('(') else {
        return Ok((name(text), None));
    };
    let Some((inner, tail)) = rest.split_once(')') else {
        return Err(impossible("a `(` without its `)`", None));
    };
    Ok((name(&format!("{head} {tail}")), Some(inner.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ColumnType, Problem> {
        let state = QualifiedName {
            schema: "app".into(),
            name: "Post State".into(),
        };
        parse(text, &[("post_state", state)])
    }

    #[test]
    fn every_spelling_of_a_type_is_read() {
        for (text, name, modifier) in [
            ("int2", "smallint", ""),
            ("INT", "integer", ""),
            ("bigint", "bigint", ""),
            ("decimal(5)", "numeric", "(5,0)"),
            ("numeric( 40 , -2 )", "numeric", "(40,-2)"),
            ("double   precision", "double precision", ""),
            ("character varying(20)", "character varying", "(20)"),
            ("char", "character", ""),
            ("\"char\"", "\"char\"", ""),
            ("timestamp(3) with time zone", "timestamptz", ""),
            ("timestamp without time zone", "timestamp", ""),
            ("interval day to second(3)", "interval", ""),
            ("bit varying(7)", "bit varying", "(7)"),
            ("pg_catalog.int4", "integer", ""),
            ("public.citext", "citext", ""),
            ("geometry(Point,4326)", "geometry", "(Point,4326)"),
        ] {
            let Ok(ColumnType {
                ty:
                    PgType::Builtin {
                        builtin,
                        modifier: read,
                    },
                nullable: false,
                primary_key: false,
                parent: false,
            }) = read(text)
            else {
                panic!("{text}")
            };
            assert_eq!((builtin.name, read.as_str()), (name, modifier), "{text}");
        }
        let marked = read("numeric(3,1)[] ?");
        assert!(
            marked.is_ok_and(|parsed| parsed.nullable && matches!(parsed.ty, PgType::Array(_)))
        );
        for text in ["bigint pk parent", "bigint parent pk"] {
            assert!(read(text).is_ok_and(|parsed| parsed.primary_key && parsed.parent));
        }
        for text in ["post_state", "app.\"Post State\""] {
            assert!(read(text).is_ok_and(|parsed| parsed.ty == PgType::Declared(0)));
        }
    }

    #[test]
    fn what_is_no_type_is_told_apart() {
        for text in [
            "bigintt",
            "",
            "pk",
            "double",
            "text[",
            "vectorr(3)",
            "text pk pk",
        ] {
            assert!(matches!(read(text), Err(Problem::Unknown(_))), "{text}");
        }
        for text in [
            "serial",
            "record",
            "bigint? pk",
            "text[][]",
            "text[3]",
            "text(3)",
            "numeric(0)",
            "numeric(1,2,3)",
            "varchar(x)",
            "varchar(0)",
            "time(7)",
            "numeric(3",
            "app.other",
            "geometry('x')",
        ] {
            assert!(matches!(read(text), Err(Problem::Impossible(..))), "{text}");
        }
    }
}
