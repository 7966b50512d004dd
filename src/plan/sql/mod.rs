//! The state of the database: storage, functions, triggers, registry. All text in here is quoted and ready for a template.

mod capture;
mod condition;
mod door;
mod index;
mod message;
mod order;
mod probe;
mod schedule;
mod trigger;
mod version;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::history::Key;
use crate::model::{Channel, ChannelKind, Delivery, Op, Schema, TriggerEvent, Wake};

use super::ident::{doc_lines, sql_ident, sql_literal};
use super::names::{function_name, wire_name};
use super::versions::Versions;

pub use index::SqlIndex;
pub(in crate::plan) use message::SqlOptions;
pub use order::SqlGroup;
pub use schedule::SqlSchedule;
pub use trigger::SqlTrigger;

use order::Groups;

/// What the database shall hold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SqlPlan {
    /// Schema of our objects, quoted.
    pub schema: String,
    /// `lock_timeout` of a migration, as a literal.
    pub lock_timeout: String,
    /// What the schema says of the notification table: storage parameters with their values, as a literal of JSON.
    pub settings: String,
    /// Version table of the migration tool: its quoted name as a literal, or `NULL`.
    pub version_table: String,
    /// Statements of PL/pgSQL that read the table `_table` into `_version`.
    pub version_statements: Vec<&'static str>,
    /// The db version after one of them has failed.
    pub version_after_mistake: &'static str,
    /// Indexes that only some schemas need.
    pub indexes: Vec<SqlIndex>,
    /// One a channel.
    pub functions: Vec<SqlFunction>,
    /// One for each event that somebody listens to.
    pub triggers: Vec<SqlTrigger>,
    /// Whether processed notifications are kept.
    pub retains: bool,
    /// The registry.
    pub listeners: Vec<SqlListener>,
    /// Channels that send by themselves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<SqlSchedule>,
    /// Queries that fail where a capture function would, for a trial on a database.
    #[serde(skip)]
    pub probes: Vec<SqlProbe>,
}

/// A query that fails where a function would. It reads no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlProbe {
    /// Index into `functions`.
    pub function: usize,
    /// The query.
    pub sql: String,
}

/// Function of a channel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SqlFunction {
    /// `capture` or `notify`: the template that lays it out.
    pub kind: &'static str,
    /// What it is called.
    #[serde(skip)]
    pub key: Key,
    /// Its channel.
    #[serde(skip)]
    pub channel_name: String,
    /// Quoted, with schema, without arguments.
    pub name: String,
    /// The same with the types of its arguments.
    pub signature: String,
    /// `COMMENT ON`, as a literal.
    pub comment: String,
    /// For the comment line above: the channel, on one line.
    pub title: String,
    /// Channel, as a literal.
    pub channel: String,
    /// NOTIFY channel, as a literal.
    pub wire: String,
    /// Stored, or only notified.
    pub durable: bool,
    /// Whether a durable one sends a NOTIFY at each commit.
    pub rings: bool,
    /// Version of the model, or of the message channel.
    pub model_version: u32,
    /// `SET` clauses beside the search path: those that the texts of the captured types depend on.
    pub settings: Vec<&'static str>,
    /// By operation; exactly one for a message channel.
    pub branches: Vec<SqlBranch>,
    /// Whether it is called once a statement, with the rows in transition tables.
    pub statement: bool,
    /// Whether an error loses the event and not the write.
    pub skip_errors: bool,
    /// Whether a `BEFORE` trigger calls it, so that its result is the row to write.
    pub returns_row: bool,
    /// Whether the user creates its triggers.
    pub own_triggers: bool,
    /// Whether it checks a condition row by row.
    pub has_condition: bool,
    /// Whether several groups get what it stores.
    #[serde(skip_serializing_if = "is_false")]
    pub has_several: bool,
    /// Whether it makes an order key, row by row.
    pub has_order_key: bool,
    /// Of a message channel whose messages are more than stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<SqlOptions>,
}

/// What a capture function does for one operation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SqlBranch {
    /// `IF` or `ELSIF`.
    pub keyword: &'static str,
    /// Value of `TG_OP`, as a literal.
    pub tg_op: String,
    /// Value of the `op` column, as a literal.
    pub op: String,
    /// Groups that get a copy.
    pub groups: Vec<SqlGroup>,
    /// The doors of the groups that it rings at: keys of advisory locks, as literals.
    pub doors: Vec<String>,
    /// Whether there are several, whose copies have one time.
    #[serde(skip_serializing_if = "is_false")]
    pub several: bool,
    /// Whether one of them gets its notifications in an order.
    pub ordered: bool,
    /// Order key of a row or message: an expression; `None`: it has none, or all have the same.
    pub order_key: Option<String>,
    /// What the order key is made of: expressions.
    #[serde(skip)]
    pub key_values: Vec<String>,
    /// Row images.
    pub images: Vec<SqlImage>,
    /// What must hold; lines of one expression.
    pub condition: Vec<String>,
    /// Where the rows of a statement come from: a `FROM` clause without its word; `None` for a row.
    pub rows: Option<String>,
}

/// One row image in the payload.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SqlImage {
    /// Key, as a literal.
    pub key: &'static str,
    /// Of more columns than a call takes: name of the row in a sub-select, quoted; no column has it.
    pub alias: Option<String>,
    /// The columns.
    pub columns: Vec<SqlColumn>,
    /// The row that this one extends.
    pub parent: Option<Box<SqlParent>>,
    /// Column that is null if there is no such row.
    pub absent: Option<String>,
}

/// A row that another one extends.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SqlParent {
    /// Key in the row that extends it, quoted as a name.
    pub name: String,
    /// The same as a literal.
    pub key: String,
    /// Quoted, with schema.
    pub table: String,
    /// Name of the row, quoted.
    pub alias: String,
    /// Its image.
    pub image: SqlImage,
    /// Which row it is.
    pub condition: String,
}

