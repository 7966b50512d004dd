//! The objects that a database shall hold, each with the fingerprint of all that was planned for it.
//!
//! The fingerprint is that of the plan, not of the SQL: a generator with better templates emits nothing until it is asked to
//! (`--upgrade-templates`). A new field of a plan must therefore be left out of its serialization while it has its usual value.

use serde::Serialize;

use crate::history::{Key, fingerprint};
use crate::model::{ChannelKind, Schema};

use super::ident::{sql_ident, sql_literal};
use super::sql::{SqlFunction, SqlPlan};

/// An object of the database.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Object {
    /// What it is called.
    pub key: Key,
    /// Fingerprint of the plan for it.
    pub spec: String,
    /// Of a function: the same without the names of its channel, so that a renamed one is recognised. Of a trigger:
    /// fingerprint of its function's key. Of a listener: fingerprint of its group.
    pub kin: String,
    /// Where the plan for it is.
    #[serde(skip)]
    pub source: Source,
}

/// Where the plan for an object is, in [`SqlPlan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The storage itself.
    Storage,
    /// What keeps processed notifications.
    Processed,
    /// The version of the migration tool.
    DbVersion,
    /// Index into `indexes`.
    Index(usize),
    /// Index into `functions`.
    Function(usize),
    /// Index into `triggers`.
    Trigger(usize),
    /// Index into `listeners`.
    Listener(usize),
    /// Table and functions of the schedules.
    Schedules,
    /// Index into `schedules`.
    Schedule(usize),
}

/// Format of the storage that is installed, part of its fingerprint.
pub const STORAGE: u32 = 1;

/// Format of the table of processed notifications, part of its fingerprint.
const PROCESSED: u32 = 1;

/// In order of their keys.
pub(super) fn plan(schema: &Schema, sql: &SqlPlan) -> Vec<Object> {
    let storage = &schema.generate.storage_schema;
    let mut objects = vec![
        Object {
            key: Key::Storage {
                schema: storage.clone(),
            },
            spec: if schema.generate.settings.is_empty() {
                spec(&(STORAGE, &sql.schema))
            } else {
                spec(&(STORAGE, &sql.schema, &sql.settings))
            },
            kin: String::new(),
            source: Source::Storage,
        },
        Object {
            key: Key::DbVersion {
                schema: storage.clone(),
            },
            spec: spec(&(
                &sql.schema,
                &sql.version_table,
                &sql.version_statements,
                &sql.version_after_mistake,
            )),
            kin: String::new(),
            source: Source::DbVersion,
        },
    ];
    for (index, planned) in sql.indexes.iter().enumerate() {
        objects.push(Object {
            key: planned.key.clone(),
            spec: spec(planned),
            kin: String::new(),
            source: Source::Index(index),
        });
    }
    if sql.retains {
        objects.push(Object {
            key: Key::Processed {
                schema: storage.clone(),
            },
            spec: spec(&(PROCESSED, &sql.schema)),
            kin: String::new(),
            source: Source::Processed,
        });
    }
    for (index, function) in sql.functions.iter().enumerate() {
        objects.push(Object {
            key: function.key.clone(),
            spec: spec(function),
            kin: kin(function, schema),
            source: Source::Function(index),
        });
    }
    for (index, trigger) in sql.triggers.iter().enumerate() {
        objects.push(Object {
            key: trigger.key.clone(),
            spec: spec(trigger),
            kin: fingerprint(
                &Key::Capture {
                    schema: storage.clone(),
                    function: trigger.function_name.clone(),
                }
                .to_string(),
            ),
            source: Source::Trigger(index),
        });
    }
    for (index, listener) in sql.listeners.iter().enumerate() {
        objects.push(Object {
            key: listener.key.clone(),
            spec: spec(listener),
            kin: fingerprint(&listener.group),
            source: Source::Listener(index),
        });
    }
    // Whoever has no schedule has nothing of it.
    if !sql.schedules.is_empty() {
        objects.push(Object {
            key: Key::Schedules {
                schema: storage.clone(),
            },
            spec: spec(&(STORAGE, &sql.schema)),
            kin: String::new(),
            source: Source::Schedules,
        });
    }
    for (index, schedule) in sql.schedules.iter().enumerate() {
        objects.push(Object {
            key: schedule.key.clone(),
            spec: spec(schedule),
            kin: String::new(),
            source: Source::Schedule(index),
        });
    }
    objects.sort_by(|left, right| left.key.cmp(&right.key));
    objects
}

