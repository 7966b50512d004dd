//! Versions of the models: the shapes that migrations recorded tell, no clock and no database.

use std::collections::BTreeMap;

use crate::history::{Shape, ShapeVersion, Shaped, Shapes};
use crate::model::{Model, Schema};

use super::rust_types;

/// Version and shape of every model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelVersions {
    models: BTreeMap<String, (u32, Shape, bool)>,
}

impl ModelVersions {
    /// Equal shape keeps the version, another one takes the next, a new model starts at 1.
    pub fn new(schema: &Schema, shapes: &Shapes) -> Self {
        let models = schema.models.iter().map(|model| {
            let shape = Shape {
                columns: columns(model, schema)
                    .into_iter()
                    .map(|(name, ty, nullable)| (name, if nullable { ty + "?" } else { ty }))
                    .collect(),
                ..Shape::default()
            };
            let last = shapes.of(Shaped::Model, &model.name).last();
            let known = match last {
                None => (1, shape, true),
                Some((version, [only])) if *only == shape => (version, shape, false),
                Some((version, _)) => (version + 1, shape, true),
            };
            (model.name.clone(), known)
        });
        Self {
            models: models.collect(),
        }
    }

    /// Version of a model of the schema.
    pub fn of(&self, model: &Model) -> u32 {
        self.models
            .get(&model.name)
            .map_or(1, |(version, ..)| *version)
    }

    /// What the next migration has to record.
    pub fn recorded(&self) -> Vec<ShapeVersion> {
        self.models
            .iter()
            .filter(|(_, (.., new))| *new)
            .map(|(name, (version, shape, _))| ShapeVersion {
                of: Shaped::Model,
                name: name.clone(),
                version: *version,
                shape: shape.clone(),
            })
            .collect()
    }
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
