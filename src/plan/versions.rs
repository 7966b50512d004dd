//! Versions of models and message channels: the shapes that migrations have recorded tell, no clock and no database.

use std::collections::BTreeMap;

use crate::history::{Sent, Shape, ShapeVersion, Shaped, Shapes};
use crate::model::{Channel, ChannelKind, Model, Schema};

use super::rust_message::yaml_type;
use super::rust_types;

/// Version and shapes of every model and message channel of a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versions {
    known: BTreeMap<(Shaped, String), Known>,
}

/// What is known of one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    version: u32,
    shape: Shape,
    /// Recorded versions, those of former names too; the shapes of a version are those that cannot be told as one.
    earlier: BTreeMap<u32, Vec<Shape>>,
    /// What the history does not have under this name.
    missing: Vec<(u32, Shape)>,
}

impl Versions {
    /// An equal shape keeps the highest version, another one takes the next, what is not known starts at 1.
    pub fn new(schema: &Schema, shapes: &Shapes) -> Self {
        // Not looked for model by model: there can be thousands of both.
        let mut on: Vec<Vec<&Channel>> = vec![Vec::new(); schema.models.len()];
        for channel in &schema.channels {
            if let ChannelKind::Trigger(trigger) = &channel.kind {
                on[trigger.model].push(channel);
            }
        }
        let models = schema.models.iter().zip(&on).map(|(model, channels)| {
            let shape = model_shape(schema, model, channels);
            (Shaped::Model, &model.name, &model.was, shape)
        });
        let messages = schema.channels.iter().filter_map(|channel| {
            let shape = message_shape(schema, channel)?;
            Some((Shaped::Message, &channel.name, &channel.was, shape))
        });
        let renamed = renamed_channels(schema);
        let known = models.chain(messages).map(|(of, name, was, shape)| {
            let was = was.as_deref().unwrap_or_default();
            let known = Known::new(shapes, of, name, was, shape, &renamed);
            ((of, name.clone()), known)
        });
        Self {
            known: known.collect(),
        }
    }

    /// Version of a model.
    pub fn of_model(&self, model: &Model) -> u32 {
        self.version(Shaped::Model, &model.name)
    }

    /// Version of a channel: that of its model, or its own.
    pub fn of_channel(&self, schema: &Schema, channel: &Channel) -> u32 {
        match &channel.kind {
            ChannelKind::Trigger(on) => self.of_model(&schema.models[on.model]),
            ChannelKind::Message { .. } => self.version(Shaped::Message, &channel.name),
        }
    }

    fn version(&self, of: Shaped, name: &str) -> u32 {
        self.get(of, name).map_or(1, |known| known.version)
    }

    fn get(&self, of: Shaped, name: &str) -> Option<&Known> {
        self.known.get(&(of, name.to_owned()))
    }

    /// Whether the history knows versions of a model.
    pub(super) fn is_known(&self, model: &Model) -> bool {
        self.has_earlier(Shaped::Model, &model.name)
    }

    /// Whether the history knows versions of a message channel.
    pub(super) fn is_known_message(&self, channel: &Channel) -> bool {
        self.has_earlier(Shaped::Message, &channel.name)
    }

    fn has_earlier(&self, of: Shaped, name: &str) -> bool {
        self.get(of, name)
            .is_some_and(|known| !known.earlier.is_empty())
    }

    /// Whether the current version is one that the history does not know.
    pub fn is_new(&self, of: Shaped, name: &str) -> bool {
        self.get(of, name)
            .is_some_and(|known| !known.earlier.contains_key(&known.version))
    }

    /// Every known version with its shapes, the current one last.
    pub(super) fn shapes(&self, of: Shaped, name: &str) -> Vec<(u32, &Shape)> {
        let Some(known) = self.get(of, name) else {
            return Vec::new();
        };
        let earlier = known
            .earlier
            .iter()
            .flat_map(|(version, shapes)| shapes.iter().map(|shape| (*version, shape)));
        let mut all: Vec<(u32, &Shape)> = earlier.collect();
        if !known.earlier.contains_key(&known.version) {
            all.push((known.version, &known.shape));
        }
        all
    }

    /// What the next migration has to record, as the history does not have it yet; sorted.
    pub fn recorded(&self) -> Vec<ShapeVersion> {
        let one = |((of, name), known): (&(Shaped, String), &Known)| {
            let record = |(version, shape): &(u32, Shape)| ShapeVersion {
                of: *of,
                name: name.clone(),
                version: *version,
                shape: shape.clone(),
            };
            known.missing.iter().map(record).collect::<Vec<_>>()
        };
        self.known.iter().flat_map(one).collect()
    }
}

