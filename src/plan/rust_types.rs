//! Types: PostgreSQL's names, the casts of the payload, and what both are in Rust.

use crate::model::{FieldType, PgType};

/// PostgreSQL's own name of a type.
pub(super) fn pg_name(ty: &PgType) -> String {
    match ty {
        PgType::SmallInt => "smallint".into(),
        PgType::Integer => "integer".into(),
        PgType::BigInt => "bigint".into(),
        PgType::Numeric(None) => "numeric".into(),
        PgType::Numeric(Some((precision, scale))) => format!("numeric({precision},{scale})"),
        PgType::Real => "real".into(),
        PgType::DoublePrecision => "double precision".into(),
        PgType::Boolean => "boolean".into(),
        PgType::Text => "text".into(),
        PgType::VarChar(None) => "character varying".into(),
        PgType::VarChar(Some(length)) => format!("character varying({length})"),
        PgType::Char(None) => "character".into(),
        PgType::Char(Some(length)) => format!("character({length})"),
        PgType::Uuid => "uuid".into(),
        PgType::Bytea => "bytea".into(),
        PgType::Date => "date".into(),
        PgType::Time => "time".into(),
        PgType::Timestamp => "timestamp".into(),
        PgType::TimestampTz => "timestamptz".into(),
        PgType::Interval => "interval".into(),
        PgType::Json => "json".into(),
        PgType::Jsonb => "jsonb".into(),
        PgType::Array(element) => format!("{}[]", pg_name(element)),
    }
}

/// Cast in the payload. JSON numbers lose digits in most readers and cannot be NaN; nested JSON can hold what
/// `to_json` keeps but a parser refuses, so both travel as text.
pub(super) fn payload_cast(ty: &PgType) -> &'static str {
    match ty {
        PgType::Numeric(_)
        | PgType::Real
        | PgType::DoublePrecision
        | PgType::Json
        | PgType::Jsonb => "::pg_catalog.text",
        PgType::Array(element) if !payload_cast(element).is_empty() => "::pg_catalog.text[]",
        _ => "",
    }
}

/// Rust type of a column.
pub(super) fn column_type(ty: &PgType, nullable: bool) -> String {
    let plain = match ty {
        PgType::SmallInt => "i16".into(),
        PgType::Integer => "i32".into(),
        PgType::BigInt => "i64".into(),
        PgType::Numeric(_) => "runtime::types::PgNumeric".into(),
        PgType::Real => "f32".into(),
        PgType::DoublePrecision => "f64".into(),
        PgType::Boolean => "bool".into(),
        PgType::Text | PgType::VarChar(_) | PgType::Char(_) => "String".into(),
        PgType::Uuid => "runtime::uuid::Uuid".into(),
        PgType::Bytea => "runtime::types::PgBytes".into(),
        PgType::Date => "runtime::types::PgDate".into(),
        PgType::Time => "runtime::types::PgTime".into(),
        PgType::Timestamp => "runtime::types::PgTimestamp".into(),
        PgType::TimestampTz => "runtime::types::PgTimestampTz".into(),
        PgType::Interval => "runtime::types::PgInterval".into(),
        PgType::Json | PgType::Jsonb => "runtime::types::PgJson".into(),
        PgType::Array(element) => format!("Vec<{}>", column_type(element, true)),
    };
    if nullable {
        format!("Option<{plain}>")
    } else {
        plain
    }
}

/// Rust type of a message field.
pub(super) fn field_type(ty: &FieldType) -> String {
    match ty {
        FieldType::Int => "i64".into(),
        FieldType::Float => "f64".into(),
        FieldType::Decimal => "runtime::rust_decimal::Decimal".into(),
        FieldType::Bool => "bool".into(),
        FieldType::String => "String".into(),
        FieldType::Bytes => "runtime::types::PgBytes".into(),
        FieldType::Date => "runtime::chrono::NaiveDate".into(),
        FieldType::Time => "runtime::chrono::NaiveTime".into(),
        FieldType::DateTime => "runtime::chrono::DateTime<runtime::chrono::Utc>".into(),
        FieldType::Duration => "runtime::chrono::TimeDelta".into(),
        FieldType::Uuid => "runtime::uuid::Uuid".into(),
        FieldType::Json => "runtime::serde_json::Value".into(),
        FieldType::List(item) => format!("Vec<{}>", field_type(item)),
        FieldType::Set(item) => {
            format!("::std::collections::BTreeSet<{}>", field_type(item))
        }
        FieldType::Map(key, value) => {
            format!(
                "::std::collections::BTreeMap<{}, {}>",
                field_type(key),
                field_type(value)
            )
        }
        FieldType::Tuple(members) => match members.as_slice() {
            [only] => format!("({},)", field_type(only)),
            _ => format!(
                "({})",
                members
                    .iter()
                    .map(field_type)
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        },
        FieldType::Optional(inner) => format!("Option<{}>", field_type(inner)),
    }
}
