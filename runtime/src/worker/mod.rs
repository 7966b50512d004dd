//! The worker: serves listeners until it is told to stop.
//!
//! One session LISTENs and does nothing else; each of `concurrency` consumers has a session of its own, on which it claims
//! notifications in batches. A NOTIFY only says that a scan is worth while; what is delivered is what the scan finds.

mod alarm;
mod batch;
mod bounds;
mod careful;
mod claim;
mod connect;
mod consumer;
mod cursor;
mod delivery;
mod door;
mod event;
mod failure;
mod heartbeat;
mod hosts;
mod inbox;
mod keys;
mod lane;
mod lease;
mod leftovers;
mod listening;
mod lookout;
mod maintenance;
mod options;
mod pace;
mod panic;
mod retention;
mod schedule;
mod selection;
mod sessions;
mod shared;
mod shutdown;
mod slices;
mod startup;
mod statement;
mod timeout;
mod transient;
mod trickle;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Config, NoTls, Socket};

use crate::{Error, ListenerSet};

pub use event::{SessionState, WorkerEvent};
pub use options::{Backoff, OnFailure, Retry};
pub use shutdown::Shutdown;

use bounds::Way;
use connect::{Connector, Listen};
use options::Options;

/// Serves listeners: claims what is stored for them, and hands on what is sent.
///
/// ```ignore
/// Worker::new("postgres://localhost/app".parse()?)
///     .listeners(pubsub::Listeners::all(app))
///     .concurrency(4)
///     .run_until(async { tokio::signal::ctrl_c().await.ok(); })
///     .await?;
/// ```
pub struct Worker {
    connector: Connector,
    listen: Listen,
    listeners: Option<ListenerSet>,
    options: Options,
}

impl Worker {
    /// A worker that connects without TLS.
    pub fn new(config: Config) -> Self {
        Self::with_tls(config, NoTls)
    }

