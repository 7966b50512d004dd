//! Shapes: what a reader of a stored payload has to know of the code that wrote it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the channels of a model, or a message channel, put into their payloads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Columns (fields of a message) with their types; `?` behind the type of what can be null. Columns of the row that a
    /// model extends are `MODEL.COLUMN`.
    pub columns: BTreeMap<String, String>,
    /// Channels that send chosen columns only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sent: BTreeMap<String, Sent>,
}

/// Columns that a channel sends; `None`: all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    /// Of the row before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Vec<String>>,
    /// Of the row after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Vec<String>>,
}

/// What has a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shaped {
    /// A model.
    Model,
    /// A message channel.
    Message,
}

/// A version of a shape, as a migration records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeVersion {
    /// What it is the shape of.
    pub of: Shaped,
    /// Name of the model or channel.
    pub name: String,
    /// From 1.
    pub version: u32,
    /// The shape.
    pub shape: Shape,
}

/// All shapes that the migrations of a project have recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shapes {
    versions: BTreeMap<(Shaped, String), BTreeMap<u32, Vec<Shape>>>,
}

impl Shapes {
    /// What migrations have recorded.
    pub fn of_migrations(migrations: &[super::Placed]) -> Self {
        let mut shapes = Self::default();
        for shape in migrations.iter().flat_map(|placed| &placed.emitted.shapes) {
            shapes.record(shape.clone());
        }
        shapes
    }

    /// Adds what a migration recorded. Two branches can have given the same number to different shapes: both are kept.
    pub fn record(&mut self, recorded: ShapeVersion) {
        let shapes = self
            .versions
            .entry((recorded.of, recorded.name))
            .or_default()
            .entry(recorded.version)
            .or_default();
        if !shapes.contains(&recorded.shape) {
            shapes.push(recorded.shape);
        }
    }

    /// The versions of a model or message channel with their shapes: one, or one for each branch that used the number.
    pub fn of(&self, of: Shaped, name: &str) -> impl Iterator<Item = (u32, &[Shape])> {
        self.versions
            .get(&(of, name.to_owned()))
            .into_iter()
            .flatten()
            .map(|(version, shapes)| (*version, shapes.as_slice()))
    }

    /// Forgets the newest version of a model or message channel under any of some names; whether there is one before it.
    pub fn forget_newest(&mut self, of: Shaped, names: &[&str]) -> bool {
        let newest = |shapes: &Self| {
            let versions = names.iter().flat_map(|name| shapes.of(of, name));
            versions.map(|(version, _)| version).max()
        };
        let Some(version) = newest(self) else {
            return false;
        };
        for name in names {
            if let Some(versions) = self.versions.get_mut(&(of, (*name).to_owned())) {
                versions.remove(&version);
            }
        }
        newest(self).is_some()
    }

    /// Forgets a model or message channel.
    pub fn forget(&mut self, of: Shaped, name: &str) {
        self.versions.remove(&(of, name.to_owned()));
    }

    /// Takes over what others know of a model or message channel.
    pub fn copy(&mut self, from: &Self, of: Shaped, name: &str) {
        let key = (of, name.to_owned());
        if let Some(versions) = from.versions.get(&key) {
            self.versions.insert(key, versions.clone());
        }
    }

    /// Names that have shapes, sorted.
    pub fn names(&self, of: Shaped) -> impl Iterator<Item = &str> {
        self.versions
            .keys()
            .filter(move |(kind, _)| *kind == of)
            .map(|(_, name)| name.as_str())
    }
}
