//! Types: PostgreSQL's names, what a capture function makes of them, and what they are in Rust.

use crate::model::builtin::{Capture, Equality, Setting};
use crate::model::{Column, DeclaredType, FieldType, PgType, TypeKind};

use super::ident::rust_type;

/// PostgreSQL's own name of a type.
pub(super) fn pg_name(ty: &PgType, types: &[DeclaredType]) -> String {
    match ty {
        PgType::Builtin { builtin, modifier } => format!("{}{modifier}", builtin.name),
        PgType::Declared(index) => {
            let sql = &types[*index].sql;
            format!("{}.{}", sql.schema, sql.name)
        }
        PgType::Array(element) => format!("{}[]", pg_name(element, types)),
    }
}

/// All that a reader of a value must know: another text is another shape of the model.
pub(super) fn shape(ty: &PgType, types: &[DeclaredType]) -> String {
    match ty {
        PgType::Builtin { .. } => pg_name(ty, types),
        PgType::Array(element) => format!("{}[]", shape(element, types)),
        PgType::Declared(index) => match &types[*index].kind {
            TypeKind::Domain(base) => shape(base, types),
            // A label that is not known yet decodes, too.
            TypeKind::Enum(_) | TypeKind::Opaque => pg_name(ty, types),
            TypeKind::Composite(attributes) => {
                let attributes: Vec<String> = attributes
                    .iter()
                    .map(|attribute| {
                        let null = if attribute.nullable { "?" } else { "" };
                        format!("{} {}{null}", attribute.name, shape(&attribute.ty, types))
                    })
                    .collect();
                format!("{}({})", pg_name(ty, types), attributes.join(", "))
            }
        },
    }
}

/// How a value gets into the payload: a cast behind it, or nothing.
pub(super) fn payload_cast(ty: &PgType, types: &[DeclaredType]) -> &'static str {
    const TEXT: &str = "::pg_catalog.text";
    match ty.behind_domains(types) {
        PgType::Builtin { builtin, .. } => match builtin.capture {
            Capture::Plain => "",
            Capture::Text => TEXT,
            Capture::Oid => "::pg_catalog.oid",
        },
        // As text, an array keeps its bounds, and its elements what JSON would lose.
        PgType::Array(element) => match element.behind_domains(types) {
            PgType::Builtin { builtin, .. } if builtin.capture == Capture::Oid => {
                "::pg_catalog.oid[]::pg_catalog.text"
            }
            _ => TEXT,
        },
        PgType::Declared(index) => match &types[*index].kind {
            TypeKind::Enum(_) => "",
            _ => TEXT,
        },
    }
}

/// Settings that the text of a value depends on.
pub(super) fn settings(ty: &PgType, types: &[DeclaredType]) -> Vec<Setting> {
    match ty.behind_domains(types) {
        PgType::Builtin { builtin, .. } => {
            let range = builtin.name.ends_with("range");
            builtin
                .settings
                .iter()
                .copied()
                // JSON has dates in ISO 8601 whatever the style.
                .filter(|setting| *setting != Setting::DateStyle || range)
                .collect()
        }
        ty => nested_settings(ty, types),
    }
}

/// Settings that the text of a value depends on, where it does not become JSON.
pub(super) fn text_settings(ty: &PgType, types: &[DeclaredType]) -> Vec<Setting> {
    nested_settings(ty, types)
}

fn nested_settings(ty: &PgType, types: &[DeclaredType]) -> Vec<Setting> {
    match ty.behind_domains(types) {
        PgType::Builtin { builtin, .. } => builtin.settings.to_vec(),
        PgType::Array(element) => nested_settings(element, types),
        PgType::Declared(index) => match &types[*index].kind {
            TypeKind::Composite(attributes) => attributes
                .iter()
                .flat_map(|attribute| nested_settings(&attribute.ty, types))
                .collect(),
            // Nobody knows what its text depends on.
            TypeKind::Opaque => vec![
                Setting::TimeZone,
                Setting::DateStyle,
                Setting::IntervalStyle,
                Setting::ExtraFloatDigits,
                Setting::ByteaOutput,
            ],
            TypeKind::Enum(_) | TypeKind::Domain(_) => Vec::new(),
        },
    }
}

/// How two values are told apart.
pub(super) fn equality(ty: &PgType, types: &[DeclaredType]) -> Equality {
    match ty.behind_domains(types) {
        PgType::Builtin { builtin, .. } => builtin.equality,
        PgType::Array(element) => equality(element, types),
        PgType::Declared(index) => match &types[*index].kind {
            TypeKind::Enum(_) => Equality::Operator,
            _ => Equality::Text,
        },
    }
}

/// The usual Rust type of a value that is not null.
pub(super) fn plain_type(ty: &PgType, types: &[DeclaredType]) -> String {
    match ty.behind_domains(types) {
        PgType::Builtin { builtin, .. } => builtin.rust.to_owned(),
        PgType::Array(element) => {
            format!("runtime::types::PgArray<{}>", plain_type(element, types))
        }
        PgType::Declared(index) => match &types[*index].kind {
            TypeKind::Enum(_) | TypeKind::Composite(_) => rust_type(&types[*index].name),
            TypeKind::Domain(_) | TypeKind::Opaque => "runtime::types::PgText".to_owned(),
        },
    }
}

/// Rust type of a column, and the usual one if it is made of that.
pub(super) fn column_type(column: &Column, types: &[DeclaredType]) -> (String, Option<String>) {
    let usual = plain_type(&column.ty, types);
    let chosen = column.rust.as_ref().map(|rust| match &column.ty {
        PgType::Array(element) if rust == "vec" => {
            format!("Vec<Option<{}>>", plain_type(element, types))
        }
        _ => rust.clone(),
    });
    let plain = chosen.clone().unwrap_or_else(|| usual.clone());
    let ty = if column.nullable {
        format!("Option<{plain}>")
    } else {
        plain
    };
    (ty, chosen.map(|_| usual))
}

/// Rust type of a message field.
pub(super) fn field_type(ty: &FieldType, types: &[DeclaredType]) -> String {
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
        FieldType::Enum(index) => rust_type(&types[*index].name),
        FieldType::List(item) => format!("Vec<{}>", field_type(item, types)),
        FieldType::Set(item) => {
            format!("::std::collections::BTreeSet<{}>", field_type(item, types))
        }
        FieldType::Map(key, value) => {
            format!(
                "::std::collections::BTreeMap<{}, {}>",
                field_type(key, types),
                field_type(value, types)
            )
        }
        FieldType::Tuple(members) => match members.as_slice() {
            [only] => format!("({},)", field_type(only, types)),
            _ => format!(
                "({})",
                members
                    .iter()
                    .map(|member| field_type(member, types))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        },
        FieldType::Optional(inner) => format!("Option<{}>", field_type(inner, types)),
    }
}
