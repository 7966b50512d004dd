//! `models:`.

use super::{extra, missing, past};
use crate::schema::document::{ColumnDecl, Default, ExtraDecl, ModelDecl, PastDecl, Spanned};
use crate::schema::language;
use crate::schema::node::{Node, Value};
use crate::schema::reader::Reader;

pub(super) fn model(reader: &mut Reader<'_>, name: Spanned<String>, node: &Node) -> ModelDecl {
    let what = format!("model `{}`", name.value);
    let mut model = ModelDecl {
        name,
        doc: None,
        was: None,
        oldest: None,
        table: None,
        table_was: None,
        is_abstract: false,
        mixin: Vec::new(),
        extends: None,
        partitioned: false,
        extra: ExtraDecl::default(),
        columns: None,
    };
    let Some(fields) = reader.fields(node, &what, &language::MODEL) else {
        return model;
    };
    model.doc = reader.doc(&fields);
    model.was = reader.optional_texts(&fields, "was");
    model.oldest = reader.number(&fields, "oldest");
    if let Some(node) = fields.get("table") {
        table(reader, node, &mut model);
    }
    model.is_abstract = reader.flag(&fields, "abstract");
    model.mixin = reader.optional_texts(&fields, "mixin").unwrap_or_default();
    model.extends = reader.optional_text(&fields, "extends");
    model.partitioned = reader.flag(&fields, "partitioned");
    model.extra = extra(reader, &fields);
    match fields.get("columns") {
        Some(node) => {
            let entries = reader.entries(node, &format!("`columns` of {what}"));
            model.columns = entries.map(|entries| {
                entries
                    .into_iter()
                    .map(|(name, node)| column(reader, name, node))
                    .collect()
            });
        }
        // Everything may come from others.
        None if fields.get("mixin").is_some() => model.columns = Some(Vec::new()),
        None if !fields.broken => missing(
            reader,
            &model.name,
            "model",
            "columns",
            "columns: {id: bigint pk}",
        ),
        None => {}
    }
    model
}

/// A name, or a mapping with former names.
fn table(reader: &mut Reader<'_>, node: &Node, model: &mut ModelDecl) {
    if !matches!(node.value, Value::Mapping(_)) {
        model.table = reader.text(node, "`table`");
        return;
    }
    let Some(fields) = reader.fields(node, "`table`", &language::TABLE) else {
        return;
    };
    model.table = reader.optional_text(&fields, "name");
    model.table_was = reader.optional_texts(&fields, "was");
}

fn column(reader: &mut Reader<'_>, name: Spanned<String>, node: &Node) -> ColumnDecl {
    let what = format!("column `{}`", name.value);
    let mut column = ColumnDecl {
        name,
        doc: None,
        ty: None,
        column: None,
        primary_key: false,
        parent: false,
        never_captured: false,
        rust: None,
        default: None,
        past: PastDecl::default(),
    };
    match &node.value {
        Value::Text(_) => column.ty = reader.text(node, &what),
        Value::Mapping(_) => {
            let Some(fields) = reader.fields(node, &what, &language::COLUMN) else {
                return column;
            };
            column.doc = reader.doc(&fields);
            column.ty = reader.optional_text(&fields, "type");
            column.column = reader.optional_text(&fields, "column");
            column.primary_key = reader.flag(&fields, "pk");
            column.parent = reader.flag(&fields, "parent");
            column.never_captured = reader
                .word(&fields, "capture", language::CAPTURES)
                .is_some_and(|word| word.value == "never");
            column.rust = reader.optional_text(&fields, "rust");
            column.default = fields
                .get("default")
                .map(|node| Default { node: node.clone() });
            column.past = past(reader, &fields);
            if fields.get("type").is_none() && !fields.broken {
                missing(reader, &column.name, "column", "type", "type: text");
            }
        }
        _ => reader.wrong_kind(
            node,
            &what,
            "a type like `bigint pk`, or a mapping with `type`",
        ),
    }
    column
}
