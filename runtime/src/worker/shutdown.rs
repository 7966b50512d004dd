//! Stopping a worker, in three steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::WorkerEvent;
use super::careful;
use super::shared::Shared;

/// How long the last step may take, beside the deadline of the second.
const PATIENCE: Duration = Duration::from_secs(2);

/// Tells workers to stop, from anywhere: the first [`request`](Shutdown::request) to finish what they have begun, the second to
/// give it up. All clones are one.
///
/// ```ignore
/// let shutdown = Shutdown::new();
/// let signals = shutdown.clone();
/// tokio::spawn(async move {
///     while tokio::signal::ctrl_c().await.is_ok() {
///         signals.request(); // twice: now
///     }
/// });
/// worker.run(shutdown).await?;
/// ```
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    asked: Arc<AtomicBool>,
    stop: CancellationToken,
    now: CancellationToken,
}

impl Shutdown {
    /// Nothing is requested yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The first time: workers claim nothing more, let running listeners finish, commit, and end. After that: they cancel
    /// what still runs.
    pub fn request(&self) {
        if self.asked.swap(true, Ordering::SeqCst) {
            self.now.cancel();
        } else {
            self.stop.cancel();
        }
    }

    /// Whether workers have been told to stop.
    pub fn is_requested(&self) -> bool {
        self.stop.is_cancelled()
    }

    pub(super) async fn requested(&self) {
        self.stop.cancelled().await;
    }
}

/// Ends the tasks of a worker. Returns at the latest [`PATIENCE`] after the deadline or the second request.
pub(super) async fn finish(
    shared: &Arc<Shared>,
    mut tasks: JoinSet<()>,
    shutdown: &Shutdown,
    deadline: Duration,
) {
    // Consumers claim nothing more; of a batch in hand, they commit what is done and release what is not begun.
    shared.stop.cancel();
    shared.emit(WorkerEvent::Stopping);
    let why = tokio::select! {
        () = all(&mut tasks) => return,
        () = tokio::time::sleep(deadline) => format!("{deadline:?} after the shutdown signal"),
        () = shutdown.now.cancelled() => "at the second shutdown signal".to_owned(),
    };
    tracing::warn!("listeners still run {why}; they are rolled back");
    shared.emit(WorkerEvent::Cancelling);
    let over = async {
        shared
            .connector
            .sessions()
            .end_all(PATIENCE / 2, || tasks.abort_all())
            .await;
        // By itself: where a listener blocks its thread, the server ends the session that holds the notification, but later.
        let shared = Arc::clone(shared);
        let taken_back = tokio::spawn(async move {
            if let Err(error) = careful::take_back(&shared).await {
                tracing::warn!("an attempt that was cut off stays counted: {error}");
            }
        });
        all(&mut tasks).await;
        drop(taken_back.await);
    };
    if tokio::time::timeout(PATIENCE, over).await.is_err() {
        // Nothing can stop a thread, and the connection may be driven by it. When it lets go, its tasks are dropped.
        tracing::warn!(
            "a listener blocks its thread and cannot be cancelled: the worker ends without it, and its notifications are held until it lets go, the process ends, or PostgreSQL takes it for dead"
        );
    }
}

async fn all(tasks: &mut JoinSet<()>) {
    while tasks.join_next().await.is_some() {}
}
