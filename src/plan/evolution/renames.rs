//! A removal and an addition that look like a rename: only their author knows, and a wrong guess loses values.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::history::{Shape, Shaped, Shapes};
use crate::model::{ChannelKind, Schema};

use super::super::versions::Versions;
use super::Field;
use super::field::split;

pub(super) fn check(
    schema: &Schema,
    shapes: &Shapes,
    versions: &Versions,
    diagnostics: &mut Diagnostics,
) {
    let models: Vec<Named<'_>> = schema
        .models
        .iter()
        .map(|model| Named {
            name: &model.name,
            was: model.was.as_deref(),
            span: &model.span,
        })
        .collect();
    whole(Shaped::Model, &models, shapes, versions, diagnostics);
    let messages: Vec<Named<'_>> = schema
        .channels
        .iter()
        .filter(|channel| matches!(channel.kind, ChannelKind::Message { .. }))
        .map(|channel| Named {
            name: &channel.name,
            was: channel.was.as_deref(),
            span: &channel.span,
        })
        .collect();
    whole(Shaped::Message, &messages, shapes, versions, diagnostics);
    for model in &schema.models {
        let columns = model.columns.iter().chain(&model.gone);
        let fields: Vec<Part<'_>> = columns
            .map(|column| Part {
                field: Field::of_column(schema, column),
                name: &column.field,
                said: column.past.was.is_some() || !column.captured,
                span: &column.past.span,
            })
            .collect();
        let highest = highest(versions, Shaped::Model, &model.name);
        parts("column", &fields, &highest, diagnostics);
    }
    for channel in &schema.channels {
        let ChannelKind::Message { fields, .. } = &channel.kind else {
            continue;
        };
        let fields: Vec<Part<'_>> = fields
            .iter()
            .map(|field| Part {
                field: Field::of_message(schema, field),
                name: &field.name,
                said: field.past.was.is_some(),
                span: &field.past.span,
            })
            .collect();
        let highest = highest(versions, Shaped::Message, &channel.name);
        parts("field", &fields, &highest, diagnostics);
    }
}

/// A model or message channel.
struct Named<'s> {
    name: &'s str,
    was: Option<&'s [String]>,
    span: &'s Span,
}

fn whole(
    of: Shaped,
    declared: &[Named<'_>],
    shapes: &Shapes,
    versions: &Versions,
    diagnostics: &mut Diagnostics,
) {
    let what = match of {
        Shaped::Model => "model",
        Shaped::Message => "channel",
    };
    let taken: BTreeSet<&str> = declared
        .iter()
        .flat_map(|named| {
            let was = named.was.unwrap_or_default().iter().map(String::as_str);
            was.chain([named.name])
        })
        .collect();
    let known: BTreeSet<&str> = shapes.names(of).collect();
    // By what it last was; the first name of several.
    let mut gone: BTreeMap<&BTreeMap<String, String>, &str> = BTreeMap::new();
    for name in known.iter().filter(|name| !taken.contains(**name)) {
        let newest = shapes.of(of, name).last();
        for shape in newest.into_iter().flat_map(|(_, shapes)| shapes) {
            gone.entry(&shape.columns).or_insert(name);
        }
    }
    for named in declared {
        let unknown = named.was.unwrap_or_default().iter();
        // Without any history nobody can say.
        let unknown = unknown.filter(|was| !known.is_empty() && !known.contains(was.as_str()));
        for was in unknown {
            let message = format!(
                "there was no {what} `{was}` that `{}` could have been",
                named.name
            );
            let diagnostic = Diagnostic::new(Code::UnknownFormer, named.span.clone(), message);
            let gone = known.iter().filter(|name| !taken.contains(**name)).copied();
            diagnostics.push(diagnostic.help_nearest(was, gone));
        }
        if named.was.is_some() || known.contains(named.name) {
            continue;
        }
        let shapes = versions.shapes(of, named.name);
        let Some(former) = shapes
            .last()
            .and_then(|(_, shape)| gone.get(&shape.columns))
        else {
            continue;
        };
        let message = format!(
            "{what} `{}` looks like `{former}` under another name, which is gone",
            named.name
        );
        let diagnostic = Diagnostic::new(Code::LooksRenamed, named.span.clone(), message);
        diagnostics.push(diagnostic.help(format!(
            "write `was: {former}` if it is, or `was: []` if `{}` is new",
            named.name
        )));
    }
}

/// Shapes of the version before, if there is another one now.
fn highest<'v>(versions: &'v Versions, of: Shaped, name: &str) -> Vec<&'v Shape> {
    let mut shapes = versions.shapes(of, name);
    let current = shapes.pop().map(|(version, _)| version);
    let Some(before) = shapes.last().map(|(version, _)| *version) else {
        return Vec::new();
    };
    if !versions.is_new(of, name) || current == Some(before) {
        return Vec::new();
    }
    shapes
        .into_iter()
        .filter(|(version, _)| *version == before)
        .map(|(_, shape)| shape)
        .collect()
}

/// A column or field.
struct Part<'s> {
    field: Field<'s>,
    /// Key in the YAML.
    name: &'s str,
    /// Whether it says what it was.
    said: bool,
    span: &'s Span,
}

fn parts(what: &str, parts: &[Part<'_>], before: &[&Shape], diagnostics: &mut Diagnostics) {
    let names: BTreeSet<&str> = parts.iter().flat_map(|part| part.field.names()).collect();
    // Columns with a point belong to the row that it extends.
    let mut gone: BTreeMap<&str, &str> = before
        .iter()
        .flat_map(|shape| &shape.columns)
        .filter(|(name, _)| !name.contains('.') && !names.contains(name.as_str()))
        .map(|(name, ty)| (name.as_str(), split(ty).0))
        .collect();
    for part in parts {
        let there = before
            .iter()
            .any(|shape| shape.columns.contains_key(part.field.key));
        if part.said || there || before.is_empty() || part.field.gone {
            continue;
        }
        let like = gone.iter().find(|(_, ty)| **ty == part.field.ty);
        let Some(former) = like.map(|(name, _)| (*name).to_owned()) else {
            continue;
        };
        gone.remove(former.as_str());
        let ty = &part.field.ty;
        let message = format!(
            "{what} `{}` looks like `{former}` under another name, which is gone",
            part.name
        );
        let diagnostic = Diagnostic::new(Code::LooksRenamed, part.span.clone(), message);
        diagnostics.push(diagnostic.help(format!(
            "write `{}: {{type: {ty}, was: {former}}}` if it is, or `was: []` if `{}` is new",
            part.name, part.name
        )));
    }
}
