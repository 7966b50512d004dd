//! Versions of the models: the shape tells, no clock and no database.

use std::collections::BTreeMap;

use crate::lock::{Lock, ModelLock};
use crate::model::{Model, Schema};

use super::names::sha256_hex;
use super::rust_types::pg_name;

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
            let shape = shape(model);
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

/// What a reader of the payload must know: columns, types, nullability. Order does not count: rows are JSON objects.
fn shape(model: &Model) -> String {
    let mut columns: Vec<_> = model
        .columns
        .iter()
        .map(|column| (column.column.as_str(), pg_name(&column.ty), column.nullable))
        .collect();
    columns.sort_unstable();
    sha256_hex(&serde_json::to_string(&columns).expect("strings and booleans are JSON"))
}