impl Known {
    fn new(
        shapes: &Shapes,
        of: Shaped,
        name: &str,
        was: &[String],
        shape: Shape,
        renamed: &[(&str, &str)],
    ) -> Self {
        let mut recorded: BTreeMap<u32, Vec<Shape>> = BTreeMap::new();
        let mut missing = Vec::new();
        for (version, list) in shapes.of(of, name) {
            recorded.entry(version).or_default().extend_from_slice(list);
        }
        // Under the new name, too: the old one can then be forgotten.
        for former in was {
            for (version, list) in shapes.of(of, former) {
                let there = recorded.entry(version).or_default();
                for shape in list.iter().filter(|shape| !covers(there, shape)) {
                    missing.push((version, shape.clone()));
                }
                there.extend_from_slice(list);
            }
        }
        let mut earlier: BTreeMap<u32, Vec<Shape>> = recorded
            .into_iter()
            .map(|(version, shapes)| (version, merged(shapes)))
            .collect();
        let version = match earlier.last_entry() {
            None => 1,
            Some(mut newest) => match newest.get_mut().as_mut_slice() {
                [only] if is_same(&today(only, renamed), &shape) => {
                    if !covers(std::slice::from_ref(only), &shape) {
                        missing.push((*newest.key(), shape.clone()));
                        add_channels(&mut newest.get_mut()[0], &shape);
                    }
                    *newest.key()
                }
                _ => newest.key() + 1,
            },
        };
        for shape in earlier.values_mut().flatten() {
            *shape = today(shape, renamed);
        }
        if !earlier.contains_key(&version) {
            missing.push((version, shape.clone()));
        }
        missing.sort_by_cached_key(|(version, shape)| (*version, text(shape)));
        missing.dedup();
        Self {
            version,
            shape,
            earlier,
            missing,
        }
    }
}

/// Former and current names of channels.
fn renamed_channels(schema: &Schema) -> Vec<(&str, &str)> {
    schema
        .channels
        .iter()
        .flat_map(|channel| {
            let former = channel.was.iter().flatten();
            former.map(|former| (former.as_str(), channel.name.as_str()))
        })
        .collect()
}

/// The shape with what channels sent under their former names under those of today, too.
fn today(shape: &Shape, renamed: &[(&str, &str)]) -> Shape {
    let mut shape = shape.clone();
    for (former, name) in renamed {
        if let Some(sent) = shape.sent.get(*former).cloned() {
            shape.sent.entry((*name).to_owned()).or_insert(sent);
        }
    }
    shape
}

/// Whether a reader and a writer of these shapes understand each other. A channel that only one of them knows does not
/// matter: nobody has read or written it the other way.
fn is_same(left: &Shape, right: &Shape) -> bool {
    let mut both = left
        .sent
        .iter()
        .filter_map(|(channel, sent)| Some((sent, right.sent.get(channel)?)));
    left.columns == right.columns && both.all(|(left, right)| left == right)
}

/// Whether nothing of a shape is new.
fn covers(known: &[Shape], shape: &Shape) -> bool {
    known.iter().any(|known| {
        known.columns == shape.columns
            && shape
                .sent
                .iter()
                .all(|(channel, sent)| known.sent.get(channel) == Some(sent))
    })
}

/// Shapes of one version: those that only differ in the channels that they know are one.
fn merged(mut shapes: Vec<Shape>) -> Vec<Shape> {
    // Their order is that of the migrations, which differs between branches.
    shapes.sort_by_cached_key(text);
    let mut merged: Vec<Shape> = Vec::new();
    for shape in shapes {
        match merged.iter_mut().find(|known| is_same(known, &shape)) {
            Some(known) => add_channels(known, &shape),
            None => merged.push(shape),
        }
    }
    merged
}

fn add_channels(known: &mut Shape, shape: &Shape) {
    for (channel, sent) in &shape.sent {
        known
            .sent
            .entry(channel.clone())
            .or_insert_with(|| sent.clone());
    }
}

fn text(shape: &Shape) -> String {
    serde_json::to_string(shape).expect("strings are JSON")
}

/// What a reader of the payloads must know: columns, types, nullability, the same of the row that it extends, and what the
/// channels send of it. Order does not count: rows are JSON objects.
fn model_shape(schema: &Schema, model: &Model, channels: &[&Channel]) -> Shape {
    let mut shape = Shape {
        columns: columns(model, schema),
        ..Shape::default()
    };
    for channel in channels {
        let ChannelKind::Trigger(on) = &channel.kind else {
            continue;
        };
        let names = |list: &Option<Vec<usize>>| {
            let list = list.as_ref()?;
            let mut names: Vec<String> = list
                .iter()
                .map(|column| model.columns[*column].column.clone())
                .collect();
            names.sort_unstable();
            Some(names)
        };
        // A channel that sends all is here, too: sending less is another version, a new channel is none.
        let sent = Sent {
            old: names(&on.old),
            new: names(&on.new),
        };
        shape.sent.insert(channel.name.clone(), sent);
    }
    shape
}

fn columns(model: &Model, schema: &Schema) -> BTreeMap<String, String> {
    let captured = model.columns.iter().filter(|column| column.captured);
    let mut columns: BTreeMap<String, String> = captured
        .map(|column| {
            let null = if column.nullable { "?" } else { "" };
            let shape = rust_types::shape(&column.ty, &schema.types);
            (column.column.clone(), format!("{shape}{null}"))
        })
        .collect();
    if let Some(parent) = &model.parent {
        let parent = &schema.models[parent.model];
        for (name, shape) in self::columns(parent, schema) {
            columns.insert(format!("{}.{name}", parent.name), shape);
        }
    }
    columns
}

fn message_shape(schema: &Schema, channel: &Channel) -> Option<Shape> {
    let ChannelKind::Message { fields, .. } = &channel.kind else {
        return None;
    };
    let fields = fields.iter().filter(|field| field.past.until.is_none());
    Some(Shape {
        columns: fields
            .map(|field| (field.name.clone(), yaml_type(&field.ty, &schema.types)))
            .collect(),
        ..Shape::default()
    })
}

#[cfg(test)]
mod tests;
