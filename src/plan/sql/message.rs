//! Functions of message channels: what senders may say of a message, and which messages are folded.

use std::time::Duration;

use serde::Serialize;

use crate::model::{Channel, Dedup, Keep, MessageOptions, Op, Schema};

use super::super::ident::{sql_ident, sql_literal};
use super::{SqlBranch, SqlFunction, SqlGroup, door, order};

/// The argument types of the function of a message channel.
const ARGUMENTS: &str = "pg_catalog.text, pg_catalog.int4, pg_catalog.json";

/// So many that wait side by side are folded at once; writers who do not see each other leave no more than a few.
const SIDE_BY_SIDE: u32 = 20;

/// What a message channel does beside storing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SqlOptions {
    /// Variables of the function, with their types.
    pub variables: Vec<SqlValue>,
    /// Keys that senders may use, as literals.
    pub keys: Vec<String>,
    /// Variables, each with what of the sender's options it gets.
    pub taken: Vec<SqlValue>,
    /// Variables, each with what it is made when the sender's options are known.
    pub defaults: Vec<SqlValue>,
    /// More columns of the notification, with their values.
    pub columns: Vec<SqlValue>,
    /// Whether the id is one of them.
    pub own_id: bool,
    /// Which messages are folded.
    pub dedup: Option<SqlDedup>,
}

/// Something with a name, and what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SqlValue {
    /// Name.
    pub name: String,
    /// Value or type.
    pub value: String,
}

/// How messages are folded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SqlDedup {
    /// Fields, as literals.
    pub fields: Vec<String>,
    /// What must hold of one that waits, or nothing is folded into it.
    pub if_waiting: Vec<String>,
    /// How many are looked for.
    pub limit: u32,
    /// Which of them stays: the first in this order.
    pub order: &'static str,
    /// Whether the others go.
    pub takes_others: bool,
    /// What is set in the one that stays.
    pub sets: Vec<String>,
}

/// The function of a message channel under its name or a former one.
pub(super) fn function(
    schema: &Schema,
    channel: &Channel,
    options: &MessageOptions,
    name: &str,
    groups: &[SqlGroup],
    version: u32,
) -> SqlFunction {
    let branch = SqlBranch {
        keyword: "",
        tg_op: String::new(),
        op: sql_literal(Op::Message.as_str()),
        several: groups.len() > 1,
        ordered: order::is_ordered(groups),
        order_key: order::of_message(schema, channel),
        key_values: Vec::new(),
        groups: groups.to_vec(),
        doors: door::keys(schema, channel, groups),
        images: Vec::new(),
        condition: Vec::new(),
        rows: None,
    };
    let mut function = super::function(schema, channel, "notify", name, ARGUMENTS, vec![branch]);
    function.model_version = version;
    function.has_order_key = function.branches[0].order_key.is_some();
    if !function.durable {
        // The time of the notification is part of what is sent.
        function.settings = vec!["timezone = 'UTC'"];
    }
    if *options != MessageOptions::default() {
        function.options = Some(self::options(schema, options));
    }
    if options.dedup.is_some() {
        // The notification table is empty most of the time: a session that has planned then would read all of a backlog later.
        function.settings = vec!["enable_seqscan = off"];
    }
    function
}

fn options(schema: &Schema, options: &MessageOptions) -> SqlOptions {
    let debounce = match options.dedup.as_ref().map(|dedup| dedup.keep) {
        Some(Keep::Debounce { quiet, at_most }) => Some((quiet, at_most)),
        _ => None,
    };
    let due = options.notify_at || debounce.is_some();
    let expires = options.expires.is_some();
    let mut variables = Vec::new();
    let mut taken = Vec::new();
    let mut columns = Vec::new();
    for (name, is_there, is_said, ty) in [
        ("not_before", due, options.notify_at, "timestamptz"),
        ("expires_at", expires, expires, "timestamptz"),
        ("priority", options.priority, options.priority, "int2"),
    ] {
        let (variable, column) = (format!("_{name}"), sql_ident(name));
        if is_there {
            variables.push(value(&variable, format!("pg_catalog.{ty}")));
            columns.push(value(&column, &variable));
        }
        if is_said {
            taken.push(value(&variable, column));
        }
    }
    let mut defaults = Vec::new();
    if let Some((quiet, _)) = debounce {
        defaults.push(value("_not_before", from_now(quiet)));
    }
    if let Some(expires) = options.expires {
        let said = match expires.default {
            Some(default) => format!("coalesce(_expires_at, {})", from_now(default)),
            None => "_expires_at".to_owned(),
        };
        defaults.push(value("_expires_at", format!("nullif({said}, 'infinity')")));
    }
    if due {
        let sequence = format!(
            "{}.{}",
            sql_ident(&schema.generate.storage_schema),
            sql_ident("notification_id_seq")
        );
        let next = format!(
            "pg_catalog.nextval({}::pg_catalog.regclass)",
            sql_literal(&sequence)
        );
        let sign = match debounce {
            Some(_) => "-1",
            None => "CASE WHEN _not_before IS NULL THEN 1 ELSE -1 END",
        };
        columns.push(value(&sql_ident("id"), format!("{sign} * {next}")));
    }
    if options.dedup.is_some() {
        for (name, ty) in [
            ("_values", "text"),
            ("_folds", "bool"),
            ("_group", "text"),
            ("_dedup_key", "text"),
            ("_waits", "bool"),
            ("_id", "int8"),
        ] {
            variables.push(value(name, format!("pg_catalog.{ty}")));
        }
        columns.push(value(&sql_ident("dedup_key"), "_dedup_key"));
    }
    SqlOptions {
        variables,
        keys: options.keys().into_iter().map(sql_literal).collect(),
        taken,
        defaults,
        columns,
        own_id: due,
        dedup: options
            .dedup
            .as_ref()
            .map(|dedup| self::dedup(options, dedup)),
    }
}

