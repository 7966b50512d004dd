//! The language as a JSON Schema (draft 2020-12), for editors: the same tables that the reader goes by.

use serde_json::{Map, Value, json};

use super::language::{FILE, Mapping, Shape};

/// The JSON Schema of a schema file, with documentation of every key.
pub fn json_schema() -> Value {
    let Value::Object(mut root) = mapping(&FILE) else {
        return Value::Null;
    };
    root.insert(
        "$schema".into(),
        "https://json-schema.org/draft/2020-12/schema".into(),
    );
    root.insert("title".into(), "Schema file of pgpubsub-gen".into());
    root.insert("required".into(), json!(["version"]));
    Value::Object(root)
}

fn mapping(mapping: &Mapping) -> Value {
    let properties: Map<String, Value> = mapping
        .keys
        .iter()
        .filter_map(|key| {
            let mut property = shape(key.value.as_ref()?);
            property["description"] = key.doc.into();
            Some((key.name.to_owned(), property))
        })
        .collect();
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

fn shape(value: &Shape) -> Value {
    match value {
        Shape::Version => json!({"const": 1}),
        Shape::Text => json!({"type": "string"}),
        Shape::Word(words) => json!({"enum": words}),
        Shape::Number => json!({"type": "integer", "minimum": 1}),
        Shape::Whole(from, to) => json!({"type": "integer", "minimum": from, "maximum": to}),
        Shape::Decimal(from, to) => json!({"type": "number", "minimum": from, "maximum": to}),
        Shape::Bool => json!({"type": "boolean"}),
        Shape::List(item) => json!({"type": "array", "items": shape(item)}),
        Shape::Named(value) => json!({"type": "object", "additionalProperties": shape(value)}),
        Shape::Mapping(keys) => mapping(keys),
        Shape::Either(shapes) => {
            let shapes: Vec<Value> = shapes.iter().map(shape).collect();
            json!({"anyOf": shapes})
        }
        Shape::Any => json!({}),
    }
}
