//! Texts of column types: `bigint pk`, `numeric(40,20)?`, `timestamp(3) with time zone`, `text[]`.

use super::PgType;

/// A column type with its marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ColumnType {
    pub ty: PgType,
    pub nullable: bool,
    pub primary_key: bool,
}

/// Why a text is no column type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// There is no such type; the name that was looked up.
    Unknown(String),
    /// What is wrong, and what to do.
    Impossible(String, Option<String>),
}

/// Names that a suggestion may name.
pub(super) const NAMES: [&str; 19] = [
    "smallint",
    "integer",
    "bigint",
    "numeric",
    "real",
    "double precision",
    "boolean",
    "text",
    "varchar",
    "char",
    "uuid",
    "bytea",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "interval",
    "json",
    "jsonb",
];

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

pub(super) fn parse(text: &str) -> Result<ColumnType, Problem> {
    let mut rest = text.trim();
    let primary_key = match rest.strip_suffix("pk") {
        Some(head) if head.ends_with([' ', '?', ']', ')']) => {
            rest = head.trim_end();
            true
        }
        _ => false,
    };
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
            "arrays have one dimension and no bounds here",
            Some("write `text[]`"),
        ));
    }
    let element = scalar(rest)?;
    let ty = if array {
        PgType::Array(Box::new(element))
    } else {
        element
    };
    Ok(ColumnType {
        ty,
        nullable,
        primary_key,
    })
}

fn impossible(problem: impl Into<String>, help: Option<&str>) -> Problem {
    Problem::Impossible(problem.into(), help.map(Into::into))
}

fn scalar(text: &str) -> Result<PgType, Problem> {
    let (name, modifiers) = split(text)?;
    let no_modifiers = |ty: PgType| match modifiers.as_slice() {
        [] => Ok(ty),
        _ => Err(impossible(
            format!("`{name}` takes no number in parentheses"),
            None,
        )),
    };
    // The precision of a time only rounds on the way in; the type in Rust is the same.
    let precision = |ty: PgType| match modifiers.as_slice() {
        [] | [0..=6] => Ok(ty),
        _ => Err(impossible(
            format!("the precision of `{name}` is 0 to 6"),
            None,
        )),
    };
    let length = || match modifiers.as_slice() {
        [] => Ok(None),
        [length @ 1..=10_485_760] => Ok(u32::try_from(*length).ok()),
        _ => Err(impossible(
            format!("the length of `{name}` is 1 to 10485760"),
            None,
        )),
    };
    match name.as_str() {
        "smallint" | "int2" => no_modifiers(PgType::SmallInt),
        "integer" | "int" | "int4" => no_modifiers(PgType::Integer),
        "bigint" | "int8" => no_modifiers(PgType::BigInt),
        "numeric" | "decimal" | "dec" => numeric(&modifiers),
        "real" | "float4" => no_modifiers(PgType::Real),
        "double precision" | "float8" | "float" => no_modifiers(PgType::DoublePrecision),
        "boolean" | "bool" => no_modifiers(PgType::Boolean),
        "text" => no_modifiers(PgType::Text),
        "varchar" | "character varying" | "char varying" => length().map(PgType::VarChar),
        "char" | "character" | "bpchar" => length().map(PgType::Char),
        "uuid" => no_modifiers(PgType::Uuid),
        "bytea" => no_modifiers(PgType::Bytea),
        "date" => no_modifiers(PgType::Date),
        "time" | "time without time zone" => precision(PgType::Time),
        "timestamp" | "timestamp without time zone" => precision(PgType::Timestamp),
        "timestamptz" | "timestamp with time zone" => precision(PgType::TimestampTz),
        "interval" => precision(PgType::Interval),
        "json" => no_modifiers(PgType::Json),
        "jsonb" => no_modifiers(PgType::Jsonb),
        "serial" | "serial4" => Err(serial("integer")),
        "bigserial" | "serial8" => Err(serial("bigint")),
        "smallserial" | "serial2" => Err(serial("smallint")),
        _ => Err(Problem::Unknown(name)),
    }
}

fn serial(base: &str) -> Problem {
    impossible(
        "a serial column is an integer with a default",
        Some(&format!("write `{base}`")),
    )
}

fn numeric(modifiers: &[i64]) -> Result<PgType, Problem> {
    let range = "`numeric(p,s)` has a precision of 1 to 1000 and a scale of -1000 to 1000";
    match *modifiers {
        [] => Ok(PgType::Numeric(None)),
        [precision @ 1..=1000] => Ok(PgType::Numeric(Some((precision as u16, 0)))),
        [precision @ 1..=1000, scale @ -1000..=1000] => {
            Ok(PgType::Numeric(Some((precision as u16, scale as i16))))
        }
        _ => Err(impossible(range, None)),
    }
}

/// The name in lower case with single spaces, without the parentheses, and what is in them.
fn split(text: &str) -> Result<(String, Vec<i64>), Problem> {
    let name = |text: &str| {
        text.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase()
    };
    let Some((head, rest)) = text.split_once('(') else {
        return Ok((name(text), Vec::new()));
    };
    let Some((inner, tail)) = rest.split_once(')') else {
        return Err(impossible("a `(` without its `)`", None));
    };
    let numbers: Result<Vec<i64>, _> = inner
        .split(',')
        .map(|number| number.trim().parse())
        .collect();
    let numbers = numbers.map_err(|_| impossible(format!("`({inner})` holds no numbers"), None))?;
    Ok((name(&format!("{head} {tail}")), numbers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_type_is_read() {
        for (text, ty) in [
            ("int2", PgType::SmallInt),
            ("INT", PgType::Integer),
            ("bigint", PgType::BigInt),
            ("numeric", PgType::Numeric(None)),
            ("decimal(5)", PgType::Numeric(Some((5, 0)))),
            ("numeric( 40 , -2 )", PgType::Numeric(Some((40, -2)))),
            ("double   precision", PgType::DoublePrecision),
            ("character varying(20)", PgType::VarChar(Some(20))),
            ("char", PgType::Char(None)),
            ("timestamp(3) with time zone", PgType::TimestampTz),
            ("timestamp without time zone", PgType::Timestamp),
            ("text[]", PgType::Array(Box::new(PgType::Text))),
        ] {
            let expected = ColumnType {
                ty,
                nullable: false,
                primary_key: false,
            };
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
        let marked = parse("numeric(3,1)[] ?");
        assert!(
            marked.is_ok_and(|parsed| parsed.nullable && matches!(parsed.ty, PgType::Array(_)))
        );
        assert!(parse("bigint pk").is_ok_and(|parsed| parsed.primary_key));
    }

    #[test]
    fn what_is_no_type_is_told_apart() {
        for text in [
            "bigintt",
            "",
            "pk",
            "double",
            "text[",
            "vector(3)",
            "text pk pk",
        ] {
            assert!(matches!(parse(text), Err(Problem::Unknown(_))), "{text}");
        }
        for text in [
            "serial",
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
        ] {
            assert!(
                matches!(parse(text), Err(Problem::Impossible(..))),
                "{text}"
            );
        }
    }
}
