//! What an observer is told.

use std::time::Duration;

use chrono::{DateTime, Utc};

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
    /// The schedule of a channel was due, and this worker has sent its message.
    Fired {
        /// The channel.
        channel: String,
        /// The time that was planned.
        at: DateTime<Utc>,
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
    /// A listener with a lease ran on after its lease had ended: another worker has the notification, or has had it.
    LeaseLost {
        /// The listener.
        listener: &'static str,
        /// Number of the notification.
        id: i64,
    },
    /// What transient listeners hear has changed; also told to [`Worker::on_session`](crate::Worker::on_session).
    Session(SessionState),
    /// The queue of all that is sent with NOTIFY on this server fills up; once it is full, the transactions that send fail.
    ///
    /// A session that LISTENs and has a long transaction open holds it up, of whatever program.
    QueueFilling {
        /// How full it is, from 0 to 1.
        usage: f64,
    },
    /// Notifications wait that a newer program wrote: they are left for one that reads their version. For a transient one: it
    /// was not handed to the listener.
    TooNew {
        /// The listener.
        listener: &'static str,
        /// The highest version that was found.
        version: u32,
    },
    /// The worker was told to stop: it claims nothing more, and running listeners may finish.
    Stopping,
    /// Listeners still run at the deadline of the shutdown, or at its second signal: they are rolled back.
    Cancelling,
    /// The worker has stopped.
    Stopped,
}

/// What transient listeners hear: nothing keeps what is sent while a worker does not listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionState {
    /// The worker listens: what is sent from now on is heard.
    Connected,
    /// The listening session is lost, perhaps for some time already: what is sent is not heard.
    Lost,
    /// The worker listens again. What was sent since before [`SessionState::Lost`] is gone: reload what is kept up to date by
    /// transient notifications. What is sent after this call is heard.
    Resynced,
    /// The same for one listener, which did not get some notifications: too many were waiting for it, or what was too long for
    /// a NOTIFY could not be fetched.
    Missed {
        /// The listener.
        listener: &'static str,
        /// How many it did not get.
        count: u64,
    },
}
