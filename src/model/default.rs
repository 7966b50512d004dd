//! Defaults of message fields, checked against their type.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::calendar;
use super::{DeclaredType, FieldType, Literal, TypeKind};
use crate::schema::{Node, Value};

/// The default of the short form (`string = "Any"`), which is JSON.
pub(super) fn from_text(
    ty: &FieldType,
    text: &str,
    types: &[DeclaredType],
) -> Result<Literal, String> {
    let json: Json = serde_json::from_str(text).map_err(|_| match ty {
        FieldType::String => {
            format!("the default has to be JSON; write `\"{text}\"` with its quotes")
        }
        _ => format!("`{text}` is not JSON; texts, dates and times need quotes"),
    })?;
    literal(ty, &json, types)
}

/// The default of the long form (`default: Any`), which is YAML.
pub(super) fn from_node(
    ty: &FieldType,
    node: &Node,
    types: &[DeclaredType],
) -> Result<Literal, String> {
    literal(ty, &json(node)?, types)
}

pub(super) fn json(node: &Node) -> Result<Json, String> {
    Ok(match &node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::from(*value),
        Value::Int(value) => Json::from(*value),
        Value::Float(value) => Json::from(*value),
        Value::Text(text) => Json::from(text.as_str()),
        Value::Sequence(items) => items.iter().map(json).collect::<Result<_, _>>()?,
        Value::Mapping(entries) => {
            let mut object = serde_json::Map::new();
            for (key, value) in entries {
                let key = match json(key)? {
                    Json::String(text) => text,
                    other => other.to_string(),
                };
                if object.insert(key.clone(), json(value)?).is_some() {
                    return Err(format!("the key `{key}` is there twice"));
                }
            }
            Json::Object(object)
        }
    })
}

/// The value as a literal of the type, in the form that the payload has.
pub(super) fn literal(
    ty: &FieldType,
    json: &Json,
    types: &[DeclaredType],
) -> Result<Literal, String> {
    let no = |what: &str| Err(format!("{json} is no {what}"));
    let text =
        |what: &str, normalize: fn(&str) -> Option<String>| match json.as_str().and_then(normalize)
        {
            Some(text) => Ok(Literal::Text(text)),
            None => Err(format!("{json} is no {what}")),
        };
    match ty {
        FieldType::Optional(_) if json.is_null() => Ok(Literal::Null),
        FieldType::Optional(inner) => literal(inner, json, types),
        FieldType::Int => json
            .as_i64()
            .map_or_else(|| no("int of 64 bits"), |value| Ok(Literal::Int(value))),
        FieldType::Float => json
            .as_f64()
            .map_or_else(|| no("float"), |value| Ok(Literal::Float(value))),
        FieldType::Bool => json
            .as_bool()
            .map_or_else(|| no("bool"), |value| Ok(Literal::Bool(value))),
        FieldType::Decimal => match json {
            Json::Number(number) => decimal(&number.to_string()),
            _ => json.as_str().and_then(decimal),
        }
        .map_or_else(
            || no("decimal of at most 28 digits, like \"1.50\""),
            |text| Ok(Literal::Text(text)),
        ),
        FieldType::String => text("string", |text| Some(text.to_owned())),
        FieldType::Bytes => json
            .as_str()
            .and_then(|text| STANDARD.decode(text).ok())
            .map_or_else(|| no("base64 text"), |bytes| Ok(Literal::Bytes(bytes))),
        FieldType::Date => text("date like \"2026-01-31\"", calendar::date),
        FieldType::Time => text("time like \"12:34:56\"", calendar::time),
        FieldType::DateTime => text(
            "datetime in UTC like \"2026-01-31T12:34:56Z\"",
            calendar::datetime,
        ),
        FieldType::Duration => text("duration in seconds like \"PT1.5S\"", calendar::duration),
        FieldType::Uuid => text("uuid", uuid),
        FieldType::Enum(index) => {
            let TypeKind::Enum(labels) = &types[*index].kind else {
                return no("label");
            };
            match json.as_str() {
                Some(text) if labels.iter().any(|label| label.label == text) => {
                    Ok(Literal::Text(text.to_owned()))
                }
                _ => no(&format!("label of `{}`", types[*index].name)),
            }
        }
        FieldType::Json => Ok(Literal::Json(json.clone())),
        FieldType::List(element) => Ok(Literal::Sequence(elements(json, |_| element, types)?)),
        FieldType::Set(element) => {
            let mut items = elements(json, |_| element, types)?;
            sort(&mut items);
            if items.windows(2).any(|pair| pair[0] == pair[1]) {
                return Err("the set has an element twice".to_owned());
            }
            Ok(Literal::Sequence(items))
        }
        FieldType::Tuple(members) => {
            if json
                .as_array()
                .is_none_or(|items| items.len() != members.len())
            {
                return Err(format!("{json} is no list of {}", members.len()));
            }
            Ok(Literal::Sequence(elements(
                json,
                |index| &members[index],
                types,
            )?))
        }
        FieldType::Map(key, value) => {
            let Some(object) = json.as_object() else {
                return no("mapping");
            };
            let entries = object.iter().map(|(name, entry)| {
                Ok((map_key(key, name, types)?, literal(value, entry, types)?))
            });
            let mut entries: Vec<(Literal, Literal)> = entries.collect::<Result<_, String>>()?;
            entries.sort_by(|left, right| order(&left.0, &right.0));
            if entries.windows(2).any(|pair| pair[0].0 == pair[1].0) {
                return Err("the map has a key twice".to_owned());
            }
            Ok(Literal::Map(entries))
        }
    }
}

