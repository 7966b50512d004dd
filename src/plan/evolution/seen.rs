//! What a reader may find in a payload: the columns of each version that is still declared.

use std::collections::BTreeMap;

use crate::history::{Shape, Shaped};
use crate::model::{Channel, ChannelKind, Model, Schema};

use super::super::versions::Versions;

/// Columns of a payload with their types, as a version wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::plan) struct Seen {
    /// The version.
    pub version: u32,
    /// Columns with their types, as a [`Shape`] has them.
    pub columns: BTreeMap<String, String>,
    /// Whether the row is there at all; a channel may have sent nothing of it.
    pub sent: bool,
}

/// Which image of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::plan) enum Image {
    Old,
    New,
}

/// What the readers of a schema may find.
pub(in crate::plan) struct Readers<'s> {
    schema: &'s Schema,
    versions: &'s Versions,
    /// Models that extend a model.
    heirs: Vec<Vec<usize>>,
    /// Channels on a model.
    channels: Vec<Vec<usize>>,
}

impl<'s> Readers<'s> {
    pub(in crate::plan) fn new(schema: &'s Schema, versions: &'s Versions) -> Self {
        let mut heirs = vec![Vec::new(); schema.models.len()];
        for (index, model) in schema.models.iter().enumerate() {
            if let Some(parent) = &model.parent {
                heirs[parent.model].push(index);
            }
        }
        let mut channels = vec![Vec::new(); schema.models.len()];
        for (index, channel) in schema.channels.iter().enumerate() {
            if let ChannelKind::Trigger(on) = &channel.kind {
                channels[on.model].push(index);
            }
        }
        Self {
            schema,
            versions,
            heirs,
            channels,
        }
    }

    /// Channels on a model.
    pub(super) fn channels_on(&self, index: usize) -> impl Iterator<Item = &'s Channel> {
        let schema = self.schema;
        self.channels[index]
            .iter()
            .map(|channel| &schema.channels[*channel])
    }

    /// The current version of a model.
    pub(in crate::plan) fn current(&self, model: &Model) -> u32 {
        self.versions.of_model(model)
    }

    /// Versions of a model that are still decoded, each shape of it.
    fn versions_of_model(&self, model: &Model) -> impl Iterator<Item = (u32, &'s Shape)> {
        let oldest = model.oldest.as_ref().map_or(1, |oldest| oldest.value);
        let shapes = self.versions.shapes(Shaped::Model, &model.name);
        shapes
            .into_iter()
            .filter(move |(version, _)| *version >= oldest)
    }

    /// What the struct of a model is read from: payloads of channels that send whole rows, and of models that extend it.
    pub(in crate::plan) fn whole_row(&self, index: usize) -> Vec<Seen> {
        let mut seen = Vec::new();
        for channel in self.channels_on(index) {
            let ChannelKind::Trigger(on) = &channel.kind else {
                continue;
            };
            for (image, list) in [(Image::Old, &on.old), (Image::New, &on.new)] {
                if list.is_none() {
                    add(&mut seen, self.image(channel, index, image));
                }
            }
        }
        let model = &self.schema.models[index];
        for heir in &self.heirs[index] {
            for found in self.whole_row(*heir) {
                let Some(columns) = within(model, &found.columns) else {
                    continue;
                };
                let version = self.version_of(model, &columns);
                let part = Seen {
                    version,
                    columns,
                    sent: true,
                };
                add(&mut seen, vec![part]);
            }
        }
        seen
    }

    /// What an image of a channel is read from.
    pub(in crate::plan) fn image(
        &self,
        channel: &Channel,
        model: usize,
        image: Image,
    ) -> Vec<Seen> {
        let mut seen = Vec::new();
        for (version, shape) in self.versions_of_model(&self.schema.models[model]) {
            let list = match shape.sent.get(&channel.name) {
                // There was no such channel.
                None if !shape.sent.is_empty() => continue,
                None => &None,
                Some(sent) if image == Image::Old => &sent.old,
                Some(sent) => &sent.new,
            };
            let columns = match list {
                None => shape.columns.clone(),
                Some(list) => {
                    let columns = shape.columns.iter();
                    let sent = columns.filter(|(column, _)| list.contains(column));
                    sent.map(|(column, ty)| (column.clone(), ty.clone()))
                        .collect()
                }
            };
            let sent = list.as_ref().is_none_or(|list| !list.is_empty());
            let found = Seen {
                version,
                columns,
                sent,
            };
            add(&mut seen, vec![found]);
        }
        seen
    }

    /// What a message is read from.
    pub(in crate::plan) fn message(&self, channel: &Channel) -> Vec<Seen> {
        let oldest = channel.oldest.as_ref().map_or(1, |oldest| oldest.value);
        let shapes = self.versions.shapes(Shaped::Message, &channel.name);
        shapes
            .into_iter()
            .filter(|(version, _)| *version >= oldest)
            .map(|(version, shape)| Seen {
                version,
                columns: shape.columns.clone(),
                sent: true,
            })
            .collect()
    }

    /// The version of a model by the shape of its row; the current one, if it never had that shape by itself.
    pub(in crate::plan) fn version_of(
        &self,
        model: &Model,
        columns: &BTreeMap<String, String>,
    ) -> u32 {
        let shapes = self.versions.shapes(Shaped::Model, &model.name);
        let mut versions = shapes.iter().rev();
        versions
            .find(|(_, shape)| shape.columns == *columns)
            .map_or_else(|| self.versions.of_model(model), |(version, _)| *version)
    }
}

/// The part of a row's columns that belongs to the row that it extends.
pub(in crate::plan) fn within(
    parent: &Model,
    columns: &BTreeMap<String, String>,
) -> Option<BTreeMap<String, String>> {
    let prefix = parent_prefix(parent, columns)?;
    let own = columns.iter().filter_map(|(column, ty)| {
        let column = column.strip_prefix(prefix)?.strip_prefix('.')?;
        Some((column.to_owned(), ty.clone()))
    });
    Some(own.collect())
}

/// The name under which the row that a row extends stands in it: its model may have been renamed.
pub(in crate::plan) fn parent_prefix<'p>(
    parent: &'p Model,
    columns: &BTreeMap<String, String>,
) -> Option<&'p str> {
    let names = std::iter::once(&parent.name).chain(parent.was.iter().flatten());
    names.map(String::as_str).find(|name| {
        columns.keys().any(|column| {
            column
                .strip_prefix(*name)
                .is_some_and(|rest| rest.starts_with('.'))
        })
    })
}

fn add(seen: &mut Vec<Seen>, more: Vec<Seen>) {
    for one in more {
        if !seen.contains(&one) {
            seen.push(one);
        }
    }
}
