//! What the tasks of a worker share.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use super::alarm::Alarm;
use super::bounds::Role;
use super::careful::Attempts;
use super::connect::{Connector, Session};
use super::door::Rest;
use super::leftovers::Leftovers;
use super::options::Options;
use super::retention::Keeps;
use super::{OnFailure, SessionState, WorkerEvent};
use crate::Error;
use crate::error::Kind;
use crate::generated::{ListenerSpec, TransientHandler, Wake};
use crate::listener_set::Handler;
use crate::sql::Sql;

pub(super) struct Shared {
    pub connector: Connector,
    /// Where to listen; None: nowhere.
    pub session: Option<Connector>,
    pub sql: Sql,
    pub options: Options,
    pub durable: Vec<Durable>,
    pub transient: Vec<Transient>,
    /// Notifications up to this id are left alone.
    pub floor: i64,
    /// Something may be there: wakes one consumer, who wakes the next if it finds something.
    pub wake: Notify,
    /// Something will be due.
    pub alarm: Alarm,
    pub rest: Rest,
    /// Channels of this program send by themselves, whether they are served here or not.
    pub has_schedules: bool,
    pub stop: CancellationToken,
    /// Attempts that were counted when they began, and have not come to an end.
    pub counted: Attempts,
    pub failure: Mutex<Option<Error>>,
    /// Listeners and versions that [`Shared::too_new`] has told of.
    pub said_too_new: Mutex<HashSet<(&'static str, u32)>>,
}

/// A listener of a durable channel.
pub(super) struct Durable {
    pub spec: ListenerSpec,
    pub handler: Handler,
    /// The group that it is served for: that of the listener, or a former one.
    pub group: &'static str,
    /// What it asked for: channel and operation, with a blank between them.
    pub wanted: Vec<String>,
    /// Highest version of each that the code reads.
    pub versions: Vec<i64>,
    /// JSON object that the context must contain.
    pub filter: Option<String>,
    /// What is kept of it after it was processed.
    pub keeps: Option<Keeps>,
    /// Whether some of what is stored for the group comes one after the other.
    pub ordered: bool,
    /// If so: when to look for what was stored before.
    pub leftovers: Arc<Leftovers>,
}

/// A listener of a transient channel.
pub(super) struct Transient {
    pub spec: ListenerSpec,
    pub handler: Arc<dyn TransientHandler>,
    pub filter: Vec<(String, String)>,
}

impl Durable {
    /// Whether senders of one of its channels may say that a message is urgent.
    pub(super) fn is_urgent(&self) -> bool {
        let mut subscriptions = self.spec.subscriptions.iter();
        subscriptions.any(|subscription| subscription.channel.urgent)
    }
}

impl Shared {
    /// Opens a session, unless the worker stops before the server answers, which one that is not there may never do.
    pub(super) async fn connect(&self, role: Role) -> Result<Session, Error> {
        self.connect_by(&self.connector, role).await
    }

    /// The same, with another connector than that for work.
    pub(super) async fn connect_by(
        &self,
        connector: &Connector,
        role: Role,
    ) -> Result<Session, Error> {
        tokio::select! {
            session = connector.connect(role) => session,
            () = self.stop.cancelled() => {
                Err(Error::new(Kind::Connect, "the worker stops: no connection is made any more"))
            }
        }
    }

    pub(super) fn emit(&self, event: WorkerEvent) {
        self.options.emit(event);
    }

    /// Tells the application what its transient listeners hear.
    pub(super) fn session(&self, state: SessionState) {
        self.emit(WorkerEvent::Session(state));
        if let Some(told) = &self.options.on_session {
            told(state);
        }
    }

    /// How long a consumer rests at most.
    pub(super) fn poll_interval(&self) -> Duration {
        let mut wakes = self.durable.iter().flat_map(|entry| entry.spec.wakes());
        let options = &self.options;
        match wakes.any(|wake| wake == Wake::Poll) {
            true => options.poll_interval.min(options.short_poll_interval),
            false => options.poll_interval,
        }
    }

    /// Wakes a consumer after a pause, unless it polls before that anyway.
    pub(super) fn wake_after(self: &Arc<Self>, pause: Duration) {
        if pause >= self.poll_interval() {
            return;
        }
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(pause) => shared.wake.notify_one(),
                () = shared.stop.cancelled() => {}
            }
        });
    }

    /// A listener failed; stops the worker, if it was told to.
    pub(super) fn failed(&self, listener: &'static str, id: Option<i64>, error: &str) {
        let which = id.map_or_else(
            || "a transient notification".to_owned(),
            |id| format!("notification {id}"),
        );
        tracing::error!(listener, id, "the listener failed on {which}: {error}");
        self.emit(WorkerEvent::Failed {
            listener,
            id,
            error: error.to_owned(),
        });
        if self.options.on_failure == OnFailure::Exit {
            let message = format!("listener `{listener}` failed on {which}: {error}");
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            failure.get_or_insert_with(|| Error::new(Kind::Listener, message));
            self.stop.cancel();
        }
    }

    /// Something is there that only newer code reads; said once for each listener and version.
    pub(super) fn too_new(&self, listener: &'static str, version: u32) {
        let mut said = self
            .said_too_new
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if said.insert((listener, version)) {
            tracing::warn!(
                listener,
                version,
                "notifications of version {version} are left alone: only a newer program reads them"
            );
            self.emit(WorkerEvent::TooNew { listener, version });
        }
    }

    /// A task of the worker has ended, which it does not do by itself.
    pub(super) fn broke_down(&self, ended: Result<(), JoinError>) {
        if let Err(error) = ended {
            let message = format!("a task of the worker has ended: {error}");
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            failure.get_or_insert_with(|| Error::new(Kind::BrokenDown, message));
        }
    }

    pub(super) fn take_failure(&self) -> Option<Error> {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Waits before the next connection; false if the worker stops.
    pub(super) async fn pause_before_reconnect(&self, failures: u32, error: &str) -> bool {
        if self.stop.is_cancelled() {
            return false;
        }
        let pause = self.options.reconnecting(failures, error);
        tokio::select! {
            () = tokio::time::sleep(pause) => true,
            () = self.stop.cancelled() => false,
        }
    }
}
