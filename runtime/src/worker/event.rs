//! What an observer is told.

use std::time::Duration;

/// Something happened in a worker.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WorkerEvent {
    /// The listening session is up and LISTENs; a scan follows.
    Listening,
    /// A connection was lost or could not be made; the next try comes after the pause.
    Reconnecting {
        /// Until the next try.
        pause: Duration,
        /// Why.
        error: String,
    },
    /// A consumer found nothing to do.
    Idle,
    /// A notification was processed and removed; for a transient one, the listener returned.
    Delivered {
        /// The listener.
        listener: &'static str,
        /// Number of a durable notification.
        id: Option<i64>,
    },
    /// A listener failed; a durable notification is tried again, or goes to quarantine, which is told as well.
    Failed {
        /// The listener.
        listener: &'static str,
        /// Number of a durable notification.
        id: Option<i64>,
        /// Why.
        error: String,
    },
    /// A notification was not worth delivering any more: it was removed, and the listener not called.
    Expired {
        /// The listener.
        listener: &'static str,
        /// Number of the notification.
        id: i64,
    },
    /// A listener ran longer than its timeout and was cancelled; [`WorkerEvent::Failed`] follows.
    TimedOut {
        /// The listener.
        listener: &'static str,
        /// Number of a durable notification.
        id: Option<i64>,
        /// Its timeout.
        timeout: Duration,
    },
    /// A listener wants a notification later ([`ListenerError::retry_after`](crate::ListenerError::retry_after)).
    Snoozed {
        /// The listener.
        listener: &'static str,
        /// Number of the notification.
        id: i64,
        /// How much later.
        pause: Duration,
    },
    /// A listener does not want a notification ([`ListenerError::discard`](crate::ListenerError::discard)): it is removed.
    Discarded {
        /// The listener.
        listener: &'static str,
        /// Number of a durable notification.
        id: Option<i64>,
        /// Why.
        reason: String,
    },
    /// A notification is not tried any more: it was moved to quarantine, from where it can be put back.
    Quarantined {
        /// The listener.
        listener: &'static str,
        /// Number of the notification.
        id: i64,
        /// Why there; the error itself came with [`WorkerEvent::Failed`].
        reason: String,
    },
    /// A notification should have gone to quarantine, which is full: it stays, and goes there when there is room.
    QuarantineFull {
        /// The listener.
        listener: &'static str,
        /// Number of the notification.
        id: i64,
    },
    /// A transient notification was not handed to a listener that is too far behind.
    Dropped {
        /// The listener.
        listener: &'static str,
    },
    /// Notifications wait that a newer program wrote: they are left for one that reads their version. For a transient one: it
    /// was not handed to the listener.
    TooNew {
        /// The listener.
        listener: &'static str,
        /// The highest version that was found.
        version: u32,
    },
    /// The worker has stopped.
    Stopped,
}
