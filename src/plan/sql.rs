//! The state of the database: storage, functions, triggers, registry. All text in here is quoted and ready for a template.

use serde::Serialize;

use crate::model::{Channel, ChannelKind, Delivery, Model, Op, Schema, Timing, TriggerEvent};

use super::ident::{doc_lines, free_sql_name, sql_ident, sql_literal};
use super::lock::ModelVersions;
use super::names::{function_name, trigger_name, wire_name};
use super::rust_types::payload_cast;

/// What the database shall hold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SqlPlan {
    /// Schema of our objects, quoted.
    pub schema: String,
    /// `lock_timeout` of a migration, as a literal.
    pub lock_timeout: String,
    /// Version table of the migration tool: its quoted name as a literal, or `NULL`.
    pub version_table: String,
    /// Hint of the down file when notifications still wait, as a literal.
    pub waiting_hint: String,
    /// One a channel.
    pub functions: Vec<SqlFunction>,
    /// One for each event that somebody listens to.
    pub triggers: Vec<SqlTrigger>,
    /// The registry.
    pub listeners: Vec<SqlListener>,
}

/// Function of a channel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SqlFunction {
    /// `capture` or `notify`: the template that lays it out.
    pub kind: &'static str,
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
    /// Version of the model, 0 for a message channel.
    pub model_version: u32,
    /// By operation; exactly one for a message channel.
    pub branches: Vec<SqlBranch>,
    /// Whether a `BEFORE` trigger calls it, so that its result is the row to write.
    pub returns_row: bool,
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
    /// Groups that get a copy, as literals.
    pub groups: Vec<String>,
    /// Row images.
    pub images: Vec<SqlImage>,
}

/// One row image in the payload.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SqlImage {
    /// Key, as a literal.
    pub key: &'static str,
    /// Name of the row in the sub-select, quoted; no column has it.
    pub alias: String,
    /// The columns.
    pub columns: Vec<SqlColumn>,
}

/// A column of a row image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SqlColumn {
    /// `NEW."x"` with its cast.
    pub value: String,
    /// `"x"`.
    pub name: String,
}

/// A trigger.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SqlTrigger {
    /// Quoted.
    pub name: String,
    /// Quoted, with schema.
    pub table: String,
    /// `BEFORE` or `AFTER`.
    pub timing: &'static str,
    /// `INSERT`, `UPDATE`, `DELETE`.
    pub op: &'static str,
    /// Quoted, with schema.
    pub function: String,
    /// `COMMENT ON`, as a literal.
    pub comment: String,
    /// The same, unquoted, for the lock.
    pub lock: crate::lock::TriggerLock,
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
}

pub(super) fn plan(schema: &Schema, versions: &ModelVersions) -> SqlPlan {
    let generate = &schema.generate;
    let mut functions = Vec::new();
    let mut triggers = Vec::new();
    for (index, channel) in schema.channels.iter().enumerate() {
        let groups = |op| groups(schema, index, op);
        match &channel.kind {
            ChannelKind::Trigger { model, events } => {
                let model = &schema.models[*model];
                // Nobody listens: no trigger, so that the write pays nothing.
                let wanted: Vec<TriggerEvent> = events
                    .iter()
                    .copied()
                    .filter(|event| {
                        channel.delivery == Delivery::Transient || !groups(event.op).is_empty()
                    })
                    .collect();
                let function = capture(schema, channel, model, &wanted, versions, groups);
                triggers.extend(
                    wanted
                        .iter()
                        .map(|event| trigger(channel, model, *event, &function.name)),
                );
                functions.push(function);
            }
            ChannelKind::Message { .. } => functions.push(notify(schema, channel, groups)),
        }
    }
    SqlPlan {
        schema: sql_ident(&generate.storage_schema),
        lock_timeout: sql_literal(&generate.lock_timeout),
        version_table: generate
            .version_table
            .as_ref()
            .map_or("NULL".to_owned(), |table| {
                sql_literal(&format!(
                    "{}.{}",
                    sql_ident(&table.schema),
                    sql_ident(&table.name)
                ))
            }),
        waiting_hint: sql_literal(&format!(
            "Let the workers finish, or give them up: DELETE FROM {}.\"notification\".",
            sql_ident(&generate.storage_schema)
        )),
        functions,
        triggers,
        listeners: schema
            .listeners
            .iter()
            .map(|listener| SqlListener {
                name: sql_literal(&listener.name),
                channel: sql_literal(&schema.channels[listener.channel].name),
                group: sql_literal(&listener.group),
                ops: listener
                    .ops
                    .iter()
                    .map(|op| sql_literal(op.as_str()))
                    .collect(),
            })
            .collect(),
    }
}

