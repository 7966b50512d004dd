//! A notification as its listener sees it, without the payload.

use chrono::{DateTime, Utc};

use crate::{Context, Op};

/// A durable notification.
#[derive(Clone, Debug)]
pub struct Notification {
    /// Number in the notification table: the idempotency key for effects outside of the database.
    pub id: i64,
    /// Channel.
    pub channel: String,
    /// The listener that is called.
    pub listener: String,
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
