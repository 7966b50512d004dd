//! The worker: serves listeners until it is told to stop.
//!
//! One session LISTENs and does nothing else; each of `concurrency` consumers has a session of its own, on which it claims
//! notifications in batches. A NOTIFY only says that a scan is worth while; what is delivered is what the scan finds.

mod batch;
mod careful;
mod claim;
mod connect;
mod consumer;
mod cursor;
mod delivery;
mod door;
mod event;
mod failure;
mod keys;
mod lane;
mod leftovers;
mod listening;
mod maintenance;
mod options;
mod pace;
mod panic;
mod selection;
mod shared;
mod startup;
mod timeout;
mod transient;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Config, NoTls, Socket};

use crate::{Error, ListenerSet};

pub use event::WorkerEvent;
pub use options::{Backoff, OnFailure, Retry};

use connect::Connector;
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
            listeners: None,
            options: Options::default(),
        }
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
    /// A running listener is not interrupted: a slow one holds the others of its batch for as long as it takes.
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
    #[must_use]
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.options.shutdown_timeout = timeout;
        self
    }

    /// Calls a function on what happens in the worker, for metrics and tests. It must not block.
    #[must_use]
    pub fn on_event(mut self, observer: impl Fn(WorkerEvent) + Send + Sync + 'static) -> Self {
        self.options.observer = Some(Arc::new(observer));
        self
    }

    /// Works until `shutdown` is ready; then claims nothing more, lets running listeners finish, and returns.
    ///
    /// A connection that is lost later is made again, with growing pauses, for as long as it takes.
    ///
    /// # Errors
    /// At the start: the server cannot be reached or is read-only, the migrations are not applied, or an option does not fit.
    /// Later only with [`OnFailure::Exit`]: the failure of a listener.
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        let timeout = self.options.shutdown_timeout;
        tokio::pin!(shutdown);
        let started = tokio::select! {
            started = startup::start(self.connector, self.listeners, self.options) => started,
            () = &mut shutdown => return Ok(()),
        };
        let shared = Arc::new(started?);

        let mut tasks = JoinSet::new();
        let transient = transient::Dispatcher::spawn(&shared, &mut tasks);
        tasks.spawn(listening::run(Arc::clone(&shared), transient));
        tasks.spawn(maintenance::run(Arc::clone(&shared)));
        if !shared.durable.is_empty() {
            for _ in 0..shared.options.concurrency {
                tasks.spawn(consumer::run(Arc::clone(&shared)));
            }
        }

        tokio::select! {
            () = shutdown => {}
            () = shared.stop.cancelled() => {}
            // Each task runs until the worker stops: one that ends before has panicked, for instance in the observer. A worker
            // that is half alive would be worse than none.
            Some(ended) = tasks.join_next() => shared.broke_down(ended),
        }
        shared.stop.cancel();
        let finished = tokio::time::timeout(timeout, async {
            while tasks.join_next().await.is_some() {}
        });
        if finished.await.is_err() {
            tracing::warn!(
                "listeners still run {timeout:?} after the shutdown signal; they are rolled back"
            );
            // Dropping a task closes its connection, which makes the server roll back.
            tasks.shutdown().await;
        }
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
