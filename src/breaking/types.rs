//! Types of the user's database.

use crate::model::{ChannelKind, DeclaredType, FieldType, PgType, Schema, TypeKind};

use super::{Comparison, Finding, Kind, Verdict};

/// Labels of enums; another change of a type is a change of the columns that have it.
pub(super) fn compare(comparison: &mut Comparison<'_>) {
    let (old, new) = (comparison.old, comparison.new);
    for (index, ty) in new.types.iter().enumerate() {
        let Some(was) = old.types.iter().find(|was| was.name == ty.name) else {
            continue;
        };
        let (TypeKind::Enum(before), TypeKind::Enum(after)) = (&was.kind, &ty.kind) else {
            continue;
        };
        if !is_used(new, index) {
            continue;
        }
        let gone = before
            .iter()
            .filter(|label| !after.iter().any(|other| other.label == label.label));
        for label in gone {
            comparison.push(removed(ty, &label.label));
        }
        let added = after
            .iter()
            .filter(|label| !before.iter().any(|other| other.label == label.label));
        for label in added {
            comparison.push(Finding {
                kind: Kind::LabelAdded,
                what: format!("label `{}` of type `{}` is new", label.label, ty.name),
                span: Some(ty.span.clone()),
                waiting: Verdict::ok("nothing of it waits"),
                workers: Verdict::note(format!(
                    "they decode it as `Unknown({:?})`: their listeners must expect that",
                    label.label
                )),
                publishers: Verdict::ok("they do not know it"),
                advice: vec![
                    "write the label only when no old worker runs that cannot do with `Unknown`"
                        .to_owned(),
                ],
            });
        }
    }
}

fn removed(ty: &DeclaredType, label: &str) -> Finding {
    Finding {
        kind: Kind::LabelRemoved,
        what: format!("label `{label}` of type `{}` is gone", ty.name),
        span: Some(ty.span.clone()),
        waiting: Verdict::note(format!("they decode it as `Unknown({label:?})`")),
        workers: Verdict::ok("they know all that is left"),
        publishers: Verdict::note(format!(
            "they may still write it, which new programs decode as `Unknown({label:?})`"
        )),
        advice: vec![
            "keep the label in the schema until nobody writes it and nothing of it waits"
                .to_owned(),
        ],
    }
}

/// Whether payloads have values of a type.
fn is_used(schema: &Schema, wanted: usize) -> bool {
    let columns = schema.models.iter().flat_map(|model| &model.columns);
    columns
        .filter(|column| column.captured)
        .any(|column| has(&column.ty, wanted, schema))
        || schema.channels.iter().any(|channel| match &channel.kind {
            ChannelKind::Message { fields, .. } => {
                fields.iter().any(|field| has_field(&field.ty, wanted))
            }
            ChannelKind::Trigger(_) => false,
        })
}

fn has(ty: &PgType, wanted: usize, schema: &Schema) -> bool {
    match ty {
        PgType::Builtin { .. } => false,
        PgType::Array(element) => has(element, wanted, schema),
        PgType::Declared(index) => {
            *index == wanted
                || match &schema.types[*index].kind {
                    TypeKind::Domain(base) => has(base, wanted, schema),
                    TypeKind::Composite(attributes) => attributes
                        .iter()
                        .any(|attribute| has(&attribute.ty, wanted, schema)),
                    TypeKind::Enum(_) | TypeKind::Opaque => false,
                }
        }
    }
}

fn has_field(ty: &FieldType, wanted: usize) -> bool {
    match ty {
        FieldType::Enum(index) => *index == wanted,
        FieldType::List(inner) | FieldType::Set(inner) | FieldType::Optional(inner) => {
            has_field(inner, wanted)
        }
        FieldType::Map(key, value) => has_field(key, wanted) || has_field(value, wanted),
        FieldType::Tuple(members) => members.iter().any(|member| has_field(member, wanted)),
        _ => false,
    }
}

/// The declared type that a column's values are of, through arrays.
pub(super) fn declared(ty: &PgType) -> Option<usize> {
    match ty {
        PgType::Builtin { .. } => None,
        PgType::Declared(index) => Some(*index),
        PgType::Array(element) => declared(element),
    }
}

/// Of a column whose type has the same name and is another one: what kind of change that is.
pub(super) fn kind_of_change(
    comparison: &Comparison<'_>,
    was: Option<usize>,
    is: Option<usize>,
) -> Option<Kind> {
    let (was, is) = (&comparison.old.types[was?], &comparison.new.types[is?]);
    if was.name != is.name {
        return None;
    }
    match (&was.kind, &is.kind) {
        (TypeKind::Composite(_), TypeKind::Composite(_)) => Some(Kind::AttributesChanged),
        (TypeKind::Domain(_), TypeKind::Domain(_)) => Some(Kind::DomainChanged),
        _ => None,
    }
}
