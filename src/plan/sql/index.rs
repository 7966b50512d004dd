//! Indexes of the notification table that only some schemas need: each costs every writer, whether its row has a place in it or not.

use serde::Serialize;

use crate::history::Key;
use crate::model::{Channel, ChannelKind, MessageOptions, Schema};

use super::super::ident::{sql_ident, sql_literal};

/// A partial index.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SqlIndex {
    /// What it is called.
    #[serde(skip)]
    pub key: Key,
    /// Quoted, without schema.
    pub name: String,
    /// The same as a literal.
    pub literal: String,
    /// What it is for: a line.
    pub purpose: &'static str,
    /// Columns, as they stand in `CREATE INDEX`.
    pub columns: &'static str,
    /// Which rows it has.
    pub condition: &'static str,
}

/// Those that the channels of a schema need.
pub(super) fn plan(schema: &Schema) -> Vec<SqlIndex> {
    let any = |needs: fn(&Channel) -> bool| schema.channels.iter().any(needs);
    let index = |name: &str, purpose, columns, condition| SqlIndex {
        key: Key::Index {
            schema: schema.generate.storage_schema.clone(),
            index: name.to_owned(),
        },
        name: sql_ident(name),
        literal: sql_literal(name),
        purpose,
        columns,
        condition,
    };
    let mut indexes = Vec::new();
    if any(|channel| options(channel).is_some_and(|options| options.dedup.is_some())) {
        indexes.push(index(
            "notification_dedup",
            "Messages that may be folded into one. Not unique: a writer shall neither wait for another one nor fail because of it.",
            r#""dedup_key""#,
            r#""dedup_key" IS NOT NULL"#,
        ));
    }
    if any(|channel| channel.order.is_some()) {
        indexes.push(index(
            "notification_order",
            "The first of each key, for groups that have an order.",
            r#""listener_group", "order_key", "id""#,
            r#""order_key" IS NOT NULL"#,
        ));
    }
    if any(|channel| options(channel).is_some_and(|options| options.priority)) {
        indexes.push(index(
            "notification_urgent",
            "What does not wait behind the others.",
            r#""listener_group", "priority" DESC, "id""#,
            r#""priority" IS NOT NULL AND "not_before" IS NULL"#,
        ));
    }
    indexes
}

fn options(channel: &Channel) -> Option<&MessageOptions> {
    match &channel.kind {
        ChannelKind::Message { options, .. } => Some(options),
        ChannelKind::Trigger(_) => None,
    }
}
