//! Order: which groups get a channel's notifications in an order, and by which key.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::Serialize;

use crate::model::builtin::Setting;
use crate::model::{Channel, ChannelKind, Level, Op, Order, PgType, Schema, TriggerChannel};

use super::super::ident::{sql_ident, sql_literal};
use super::super::rust_types::{payload_cast, text_settings};
use super::condition::Rows;
use super::qualified;

/// A group that gets a copy of a notification.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SqlGroup {
    /// Its name, as a literal.
    pub name: String,
    /// Its name.
    #[serde(skip)]
    pub unquoted: String,
    /// Order key of its copy: an expression.
    pub order_key: &'static str,
}

/// One key for all notifications of a channel.
const TOTAL: &str = "'[]'";
/// What a function has made of the row or message.
const MADE: &str = "_order_key";
/// It comes in no order, to a group that has others in order: the index that those are found by has it, too.
const UNORDERED: &str = "''";
/// A group without order; no index has it.
const NO_ORDER: &str = "NULL";

/// Groups with a listener for an operation of a channel.
pub(super) struct Groups {
    groups: HashMap<(usize, Op), Vec<SqlGroup>>,
}

impl Groups {
    pub(super) fn new(schema: &Schema) -> Self {
        let ordered: HashSet<&str> = schema
            .listeners
            .iter()
            .filter(|listener| {
                let mut channels = listener.channels.iter();
                channels.any(|taken| schema.channels[taken.channel].order.is_some())
            })
            .map(|listener| listener.group.as_str())
            .collect();
        let mut groups: HashMap<(usize, Op), Vec<SqlGroup>> = HashMap::new();
        for listener in &schema.listeners {
            for subscription in &listener.channels {
                let order = schema.channels[subscription.channel].order.as_ref();
                for op in &subscription.ops {
                    let group = SqlGroup {
                        name: sql_literal(&listener.group),
                        unquoted: listener.group.clone(),
                        order_key: match order {
                            Some(Order::Total) => TOTAL,
                            // A truncate has no row.
                            Some(Order::Key(_)) if *op != Op::Truncate => MADE,
                            _ if ordered.contains(listener.group.as_str()) => UNORDERED,
                            _ => NO_ORDER,
                        },
                    };
                    let there = groups.entry((subscription.channel, *op)).or_default();
                    if !there.contains(&group) {
                        there.push(group);
                    }
                }
            }
        }
        Self { groups }
    }

    /// In order of the file, each once.
    pub(super) fn of(&self, channel: usize, op: Op) -> Vec<SqlGroup> {
        self.groups.get(&(channel, op)).cloned().unwrap_or_default()
    }
}

pub(super) fn is_ordered(groups: &[SqlGroup]) -> bool {
    groups.iter().any(|group| group.order_key != NO_ORDER)
}

/// The key of a message, `$1`.
pub(super) fn of_message(schema: &Schema, channel: &Channel) -> Option<String> {
    let (Some(Order::Key(key)), ChannelKind::Message { fields, .. }) =
        (&channel.order, &channel.kind)
    else {
        return None;
    };
    let names: Vec<String> = key
        .iter()
        .map(|field| sql_literal(&fields[*field].name))
        .collect();
    let function = qualified(&schema.generate.storage_schema, "message_key");
    Some(format!("{function}($1, ARRAY[{}])", names.join(", ")))
}

/// The key of a row, and the values that it is made of.
///
/// An update that changes it belongs to the new one.
pub(super) fn of_row(
    schema: &Schema,
    channel: &Channel,
    on: &TriggerChannel,
    op: Op,
    rows: Rows,
    needed: &mut BTreeSet<Setting>,
) -> (Option<String>, Vec<String>) {
    let Some(Order::Key(key)) = &channel.order else {
        return (None, Vec::new());
    };
    let records: &[&str] = match (op, rows) {
        (Op::Truncate | Op::Message, _) => return (None, Vec::new()),
        (Op::Insert | Op::Update, Rows::Records) => &["NEW"],
        (Op::Delete, Rows::Records) => &["OLD"],
        (Op::Insert, Rows::Tables) => &["\"new\""],
        (Op::Delete, Rows::Tables) => &["\"old\""],
        // A row whose primary key was changed has no partner.
        (Op::Update, Rows::Tables) => &["\"new\"", "\"old\""],
    };
    let model = &schema.models[on.model];
    let function = qualified(&schema.generate.storage_schema, "order_key");
    let mut values = Vec::new();
    let mut keys: Vec<String> = Vec::new();
    for record in records {
        let parts: Vec<String> = key
            .iter()
            .map(|column| {
                let column = &model.columns[*column];
                needed.extend(text_settings(&column.ty, &schema.types));
                let name = sql_ident(&column.column);
                format!("{record}.{name}{}", text_cast(&column.ty, schema))
            })
            .collect();
        keys.push(format!("{function}(ARRAY[{}])", parts.join(", ")));
        values.extend(parts);
    }
    let whole = match keys.as_slice() {
        [new, old] => {
            let paired = model.columns.iter().find(|column| column.primary_key);
            let paired = paired.map_or_else(String::new, |column| sql_ident(&column.column));
            format!("CASE WHEN \"new\".{paired} IS NOT NULL THEN {new} ELSE {old} END")
        }
        keys => keys.join(""),
    };
    debug_assert!(records.len() == 1 || on.level == Level::Statement);
    (Some(whole), values)
}

/// Makes a text of a value, the same under all settings.
fn text_cast(ty: &PgType, schema: &Schema) -> String {
    const TEXT: &str = "::pg_catalog.text";
    let cast = payload_cast(ty, &schema.types);
    if cast.ends_with(TEXT) {
        cast.to_owned()
    } else {
        format!("{cast}{TEXT}")
    }
}
