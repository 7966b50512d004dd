//! Rust types of declared types: enums and composite types.

use serde::Serialize;

use crate::model::{DeclaredType, Schema, TypeKind};

use super::ident::{rust_field, rust_literal, rust_type};
use super::rust::{append, attributes, code, derives};
use super::rust_reading::RustRead;
use super::rust_row::RustColumn;
use super::rust_types::{pg_name, plain_type};

/// A type of the database.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RustType {
    /// Type.
    pub ty: String,
    /// Documentation.
    pub doc: Vec<String>,
    /// Derives.
    pub derives: String,
    /// Attributes, without `#[` and `]`.
    pub attributes: Vec<String>,
    /// Variants of an enum.
    pub labels: Vec<RustLabel>,
    /// Fields of a composite type.
    pub fields: Vec<RustColumn>,
}

/// A label of an enum.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RustLabel {
    /// Variant.
    pub variant: String,
    /// Label, as a literal.
    pub label: String,
    /// Documentation.
    pub doc: String,
}

/// `None` for what becomes no type of its own.
pub(super) fn plan(schema: &Schema, declared: &DeclaredType) -> Option<RustType> {
    let name = format!(
        "{}.{}",
        code(&declared.sql.schema),
        code(&declared.sql.name)
    );
    let (kind, labels, fields) = match &declared.kind {
        TypeKind::Enum(labels) => {
            let labels = labels
                .iter()
                .map(|label| RustLabel {
                    variant: label.variant.clone(),
                    label: rust_literal(&label.label),
                    doc: format!("`{}`.", code(&label.label)),
                })
                .collect();
            ("Enum", labels, Vec::new())
        }
        TypeKind::Composite(attributes) => {
            let fields = attributes
                .iter()
                .map(|attribute| {
                    let plain = plain_type(&attribute.ty, &schema.types);
                    let null = if attribute.nullable { ", nullable" } else { "" };
                    let doc = format!(
                        "`{}`: {}{null}.",
                        code(&attribute.name),
                        code(&pg_name(&attribute.ty, &schema.types))
                    );
                    RustColumn {
                        name: rust_field(&attribute.name),
                        ty: if attribute.nullable {
                            format!("Option<{plain}>")
                        } else {
                            plain
                        },
                        key: rust_literal(&attribute.name),
                        doc: vec![doc.replace("[]", "\\[\\]")],
                        read: RustRead::default(),
                    }
                })
                .collect();
            ("Composite type", Vec::new(), fields)
        }
        TypeKind::Domain(_) | TypeKind::Opaque => return None,
    };
    let mut doc = vec![format!("{kind} `{name}`.")];
    append(&mut doc, declared.doc.as_deref());
    // An enum is compared and is a key wherever a text would be.
    let always: &[&str] = if labels_have_order(&declared.kind) {
        &[
            "Clone",
            "Debug",
            "PartialEq",
            "Eq",
            "Hash",
            "PartialOrd",
            "Ord",
        ]
    } else {
        &["Clone", "Debug", "PartialEq"]
    };
    Some(RustType {
        ty: rust_type(&declared.name),
        doc,
        derives: derives(always, &schema.generate.rust_derive, &declared.extra),
        attributes: attributes(&declared.extra),
        labels,
        fields,
    })
}

fn labels_have_order(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Enum(_))
}
