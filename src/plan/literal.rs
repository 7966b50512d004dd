//! Defaults as Rust expressions.
//!
//! Simple values are plain Rust; all others are read from the payload's own text form, which the schema has checked.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::model::{FieldType, Literal};

use super::ident::rust_literal;

/// The expression of a default.
pub(super) fn default_expression(ty: &FieldType, literal: &Literal) -> String {
    match (ty, literal) {
        (_, Literal::Null) => "None".into(),
        (FieldType::Optional(inner), _) if !is_parsed(inner, literal) => {
            format!("Some({})", default_expression(inner, literal))
        }
        (_, Literal::Bool(value)) => value.to_string(),
        (FieldType::Int, Literal::Int(value)) => value.to_string(),
        // `{:?}` is the shortest text that is the same number again, and has a point or an exponent.
        (FieldType::Float, Literal::Float(value)) => format!("{value:?}"),
        (FieldType::String, Literal::Text(value)) if value.is_empty() => "String::new()".into(),
        (FieldType::String, Literal::Text(value)) => {
            format!("String::from({})", rust_literal(value))
        }
        (FieldType::List(_), Literal::Sequence(items)) if items.is_empty() => "Vec::new()".into(),
        (FieldType::Set(_), Literal::Sequence(items)) if items.is_empty() => {
            "::std::collections::BTreeSet::new()".into()
        }
        (FieldType::Map(..), Literal::Map(entries)) if entries.is_empty() => {
            "::std::collections::BTreeMap::new()".into()
        }
        (FieldType::Json, Literal::Json(Value::Null)) => "runtime::serde_json::Value::Null".into(),
        _ => format!(
            "{PARSE}({})",
            rust_literal(&payload(ty, literal).to_string())
        ),
    }
}

const PARSE: &str = "runtime::generated::literal";

fn is_parsed(ty: &FieldType, literal: &Literal) -> bool {
    default_expression(ty, literal).starts_with(PARSE)
}

/// The value as it stands in a payload.
pub(super) fn payload(ty: &FieldType, literal: &Literal) -> Value {
    match (ty, literal) {
        (_, Literal::Null) => Value::Null,
        (FieldType::Optional(inner), _) => payload(inner, literal),
        (FieldType::Decimal, Literal::Int(value)) => Value::String(value.to_string()),
        (FieldType::Decimal, Literal::Float(value)) => Value::String(value.to_string()),
        (FieldType::Float, Literal::Int(value)) => json!(*value as f64),
        (_, Literal::Bool(value)) => Value::Bool(*value),
        (_, Literal::Int(value)) => json!(value),
        (_, Literal::Float(value)) => json!(value),
        (_, Literal::Text(value)) => Value::String(value.clone()),
        (_, Literal::Bytes(value)) => Value::String(STANDARD.encode(value)),
        (_, Literal::Json(value)) => value.clone(),
        (FieldType::List(item) | FieldType::Set(item), Literal::Sequence(items)) => {
            items.iter().map(|value| payload(item, value)).collect()
        }
        (FieldType::Tuple(members), Literal::Sequence(items)) => members
            .iter()
            .zip(items)
            .map(|(member, value)| payload(member, value))
            .collect(),
        (FieldType::Map(key, value), Literal::Map(entries)) => Value::Object(
            entries
                .iter()
                .map(|(name, entry)| {
                    let name = match payload(key, name) {
                        Value::String(text) => text,
                        other => other.to_string(),
                    };
                    (name, payload(value, entry))
                })
                .collect(),
        ),
        // A schema exists only if each default fits its type.
        (_, Literal::Sequence(_) | Literal::Map(_)) => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_expressions() {
        for (ty, literal, expression) in [
            (FieldType::Int, Literal::Int(-1), "-1"),
            (FieldType::Float, Literal::Float(1.0), "1.0"),
            (FieldType::Float, Literal::Float(1e300), "1e300"),
            (
                FieldType::String,
                Literal::Text("it's \"\\".into()),
                r#"String::from("it's \"\\")"#,
            ),
            (
                FieldType::Optional(Box::new(FieldType::Int)),
                Literal::Null,
                "None",
            ),
            (
                FieldType::Optional(Box::new(FieldType::Int)),
                Literal::Int(1),
                "Some(1)",
            ),
            (
                FieldType::Decimal,
                Literal::Text("1.50".into()),
                r#"runtime::generated::literal("\"1.50\"")"#,
            ),
        ] {
            assert_eq!(default_expression(&ty, &literal), expression);
        }
    }
}
