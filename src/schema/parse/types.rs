//! `types:`.

use super::{extra, missing};
use crate::schema::document::{ExtraDecl, LabelDecl, Spanned, TypeDecl};
use crate::schema::language;
use crate::schema::node::{Node, Value};
use crate::schema::reader::Reader;

pub(super) fn declared(reader: &mut Reader<'_>, name: Spanned<String>, node: &Node) -> TypeDecl {
    let what = format!("type `{}`", name.value);
    let mut declared = TypeDecl {
        name,
        doc: None,
        labels: None,
        attributes: None,
        domain: None,
        sql: None,
        rust: None,
        extra: ExtraDecl::default(),
        broken: true,
    };
    let before = reader.diagnostics.len();
    let Some(fields) = reader.fields(node, &what, &language::TYPE) else {
        return declared;
    };
    declared.doc = reader.doc(&fields);
    declared.labels = fields.get("enum").and_then(|node| labels(reader, node));
    if let Some(node) = fields.get("composite") {
        let entries = reader.entries(node, &format!("`composite` of {what}"));
        declared.attributes = entries.map(|entries| {
            let attribute =
                |(name, node)| Some((name, reader.text(node, "the type of an attribute")?));
            entries.into_iter().filter_map(attribute).collect()
        });
    }
    declared.domain = reader.optional_text(&fields, "domain");
    declared.sql = reader.optional_text(&fields, "sql");
    declared.rust = reader.optional_text(&fields, "rust");
    declared.extra = extra(reader, &fields);
    declared.broken = reader.diagnostics.len() > before;
    let kinds = ["enum", "composite", "domain", "sql"];
    if !declared.broken && kinds.iter().all(|kind| fields.get(kind).is_none()) {
        missing(
            reader,
            &declared.name,
            "type",
            "enum",
            "enum: [draft, live]` or `sql: public.citext",
        );
        declared.broken = true;
    }
    declared
}

/// A list of labels, or variants with their labels.
fn labels(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<LabelDecl>> {
    match &node.value {
        Value::Mapping(_) => {
            let entries = reader.entries(node, "`enum`")?;
            let label = |(variant, node)| {
                Some(LabelDecl {
                    label: reader.text(node, "a label")?,
                    variant: Some(variant),
                })
            };
            Some(entries.into_iter().filter_map(label).collect())
        }
        Value::Sequence(items) => {
            let label = |item| {
                Some(LabelDecl {
                    label: reader.text(item, "a label")?,
                    variant: None,
                })
            };
            Some(items.iter().filter_map(label).collect())
        }
        _ => {
            let expected = "a list of labels, or a mapping from Rust names to labels";
            reader.wrong_kind(node, "`enum`", expected);
            None
        }
    }
}
