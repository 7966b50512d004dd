//! What a listener gets beside its event.

use tokio_postgres::Transaction;

use crate::batch_transaction::BatchTransaction;
use crate::{Notification, TransientNotification};

/// For a listener of a durable channel: the notification, and the transaction that removes it.
pub struct Cx<'a> {
    notification: Notification,
    transaction: BatchTransaction<'a>,
}

/// For a listener that receives batches: the transaction that removes their notifications, whose facts are with their events.
pub struct BatchCx<'a> {
    transaction: BatchTransaction<'a>,
}

/// For a listener of a durable channel that holds a lease: the notification. There is no transaction.
///
/// Such a listener runs at least once: if its worker is gone for as long as the lease lasts, another one begins. What it writes into a
/// database has a transaction of its own; [`Inbox::once`](crate::Inbox::once) with the
/// [idempotency key](crate::Notification::idempotency_key) of the notification makes that happen once.
pub struct LeaseCx {
    notification: Notification,
}

/// For a listener of a transient channel: the notification. There is no transaction, as nothing is stored.
pub struct TransientCx {
    notification: TransientNotification,
}

impl<'a> Cx<'a> {
    pub(crate) fn new(notification: Notification, transaction: BatchTransaction<'a>) -> Self {
        Self {
            notification,
            transaction,
        }
    }

    /// The transaction in which the notification is removed: what is written through it happens exactly once.
    ///
    /// The first call sets a savepoint in it, without a round trip: if the listener fails, what it wrote is undone, and nothing
    /// else. Do not keep an error of one of its statements to yourself: after one, the transaction takes no other, and the
    /// listener counts as failed.
    pub fn transaction(&self) -> &Transaction<'a> {
        self.transaction.within_savepoint()
    }

    /// The same, mutable, for savepoints of the listener's own ([`Transaction::transaction`]).
    pub fn transaction_mut(&mut self) -> &mut Transaction<'a> {
        self.transaction.within_savepoint_mut()
    }

    /// The notification.
    pub fn notification(&self) -> &Notification {
        &self.notification
    }

    pub(crate) fn into_transaction(self) -> BatchTransaction<'a> {
        self.transaction
    }
}

impl<'a> BatchCx<'a> {
    pub(crate) fn new(transaction: BatchTransaction<'a>) -> Self {
        Self { transaction }
    }

    /// The transaction in which the notifications are removed: what is written through it happens exactly once, for all events
    /// of the call or for none. Beyond that, as [`Cx::transaction`].
    pub fn transaction(&self) -> &Transaction<'a> {
        self.transaction.within_savepoint()
    }

    /// The same, mutable, for savepoints of the listener's own ([`Transaction::transaction`]).
    pub fn transaction_mut(&mut self) -> &mut Transaction<'a> {
        self.transaction.within_savepoint_mut()
    }

    pub(crate) fn into_transaction(self) -> BatchTransaction<'a> {
        self.transaction
    }
}

impl LeaseCx {
    pub(crate) fn new(notification: Notification) -> Self {
        Self { notification }
    }

    /// The notification.
    pub fn notification(&self) -> &Notification {
        &self.notification
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