fn dedup(options: &MessageOptions, dedup: &Dedup) -> SqlDedup {
    let first = dedup.keep == Keep::First;
    let mut sets: Vec<String> = Vec::new();
    if !first {
        sets.extend(
            [
                "\"model_version\" = $2",
                "\"db_version\" = _db_version",
                "\"txid\" = pg_catalog.pg_current_xact_id()",
                "\"payload\" = $1::pg_catalog.json",
                "\"context\" = _context",
                "\"attempts\" = 0",
                "\"last_error\" = NULL",
            ]
            .map(str::to_owned),
        );
    }
    // One that stands for two is due when the first of them is, worth delivering as long as one is, and as urgent as one is.
    let earlier = "CASE WHEN \"not_before\" IS NULL OR _not_before IS NULL THEN NULL ELSE least(\"not_before\", _not_before) END";
    match dedup.keep {
        Keep::Debounce { at_most, .. } => sets.push(format!(
            "\"not_before\" = least(_not_before, \"created_at\" + {})",
            interval(at_most)
        )),
        // After a failure, the time is that of the next attempt.
        Keep::First if options.notify_at => sets.push(format!(
            "\"not_before\" = CASE WHEN \"attempts\" > 0 THEN \"not_before\" ELSE {earlier} END"
        )),
        Keep::Last if options.notify_at => sets.push(format!(
            "\"not_before\" = CASE WHEN \"attempts\" > 0 THEN _not_before ELSE {earlier} END"
        )),
        Keep::Last => sets.push("\"not_before\" = NULL".to_owned()),
        Keep::First => {}
    }
    if options.expires.is_some() {
        sets.push("\"expires_at\" = CASE WHEN \"expires_at\" IS NULL OR _expires_at IS NULL THEN NULL ELSE greatest(\"expires_at\", _expires_at) END".to_owned());
    }
    if options.priority {
        sets.push("\"priority\" = greatest(\"priority\", _priority)".to_owned());
    }
    let mut if_waiting = vec![
        // What a worker has in hand under a lease, or has just begun with.
        "(\"attempts\" = 0 OR \"last_error\" IS NOT NULL)".to_owned(),
        // What this transaction has in hand itself, as it is a worker's: that one is gone when it ends.
        "_group IS DISTINCT FROM pg_catalog.current_setting('pgpubsub.listener_group', true)"
            .to_owned(),
    ];
    if options.expires.is_some() {
        if_waiting.push(
            "(\"expires_at\" IS NULL OR \"expires_at\" > pg_catalog.clock_timestamp())".to_owned(),
        );
    }
    if matches!(dedup.keep, Keep::Debounce { .. }) {
        // An operator wants it at once: it was put back from quarantine, or its time was taken away. It would take a burst with it
        // that has hardly begun.
        if_waiting.push("\"not_before\" > '-infinity'".to_owned());
    }
    SqlDedup {
        fields: dedup.key.iter().map(|field| sql_literal(field)).collect(),
        if_waiting,
        limit: if first { 1 } else { SIDE_BY_SIDE },
        order: match dedup.keep {
            Keep::Debounce { .. } => "\"created_at\"",
            _ => "\"not_before\" NULLS FIRST, \"created_at\"",
        },
        takes_others: !first,
        sets,
    }
}

fn value(name: &str, value: impl Into<String>) -> SqlValue {
    SqlValue {
        name: name.to_owned(),
        value: value.into(),
    }
}

fn from_now(time: Duration) -> String {
    format!("pg_catalog.clock_timestamp() + {}", interval(time))
}

fn interval(time: Duration) -> String {
    let text = format!("{} milliseconds", time.as_millis());
    format!("{}::pg_catalog.interval", sql_literal(&text))
}
