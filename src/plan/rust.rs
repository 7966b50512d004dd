//! The Rust file: every name and type of it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::{Channel, ChannelKind, Delivery, Extra, Op, Schema, TriggerChannel, Wake};

use super::error::PlanError;
use super::evolution::{Image, Readers, Seen};
use super::ident::{doc_lines, rust_const, rust_field, rust_literal, rust_type};
use super::names::{function_name, wire_name};
use super::rust_event::{self, RustEvent, row_type};
use super::rust_listener::{self, RustListener};
use super::rust_message::{self, RustMessage};
use super::rust_options;
use super::rust_row::{self, RustRow};
use super::rust_type::{self, RustType};
use super::versions::Versions;

/// All of the Rust file. Literals are ready to be pasted, docs are lines without `///`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RustPlan {
    /// Schema of our objects, as a literal.
    pub storage_schema: String,
    /// Derives of events that belong to no single channel.
    pub derives: String,
    /// Types of the database.
    pub types: Vec<RustType>,
    /// Structs of tables.
    pub models: Vec<RustModel>,
    /// Types of channels.
    pub channels: Vec<RustChannel>,
    /// Types of those that send by themselves.
    pub scheduled: Vec<String>,
    /// Events of listeners that take a part of their channel's operations.
    pub events: Vec<RustEvent>,
    /// Traits.
    pub listeners: Vec<RustListener>,
}

/// A struct for a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RustModel {
    /// The struct.
    pub row: RustRow,
    /// Name in the YAML, as a literal.
    pub name: String,
    /// Version of the shape.
    pub version: u32,
    /// Expressions of the names of the channels on it, with the former ones.
    pub channels: Vec<String>,
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
    /// Variant of `Wake`.
    pub wake: &'static str,
    /// Function in the database, as a literal.
    pub function: String,
    /// Highest version that is read.
    pub version: u32,
    /// Former names, as literals.
    pub was: Vec<String>,
    /// Whether some of its notifications come one after the other.
    pub ordered: bool,
    /// Whether a sender may say that a message is urgent.
    pub urgent: bool,
    /// How many seconds its notifications are kept after they were processed.
    pub retain: Option<u64>,
    /// Whether a transaction may switch it off.
    pub ignorable: bool,
    /// Row types of its own.
    pub rows: Vec<RustRow>,
    /// Its type, if it is a trigger channel.
    pub event: Option<RustEvent>,
    /// Its type, if it is a message channel.
    pub message: Option<RustMessage>,
}

