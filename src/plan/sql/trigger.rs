//! Triggers: thin, so that almost every change is one of their function.

use serde::Serialize;

use crate::history::Key;
use crate::model::{Channel, Fire, Level, Op, Schema, Timing, TriggerChannel, TriggerEvent};

use super::super::ident::{sql_ident, sql_literal};
use super::super::names::{function_name, hashed, trigger_name};
use super::{comment, condition, qualified};

/// Transition table with the rows before.
pub(super) const OLD_ROWS: &str = "pgpubsub_old";
/// Transition table with the rows after.
pub(super) const NEW_ROWS: &str = "pgpubsub_new";

/// A trigger.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SqlTrigger {
    /// Quoted.
    pub name: String,
    /// The same, as a literal.
    pub name_literal: String,
    /// Quoted, with schema.
    pub table: String,
    /// The same, as a literal.
    pub table_literal: String,
    /// `BEFORE` or `AFTER`.
    pub timing: &'static str,
    /// `INSERT`, `UPDATE`, `UPDATE OF "x"`, `DELETE`, `TRUNCATE`.
    pub event: String,
    /// `REFERENCING` clause, or nothing.
    pub referencing: String,
    /// `ROW` or `STATEMENT`.
    pub each: &'static str,
    /// Whether it is a constraint trigger, deferred to the end of the transaction.
    pub deferred: bool,
    /// Condition; lines of one expression, or none.
    pub condition: Vec<String>,
    /// Quoted, with schema.
    pub function: String,
    /// `ALWAYS` or `REPLICA`, if it fires for what replication applies.
    pub enable: &'static str,
    /// `COMMENT ON`, as a literal.
    pub comment: String,
    /// Its function, unquoted and without schema.
    #[serde(skip)]
    pub function_name: String,
    /// What it is called.
    #[serde(skip)]
    pub key: Key,
}

pub(super) fn plan(
    schema: &Schema,
    channel: &Channel,
    on: &TriggerChannel,
    event: TriggerEvent,
    function: &str,
) -> SqlTrigger {
    let model = &schema.models[on.model];
    let table = &model.table;
    let statement = on.level == Level::Statement && event.op != Op::Truncate;
    let condition = condition::in_trigger(schema, on, event.op, &sql_literal(&channel.name));
    let mut trigger = SqlTrigger {
        name: String::new(),
        name_literal: String::new(),
        table: qualified(&table.schema, &table.name),
        table_literal: sql_literal(&qualified(&table.schema, &table.name)),
        timing: match event.timing {
            Timing::Before => "BEFORE",
            Timing::After => "AFTER",
        },
        event: match event.op {
            Op::Insert => "INSERT".into(),
            Op::Update if on.update_of.is_empty() => "UPDATE".into(),
            Op::Update => {
                let columns: Vec<String> = on
                    .update_of
                    .iter()
                    .map(|column| sql_ident(&model.columns[*column].column))
                    .collect();
                format!("UPDATE OF {}", columns.join(", "))
            }
            Op::Truncate => "TRUNCATE".into(),
            Op::Delete | Op::Message => "DELETE".into(),
        },
        referencing: if statement {
            referencing(event.op)
        } else {
            String::new()
        },
        each: if statement || event.op == Op::Truncate {
            "STATEMENT"
        } else {
            "ROW"
        },
        deferred: on.deferred,
        condition,
        function: function.to_owned(),
        enable: match on.fire {
            Fire::Origin => "",
            Fire::Always => "ALWAYS",
            Fire::Replica => "REPLICA",
        },
        comment: sql_literal(&comment(channel)),
        function_name: function_name("capture", &channel.name),
        key: Key::Trigger {
            schema: table.schema.clone(),
            table: table.name.clone(),
            trigger: String::new(),
        },
    };
    let mut name = trigger_name(&channel.name, event, on.level);
    if on.deferred {
        // PostgreSQL cannot replace a constraint trigger: another definition is another trigger.
        let definition = [
            trigger.table.as_str(),
            &trigger.event,
            &trigger.condition.join("\n"),
            &trigger.function,
            trigger.enable,
        ];
        name = hashed(&name, &definition.join("\n"));
    }
    trigger.name = sql_ident(&name);
    trigger.name_literal = sql_literal(&name);
    trigger.key = Key::Trigger {
        schema: table.schema.clone(),
        table: table.name.clone(),
        trigger: name,
    };
    trigger
}

fn referencing(op: Op) -> String {
    let old = format!("OLD TABLE AS {}", sql_ident(OLD_ROWS));
    let new = format!("NEW TABLE AS {}", sql_ident(NEW_ROWS));
    match op {
        Op::Insert => format!("REFERENCING {new}"),
        Op::Delete => format!("REFERENCING {old}"),
        _ => format!("REFERENCING {old} {new}"),
    }
}
