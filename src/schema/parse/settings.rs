//! `generate.postgres.settings`.

use crate::diagnostic::{Code, Diagnostic};
use crate::schema::language::{self, Shape};
use crate::schema::node::{Node, Value};
use crate::schema::reader::Reader;

/// Names of storage parameters with their values, as PostgreSQL takes them, in the order of the language.
pub(super) fn settings(reader: &mut Reader<'_>, node: &Node) -> Vec<(String, String)> {
    let Some(fields) = reader.fields(node, "`settings`", &language::SETTINGS) else {
        return Vec::new();
    };
    let mut settings = Vec::new();
    for key in language::SETTINGS.keys {
        let (Some(node), Some(shape)) = (fields.get(key.name), &key.value) else {
            continue;
        };
        let value = match shape {
            Shape::Word(words) => word(reader, node, key.name, words),
            Shape::Bool => reader
                .bool(&fields, key.name)
                .map(|bool| bool.value.to_string()),
            shape => number(reader, node, key.name, shape),
        };
        settings.extend(value.map(|value| (key.name.to_owned(), value)));
    }
    settings
}

fn word(reader: &mut Reader<'_>, node: &Node, name: &str, words: &[&str]) -> Option<String> {
    let word = reader.text(node, &format!("`{name}`"))?.value;
    if words.contains(&word.as_str()) {
        return Some(word);
    }
    let message = format!("`{name}` cannot be `{word}`");
    let diagnostic = Diagnostic::new(Code::InvalidValue, node.span.clone(), message);
    reader.report(diagnostic.help_nearest(&word, words.iter().copied()));
    None
}

/// A number within the limits of its shape.
fn number(reader: &mut Reader<'_>, node: &Node, name: &str, shape: &Shape) -> Option<String> {
    let (what, from, to) = match shape {
        Shape::Whole(from, to) => ("a whole number", from.to_string(), to.to_string()),
        Shape::Decimal(from, to) => ("a number", from.to_string(), to.to_string()),
        _ => return None,
    };
    let (value, fits) = match (&node.value, shape) {
        (Value::Int(value), Shape::Whole(from, to)) => {
            (value.to_string(), (*from..=*to).contains(value))
        }
        // A whole number that a float does not hold is outside of the limits, too.
        #[allow(clippy::cast_precision_loss)]
        (Value::Int(value), Shape::Decimal(from, to)) => {
            (value.to_string(), (*from..=*to).contains(&(*value as f64)))
        }
        (Value::Float(value), Shape::Decimal(from, to)) => {
            (value.to_string(), (*from..=*to).contains(value))
        }
        (Value::Float(value), _) => (value.to_string(), false),
        _ => {
            reader.wrong_kind(node, &format!("`{name}`"), what);
            return None;
        }
    };
    if !fits {
        let message = format!("`{name}` cannot be {value}");
        reader.report(
            Diagnostic::new(Code::InvalidValue, node.span.clone(), message)
                .help(format!("write {what} from {from} to {to}")),
        );
        return None;
    }
    Some(value)
}
