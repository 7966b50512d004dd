//! Conditions: what a trigger checks before it calls the function, and what the function checks itself.

use std::collections::BTreeSet;

use crate::model::builtin::{Equality, Setting};
use crate::model::{Changed, Level, Model, Op, Schema, TriggerChannel};

use super::super::ident::sql_ident;
use super::super::rust_types::{equality, settings};

/// How a condition names the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    /// `OLD` and `NEW`.
    Records,
    /// Aliases of transition tables.
    Tables,
}

/// Whether `changed` has to be checked in the function, where settings are pinned and nothing blocks an ALTER TABLE.
fn changed_in_function(schema: &Schema, on: &TriggerChannel) -> bool {
    let columns = match &on.changed {
        None | Some(Changed::WholeRow) => &Vec::new(),
        Some(Changed::Any(columns) | Changed::All(columns) | Changed::None(columns)) => columns,
    };
    let model = &schema.models[on.model];
    on.condition_in_function
        || on.level == Level::Statement
        || columns
            .iter()
            .any(|column| equality(&model.columns[*column].ty, &schema.types) == Equality::Text)
}

fn when_in_function(on: &TriggerChannel) -> bool {
    on.condition_in_function || on.level == Level::Statement
}

/// What the trigger of an operation checks, as lines of one expression; empty: nothing.
pub(super) fn in_trigger(
    schema: &Schema,
    on: &TriggerChannel,
    op: Op,
    channel: &str,
) -> Vec<String> {
    let mut parts = Vec::new();
    if on.ignorable {
        // In the trigger, so that a deferred one looks at the time of the event, too.
        parts.push(vec![format!(
            "coalesce(NOT (pg_catalog.string_to_array(pg_catalog.current_setting('pgpubsub.ignore', true), ',') \
             OPERATOR(pg_catalog.&&) ARRAY['*', {channel}]), true)"
        )]);
    }
    if op == Op::Update && !changed_in_function(schema, on) {
        parts.extend(changed(schema, on, Rows::Records));
    }
    if !when_in_function(on) {
        parts.extend(when(on, op));
    }
    all(parts)
}

/// What the function checks for an operation.
pub(super) fn in_function(
    schema: &Schema,
    on: &TriggerChannel,
    op: Op,
    rows: Rows,
    needed: &mut BTreeSet<Setting>,
) -> Vec<String> {
    if op == Op::Truncate {
        return Vec::new();
    }
    let mut parts = Vec::new();
    if op == Op::Update && changed_in_function(schema, on) {
        if let Some(changed) = changed(schema, on, rows) {
            parts.push(changed);
        }
        needed.extend(changed_settings(schema, on));
    }
    if when_in_function(on) {
        parts.extend(when(on, op));
    }
    let condition = all(parts);
    if condition.is_empty() || rows == Rows::Records || op != Op::Update {
        return condition;
    }
    // A row whose primary key was changed has no partner to be compared with; it is never left out.
    let model = &schema.models[on.model];
    let Some(key) = model.columns.iter().find(|column| column.primary_key) else {
        return condition;
    };
    let key = sql_ident(&key.column);
    let mut lines = vec![format!(
        "\"old\".{key} IS NULL OR \"new\".{key} IS NULL OR ("
    )];
    lines.extend(condition.into_iter().map(|line| format!("  {line}")));
    lines.push(")".into());
    lines
}

fn changed_settings(schema: &Schema, on: &TriggerChannel) -> Vec<Setting> {
    let model = &schema.models[on.model];
    match &on.changed {
        Some(Changed::Any(columns) | Changed::All(columns) | Changed::None(columns)) => columns
            .iter()
            .map(|column| &model.columns[*column].ty)
            .filter(|ty| equality(ty, &schema.types) == Equality::Text)
            .flat_map(|ty| settings(ty, &schema.types))
            .collect(),
        _ => Vec::new(),
    }
}

/// Lines of one expression.
fn changed(schema: &Schema, on: &TriggerChannel, rows: Rows) -> Option<Vec<String>> {
    let model = &schema.models[on.model];
    let differ = |columns: &[usize], joint: &str| {
        columns
            .iter()
            .enumerate()
            .map(|(index, column)| {
                let joint = if index == 0 { "" } else { joint };
                format!("{joint}{}", distinct(schema, model, *column, rows))
            })
            .collect::<Vec<String>>()
    };
    let (old, new) = records(rows);
    match on.changed.as_ref()? {
        // The binary images: there is an answer for every type.
        Changed::WholeRow => Some(vec![match rows {
            Rows::Records => format!("{old}.* OPERATOR(pg_catalog.*<>) {new}.*"),
            Rows::Tables => format!("{old} OPERATOR(pg_catalog.*<>) {new}"),
        }]),
        Changed::Any(columns) => Some(differ(columns, "OR ")),
        Changed::All(columns) => Some(differ(columns, "AND ")),
        Changed::None(columns) => {
            let mut lines = differ(columns, "OR ");
            lines.iter_mut().for_each(|line| line.insert_str(0, "  "));
            lines.insert(0, "NOT (".into());
            lines.push(")".into());
            Some(lines)
        }
    }
}

fn records(rows: Rows) -> (&'static str, &'static str) {
    match rows {
        Rows::Records => ("OLD", "NEW"),
        Rows::Tables => ("\"old\"", "\"new\""),
    }
}

/// Unlike `<>`, this has an answer for nulls, too.
fn distinct(schema: &Schema, model: &Model, column: usize, rows: Rows) -> String {
    let column = &model.columns[column];
    let cast = match equality(&column.ty, &schema.types) {
        Equality::Operator => "",
        Equality::Text => "::pg_catalog.text",
    };
    let (old, new) = records(rows);
    let name = sql_ident(&column.column);
    format!("{old}.{name}{cast} IS DISTINCT FROM {new}.{name}{cast}")
}

fn when(on: &TriggerChannel, op: Op) -> Option<Vec<String>> {
    let (_, condition) = on.when.iter().find(|(known, _)| *known == op)?;
    Some(condition.trim().lines().map(str::to_owned).collect())
}

/// Several expressions, all of which must hold.
fn all(parts: Vec<Vec<String>>) -> Vec<String> {
    if let [_] = parts.as_slice() {
        return parts.into_iter().flatten().collect();
    }
    let mut lines = Vec::new();
    for part in parts {
        let joint = if lines.is_empty() { "" } else { "AND " };
        if let [line] = part.as_slice() {
            lines.push(format!("{joint}({line})"));
        } else {
            lines.push(format!("{joint}("));
            lines.extend(part.into_iter().map(|line| format!("  {line}")));
            lines.push(")".into());
        }
    }
    lines
}