/// A column of a row image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SqlColumn {
    /// `NEW."x"` with its cast.
    pub value: String,
    /// `"x"`.
    pub name: String,
    /// `'x'`.
    pub key: String,
}

/// A row of the registry; all literals.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SqlListener {
    /// Name.
    pub name: String,
    /// Channel.
    pub channel: String,
    /// Group.
    pub group: String,
    /// Operations, as elements of an array.
    pub ops: Vec<String>,
    /// What it is called.
    #[serde(skip)]
    pub key: Key,
}

pub(super) fn plan(schema: &Schema, versions: &Versions) -> SqlPlan {
    let generate = &schema.generate;
    let groups = Groups::new(schema);
    let mut functions = Vec::new();
    let mut triggers = Vec::new();
    let mut probes = Vec::new();
    for (index, channel) in schema.channels.iter().enumerate() {
        match &channel.kind {
            ChannelKind::Trigger(on) => {
                // Nobody listens: no trigger, so that the write pays nothing.
                let wanted: Vec<TriggerEvent> = on
                    .events
                    .iter()
                    .copied()
                    .filter(|event| {
                        channel.delivery == Delivery::Transient
                            || !groups.of(index, event.op).is_empty()
                    })
                    .collect();
                let groups = |op| groups.of(index, op);
                let function = capture::function(schema, channel, on, &wanted, versions, groups);
                if !on.own_triggers {
                    triggers.extend(
                        wanted.iter().map(|event| {
                            trigger::plan(schema, channel, on, *event, &function.name)
                        }),
                    );
                }
                let table = &schema.models[on.model].table;
                let queries = probe::of(&function, &qualified(&table.schema, &table.name));
                let function_index = functions.len();
                probes.extend(queries.into_iter().map(|sql| SqlProbe {
                    function: function_index,
                    sql,
                }));
                functions.push(function);
            }
            ChannelKind::Message { options, .. } => {
                let version = versions.of_channel(schema, channel);
                let groups = groups.of(index, Op::Message);
                // Programs that know a former name may still publish while the new ones start.
                let former = channel.was.iter().flatten();
                functions.extend(std::iter::once(&channel.name).chain(former).map(|name| {
                    message::function(schema, channel, options, name, &groups, version)
                }));
            }
        }
    }
    SqlPlan {
        schema: sql_ident(&generate.storage_schema),
        lock_timeout: sql_literal(&generate.lock_timeout),
        settings: settings(&generate.settings),
        version_table: generate
            .version_table
            .as_ref()
            .map_or("NULL".to_owned(), |table| {
                sql_literal(&qualified(&table.schema, &table.name))
            }),
        version_statements: version::statements(generate.tool),
        version_after_mistake: version::after_mistake(generate.tool),
        indexes: index::plan(schema),
        functions,
        triggers,
        probes,
        schedules: schedule::plan(schema),
        retains: schema
            .channels
            .iter()
            .any(|channel| channel.retain.is_some()),
        listeners: schema
            .listeners
            .iter()
            .flat_map(|listener| {
                listener.channels.iter().map(|subscription| SqlListener {
                    name: sql_literal(&listener.name),
                    channel: sql_literal(&schema.channels[subscription.channel].name),
                    group: sql_literal(&listener.group),
                    ops: subscription
                        .ops
                        .iter()
                        .map(|op| sql_literal(op.as_str()))
                        .collect(),
                    key: Key::Listener {
                        schema: generate.storage_schema.clone(),
                        listener: listener.name.clone(),
                        channel: schema.channels[subscription.channel].name.clone(),
                    },
                })
            })
            .collect(),
    }
}

fn settings(settings: &[(String, String)]) -> String {
    let settings: BTreeMap<&str, &str> = settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    sql_literal(&serde_json::json!(settings).to_string())
}

fn function(
    schema: &Schema,
    channel: &Channel,
    kind: &'static str,
    channel_name: &str,
    arguments: &str,
    branches: Vec<SqlBranch>,
) -> SqlFunction {
    let storage = &schema.generate.storage_schema;
    let function = function_name(kind, channel_name);
    let name = qualified(storage, &function);
    let in_schema = storage.clone();
    SqlFunction {
        kind,
        key: match kind {
            "notify" => Key::Notify {
                schema: in_schema,
                function,
            },
            _ => Key::Capture {
                schema: in_schema,
                function,
            },
        },
        channel_name: channel.name.clone(),
        signature: format!("{name}({arguments})"),
        name,
        comment: sql_literal(&comment(channel)),
        title: channel.name.replace(['\n', '\r'], " "),
        channel: sql_literal(&channel.name),
        wire: sql_literal(&wire_name(storage, &channel.name)),
        durable: channel.delivery == Delivery::Durable,
        rings: channel.delivery == Delivery::Durable && channel.wake == Wake::Commit,
        model_version: 1,
        settings: Vec::new(),
        has_several: branches.iter().any(|branch| branch.several),
        branches,
        statement: false,
        skip_errors: false,
        returns_row: false,
        own_triggers: false,
        has_condition: false,
        has_order_key: false,
        options: None,
    }
}

/// The channel and its documentation.
fn comment(channel: &Channel) -> String {
    let mut lines = vec![format!("pgpubsub channel {}", channel.name)];
    lines.extend(doc_lines(channel.doc.as_deref()));
    match lines.as_slice() {
        [title, doc] => format!("{title}: {doc}"),
        _ => lines.join("\n"),
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_false(value: &bool) -> bool {
    !value
}

/// `"schema"."name"`.
fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", sql_ident(schema), sql_ident(name))
}