fn elements<'t>(
    json: &Json,
    ty: impl Fn(usize) -> &'t FieldType,
    types: &[DeclaredType],
) -> Result<Vec<Literal>, String> {
    let items = json
        .as_array()
        .ok_or_else(|| format!("{json} is no list"))?;
    items
        .iter()
        .enumerate()
        .map(|(index, item)| literal(ty(index), item, types))
        .collect()
}

/// Keys are texts in JSON, whatever their type.
fn map_key(ty: &FieldType, name: &str, types: &[DeclaredType]) -> Result<Literal, String> {
    match ty {
        FieldType::Int | FieldType::Bool => {
            let value = serde_json::from_str(name)
                .map_err(|_| format!("the key \"{name}\" does not fit"))?;
            literal(ty, &value, types)
        }
        _ => literal(ty, &Json::from(name), types),
    }
}

fn sort(items: &mut [Literal]) {
    items.sort_by(order);
}

/// The order of the values in Rust; the forms of dates and times are in that order as texts.
fn order(left: &Literal, right: &Literal) -> std::cmp::Ordering {
    match (left, right) {
        (Literal::Int(left), Literal::Int(right)) => left.cmp(right),
        (Literal::Bool(left), Literal::Bool(right)) => left.cmp(right),
        (Literal::Text(left), Literal::Text(right)) => left.cmp(right),
        _ => std::cmp::Ordering::Equal,
    }
}

/// Plain digits; `rust_decimal` holds 28 of them for certain.
fn decimal(text: &str) -> Option<String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (all_digits(whole) && all_digits(fraction) && whole.len() + fraction.len() <= 28)
        .then(|| text.to_owned())
}

fn uuid(text: &str) -> Option<String> {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let hexadecimal = groups
        .iter()
        .all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()));
    (lengths == [8, 4, 4, 4, 12] && hexadecimal).then(|| text.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(ty: &str, text: &str) -> Result<Literal, String> {
        let (ty, _) = super::super::field_type::parse(ty, &[]).expect("a type");
        from_text(&ty, text, &[])
    }

    #[test]
    fn a_default_takes_the_form_of_the_payload() {
        let text = |text: &str| Literal::Text(text.to_owned());
        for (ty, default, literal) in [
            ("int", "-5", Literal::Int(-5)),
            ("float", "1", Literal::Float(1.0)),
            ("decimal", "1.50", text("1.5")),
            ("decimal", "\"1.50\"", text("1.50")),
            ("string?", "null", Literal::Null),
            ("time", "\"01:02:03\"", text("01:02:03.000000")),
            (
                "uuid",
                "\"00000000-0000-0000-0000-00000000000A\"",
                text("00000000-0000-0000-0000-00000000000a"),
            ),
            ("bytes", "\"AAEC\"", Literal::Bytes(vec![0, 1, 2])),
            (
                "set<int>",
                "[10, 2]",
                Literal::Sequence(vec![Literal::Int(2), Literal::Int(10)]),
            ),
            (
                "map<bool,int>",
                "{\"true\": 1, \"false\": 0}",
                Literal::Map(vec![
                    (Literal::Bool(false), Literal::Int(0)),
                    (Literal::Bool(true), Literal::Int(1)),
                ]),
            ),
            (
                "tuple<int,string>",
                "[1, \"x\"]",
                Literal::Sequence(vec![Literal::Int(1), text("x")]),
            ),
        ] {
            assert_eq!(read(ty, default), Ok(literal), "{ty} = {default}");
        }
    }

    #[test]
    fn a_default_that_does_not_fit_is_refused() {
        for (ty, default) in [
            ("int", "1.5"),
            ("int", "9223372036854775808"),
            ("int", "null"),
            ("bool", "\"true\""),
            ("string", "Any"),
            ("string", "5"),
            ("decimal", "\"x\""),
            ("decimal", "\"12345678901234567890123456789\""),
            ("bytes", "\"AAE\""),
            ("bytes", "\"AB==\""),
            ("date", "\"2023-02-29\""),
            ("uuid", "\"x\""),
            ("set<int>", "[1, 1]"),
            ("tuple<int,int>", "[1]"),
            ("map<int,int>", "{\"a\": 1}"),
            ("map<int,int>", "[]"),
            ("list<int>", "{}"),
        ] {
            assert!(read(ty, default).is_err(), "{ty} = {default}");
        }
    }
}
