//! Columns and fields as they are written, for the lines that a mistake suggests.

use crate::model::{DeclaredType, FieldType, PgType, Schema, TypeKind};

use super::super::rust_types::pg_name;

/// A type within braces, where a comma would end it.
pub(super) fn quoted(ty: &str) -> String {
    if ty.contains([',', '{', '"', '[', '<', ':']) {
        format!("{ty:?}")
    } else {
        ty.to_owned()
    }
}

/// A type as a part of a name.
pub(super) fn word(ty: &str) -> String {
    let name = ty.split('(').next().unwrap_or(ty);
    let name = name.rsplit('.').next().unwrap_or(name);
    let letters = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    let word: String = letters.collect();
    word.trim_matches('_').to_lowercase()
}

/// The name in the table and the former ones.
pub(super) fn rest(column: Option<&str>, was: Option<&[String]>) -> String {
    let column = column.map(|column| format!(", column: {}", quoted(column)));
    let was = was.map(|was| match was {
        [only] => format!(", was: {}", quoted(only)),
        was => format!(", was: [{}]", was.join(", ")),
    });
    column.into_iter().chain(was).collect()
}

/// A type as it can be written.
pub(super) fn column_type_text(ty: &PgType, schema: &Schema) -> String {
    match ty {
        PgType::Declared(index) => schema.types[*index].name.clone(),
        PgType::Array(element) => format!("{}[]", column_type_text(element, schema)),
        PgType::Builtin { .. } => pg_name(ty, &schema.types),
    }
}

/// A value that a default of the type could have; `None` if it can have none.
pub(super) fn column_default(ty: &PgType, schema: &Schema) -> Option<String> {
    let value = match ty.behind_domains(&schema.types) {
        PgType::Array(_) => Some("[]"),
        PgType::Declared(index) => return first_label(&schema.types[*index]),
        PgType::Builtin { builtin, .. } => match builtin.rust {
            "bool" => Some("false"),
            "i16" | "i32" | "i64" | "u32" | "f32" | "f64" | "runtime::types::PgNumeric" => {
                Some("0")
            }
            "String" | "runtime::types::PgText" => Some("\"\""),
            "runtime::types::PgJson" => Some("{}"),
            "runtime::types::PgDate" => Some("2000-01-01"),
            "runtime::types::PgTimestamp" | "runtime::types::PgTimestampTz" => {
                Some("\"2000-01-01T00:00:00Z\"")
            }
            _ => None,
        },
    };
    value.map(str::to_owned)
}

/// A label of an enum.
pub(super) fn first_label(ty: &DeclaredType) -> Option<String> {
    match &ty.kind {
        TypeKind::Enum(labels) => labels.first().map(|label| quoted(&label.label)),
        _ => None,
    }
}

pub(super) fn field_default(ty: &FieldType, schema: &Schema) -> Option<String> {
    let value = match ty {
        FieldType::Enum(index) => return first_label(&schema.types[*index]),
        FieldType::Date => Some("2000-01-01"),
        FieldType::DateTime => Some("\"2000-01-01T00:00:00Z\""),
        FieldType::Time => Some("\"00:00:00\""),
        FieldType::Duration => Some("PT0S"),
        FieldType::Int | FieldType::Float | FieldType::Decimal => Some("0"),
        FieldType::Bool => Some("false"),
        FieldType::String => Some("\"\""),
        FieldType::List(_) | FieldType::Set(_) => Some("[]"),
        FieldType::Map(..) | FieldType::Json => Some("{}"),
        _ => None,
    };
    value.map(str::to_owned)
}
