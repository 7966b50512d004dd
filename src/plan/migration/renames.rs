//! What the user has renamed, and what only looks so.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::history::{Key, State};
use crate::model::{Channel, Model, QualifiedName, Schema};
use crate::plan::ident::sql_ident;
use crate::plan::names::function_name;
use crate::plan::objects::Object;

/// Schema and name of a table.
type Table = (String, String);

fn pair(table: &QualifiedName) -> Table {
    (table.schema.clone(), table.name.clone())
}

/// Tables that were renamed since triggers of ours were put on them, before and after.
pub(super) fn tables(schema: &Schema, state: &State) -> Vec<(Table, Table)> {
    let with_triggers: BTreeSet<Table> = state.objects.keys().filter_map(table_of).collect();
    let mut renamed = Vec::new();
    for model in &schema.models {
        for was in model.table_was.iter().flatten() {
            let from = pair(was);
            if with_triggers.contains(&from) && *was != model.table {
                renamed.push((from, pair(&model.table)));
            }
        }
    }
    renamed.dedup();
    renamed
}

/// Capture functions of channels under their former names.
pub(super) fn functions(schema: &Schema) -> BTreeSet<Key> {
    schema
        .channels
        .iter()
        .flat_map(|channel| channel.was.iter().flatten())
        .map(|name| Key::Capture {
            schema: schema.generate.storage_schema.clone(),
            function: function_name("capture", name),
        })
        .collect()
}

fn table_of(key: &Key) -> Option<Table> {
    match key {
        Key::Trigger { schema, table, .. } => Some((schema.clone(), table.clone())),
        _ => None,
    }
}

/// Removals and additions that look like renames: only their author knows. A wrong guess would leave waiting notifications
/// to nobody, or look for triggers where they are not.
pub fn check(schema: &Schema, state: &State, objects: &[Object]) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    channels(schema, state, objects, &mut diagnostics);
    for model in &schema.models {
        table(schema, model, state, objects, &mut diagnostics);
    }
    diagnostics.sorted()
}

fn channels(schema: &Schema, state: &State, objects: &[Object], diagnostics: &mut Diagnostics) {
    let wanted: BTreeSet<&Key> = objects.iter().map(|object| &object.key).collect();
    let told: BTreeSet<String> = schema
        .channels
        .iter()
        .flat_map(|channel| channel.was.iter().flatten())
        .flat_map(|name| ["capture", "notify"].map(|kind| function_name(kind, name)))
        .collect();
    // Functions that are no longer wanted, by what stays when a channel is renamed.
    let gone: BTreeMap<&str, &str> = state
        .objects
        .iter()
        .filter(|(key, _)| !wanted.contains(key))
        .filter_map(|(key, installed)| match key {
            // In another storage schema, all of them are gone, and none is renamed.
            Key::Capture {
                schema: storage,
                function,
            }
            | Key::Notify {
                schema: storage,
                function,
            } if *storage == schema.generate.storage_schema
                && !installed.kin.is_empty()
                && !told.contains(function) =>
            {
                Some((installed.kin.as_str(), function.as_str()))
            }
            _ => None,
        })
        .collect();
    for object in objects {
        let (Key::Capture { function, .. } | Key::Notify { function, .. }) = &object.key else {
            continue;
        };
        let Some(former) = gone.get(object.kin.as_str()) else {
            continue;
        };
        if state.objects.contains_key(&object.key) {
            continue;
        }
        let is_of = |channel: &&Channel| {
            ["capture", "notify"]
                .iter()
                .any(|kind| function_name(kind, &channel.name) == *function)
        };
        let Some(channel) = schema.channels.iter().find(is_of) else {
            continue;
        };
        if channel.was.is_some() {
            continue;
        }
        let former = former
            .strip_prefix("capture_")
            .or_else(|| former.strip_prefix("notify_"))
            .unwrap_or(former);
        let message = format!(
            "channel `{}` looks like `{former}` under another name, which is gone",
            channel.name
        );
        let diagnostic = Diagnostic::new(Code::LooksRenamed, channel.span.clone(), message);
        diagnostics.push(diagnostic.help(format!(
            "write `was: {former}` if it is: its waiting notifications are then processed under the new name; or `was: []` if `{}` is new",
            channel.name
        )));
    }
}

fn table(
    schema: &Schema,
    model: &Model,
    state: &State,
    objects: &[Object],
    diagnostics: &mut Diagnostics,
) {
    if model.table_was.is_some() {
        return;
    }
    let now = pair(&model.table);
    let on = |key: &Key, wanted: &Table| table_of(key).is_some_and(|table| table == *wanted);
    let names: BTreeSet<&str> = objects
        .iter()
        .filter(|object| on(&object.key, &now) && !state.objects.contains_key(&object.key))
        .filter_map(|object| trigger(&object.key))
        .collect();
    let former = state.objects.keys().find(|key| {
        trigger(key).is_some_and(|name| names.contains(name))
            && !on(key, &now)
            && !objects.iter().any(|object| object.key == **key)
    });
    let Some((from_schema, from)) = former.and_then(table_of) else {
        return;
    };
    // Another model may still be on that table: then it was not renamed.
    let is_used = schema
        .models
        .iter()
        .any(|other| pair(&other.table) == (from_schema.clone(), from.clone()));
    if is_used {
        return;
    }
    let part = |name: &str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.chars().all(plain) {
            name.to_owned()
        } else {
            sql_ident(name)
        }
    };
    let shown = |schema: &str, name: &str| match schema {
        "public" => part(name),
        _ => format!("{}.{}", part(schema), part(name)),
    };
    let (before, after) = (shown(&from_schema, &from), shown(&now.0, &now.1));
    let message = format!("model `{}` was on the table `{before}`", model.name);
    let diagnostic = Diagnostic::new(Code::LooksRenamed, model.span.clone(), message);
    diagnostics.push(diagnostic.help(format!(
        "write `table: {{name: {after}, was: {before}}}` if the table was renamed, or `table: {{name: {after}, was: []}}` if it is another one"
    )));
}

fn trigger(key: &Key) -> Option<&str> {
    match key {
        Key::Trigger { trigger, .. } => Some(trigger),
        _ => None,
    }
}
