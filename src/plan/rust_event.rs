//! Types of what a trigger channel carries.

use serde::Serialize;

use crate::model::{Channel, Level, Op, Schema, TriggerChannel};

use super::evolution::{Image, Readers};
use super::ident::rust_type;
use super::rust::op_variant;

/// A struct for one operation, an enum for several.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RustEvent {
    /// Type.
    pub ty: String,
    /// Documentation.
    pub doc: Vec<String>,
    /// Derives.
    pub derives: String,
    /// Attributes, without `#[` and `]`.
    pub attributes: Vec<String>,
    /// Whether it is an enum.
    pub several: bool,
    /// Name of the parameter with the version, which need not be used.
    pub version: &'static str,
    /// Oldest version that is decoded, if it is not the first.
    pub oldest: Option<u32>,
    /// By operation.
    pub variants: Vec<RustVariant>,
}

/// One operation of an event.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RustVariant {
    /// Variant of the event.
    pub name: &'static str,
    /// Variant of `Op`.
    pub op: &'static str,
    /// Condition on `event` behind the operation, or nothing.
    pub guard: &'static str,
    /// Documentation.
    pub doc: &'static str,
    /// Row images.
    pub images: Vec<RustImage>,
}

/// A row image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RustImage {
    /// `old` or `new`.
    pub name: &'static str,
    /// Documentation.
    pub doc: &'static str,
    /// Type.
    pub ty: String,
    /// Method that reads it.
    pub read: &'static str,
}

/// The event of some operations of a channel; derives and attributes are those of the channel.
pub(super) fn plan(
    schema: &Schema,
    readers: &Readers<'_>,
    channel: &Channel,
    on: &TriggerChannel,
    ty: String,
    doc: Vec<String>,
    ops: &[Op],
) -> RustEvent {
    let (old, new) = (
        image(schema, readers, channel, on, "old"),
        image(schema, readers, channel, on, "new"),
    );
    let variants: Vec<RustVariant> = ops
        .iter()
        .flat_map(|op| {
            let whole = variant(
                *op,
                match op {
                    Op::Insert => "A row was inserted.",
                    Op::Update => "A row was updated.",
                    Op::Truncate => "The table was truncated: all its rows are gone.",
                    Op::Delete | Op::Message => "A row was deleted.",
                },
                match op {
                    Op::Insert => vec![&new],
                    Op::Update => vec![&old, &new],
                    Op::Truncate => Vec::new(),
                    Op::Delete | Op::Message => vec![&old],
                },
            );
            if on.level == Level::Statement && *op == Op::Update {
                let mut all = halves(&old, &new);
                all.push(whole);
                all
            } else {
                vec![whole]
            }
        })
        .collect();
    let oldest = schema.models[on.model].oldest.as_ref();
    let oldest = oldest
        .map(|oldest| oldest.value)
        .filter(|oldest| *oldest > 1);
    let has_images = variants.iter().any(|variant| !variant.images.is_empty());
    RustEvent {
        version: if has_images || oldest.is_some() {
            "version"
        } else {
            "_version"
        },
        oldest,
        ty,
        doc,
        derives: super::rust::derives_of(schema, &channel.extra),
        attributes: super::rust::attributes(&channel.extra),
        several: variants.len() > 1,
        variants,
    }
}

fn variant(op: Op, doc: &'static str, images: Vec<&Option<RustImage>>) -> RustVariant {
    RustVariant {
        name: op_variant(op),
        op: op_variant(op),
        guard: "",
        doc,
        images: images.into_iter().flatten().cloned().collect(),
    }
}

/// A statement that changes primary keys leaves rows without a partner.
fn halves(old: &Option<RustImage>, new: &Option<RustImage>) -> Vec<RustVariant> {
    let mut halves = Vec::new();
    if old.is_some() {
        halves.push(RustVariant {
            name: "UpdatedFrom",
            guard: " if event.is_null(\"new\")",
            ..variant(
                Op::Update,
                "A row whose primary key was changed, as it was; `UpdatedTo` tells what it became.",
                vec![old],
            )
        });
    }
    if new.is_some() {
        halves.push(RustVariant {
            name: "UpdatedTo",
            guard: " if event.is_null(\"old\")",
            ..variant(
                Op::Update,
                "A row whose primary key was changed, as it is now; `UpdatedFrom` tells what it was.",
                vec![new],
            )
        });
    }
    halves
}

/// A row image of the channel; `None` if it is not sent.
fn image(
    schema: &Schema,
    readers: &Readers<'_>,
    channel: &Channel,
    on: &TriggerChannel,
    name: &'static str,
) -> Option<RustImage> {
    let (list, doc, suffix, which) = if name == "old" {
        (&on.old, "The row before.", "Old", Image::Old)
    } else {
        (&on.new, "The row after.", "New", Image::New)
    };
    let ty = match list {
        None => rust_type(&schema.models[on.model].name),
        Some(list) if list.is_empty() => return None,
        Some(_) if on.image_suffixes().contains(&"Row") => row_type(channel, "Row"),
        Some(_) => row_type(channel, suffix),
    };
    let seen = readers.image(channel, on.model, which);
    let read = if seen.iter().all(|seen| seen.sent) {
        "row"
    } else {
        "row_or_empty"
    };
    Some(RustImage {
        name,
        doc,
        ty,
        read,
    })
}

/// Name of a row type of a channel that sends a part of its columns.
pub(super) fn row_type(channel: &Channel, suffix: &str) -> String {
    format!("{}{suffix}", rust_type(&channel.name))
}