fn spec(plan: &impl Serialize) -> String {
    fingerprint(&serde_json::to_string(plan).expect("strings and numbers are JSON"))
}

/// What stays when a channel is renamed, with the groups of its listeners.
fn kin(function: &SqlFunction, schema: &Schema) -> String {
    let mut function = function.clone();
    let channel = schema
        .channels
        .iter()
        .find(|channel| channel.name == function.channel_name);
    for branch in &mut function.branches {
        branch.groups.clear();
        branch.doors.clear();
        branch.ordered = false;
        branch.several = false;
    }
    function.has_several = false;
    let model = match channel.map(|channel| &channel.kind) {
        Some(ChannelKind::Trigger(on)) => schema.models[on.model].name.as_str(),
        _ => "",
    };
    for name in [
        &mut function.name,
        &mut function.signature,
        &mut function.comment,
        &mut function.title,
        &mut function.channel,
        &mut function.wire,
    ] {
        name.clear();
    }
    spec(&(function, model))
}

/// The statement that drops an object; the storage and what is processed have more to say, see their templates.
pub(crate) fn drop_statement(key: &Key) -> String {
    let in_schema = |schema: &str, name: &str| format!("{}.{}", sql_ident(schema), sql_ident(name));
    match key {
        Key::Storage { schema } => format!("DROP SCHEMA IF EXISTS {};", sql_ident(schema)),
        Key::Processed { schema } => {
            format!("DROP TABLE IF EXISTS {};", in_schema(schema, "processed"))
        }
        Key::DbVersion { schema } => {
            format!(
                "DROP FUNCTION IF EXISTS {}();",
                in_schema(schema, "db_version")
            )
        }
        Key::Index { schema, index } => {
            format!("DROP INDEX IF EXISTS {};", in_schema(schema, index))
        }
        Key::Notify { schema, function } => format!(
            "DROP FUNCTION IF EXISTS {}(pg_catalog.text, pg_catalog.int4, pg_catalog.json);",
            in_schema(schema, function)
        ),
        Key::Capture { schema, function } => {
            format!("DROP FUNCTION IF EXISTS {}();", in_schema(schema, function))
        }
        Key::Trigger {
            schema,
            table,
            trigger,
        } => format!(
            "DROP TRIGGER IF EXISTS {} ON {};",
            sql_ident(trigger),
            in_schema(schema, table)
        ),
        Key::Listener {
            schema,
            listener,
            channel,
        } => format!(
            "DELETE FROM {} WHERE \"name\" = {} AND \"channel\" = {};",
            in_schema(schema, "listener"),
            sql_literal(listener),
            sql_literal(channel)
        ),
        Key::Schedules { schema } => [
            "FUNCTION IF EXISTS {}.\"fire_schedules\"()",
            "FUNCTION IF EXISTS {}.\"next_occurrence\"(pg_catalog.text, pg_catalog.text, pg_catalog.interval, pg_catalog.timestamptz)",
            "FUNCTION IF EXISTS {}.\"wall_clock\"(pg_catalog.timestamp, pg_catalog.text)",
            "TABLE IF EXISTS {}.\"schedule\"",
        ]
        .map(|what| format!("DROP {};", what.replace("{}", &sql_ident(schema))))
        .join("\n"),
        Key::Schedule { schema, channel } => format!(
            "DELETE FROM {} WHERE \"channel\" = {};",
            in_schema(schema, "schedule"),
            sql_literal(channel)
        ),
    }
}
