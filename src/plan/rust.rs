//! The Rust file: every name and type of it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::{Channel, ChannelKind, Delivery, Model, Op, Schema};

use super::error::PlanError;
use super::ident::{doc_lines, rust_const, rust_field, rust_literal, rust_type};
use super::lock::ModelVersions;
use super::names::{function_name, wire_name};
use super::rust_listener::{self, RustListener};
use super::rust_message::{self, RustMessage};
use super::rust_types::{column_type, pg_name};

/// All of the Rust file. Literals are ready to be pasted, docs are lines without `///`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RustPlan {
    /// Schema of our objects, as a literal.
    pub storage_schema: String,
    /// Derives of models, events and messages.
    pub derives: String,
    /// Structs of tables.
    pub models: Vec<RustModel>,
    /// Types of channels.
    pub channels: Vec<RustChannel>,
    /// Events of listeners that take a part of their channel's operations.
    pub events: Vec<RustEvent>,
    /// Traits.
    pub listeners: Vec<RustListener>,
}

/// A struct for a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RustModel {
    /// Type.
    pub ty: String,
    /// Documentation.
    pub doc: Vec<String>,
    /// Name in the YAML, as a literal.
    pub name: String,
    /// Version of the shape.
    pub version: u32,
    /// Types of the channels on it.
    pub channels: Vec<String>,
    /// Columns.
    pub fields: Vec<RustColumn>,
}

/// A field of a model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RustColumn {
    /// Field.
    pub name: String,
    /// Type.
    pub ty: String,
    /// Column, as a literal: the key in the payload.
    pub key: String,
    /// Documentation.
    pub doc: Vec<String>,
}

/// A channel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RustChannel {
    /// Type.
    pub ty: String,
    /// Name in the YAML, as a literal.
    pub name: String,
    /// NOTIFY channel, as a literal.
    pub wire: String,
    /// Variant of `Delivery`.
    pub delivery: &'static str,
    /// Function in the database, as a literal.
    pub function: String,
    /// Its type, if it is a trigger channel.
    pub event: Option<RustEvent>,
    /// Its type, if it is a message channel.
    pub message: Option<RustMessage>,
}

/// Type of what a trigger channel carries: a struct for one operation, an enum for several.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RustEvent {
    /// Type.
    pub ty: String,
    /// Documentation.
    pub doc: Vec<String>,
    /// Whether it is an enum.
    pub several: bool,
    /// By operation.
    pub variants: Vec<RustVariant>,
}

/// One operation of an event.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RustVariant {
    /// Variant of the event and of `Op`.
    pub name: &'static str,
    /// Documentation.
    pub doc: &'static str,
    /// `old`, `new` or both, with the documentation.
    pub images: Vec<(&'static str, &'static str)>,
    /// Type of the images.
    pub row: String,
}

pub(super) fn plan(schema: &Schema, versions: &ModelVersions) -> Result<RustPlan, PlanError> {
    let mut names = Names::default();
    // Types and constants do not get into each other's way: a listener `x` is a trait `X` and a constant `X`.
    let mut constants = Names::default();
    constants.claim("CATALOG", "the catalog")?;
    names.claim("Listeners", "the listeners")?;
    for model in &schema.models {
        names.claim(&rust_type(&model.name), &format!("model `{}`", model.name))?;
        distinct(
            model.columns.iter().map(|column| column.field.as_str()),
            &model.name,
        )?;
    }
    for channel in &schema.channels {
        names.claim(
            &rust_type(&channel.name),
            &format!("channel `{}`", channel.name),
        )?;
        if let ChannelKind::Message { fields, .. } = &channel.kind {
            distinct(
                fields.iter().map(|field| field.name.as_str()),
                &channel.name,
            )?;
        }
    }
    let mut events = Vec::new();
    for listener in &schema.listeners {
        let channel = &schema.channels[listener.channel];
        let owner = format!("listener `{}`", listener.name);
        names.claim(&rust_type(&listener.name), &owner)?;
        names.claim(&handler_type(&listener.name), &owner)?;
        constants.claim(&rust_const(&listener.name), &owner)?;
        if let (ChannelKind::Trigger { model, .. }, true) =
            (&channel.kind, listener.ops != channel.ops())
        {
            let ty = part_type(&listener.name);
            names.claim(&ty, &owner)?;
            let doc = vec![format!(
                "What the listener `{}` takes of the channel `{}`.",
                listener.name, channel.name
            )];
            events.push(event(ty, doc, &schema.models[*model], &listener.ops));
        }
    }
    Ok(RustPlan {
        storage_schema: rust_literal(&schema.generate.storage_schema),
        derives: derives(schema),
        models: schema
            .models
            .iter()
            .enumerate()
            .map(|(index, model)| rust_model(schema, index, model, versions))
            .collect(),
        channels: schema
            .channels
            .iter()
            .map(|channel| rust_channel(schema, channel))
            .collect(),
        events,
        listeners: schema
            .listeners
            .iter()
            .map(|listener| rust_listener::plan(schema, listener))
            .collect(),
    })
}

/// Who has which name.
#[derive(Default)]
struct Names {
    taken: BTreeMap<String, String>,
}

