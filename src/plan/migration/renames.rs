//! What the user has renamed, and what only looks so.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::channel_function;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::history::{Key, State, fingerprint};
use crate::model::{Channel, Delivery, QualifiedName, Schema};
use crate::plan::ident::{sql_ident, sql_literal};
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

/// Capture functions of channels that were renamed, before and after.
pub(super) fn functions(schema: &Schema) -> Vec<(Key, Key)> {
    let capture = |name: &str| Key::Capture {
        schema: schema.generate.storage_schema.clone(),
        function: function_name("capture", name),
    };
    let mut renamed = Vec::new();
    for channel in &schema.channels {
        for was in channel.was.iter().flatten() {
            renamed.push((capture(was), capture(&channel.name)));
        }
    }
    renamed
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
    let wanted: HashSet<&Key> = objects.iter().map(|object| &object.key).collect();
    channels(schema, state, objects, &mut diagnostics);
    tables_of_models(schema, state, objects, &wanted, &mut diagnostics);
    groups(schema, state, &wanted, &mut diagnostics);
    diagnostics.sorted()
}

fn channels(schema: &Schema, state: &State, objects: &[Object], diagnostics: &mut Diagnostics) {
    // By name only: with another storage schema, a function comes elsewhere and its channel is still called the same.
    let wanted: BTreeSet<&str> = objects
        .iter()
        .filter_map(|object| channel_function(&object.key))
        .collect();
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
        .filter_map(|(key, installed)| {
            let function = channel_function(key)?;
            let is_gone = !wanted.contains(function) && !told.contains(function);
            (is_gone && !installed.kin.is_empty()).then_some((installed.kin.as_str(), function))
        })
        .collect();
    if gone.is_empty() {
        return;
    }
    for object in objects {
        let Some(function) = channel_function(&object.key) else {
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
                .any(|kind| function_name(kind, &channel.name) == function)
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

/// Listeners that come while another group of their channel goes: what waits for that would be left to nobody.
fn groups(schema: &Schema, state: &State, wanted: &HashSet<&Key>, diagnostics: &mut Diagnostics) {
    // Listeners that go, by channel: name, and fingerprint of the group.
    let mut gone: HashMap<&str, Vec<(&str, &str)>> = HashMap::new();
    for (key, installed) in &state.objects {
        if let Key::Listener {
            schema: storage,
            listener,
            channel,
        } = key
            && *storage == schema.generate.storage_schema
            && !wanted.contains(key)
            && !installed.kin.is_empty()
        {
            let there = gone.entry(channel).or_default();
            there.push((listener, &installed.kin));
        }
    }
    if gone.is_empty() {
        return;
    }
    // A group goes on if a listener of the channel is in it, or says that it was.
    let mut going_on: HashSet<(&str, String)> = HashSet::new();
    for listener in &schema.listeners {
        for subscription in &listener.channels {
            let channel = schema.channels[subscription.channel].name.as_str();
            for group in std::iter::once(&listener.group).chain(&listener.was) {
                going_on.insert((channel, fingerprint(&sql_literal(group))));
            }
        }
    }
    for listener in &schema.listeners {
        let is_new = |channel: &str| {
            !state.objects.contains_key(&Key::Listener {
                schema: schema.generate.storage_schema.clone(),
                listener: listener.name.clone(),
                channel: channel.to_owned(),
            })
        };
        for subscription in &listener.channels {
            let channel = &schema.channels[subscription.channel];
            // The one that a channel has by itself comes when its last listener is removed, which is a removal.
            if listener.says_was
                || listener.name == format!("on_{}", channel.name)
                || channel.delivery == Delivery::Transient
                || !is_new(&channel.name)
            {
                continue;
            }
            let former =
                gone.get(channel.name.as_str())
                    .into_iter()
                    .flatten()
                    .find(|(_, group)| {
                        !going_on.contains(&(channel.name.as_str(), (*group).to_owned()))
                    });
            let Some((former, _)) = former else { continue };
            let message = format!(
                "listener `{}` comes to channel `{}`, and `{former}` goes",
                listener.name, channel.name
            );
            let diagnostic = Diagnostic::new(Code::LooksRenamed, listener.span.clone(), message);
            diagnostics.push(diagnostic.help(format!(
                "write `was: {former}` (its group, if it had one) if it goes on with what still waits for that; or `was: []` if what waits may be left to nobody"
            )));
            break;
        }
    }
}

/// A model whose triggers would go to another table.
fn tables_of_models(
    schema: &Schema,
    state: &State,
    objects: &[Object],
    wanted: &HashSet<&Key>,
    diagnostics: &mut Diagnostics,
) {
    // Triggers that would go, by their names, which are those of channels and events.
    let leaving: HashMap<&str, Table> = state
        .objects
        .keys()
        .filter(|key| !wanted.contains(key))
        .filter_map(|key| Some((trigger(key)?, table_of(key)?)))
        .collect();
    if leaving.is_empty() {
        return;
    }
    let used: HashSet<Table> = schema
        .models
        .iter()
        .map(|model| pair(&model.table))
        .collect();
    let mut formers: HashMap<Table, &Table> = HashMap::new();
    for object in objects {
        let (Some(name), Some(now)) = (trigger(&object.key), table_of(&object.key)) else {
            continue;
        };
        // Another model may still be on that table: then it was not renamed.
        if let Some(former) = leaving.get(name)
            && !state.objects.contains_key(&object.key)
            && !used.contains(former)
        {
            formers.entry(now).or_insert(former);
        }
    }
    for model in &schema.models {
        let now = pair(&model.table);
        if model.table_was.is_none()
            && let Some(former) = formers.get(&now)
        {
            let (before, after) = (shown(former), shown(&now));
            let message = format!("model `{}` was on the table `{before}`", model.name);
            let diagnostic = Diagnostic::new(Code::LooksRenamed, model.span.clone(), message);
            diagnostics.push(diagnostic.help(format!(
                "write `table: {{name: {after}, was: {before}}}` if the table was renamed, or `table: {{name: {after}, was: []}}` if it is another one"
            )));
        }
    }
}

/// As the schema file would name it.
fn shown((schema, name): &Table) -> String {
    let part = |name: &str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.chars().all(plain) {
            name.to_owned()
        } else {
            sql_ident(name)
        }
    };
    match schema.as_str() {
        "public" => part(name),
        _ => format!("{}.{}", part(schema), part(name)),
    }
}

fn trigger(key: &Key) -> Option<&str> {
    match key {
        Key::Trigger { trigger, .. } => Some(trigger),
        _ => None,
    }
}
