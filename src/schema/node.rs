//! A YAML tree in which every node knows its place. Only this file sees the YAML library.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Location, Options};

use crate::diagnostic::{Code, Diagnostic, Span};

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Its place in the file; of a mapping or sequence, from its start on.
    pub span: Span,
}

/// A YAML value. Duplicate keys are kept, so that they can be reported with the others.
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing, `null` or `~`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Another number.
    Float(f64),
    /// Everything else, and everything in quotes.
    Text(String),
    /// A sequence.
    Sequence(Vec<Node>),
    /// A mapping, in order.
    Mapping(Vec<(Node, Node)>),
}

impl Value {
    /// The kind, with its article.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::Sequence(_) => "a list",
            Self::Mapping(_) => "a mapping",
        }
    }
}

/// Parses a file.
pub(super) fn parse(text: &str, base: usize) -> Result<Node, Box<Diagnostic>> {
    let mut options = Options::default();
    options.duplicate_keys = DuplicateKeyPolicy::PassThrough;
    // YAML 1.2: `on`, `no` and `y` are texts.
    options.strict_booleans = true;
    options.with_snippet = false;
    options.angle_conversions = false;
    // A file of a person's own; what aliases can make of it stays limited.
    if let Some(budget) = &mut options.budget {
        budget.max_nodes = budget.max_nodes.max(text.len());
        budget.max_events = budget.max_events.max(text.len().saturating_mul(4));
        budget.max_total_scalar_bytes = budget.max_total_scalar_bytes.max(text.len());
    }
    let parsed: Result<serde_saphyr::Spanned<Raw>, _> =
        serde_saphyr::from_str_with_options(text, options);
    match parsed {
        Ok(raw) => Ok(node(raw, text, base)),
        Err(error) => {
            let at = error
                .location()
                .map_or(0, |location| start(&location, text));
            let message = error.without_snippet().to_string();
            let message = message
                .lines()
                .next()
                .unwrap_or_default()
                .trim_start_matches("error: ");
            // The place is shown by us.
            let message = match message.split_once(": ") {
                Some((place, rest)) if place.starts_with("line ") => rest,
                _ => message,
            };
            let message = message.split(" at line ").next().unwrap_or_default();
            let end = at
                + text[at..]
                    .chars()
                    .next()
                    .filter(|c| *c != '\n')
                    .map_or(0, char::len_utf8);
            Err(Box::new(
                Diagnostic::new(
                    Code::Syntax,
                    base + at..base + end,
                    format!("this is not YAML: {message}"),
                )
                .help("values with `: `, ` #`, or a comma within braces need quotes"),
            ))
        }
    }
}

fn start(location: &Location, text: &str) -> usize {
    if let Some(offset) = location.span().byte_offset() {
        return usize::try_from(offset).map_or(text.len(), |offset| offset.min(text.len()));
    }
    let line = usize::try_from(location.line())
        .unwrap_or(1)
        .saturating_sub(1);
    let column = usize::try_from(location.column())
        .unwrap_or(1)
        .saturating_sub(1);
    let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let within = text[before..].lines().next().unwrap_or_default();
    before
        + within
            .chars()
            .take(column)
            .map(char::len_utf8)
            .sum::<usize>()
}

fn span(location: &Location, text: &str, base: usize) -> Span {
    let start = start(location, text);
    let length = location
        .span()
        .byte_len()
        .and_then(|length| usize::try_from(length).ok())
        .unwrap_or_default();
    base + start..base + start.saturating_add(length).min(text.len())
}

fn node(raw: serde_saphyr::Spanned<Raw>, text: &str, base: usize) -> Node {
    // Where an alias stands, not where its anchor is.
    let span = span(&raw.referenced, text, base);
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Bool(value) => Value::Bool(value),
        Raw::Int(value) => Value::Int(value),
        Raw::Float(value) => Value::Float(value),
        Raw::Text(value) => Value::Text(value),
        Raw::Sequence(items) => Value::Sequence(
            items
                .into_iter()
                .map(|item| node(item, text, base))
                .collect(),
        ),
        Raw::Mapping(entries) => Value::Mapping(
            entries
                .into_iter()
                .map(|(key, value)| (node(key, text, base), node(value, text, base)))
                .collect(),
        ),
    };
    Node { value, span }
}

/// What the YAML library hands over.
enum Raw {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Sequence(Vec<serde_saphyr::Spanned<Raw>>),
    Mapping(Vec<(serde_saphyr::Spanned<Raw>, serde_saphyr::Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(i64::try_from(value).map_or(Raw::Float(value as f64), Raw::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Raw::Sequence(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Mapping(entries))
    }
}
