//! Versions of the models: the shape tells, no clock and no database.

use std::collections::BTreeMap;

use crate::lock::{Lock, ModelLock};
use crate::model::{Model, Schema};

use super::names::sha256_hex;
use super::rust_types;

/// Version and shape of every model ever seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelVersions {
    models: BTreeMap<String, ModelLock>,
}

impl ModelVersions {
    /// Equal shape keeps the version, another one takes the next, a new model starts at 1.
    pub fn new(schema: &Schema, lock: Option<&Lock>) -> Self {
        let mut models = lock.map(|lock| lock.models.clone()).unwrap_or_default();
        for model in &schema.models {
            let shape = shape(model, schema);
            models
                .entry(model.name.clone())
                .and_modify(|known| {
                    if known.shape != shape {
                        known.version += 1;
                        known.shape.clone_from(&shape);
                    }
                })
                .or_insert(ModelLock { version: 1, shape });
        }
        Self { models }
    }

    /// Version of a model of the schema.
    pub fn of(&self, model: &Model) -> u32 {
        self.models
            .get(&model.name)
            .map_or(1, |known| known.version)
    }

    pub(super) fn into_lock(self) -> BTreeMap<String, ModelLock> {
        self.models
    }
}

/// What a reader of the payload must know: columns, types, nullability, and the same of the row that it extends. Order does
/// not count: rows are JSON objects.
fn shape(model: &Model, schema: &Schema) -> String {
    sha256_hex(&serde_json::to_string(&columns(model, schema)).expect("strings are JSON"))
}

fn columns(model: &Model, schema: &Schema) -> Vec<(String, String, bool)> {
    let mut columns: Vec<_> = model
        .columns
        .iter()
        .filter(|column| column.captured)
        .map(|column| {
            let shape = rust_types::shape(&column.ty, &schema.types);
            (column.column.clone(), shape, column.nullable)
        })
        .collect();
    if let Some(parent) = &model.parent {
        let parent = &schema.models[parent.model];
        let inherited = self::columns(parent, schema);
        columns.extend(
            inherited.into_iter().map(|(name, shape, nullable)| {
                (format!("{}.{name}", parent.name), shape, nullable)
            }),
        );
    }
    columns.sort_unstable();
    columns
}