pub(super) fn plan(schema: &Schema, versions: &Versions) -> Result<RustPlan, PlanError> {
    let mut names = Names::default();
    // Types and constants do not get into each other's way: a listener `x` is a trait `X` and a constant `X`.
    let mut constants = Names::default();
    let (mut wires, mut functions) = (Names::default(), Names::default());
    constants.claim("CATALOG", "the catalog")?;
    names.claim("Listeners", "the listeners")?;
    let types: Vec<RustType> = schema
        .types
        .iter()
        .filter_map(|declared| rust_type::plan(schema, declared))
        .collect();
    for declared in &types {
        names.claim(&declared.ty, "a type")?;
    }
    for model in &schema.models {
        names.claim(&rust_type(&model.name), &format!("model `{}`", model.name))?;
        distinct(
            model
                .columns
                .iter()
                .chain(&model.gone)
                .map(|column| column.field.as_str()),
            &model.name,
        )?;
    }
    for channel in &schema.channels {
        let owner = format!("channel `{}`", channel.name);
        names.claim(&rust_type(&channel.name), &owner)?;
        // Distinct names may become one, cut or in lower case, were it not for their hashes.
        wires.claim(
            &wire_name(&schema.generate.storage_schema, &channel.name),
            &owner,
        )?;
        for prefix in ["capture", "notify"] {
            functions.claim(&function_name(prefix, &channel.name), &owner)?;
        }
        match &channel.kind {
            ChannelKind::Message {
                fields, options, ..
            } => {
                distinct(
                    fields.iter().map(|field| field.name.as_str()),
                    &channel.name,
                )?;
                if options.are_said() {
                    names.claim(&rust_options::type_name(&channel.name), &owner)?;
                }
            }
            ChannelKind::Trigger(on) => {
                for suffix in on.image_suffixes() {
                    names.claim(&row_type(channel, suffix), &owner)?;
                }
            }
        }
    }
    let readers = Readers::new(schema, versions);
    let mut events = Vec::new();
    for listener in &schema.listeners {
        let owner = format!("listener `{}`", listener.name);
        names.claim(&rust_type(&listener.name), &owner)?;
        names.claim(&handler_type(&listener.name), &owner)?;
        constants.claim(&rust_const(&listener.name), &owner)?;
        for ty in listener.own_types(&schema.channels) {
            names.claim(&rust_type(&ty), &owner)?;
        }
        for subscription in &listener.channels {
            let channel = &schema.channels[subscription.channel];
            if let ChannelKind::Trigger(on) = &channel.kind
                && subscription.ops != channel.ops()
            {
                let ty = rust_type(&listener.part_name(channel));
                let doc = vec![format!(
                    "What the listener `{}` takes of the channel `{}`.",
                    listener.name, channel.name
                )];
                let ops = &subscription.ops;
                events.push(rust_event::plan(
                    schema, &readers, channel, on, ty, doc, ops,
                ));
            }
        }
    }
    let by_model = channels_by_model(schema);
    Ok(RustPlan {
        storage_schema: rust_literal(&schema.generate.storage_schema),
        derives: derives_of(schema, &Extra::default()),
        types,
        models: schema
            .models
            .iter()
            .enumerate()
            .map(|(index, _)| {
                let channels = by_model.get(&index).cloned().unwrap_or_default();
                rust_model(schema, index, &readers, versions, channels)
            })
            .collect(),
        channels: schema
            .channels
            .iter()
            .map(|channel| rust_channel(schema, channel, &readers, versions))
            .collect(),
        scheduled: schema
            .channels
            .iter()
            .filter(|channel| is_scheduled(channel))
            .map(|channel| rust_type(&channel.name))
            .collect(),
        events,
        listeners: schema
            .listeners
            .iter()
            .map(|listener| rust_listener::plan(schema, listener))
            .collect(),
    })
}

fn is_scheduled(channel: &Channel) -> bool {
    matches!(
        &channel.kind,
        ChannelKind::Message {
            schedule: Some(_),
            ..
        }
    )
}