/// Groups with a listener for this operation, in order of the file, each once, as literals.
fn groups(schema: &Schema, channel: usize, op: Op) -> Vec<String> {
    let mut groups: Vec<String> = Vec::new();
    for listener in &schema.listeners {
        let group = sql_literal(&listener.group);
        if listener.channel == channel && listener.ops.contains(&op) && !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}

fn capture(
    schema: &Schema,
    channel: &Channel,
    model: &Model,
    events: &[TriggerEvent],
    versions: &ModelVersions,
    groups: impl Fn(Op) -> Vec<String>,
) -> SqlFunction {
    let mut ops: Vec<Op> = events.iter().map(|event| event.op).collect();
    ops.sort_unstable();
    ops.dedup();
    let branches = ops
        .into_iter()
        .enumerate()
        .map(|(index, op)| SqlBranch {
            keyword: if index == 0 { "IF" } else { "ELSIF" },
            tg_op: sql_literal(&op.as_str().to_uppercase()),
            op: sql_literal(op.as_str()),
            groups: groups(op),
            images: match op {
                Op::Insert => vec![image(model, "new")],
                Op::Update => vec![image(model, "old"), image(model, "new")],
                Op::Delete => vec![image(model, "old")],
                Op::Message => Vec::new(),
            },
        })
        .collect();
    let mut function = function(schema, channel, "capture", "", branches);
    function.model_version = versions.of(model);
    function.returns_row = events.iter().any(|event| event.timing == Timing::Before);
    function
}

fn notify(schema: &Schema, channel: &Channel, groups: impl Fn(Op) -> Vec<String>) -> SqlFunction {
    let branch = SqlBranch {
        keyword: "",
        tg_op: String::new(),
        op: sql_literal(Op::Message.as_str()),
        groups: groups(Op::Message),
        images: Vec::new(),
    };
    function(schema, channel, "notify", "pg_catalog.text", vec![branch])
}

fn function(
    schema: &Schema,
    channel: &Channel,
    kind: &'static str,
    arguments: &str,
    branches: Vec<SqlBranch>,
) -> SqlFunction {
    let storage = &schema.generate.storage_schema;
    let name = format!(
        "{}.{}",
        sql_ident(storage),
        sql_ident(&function_name(kind, &channel.name))
    );
    SqlFunction {
        kind,
        signature: format!("{name}({arguments})"),
        name,
        comment: sql_literal(&comment(channel)),
        title: channel.name.replace(['\n', '\r'], " "),
        channel: sql_literal(&channel.name),
        wire: sql_literal(&wire_name(storage, &channel.name)),
        durable: channel.delivery == Delivery::Durable,
        model_version: 0,
        branches,
        returns_row: false,
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

fn image(model: &Model, key: &str) -> SqlImage {
    let (key, record) = if key == "new" {
        ("'new'", "NEW")
    } else {
        ("'old'", "OLD")
    };
    let names = model.columns.iter().map(|column| column.column.as_str());
    SqlImage {
        key,
        // `to_json(x)` means the column x before the row x.
        alias: sql_ident(&free_sql_name("_row", names)),
        columns: model
            .columns
            .iter()
            .map(|column| {
                let name = sql_ident(&column.column);
                SqlColumn {
                    value: format!("{record}.{name}{}", payload_cast(&column.ty)),
                    name,
                }
            })
            .collect(),
    }
}

fn trigger(channel: &Channel, model: &Model, event: TriggerEvent, function: &str) -> SqlTrigger {
    let name = trigger_name(&channel.name, event);
    let table = &model.table;
    SqlTrigger {
        name: sql_ident(&name),
        table: format!("{}.{}", sql_ident(&table.schema), sql_ident(&table.name)),
        timing: match event.timing {
            Timing::Before => "BEFORE",
            Timing::After => "AFTER",
        },
        op: match event.op {
            Op::Insert => "INSERT",
            Op::Update => "UPDATE",
            Op::Delete | Op::Message => "DELETE",
        },
        function: function.to_owned(),
        comment: sql_literal(&comment(channel)),
        lock: crate::lock::TriggerLock {
            schema: table.schema.clone(),
            table: table.name.clone(),
            trigger: name,
        },
    }
}
