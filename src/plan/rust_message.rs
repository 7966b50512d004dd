//! The type of a message channel.

use serde::Serialize;

use crate::model::{Channel, DeclaredType, FieldType, MessageField, MessageOptions, Schema};

use super::evolution::Readers;
use super::ident::{doc_lines, rust_field, rust_literal, sql_ident};
use super::literal::default_expression;
use super::names::function_name;
use super::rust::{append, attributes, derives_of};
use super::rust_options::{self, RustOptions};
use super::rust_reading::{self, RustRead};
use super::rust_types::field_type;

/// A message.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RustMessage {
    /// Documentation.
    pub doc: Vec<String>,
    /// Derives.
    pub derives: String,
    /// Attributes, without `#[` and `]`.
    pub attributes: Vec<String>,
    /// Fields.
    pub fields: Vec<RustField>,
    /// Those that are published.
    pub sent: Vec<RustField>,
    /// Name of the parameter with the version, which need not be used.
    pub version: &'static str,
    /// Oldest version that is decoded, if it is not the first.
    pub oldest: Option<u32>,
    /// Fields without default: the arguments of `new`.
    pub required: Vec<RustField>,
    /// Fields of a `Self { .. }` made of the arguments of `new` and the defaults.
    pub construct: Vec<String>,
    /// Statement that publishes, as a literal.
    pub statement: String,
    /// What senders may say.
    pub options: Option<RustOptions>,
}

/// A field of a message.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RustField {
    /// Field.
    pub name: String,
    /// The same as a part of another identifier.
    pub plain: String,
    /// Type.
    pub ty: String,
    /// Key in the payload, as a literal.
    pub key: String,
    /// Documentation.
    pub doc: Vec<String>,
    /// Expression of the default.
    pub default: Option<String>,
    /// How it is read from `message`.
    pub read: RustRead,
}

pub(super) fn plan(
    schema: &Schema,
    channel: &Channel,
    fields: &[MessageField],
    options: &MessageOptions,
    base: Option<&str>,
    readers: &Readers<'_>,
    version: u32,
) -> RustMessage {
    let mut doc = vec![format!("Message of the channel `{}`.", channel.name)];
    append(&mut doc, channel.doc.as_deref());
    if let Some(base) = base {
        append(&mut doc, Some(&format!("Extends the channel `{base}`.")));
    }
    let reads = rust_reading::message(schema, fields, &readers.message(channel));
    let oldest = channel.oldest.as_ref().map(|oldest| oldest.value);
    let oldest = oldest.filter(|oldest| *oldest > 1);
    let versioned = oldest.is_some() || reads.iter().any(RustRead::is_versioned);
    let published: Vec<bool> = fields
        .iter()
        .map(|field| field.past.until.is_none())
        .collect();
    let fields: Vec<RustField> = fields
        .iter()
        .zip(reads)
        .map(|(field, read)| self::field(field, read, &schema.types))
        .collect();
    let function = format!(
        "{}.{}",
        sql_ident(&schema.generate.storage_schema),
        sql_ident(&function_name("notify", &channel.name))
    );
    RustMessage {
        doc,
        derives: derives_of(schema, &channel.extra),
        attributes: attributes(&channel.extra),
        required: fields
            .iter()
            .filter(|field| field.default.is_none())
            .cloned()
            .collect(),
        construct: fields
            .iter()
            .map(|field| match field.default {
                Some(_) => format!("{}: Self::default_{}()", field.name, field.plain),
                None => field.name.clone(),
            })
            .collect(),
        sent: fields
            .iter()
            .zip(published)
            .filter(|(_, published)| *published)
            .map(|(field, _)| field.clone())
            .collect(),
        version: if versioned { "version" } else { "_version" },
        oldest,
        fields,
        options: rust_options::plan(channel, options, &function, version),
        statement: rust_literal(&format!("SELECT {function}($1, {version})")),
    }
}

fn field(field: &MessageField, read: RustRead, types: &[DeclaredType]) -> RustField {
    let mut doc = doc_lines(field.doc.as_deref());
    if doc.is_empty() {
        doc.push(format!(
            "Field `{}`: {}.",
            field.name,
            yaml_name(&field.ty, types)
        ));
    }
    if let Some(until) = &field.past.until {
        let gone = format!(
            "Not published any more: only in messages up to version {}.",
            until.value
        );
        append(&mut doc, Some(&gone));
    }
    let name = rust_field(&field.name);
    RustField {
        plain: name.trim_start_matches("r#").to_owned(),
        name,
        ty: field_type(&field.ty, types),
        key: rust_literal(&field.name),
        doc,
        default: field
            .default
            .as_ref()
            .map(|default| default_expression(&field.ty, default)),
        read,
    }
}

/// The type as the YAML has it, between backticks where Markdown would see HTML.
fn yaml_name(ty: &FieldType, types: &[DeclaredType]) -> String {
    let name = yaml_type(ty, types);
    if name.contains('<') {
        format!("`{name}`")
    } else {
        name
    }
}

/// The type as the YAML has it.
pub(super) fn yaml_type(ty: &FieldType, types: &[DeclaredType]) -> String {
    match ty {
        FieldType::Int => "int".into(),
        FieldType::Float => "float".into(),
        FieldType::Decimal => "decimal".into(),
        FieldType::Bool => "bool".into(),
        FieldType::String => "string".into(),
        FieldType::Bytes => "bytes".into(),
        FieldType::Date => "date".into(),
        FieldType::Time => "time".into(),
        FieldType::DateTime => "datetime".into(),
        FieldType::Duration => "duration".into(),
        FieldType::Uuid => "uuid".into(),
        FieldType::Json => "json".into(),
        FieldType::Enum(index) => types[*index].name.clone(),
        FieldType::List(item) => format!("list<{}>", yaml_type(item, types)),
        FieldType::Set(item) => format!("set<{}>", yaml_type(item, types)),
        FieldType::Map(key, value) => format!(
            "map<{}, {}>",
            yaml_type(key, types),
            yaml_type(value, types)
        ),
        FieldType::Tuple(members) => {
            format!(
                "tuple<{}>",
                members
                    .iter()
                    .map(|member| yaml_type(member, types))
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        }
        FieldType::Optional(inner) => format!("{}?", yaml_type(inner, types)),
    }
}
