//! What a listener gets beside its event.

use tokio_postgres::Transaction;

use crate::{Notification, TransientNotification};

/// For a listener of a durable channel: the notification, and the transaction that removes it.
pub struct Cx<'a> {
    notification: &'a Notification,
    transaction: Transaction<'a>,
}

/// For a listener of a transient channel: the notification. There is no transaction, as nothing is stored.
pub struct TransientCx {
    notification: TransientNotification,
}

impl<'a> Cx<'a> {
    pub(crate) fn new(notification: &'a Notification, transaction: Transaction<'a>) -> Self {
        Self {
            notification,
            transaction,
        }
    }

    /// The transaction in which the notification is removed: what is written through it happens exactly once.
    ///
    /// It is a savepoint of that transaction: if the listener fails, what it wrote is undone, and nothing else.
    pub fn transaction(&self) -> &Transaction<'a> {
        &self.transaction
    }

    /// The same, mutable, for savepoints of the listener's own ([`Transaction::transaction`]).
    pub fn transaction_mut(&mut self) -> &mut Transaction<'a> {
        &mut self.transaction
    }

    /// The notification.
    pub fn notification(&self) -> &Notification {
        self.notification
    }

    pub(crate) fn into_transaction(self) -> Transaction<'a> {
        self.transaction
    }
}

impl TransientCx {
    pub(crate) fn new(notification: TransientNotification) -> Self {
        Self { notification }
    }

    /// The notification.
    pub fn notification(&self) -> &TransientNotification {
        &self.notification
    }
}
