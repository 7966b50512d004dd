//! Structs of rows: a whole model, or the columns that a channel sends.

use serde::Serialize;

use crate::model::{Column, Model, Schema};

use super::ident::{rust_field, rust_literal, rust_type};
use super::rust::{append, code};
use super::rust_types::{column_type, pg_name};

/// A struct for a row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RustRow {
    /// Type.
    pub ty: String,
    /// Documentation.
    pub doc: Vec<String>,
    /// Derives.
    pub derives: String,
    /// Attributes, without `#[` and `]`.
    pub attributes: Vec<String>,
    /// Columns.
    pub fields: Vec<RustColumn>,
}

/// A field of a row.
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
    /// Expression that reads it from `object`.
    pub read: String,
}

/// Fields of a model, or of the columns (indexes) of a list.
pub(super) fn fields(schema: &Schema, model: &Model, list: Option<&[usize]>) -> Vec<RustColumn> {
    let columns = model.columns.iter().enumerate();
    let sent = columns
        .filter(|(index, column)| column.captured && list.is_none_or(|list| list.contains(index)));
    let mut fields: Vec<RustColumn> = sent.map(|(_, column)| field(schema, column)).collect();
    if let (Some(parent), None) = (&model.parent, list) {
        let base = &schema.models[parent.model];
        let key = rust_literal(&base.name);
        fields.push(RustColumn {
            name: rust_field(&base.name),
            ty: format!("Option<{}>", rust_type(&base.name)),
            doc: vec![format!(
                "The row of `{}.{}` that this one extends, as the writer saw it; `None` if it was gone.",
                code(&base.table.schema),
                code(&base.table.name)
            )],
            read: format!("object.field({key})?"),
            key,
        });
    }
    fields
}

fn field(schema: &Schema, column: &Column) -> RustColumn {
    let null = if column.nullable { ", nullable" } else { "" };
    let primary = if column.primary_key {
        ", primary key"
    } else {
        ""
    };
    let mut doc = vec![format!(
        "`{}`: {}{null}{primary}.",
        code(&column.column),
        code(&pg_name(&column.ty, &schema.types))
    )];
    // `int[]` would be a link to rustdoc.
    doc[0] = doc[0].replace("[]", "\\[\\]");
    append(&mut doc, column.doc.as_deref());
    let (ty, usual) = column_type(column, &schema.types);
    let key = rust_literal(&column.column);
    let read = match usual {
        None => format!("object.field({key})?"),
        Some(usual) if column.nullable => {
            format!("object.nullable_column_as::<{usual}, _>({key})?")
        }
        Some(usual) => format!("object.column_as::<{usual}, _>({key})?"),
    };
    RustColumn {
        name: rust_field(&column.field),
        ty,
        key,
        doc,
        read,
    }
}