    /// A worker that connects with TLS, for instance of tokio-postgres-rustls.
    pub fn with_tls<T>(config: Config, tls: T) -> Self
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        Self {
            connector: Connector::new(config, tls),
            listen: Listen::WhereWorkIsDone,
            listeners: None,
            options: Options::default(),
        }
    }

    /// Where to listen, if the configuration of [`Worker::new`] goes through a pooler in transaction mode, such as PgBouncer.
    ///
    /// This one must go to PostgreSQL itself, or through a pooler in session mode: a session that listens has to stay. One is
    /// enough for each worker. Without TLS.
    #[must_use]
    pub fn session(self, config: Config) -> Self {
        self.session_with_tls(config, NoTls)
    }

    /// The same with TLS.
    #[must_use]
    pub fn session_with_tls<T>(mut self, config: Config, tls: T) -> Self
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        self.connector = self.connector.by(Way::Pooled);
        self.listen = Listen::On(Box::new(Connector::new(config, tls)));
        self
    }

    /// Works through a pooler in transaction mode, without a session of its own: it does not listen, and looks for notifications
    /// once in each [`Worker::poll_interval`]. Listeners of transient channels cannot be served so.
    #[must_use]
    pub fn polling(mut self) -> Self {
        self.connector = self.connector.by(Way::Pooled);
        self.listen = Listen::Never;
        self
    }

    /// The listeners to serve.
    #[must_use]
    pub fn listeners(mut self, listeners: impl Into<ListenerSet>) -> Self {
        self.listeners = Some(listeners.into());
        self
    }

    /// Serves only these listeners, channels or groups. An unknown name is an error when the worker starts.
    #[must_use]
    pub fn only<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.options.only = names.into_iter().map(Into::into).collect();
        self
    }

    /// How many durable notifications are processed at the same time, each on a connection of its own. Default 4.
    ///
    /// Each of these consumers claims a batch ([`Worker::batch`]) and works it off one after the other.
    #[must_use]
    pub fn concurrency(mut self, consumers: usize) -> Self {
        self.options.concurrency = consumers.max(1);
        self
    }

    /// How many notifications of a listener a consumer claims at once, at most. Default 100; 1 for one transaction each.
    ///
    /// A batch is claimed, removed and committed together, which saves most of the time that a quick listener takes. How many
    /// are claimed follows the listener: at first one, then more as long as they are quick, and one again when they are slow.
    /// Each still succeeds or fails by itself, unless the commit fails or the process dies: then nothing of the batch has
    /// happened, and each is delivered again. With 1, no notification ever waits behind another one of its consumer.
    #[must_use]
    pub fn batch(mut self, most: usize) -> Self {
        self.options.batch = most.clamp(1, 10_000);
        self
    }

    /// How long a batch may take before it is committed, the rest of it left to whoever claims it next. Default 50 ms.
    ///
    /// A running listener is not interrupted: a slow one holds the others of its batch for as long as it takes. A listener that
    /// receives batches may take longer for one call, however many that is for.
    #[must_use]
    pub fn batch_time(mut self, time: Duration) -> Self {
        self.options.batch_time = time;
        self
    }

    /// Whether what was stored before this worker started is processed too. Default: yes.
    ///
    /// Without recovery, a notification of a transaction that was under way when the worker started may be left as well.
    #[must_use]
    pub fn recovery(mut self, recovery: bool) -> Self {
        self.options.recovery = recovery;
        self
    }

    /// How long an idle consumer waits for a wake-up before it looks by itself. Default 5 s.
    #[must_use]
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.options.poll_interval = interval;
        self
    }

    /// The same for a worker that serves a channel with `wake: poll`, whose writers wake nobody. Default 1 s.
    #[must_use]
    pub fn short_poll_interval(mut self, interval: Duration) -> Self {
        self.options.short_poll_interval = interval;
        self
    }

    /// Times between the attempts of a notification that fails, for listeners whose `retry` does not say.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.options.backoff = backoff;
        self
    }

    /// How many notifications the quarantine of the storage takes. Default: any number.
    ///
    /// Nothing is lost when it is full: what would go there stays, is not tried any more, and goes there when there is room, which
    /// is looked for after each longest pause. Workers that fill it at the same moment may each add one.
    #[must_use]
    pub fn quarantine_limit(mut self, notifications: u64) -> Self {
        self.options.quarantine_limit = Some(i64::try_from(notifications).unwrap_or(i64::MAX));
        self
    }

    /// What a failing listener does to the worker. Default: [`OnFailure::CarryOn`].
    #[must_use]
    pub fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.options.on_failure = on_failure;
        self
    }

    /// How long running listeners may go on after the shutdown signal; then they are rolled back. Default 30 s.
    ///
    /// See [`Worker::run`] for what happens when.
    #[must_use]
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.options.shutdown_timeout = timeout;
        self
    }

    /// After so long without a sign of life the server ends the sessions of this worker, and others get what it held.
    /// Default 60 s; zero: as the server is set.
    ///
    /// A process that ends, however it does, gives back at once what it held. This is for one that stands still, and for a
    /// machine or a network that is gone without a word. The sessions get `idle_in_transaction_session_timeout`, keepalives
    /// and `tcp_user_timeout` that add up to it. A listener may take longer: the worker gives the signs of life for it, unless
    /// the listener blocks its thread for as long. A lease (`hold: lease`) lasts as long, and is renewed.
    #[must_use]
    pub fn dead_after(mut self, silence: Duration) -> Self {
        self.options.dead_after = silence;
        self
    }

    /// How long the inbox ([`Inbox`](crate::Inbox)) of the storage remembers ids; `None`: for ever. Default 30 days.
    #[must_use]
    pub fn inbox_retention(mut self, age: impl Into<Option<Duration>>) -> Self {
        self.options.inbox_retention = age.into();
        self
    }

    /// How often the listening session is checked. Default 10 s.
    ///
    /// Each check, as everything that this session and an idle consumer ask of the server, has to be answered within the same
    /// time again; else the session is given up and another one is made. So a dead connection is noticed within twice this time,
    /// whatever the network says. At least 100 ms.
    #[must_use]
    pub fn heartbeat(mut self, interval: Duration) -> Self {
        self.options.heartbeat = interval.max(Duration::from_millis(100));
        self
    }

    /// Calls a function when what transient listeners hear changes, so that they reload what they may have missed. It must not
    /// block: let it set a flag, or send to a task.
    #[must_use]
    pub fn on_session(mut self, told: impl Fn(SessionState) + Send + Sync + 'static) -> Self {
        self.options.on_session = Some(Arc::new(told));
        self
    }

    /// Calls a function on what happens in the worker, for metrics and tests. It must not block.
    #[must_use]
    pub fn on_event(mut self, observer: impl Fn(WorkerEvent) + Send + Sync + 'static) -> Self {
        self.options.observer = Some(Arc::new(observer));
        self
    }

    /// Works until `shutdown` is ready; then stops as [`Worker::run`] does at its first request.
    ///
    /// # Errors
    /// Those of [`Worker::run`].
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        let requested = Shutdown::new();
        let run = self.run(requested.clone());
        tokio::pin!(run);
        tokio::select! {
            ended = &mut run => return ended,
            () = shutdown => requested.request(),
        }
        run.await
    }

    /// Works until it is told to stop, and then stops in three steps.
    ///
    /// 1. At the first request it claims nothing more. Of a batch in hand, what is done is committed, and what is not begun is
    ///    released for others.
    /// 2. Running listeners may finish until [`Worker::shutdown_timeout`] is over.
    /// 3. Then, or at the second request, they are cancelled: their statements are given up and their transactions rolled back,
    ///    with all of a batch in hand. Attempts are not counted; the notifications are free for others.
    ///
    /// It returns two seconds after the last step began at the latest. The one thing that nobody can cancel is a listener that blocks
    /// its thread: the worker returns without it, if another thread of the runtime is left to do so, and its transaction is
    /// rolled back when it lets go or the process ends. (A runtime of tokio waits for its threads when it is dropped:
    /// `std::process::exit` does not.)
    ///
    /// A connection that is lost while it works is made again, with growing pauses (100 ms to 10 s), for as long as it takes. Of several
    /// hosts, the first that accepts writes is taken each time.
    ///
    /// # Errors
    /// At the start: the server cannot be reached (one that is starting or full is waited for) or is read-only, the migrations are not applied, or an option does not fit.
    /// Later only with [`OnFailure::Exit`]: the failure of a listener.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), Error> {
        let deadline = self.options.shutdown_timeout;
        let started = tokio::select! {
            started = startup::start(self.connector, self.listen, self.listeners, self.options) => started,
            () = shutdown.requested() => return Ok(()),
        };
        let shared = Arc::new(started?);

        let mut tasks = JoinSet::new();
        let transient = transient::Dispatcher::spawn(&shared, &mut tasks);
        if let Some(session) = shared.session.clone() {
            tasks.spawn(listening::run(Arc::clone(&shared), session, transient));
        } else {
            let interval = shared.poll_interval();
            tracing::info!(
                "the worker does not listen: it looks for notifications every {interval:?}"
            );
        }
        tasks.spawn(maintenance::run(Arc::clone(&shared)));
        tasks.spawn(alarm::run(Arc::clone(&shared)));
        if shared.has_schedules {
            tasks.spawn(schedule::run(Arc::clone(&shared)));
        }
        if !shared.durable.is_empty() {
            for _ in 0..shared.options.concurrency {
                tasks.spawn(consumer::run(Arc::clone(&shared)));
            }
        }

        tokio::select! {
            () = shutdown.requested() => {}
            () = shared.stop.cancelled() => {}
            // Each task runs until the worker stops: one that ends before has panicked, for instance in the observer. A worker
            // that is half alive would be worse than none.
            Some(ended) = tasks.join_next() => shared.broke_down(ended),
        }
        shutdown::finish(&shared, tasks, &shutdown, deadline).await;
        shared.emit(WorkerEvent::Stopped);
        shared.take_failure().map_or(Ok(()), Err)
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("listeners", &self.listeners)
            .finish_non_exhaustive()
    }
}
