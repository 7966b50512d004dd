//! Structs of rows: a whole model, or the columns that a channel sends.

use serde::Serialize;

use crate::model::{Column, Model, Schema};

use super::evolution::{Readers, Seen, parent_prefix, within};
use super::ident::{rust_field, rust_literal, rust_type};
use super::rust::{append, code};
use super::rust_reading::{self, RustRead, pattern};
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
    /// What it is made of.
    #[serde(flatten)]
    pub body: RustRowBody,
}

/// What a row is made of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RustRowBody {
    /// Columns.
    pub fields: Vec<RustColumn>,
    /// Name of the parameter with the version, which need not be used.
    pub version: &'static str,
    /// Versions of the row that it extends, by version of its own; empty where no reader asks.
    pub parent_versions: Vec<RustVersion>,
}

/// A version for some versions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RustVersion {
    /// Pattern of the versions.
    pub pattern: String,
    /// The other version.
    pub version: u32,
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
    /// How it is read from `object`.
    pub read: RustRead,
}

/// Fields of a model, or of the columns (indexes) of a list, and how they are read from what may be seen.
pub(super) fn body(
    readers: &Readers<'_>,
    schema: &Schema,
    model: &Model,
    list: Option<&[usize]>,
    seen: &[Seen],
) -> RustRowBody {
    let columns = sent(model, list);
    let reads = rust_reading::columns(schema, &columns, seen);
    let mut versioned = reads.iter().any(RustRead::is_versioned);
    let mut fields: Vec<RustColumn> = columns
        .iter()
        .zip(reads)
        .map(|(column, read)| field(schema, column, read))
        .collect();
    let mut parent_versions = Vec::new();
    if let (Some(parent), None) = (&model.parent, list) {
        let base = &schema.models[parent.model];
        parent_versions = self::parent_versions(readers, schema, parent.model, seen);
        let version = if parent_versions.is_empty() {
            "version"
        } else {
            "parent"
        };
        versioned = true;
        fields.push(parent_field(base, seen, version));
    }
    RustRowBody {
        fields,
        version: if versioned { "version" } else { "_version" },
        parent_versions,
    }
}

/// Columns that are captured, and those that were.
fn sent<'m>(model: &'m Model, list: Option<&[usize]>) -> Vec<&'m Column> {
    let columns = model.columns.iter().enumerate();
    let sent = columns
        .filter(|(index, column)| column.captured && list.is_none_or(|list| list.contains(index)))
        .map(|(_, column)| column);
    sent.chain(model.gone.iter().filter(|_| list.is_none()))
        .collect()
}

/// Whether the struct of a model is read in another way from some version.
fn is_versioned(readers: &Readers<'_>, schema: &Schema, index: usize) -> bool {
    let model = &schema.models[index];
    let seen = readers.whole_row(index);
    let reads = rust_reading::columns(schema, &sent(model, None), &seen);
    reads.iter().any(RustRead::is_versioned)
        || model
            .parent
            .as_ref()
            .is_some_and(|parent| is_versioned(readers, schema, parent.model))
}

/// A row within a row has the version of the outer one; what its own was then, its shape tells.
fn parent_versions(
    readers: &Readers<'_>,
    schema: &Schema,
    parent: usize,
    seen: &[Seen],
) -> Vec<RustVersion> {
    if !is_versioned(readers, schema, parent) {
        return Vec::new();
    }
    let base = &schema.models[parent];
    let current = readers.current(base);
    let mut older: Vec<(u32, Vec<u32>)> = Vec::new();
    for found in seen {
        let Some(columns) = within(base, &found.columns) else {
            continue;
        };
        let version = readers.version_of(base, &columns);
        if version == current {
            continue;
        }
        match older.iter_mut().find(|(known, _)| *known == version) {
            Some((_, versions)) if !versions.contains(&found.version) => {
                versions.push(found.version);
            }
            Some(_) => {}
            None => older.push((version, vec![found.version])),
        }
    }
    let older = older.into_iter().map(|(version, mut versions)| {
        versions.sort_unstable();
        RustVersion {
            pattern: pattern(&versions),
            version,
        }
    });
    let current = RustVersion {
        pattern: "_".to_owned(),
        version: current,
    };
    older.chain([current]).collect()
}

fn parent_field(base: &Model, seen: &[Seen], version: &str) -> RustColumn {
    let key = rust_literal(&base.name);
    // Names under which it stands in some version.
    let former = base.was.iter().flatten();
    let names: Vec<String> = std::iter::once(&base.name)
        .chain(former.filter(|name| {
            seen.iter()
                .any(|seen| parent_prefix(base, &seen.columns) == Some(name.as_str()))
        }))
        .map(|name| rust_literal(name))
        .collect();
    RustColumn {
        name: rust_field(&base.name),
        ty: format!("Option<{}>", rust_type(&base.name)),
        doc: vec![format!(
            "The row of `{}.{}` that this one extends, as the writer saw it; `None` if it was gone.",
            code(&base.table.schema),
            code(&base.table.name)
        )],
        read: RustRead::plain(
            "object.parent",
            &[&format!("&[{}]", names.join(", ")), version],
        ),
        key,
    }
}

fn field(schema: &Schema, column: &Column, read: RustRead) -> RustColumn {
    let primary = if column.primary_key {
        ", primary key"
    } else {
        ""
    };
    let rest = match &column.past.until {
        Some(until) => format!(
            ", gone from the table: only in notifications up to version {}",
            until.value
        ),
        None if column.nullable => ", nullable".to_owned(),
        None => primary.to_owned(),
    };
    let mut doc = vec![format!(
        "`{}`: {}{rest}.",
        code(&column.column),
        code(&pg_name(&column.ty, &schema.types))
    )];
    // `int[]` would be a link to rustdoc.
    doc[0] = doc[0].replace("[]", "\\[\\]");
    if let Some(default) = &column.default {
        append(
            &mut doc,
            Some(&format!(
                "`{}` in notifications of versions without it.",
                code(default)
            )),
        );
    }
    append(&mut doc, column.doc.as_deref());
    let (ty, _) = column_type(column, &schema.types);
    RustColumn {
        name: rust_field(&column.field),
        ty,
        key: rust_literal(&column.column),
        doc,
        read,
    }
}
