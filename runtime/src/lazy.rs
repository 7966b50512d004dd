//! A payload that is fetched only if its listener asks for it.

use std::fmt;

use serde_json::Value;
use tokio_postgres::types::Type;

use crate::generated::{BoxFuture, LazyHandler};
use crate::payload::DecodeError;
use crate::sql::Sql;
use crate::{Cx, ListenerError, Notification};

/// An event whose payload is still in the database: what a listener gets that receives lazily.
///
/// The notification's facts ([`Cx::notification`]) are there without it.
pub struct Lazy<T> {
    /// Of its notification.
    id: i64,
    storage_schema: &'static str,
    decode: Decode<T>,
}

type Decode<T> = fn(&Notification, &Value) -> Result<T, DecodeError>;

/// A listener that gets a [`Lazy`], without its types.
pub(crate) trait Deferred: Send + Sync {
    /// Calls the listener.
    fn call<'a>(&'a self, cx: &'a mut Cx<'_>) -> BoxFuture<'a, Result<(), ListenerError>>;
}

/// What implements the listener.
pub(crate) struct Deferring<H> {
    handler: H,
    storage_schema: &'static str,
}

impl<T> Lazy<T> {
    /// Fetches the payload, in the transaction of the notification, and decodes it: one round trip each time.
    ///
    /// Give it the `cx` with which it came.
    ///
    /// # Errors
    /// The payload does not decode; the connection is gone; it is the `cx` of another notification; or one of the listener's own
    /// statements has failed before. Return it, as any error of a statement.
    pub async fn load(&self, cx: &Cx<'_>) -> Result<T, ListenerError> {
        let notification = cx.notification();
        if notification.id != self.id {
            return Err("a lazy event was loaded with the `cx` of another notification".into());
        }
        let sql = Sql::new(self.storage_schema).payload();
        let rows = cx
            .transaction()
            .query_typed(
                &sql,
                &[
                    (&notification.group, Type::TEXT),
                    (&notification.id, Type::INT8),
                ],
            )
            .await?;
        let row = rows.first().ok_or("the notification is gone")?;
        let payload = serde_json::from_str(row.get(0))
            .map_err(|error| format!("the payload does not decode: {error}"))?;
        (self.decode)(notification, &payload).map_err(ListenerError::decode)
    }
}

impl<T> fmt::Debug for Lazy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lazy")
    }
}

impl<H> Deferring<H> {
    pub(crate) fn new(handler: H, storage_schema: &'static str) -> Self {
        Self {
            handler,
            storage_schema,
        }
    }
}

impl<H: LazyHandler> Deferred for Deferring<H> {
    fn call<'a>(&'a self, cx: &'a mut Cx<'_>) -> BoxFuture<'a, Result<(), ListenerError>> {
        let event = Lazy {
            id: cx.notification().id,
            storage_schema: self.storage_schema,
            decode: H::decode,
        };
        self.handler.call(event, cx)
    }
}