impl Names {
    fn claim(&mut self, name: &str, owner: &str) -> Result<(), PlanError> {
        match self.taken.insert(name.to_owned(), owner.to_owned()) {
            None => Ok(()),
            Some(first) => Err(PlanError::NameClash {
                name: name.to_owned(),
                first,
                second: owner.to_owned(),
            }),
        }
    }
}

fn distinct<'a>(fields: impl Iterator<Item = &'a str>, owner: &str) -> Result<(), PlanError> {
    let mut names = Names::default();
    for field in fields {
        names.claim(&rust_field(field), &format!("field `{field}` of `{owner}`"))?;
    }
    Ok(())
}

fn handler_type(listener: &str) -> String {
    format!("{}Handler", rust_type(listener))
}

pub(super) fn part_type(listener: &str) -> String {
    format!("{}Event", rust_type(listener))
}

fn derives(schema: &Schema) -> String {
    let mut derives = vec!["Clone", "Debug", "PartialEq"];
    for extra in &schema.generate.rust_derive {
        if !derives.contains(&extra.as_str()) {
            derives.push(extra);
        }
    }
    derives.join(", ")
}

fn rust_model(schema: &Schema, index: usize, model: &Model, versions: &ModelVersions) -> RustModel {
    let mut doc = vec![format!(
        "Row of `{}.{}`.",
        code(&model.table.schema),
        code(&model.table.name)
    )];
    append(&mut doc, model.doc.as_deref());
    RustModel {
        ty: rust_type(&model.name),
        doc,
        name: rust_literal(&model.name),
        version: versions.of(model),
        channels: schema
            .channels
            .iter()
            .filter(|channel| {
                matches!(channel.kind, ChannelKind::Trigger { model, .. } if model == index)
            })
            .map(|channel| rust_type(&channel.name))
            .collect(),
        fields: model
            .columns
            .iter()
            .map(|column| {
                let null = if column.nullable { ", nullable" } else { "" };
                let key = if column.primary_key { ", primary key" } else { "" };
                let mut doc =
                    vec![format!("`{}`: {}{null}{key}.", code(&column.column), pg_name(&column.ty))];
                // `int[]` would be a link to rustdoc.
                doc[0] = doc[0].replace("[]", "\\[\\]");
                append(&mut doc, column.doc.as_deref());
                RustColumn {
                    name: rust_field(&column.field),
                    ty: column_type(&column.ty, column.nullable),
                    key: rust_literal(&column.column),
                    doc,
                }
            })
            .collect(),
    }
}

fn rust_channel(schema: &Schema, channel: &Channel) -> RustChannel {
    let ty = rust_type(&channel.name);
    let (prefix, event, message) = match &channel.kind {
        ChannelKind::Trigger { model, .. } => {
            let mut doc = vec![format!("Event of the channel `{}`.", channel.name)];
            append(&mut doc, channel.doc.as_deref());
            let model = &schema.models[*model];
            (
                "capture",
                Some(self::event(ty.clone(), doc, model, &channel.ops())),
                None,
            )
        }
        ChannelKind::Message { fields, extends } => {
            let base = extends.map(|base| schema.channels[base].name.as_str());
            (
                "notify",
                None,
                Some(rust_message::plan(schema, channel, fields, base)),
            )
        }
    };
    RustChannel {
        ty,
        name: rust_literal(&channel.name),
        wire: rust_literal(&wire_name(&schema.generate.storage_schema, &channel.name)),
        delivery: match channel.delivery {
            Delivery::Durable => "Durable",
            Delivery::Transient => "Transient",
        },
        function: rust_literal(&function_name(prefix, &channel.name)),
        event,
        message,
    }
}

fn event(ty: String, doc: Vec<String>, model: &Model, ops: &[Op]) -> RustEvent {
    const OLD: (&str, &str) = ("old", "The row before.");
    const NEW: (&str, &str) = ("new", "The row after.");
    let row = rust_type(&model.name);
    let variants: Vec<RustVariant> = ops
        .iter()
        .map(|op| {
            let (doc, images) = match op {
                Op::Insert => ("A row was inserted.", vec![NEW]),
                Op::Update => ("A row was updated.", vec![OLD, NEW]),
                Op::Delete | Op::Message => ("A row was deleted.", vec![OLD]),
            };
            RustVariant {
                name: op_variant(*op),
                doc,
                images,
                row: row.clone(),
            }
        })
        .collect();
    RustEvent {
        ty,
        doc,
        several: variants.len() > 1,
        variants,
    }
}

pub(super) fn op_variant(op: Op) -> &'static str {
    match op {
        Op::Insert => "Insert",
        Op::Update => "Update",
        Op::Delete => "Delete",
        Op::Message => "Message",
    }
}

/// A name that stands between backticks in Markdown.
fn code(name: &str) -> String {
    name.replace(['`', '\n', '\r'], "?")
}

/// Appends the user's documentation as a paragraph of its own.
pub(super) fn append(doc: &mut Vec<String>, more: Option<&str>) {
    let more = doc_lines(more);
    if !more.is_empty() {
        doc.push(String::new());
        doc.extend(more);
    }
}