/// Names of the channels on each model: under the former ones, notifications may still wait.
fn channels_by_model(schema: &Schema) -> BTreeMap<usize, Vec<String>> {
    let mut channels: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for channel in &schema.channels {
        if let ChannelKind::Trigger(on) = &channel.kind {
            let name = format!("{}::CHANNEL.name", rust_type(&channel.name));
            let former = channel.was.iter().flatten().map(|was| rust_literal(was));
            channels
                .entry(on.model)
                .or_default()
                .extend(std::iter::once(name).chain(former));
        }
    }
    channels
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

/// The derives that are always there, those of the whole file, and those of one declaration, each once.
pub(super) fn derives(always: &[&str], file: &[String], extra: &Extra) -> String {
    let mut derives: Vec<&str> = always.to_vec();
    for more in file.iter().chain(&extra.derives) {
        if !derives.contains(&more.as_str()) {
            derives.push(more);
        }
    }
    derives.join(", ")
}

/// Derives of a model, event or message.
pub(super) fn derives_of(schema: &Schema, extra: &Extra) -> String {
    let always = ["Clone", "Debug", "PartialEq"];
    derives(&always, &schema.generate.rust_derive, extra)
}

/// Attributes of one declaration.
pub(super) fn attributes(extra: &Extra) -> Vec<String> {
    extra.attributes.clone()
}

fn rust_model(
    schema: &Schema,
    index: usize,
    readers: &Readers<'_>,
    versions: &Versions,
    channels: Vec<String>,
) -> RustModel {
    let model = &schema.models[index];
    let mut doc = vec![format!(
        "Row of `{}.{}`.",
        code(&model.table.schema),
        code(&model.table.name)
    )];
    append(&mut doc, model.doc.as_deref());
    RustModel {
        row: RustRow {
            ty: rust_type(&model.name),
            doc,
            derives: derives_of(schema, &model.extra),
            attributes: attributes(&model.extra),
            body: rust_row::body(readers, schema, model, None, &readers.whole_row(index)),
        },
        name: rust_literal(&model.name),
        version: versions.of_model(model),
        channels,
    }
}

fn rust_channel(
    schema: &Schema,
    channel: &Channel,
    readers: &Readers<'_>,
    versions: &Versions,
) -> RustChannel {
    let ty = rust_type(&channel.name);
    let mut rows = Vec::new();
    let (prefix, event, message) = match &channel.kind {
        ChannelKind::Trigger(on) => {
            let mut doc = vec![format!("Event of the channel `{}`.", channel.name)];
            append(&mut doc, channel.doc.as_deref());
            rows = row_types(schema, readers, channel, on);
            let event = rust_event::plan(
                schema,
                readers,
                channel,
                on,
                ty.clone(),
                doc,
                &channel.ops(),
            );
            ("capture", Some(event), None)
        }
        ChannelKind::Message {
            fields,
            extends,
            options,
            ..
        } => {
            let base = extends.map(|base| schema.channels[base].name.as_str());
            (
                "notify",
                None,
                Some(rust_message::plan(
                    schema,
                    channel,
                    fields,
                    options,
                    base,
                    readers,
                    versions.of_channel(schema, channel),
                )),
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
        wake: match (channel.delivery, channel.wake) {
            // Its NOTIFY is no wake-up; whoever is connected gets it.
            (Delivery::Transient, _) | (_, Wake::Commit) => "Commit",
            (_, Wake::Door) => "Door",
            (_, Wake::Poll) => "Poll",
            (_, Wake::None) => "None",
        },
        function: rust_literal(&function_name(prefix, &channel.name)),
        version: versions.of_channel(schema, channel),
        was: channel
            .was
            .iter()
            .flatten()
            .map(|was| rust_literal(was))
            .collect(),
        ordered: channel.order.is_some(),
        urgent: matches!(&channel.kind, ChannelKind::Message { options, .. } if options.priority),
        retain: channel.retain.map(|retain| retain.as_secs()),
        ignorable: matches!(&channel.kind, ChannelKind::Trigger(on) if on.ignorable),
        rows,
        event,
        message,
    }
}

fn row_types(
    schema: &Schema,
    readers: &Readers<'_>,
    channel: &Channel,
    on: &TriggerChannel,
) -> Vec<RustRow> {
    let model = &schema.models[on.model];
    let image = |suffix: &str| {
        let (list, when, images): (_, _, &[Image]) = match suffix {
            "Old" => (&on.old, " before", &[Image::Old]),
            "New" => (&on.new, " after", &[Image::New]),
            _ => {
                let list = if on.new.is_some() { &on.new } else { &on.old };
                (list, "", &[Image::Old, Image::New])
            }
        };
        let seen: Vec<Seen> = images
            .iter()
            .flat_map(|image| readers.image(channel, on.model, *image))
            .collect();
        let doc = format!(
            "The row of `{}.{}`{when}, as the channel `{}` sends it.",
            code(&model.table.schema),
            code(&model.table.name),
            channel.name
        );
        RustRow {
            ty: row_type(channel, suffix),
            doc: vec![doc],
            derives: derives_of(schema, &channel.extra),
            attributes: attributes(&channel.extra),
            body: rust_row::body(readers, schema, model, list.as_deref(), &seen),
        }
    };
    on.image_suffixes().into_iter().map(image).collect()
}

pub(super) fn op_variant(op: Op) -> &'static str {
    match op {
        Op::Insert => "Insert",
        Op::Update => "Update",
        Op::Delete => "Delete",
        Op::Truncate => "Truncate",
        Op::Message => "Message",
    }
}

/// A name that stands between backticks in Markdown.
pub(super) fn code(name: &str) -> String {
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
