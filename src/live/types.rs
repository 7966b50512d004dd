//! Declared types: labels of enums, attributes of composite types, what domains are over. They are the user's.

use std::collections::BTreeSet;

use crate::model::{PgType, QualifiedName, TypeKind, column_type};
use crate::plan::{LivePlan, LiveType};

use super::columns::same;
use super::finding::{Finding, State, Subject};
use super::snapshot::{Snapshot, Type};

/// Their names, in order of the schema.
pub(super) fn names(plan: &LivePlan) -> Vec<QualifiedName> {
    plan.types.iter().map(|ty| ty.name.clone()).collect()
}

/// A type that is not there is said of the columns that have it.
pub(super) fn compare(plan: &LivePlan, snapshot: &Snapshot) -> Vec<Finding> {
    let names = names(plan);
    plan.types
        .iter()
        .filter_map(|wanted| {
            let found = snapshot.types.get(&wanted.name)?;
            compare_type(&names, wanted, found)
        })
        .collect()
}

fn compare_type(names: &[QualifiedName], wanted: &LiveType, found: &Type) -> Option<Finding> {
    let changed = |message: String| {
        let subject = Subject::Type(format!("{}.{}", wanted.name.schema, wanted.name.name));
        Some(Finding::new(State::ColumnChanged, subject, message))
    };
    let is =
        |text: &str, ty: &PgType| column_type(text, names).is_some_and(|found| same(&found, ty));
    match (&wanted.kind, found.kind.as_str()) {
        (TypeKind::Enum(labels), "e") => {
            let wanted: BTreeSet<&str> = labels.iter().map(|label| label.label.as_str()).collect();
            let there: BTreeSet<&str> = found.labels.iter().map(String::as_str).collect();
            let list = |labels: Vec<&&str>| {
                labels
                    .iter()
                    .map(|label| format!("`{label}`"))
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            let more = list(there.difference(&wanted).collect());
            let less = list(wanted.difference(&there).collect());
            let message = match (more.as_str(), less.as_str()) {
                ("", "") => return None,
                (more, "") => format!("has labels that are not declared: {more}"),
                ("", less) => format!("lacks declared labels: {less}"),
                (more, less) => {
                    format!("has labels that are not declared: {more}; and lacks {less}")
                }
            };
            // Another label decodes, as one that is not known.
            changed(message).map(Finding::warning)
        }
        (TypeKind::Composite(attributes), "c") => {
            let same = attributes.len() == found.attributes.len()
                && attributes
                    .iter()
                    .zip(found.attributes.iter().zip(&found.attribute_types))
                    .all(|(wanted, (name, ty))| wanted.name == *name && is(ty, &wanted.ty));
            if same {
                return None;
            }
            let there: Vec<String> = found
                .attributes
                .iter()
                .zip(&found.attribute_types)
                .map(|(name, ty)| format!("{name} {ty}"))
                .collect();
            changed(format!(
                "has other attributes than declared, or in another order: {}",
                there.join(", ")
            ))
        }
        (TypeKind::Domain(base), "d") => {
            let there = found.base.as_deref().unwrap_or_default();
            if is(there, base) {
                return None;
            }
            changed(format!("is over {there}, and not over what is declared"))
        }
        (TypeKind::Opaque, _) => None,
        (TypeKind::Enum(_), _) => changed("is no enum".to_owned()),
        (TypeKind::Composite(_), _) => changed("is no composite type".to_owned()),
        (TypeKind::Domain(_), _) => changed("is no domain".to_owned()),
    }
}
