//! A notification as its listener sees it, without the payload.

use chrono::{DateTime, Utc};

use crate::{Context, Op};

/// A durable notification.
#[derive(Clone, Debug)]
pub struct Notification {
    /// Number in the notification table.
    pub id: i64,
    /// Group of listeners that this notification is for: each group has one of its own, with an id of its own.
    pub group: &'static str,
    /// Channel.
    pub channel: String,
    /// The listener that is called.
    pub listener: &'static str,
    /// What happened.
    pub op: Op,
    /// Version of the model's or message's shape when it was written.
    pub model_version: u32,
    /// Last applied migration when it was written, if that could be told.
    pub db_version: Option<String>,
    /// Transaction that wrote it.
    pub txid: u64,
    /// When it was written, within that transaction.
    pub created_at: DateTime<Utc>,
    /// Number of this attempt, from 1. An attempt that died with its process is counted from the second one on.
    pub attempt: u32,
    /// Context of the writer's transaction.
    pub context: Context,
}

impl Notification {
    /// Names this notification in every attempt, and no other one: for effects outside of the database, which can happen again
    /// if the process dies before the commit.
    ///
    /// It is `GROUP:ID`. Another group that processes the same event has another key, as its effects are others. Ids are those
    /// of one database: put the name of the environment before it, where several send to one receiver.
    pub fn idempotency_key(&self) -> String {
        format!("{}:{}", self.group, self.id)
    }
}

/// An event together with its notification: a listener that receives batches gets a slice of these.
#[derive(Clone, Debug)]
pub struct Received<T> {
    /// What a listener of single notifications would get as its event.
    pub event: T,
    /// Its notification, each with an id, attempts and a context of its own.
    pub notification: Notification,
}

/// A transient notification.
#[derive(Clone, Debug)]
pub struct TransientNotification {
    /// Identity of the notification, the same for all who receive it.
    pub id: uuid::Uuid,
    /// Channel.
    pub channel: String,
    /// The listener that is called.
    pub listener: String,
    /// What happened.
    pub op: Op,
    /// Version of the model's or message's shape when it was sent.
    pub model_version: u32,
    /// Last applied migration when it was sent, if that could be told.
    pub db_version: Option<String>,
    /// When it was sent, within its transaction.
    pub created_at: DateTime<Utc>,
    /// Context of the writer's transaction.
    pub context: Context,
}
