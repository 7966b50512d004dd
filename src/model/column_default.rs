//! Defaults of columns: what a reader takes for a version that lacks them, in the form that a payload has.

use serde_json::Value as Json;

use super::{DeclaredType, FieldType, Literal, PgType, TypeKind, default};
use crate::schema::Node;

/// The default as JSON text of a payload; why not, if it does not fit or cannot be checked.
pub(super) fn from_node(
    ty: &PgType,
    node: &Node,
    types: &[DeclaredType],
) -> Result<String, String> {
    payload(ty, &default::json(node)?, types).map(|json| json.to_string())
}

fn payload(ty: &PgType, json: &Json, types: &[DeclaredType]) -> Result<Json, String> {
    match ty.behind_domains(types) {
        PgType::Builtin { builtin, .. } => builtin_payload(builtin.rust, json, types),
        PgType::Array(element) => array(element, json, types).map(Json::from),
        PgType::Declared(index) => match &types[*index].kind {
            TypeKind::Enum(_) => literal(&FieldType::Enum(*index), json, types),
            TypeKind::Opaque => text(json),
            TypeKind::Composite(_) | TypeKind::Domain(_) => {
                Err("a composite type can have none".into())
            }
        },
    }
}

fn builtin_payload(rust: &str, json: &Json, types: &[DeclaredType]) -> Result<Json, String> {
    let within = |low: i64, high: i64| {
        let fits = json
            .as_i64()
            .is_some_and(|number| (low..=high).contains(&number));
        fits.then(|| json.clone())
            .ok_or_else(|| format!("{json} is no number from {low} to {high}"))
    };
    match rust {
        "bool" => literal(&FieldType::Bool, json, types),
        "i16" => within(i16::MIN.into(), i16::MAX.into()),
        "i32" => within(i32::MIN.into(), i32::MAX.into()),
        "i64" => within(i64::MIN, i64::MAX),
        "u32" => within(0, u32::MAX.into()),
        "f32" | "f64" => literal(&FieldType::Float, json, types).map(as_text),
        "runtime::types::PgNumeric" => literal(&FieldType::Decimal, json, types),
        "String" | "runtime::types::PgText" => text(json),
        "runtime::uuid::Uuid" => literal(&FieldType::Uuid, json, types),
        "runtime::types::PgBytes" => literal(&FieldType::Bytes, json, types),
        "runtime::types::PgDate" => literal(&FieldType::Date, json, types),
        "runtime::types::PgTime" => literal(&FieldType::Time, json, types),
        "runtime::types::PgInterval" => literal(&FieldType::Duration, json, types),
        "runtime::types::PgTimestamp" => ending(literal(&FieldType::DateTime, json, types)?, ""),
        "runtime::types::PgTimestampTz" => {
            ending(literal(&FieldType::DateTime, json, types)?, "+00:00")
        }
        // Travels as its text.
        "runtime::types::PgJson" => Ok(Json::from(json.to_string())),
        _ => Err("a default of this type cannot be checked; let it be null with `?`".into()),
    }
}

/// A value of a message field, as JSON.
fn literal(ty: &FieldType, json: &Json, types: &[DeclaredType]) -> Result<Json, String> {
    Ok(match default::literal(ty, json, types)? {
        Literal::Bool(value) => Json::from(value),
        Literal::Int(value) => Json::from(value),
        Literal::Float(value) => Json::from(value),
        Literal::Text(text) => Json::from(text),
        // Bytes are in base64 already.
        _ => json.clone(),
    })
}

fn text(json: &Json) -> Result<Json, String> {
    match json {
        Json::String(_) => Ok(json.clone()),
        _ => Err(format!("{json} is no text")),
    }
}

/// Floats travel as text.
fn as_text(json: Json) -> Json {
    Json::from(json.to_string())
}

/// A time in UTC has a `Z`, which is not how PostgreSQL writes it.
fn ending(json: Json, zone: &str) -> Result<Json, String> {
    let text = json.as_str().unwrap_or_default();
    Ok(Json::from(text.trim_end_matches('Z').to_owned() + zone))
}

/// PostgreSQL's text of an array; every element is quoted.
fn array(element: &PgType, json: &Json, types: &[DeclaredType]) -> Result<String, String> {
    let items = json
        .as_array()
        .ok_or_else(|| format!("{json} is no list"))?;
    let items: Vec<String> = items
        .iter()
        .map(|item| {
            if item.is_null() {
                return Ok("NULL".to_owned());
            }
            let text = match payload(element, item, types)? {
                Json::String(text) => text,
                // PostgreSQL's text of a boolean.
                Json::Bool(value) => if value { "t" } else { "f" }.to_owned(),
                other => other.to_string(),
            };
            Ok(format!(
                "\"{}\"",
                text.replace('\\', "\\\\").replace('"', "\\\"")
            ))
        })
        .collect::<Result<_, String>>()?;
    Ok(format!("{{{}}}", items.join(",")))
}

#[cfg(test)]
mod tests {
    use super::super::column_type;
    use super::*;

    fn read(ty: &str, json: &str) -> Result<String, String> {
        let ty = column_type::parse(ty, &[]).expect("a type").ty;
        let json = serde_json::from_str(json).expect("JSON");
        payload(&ty, &json, &[]).map(|json| json.to_string())
    }

    #[test]
    fn a_default_takes_the_form_of_the_payload() {
        for (ty, default, payload) in [
            ("integer", "5", "5"),
            ("boolean", "true", "true"),
            ("text", "\"x\"", "\"x\""),
            ("numeric(20,2)", "1.50", "\"1.5\""),
            ("double precision", "1.5", "\"1.5\""),
            ("date", "\"2024-02-29\"", "\"2024-02-29\""),
            (
                "timestamptz",
                "\"2024-02-29T12:00:00Z\"",
                "\"2024-02-29T12:00:00.000000+00:00\"",
            ),
            ("jsonb", "{\"a\": 1}", "\"{\\\"a\\\":1}\""),
            ("text[]", "[]", "\"{}\""),
            (
                "text[]",
                "[\"a\\\"b\", null]",
                "\"{\\\"a\\\\\\\"b\\\",NULL}\"",
            ),
            ("boolean[]", "[true]", "\"{\\\"t\\\"}\""),
        ] {
            assert_eq!(read(ty, default).as_deref(), Ok(payload), "{ty}");
        }
    }

    #[test]
    fn a_default_that_does_not_fit_is_refused() {
        for (ty, default) in [
            ("smallint", "40000"),
            ("integer", "1.5"),
            ("text", "5"),
            ("date", "\"2023-02-29\""),
            ("inet", "\"127.0.0.1\""),
            ("text[]", "\"a\""),
            ("integer[]", "[\"a\"]"),
        ] {
            assert!(read(ty, default).is_err(), "{ty} = {default}");
        }
    }
}
