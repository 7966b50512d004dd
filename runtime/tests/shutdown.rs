//! Promises of stopping.

#![allow(clippy::unwrap_used)] // A test may panic.

#[allow(dead_code)] // Each test uses some of it.
#[path = "support/proxy.rs"]
mod proxy;
mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc as blocking};
use std::time::{Duration, Instant};

use pgpubsub_runtime::generated::{BoxFuture, DurableHandler};
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::{Cx, Error, ListenerError, ListenerSet, Op, Shutdown, Worker, WorkerEvent};
use pgpubsub_testkit::Database;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config};

use proxy::Proxy;
use support::{CATALOG, DEADLINE, EFFECTS, WAITING, WORK, count, database, store, until};

/// Longer than any test.
const EVER: Duration = Duration::from_secs(3_600);
const FREE: &str = "SELECT count(*) FROM (SELECT FROM pgpubsub.notification WHERE attempts = 0 FOR UPDATE SKIP LOCKED) AS n";

/// Writes its effect; the `at`th call then does something that lasts.
struct Gate {
    calls: AtomicUsize,
    at: usize,
    then: Then,
    entered: mpsc::UnboundedSender<()>,
}

enum Then {
    /// Until it is told to go on.
    Wait(Arc<Notify>),
    /// For a lock, in a statement.
    Lock,
    /// And its thread with it.
    Block(Mutex<blocking::Receiver<()>>),
}

impl DurableHandler for Gate {
    fn call<'a>(
        &'a self,
        _: Op,
        _: &'a Value,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        Box::pin(async move {
            let insert = "INSERT INTO effect VALUES ('done')";
            cx.transaction().execute(insert, &[]).await?;
            if self.calls.fetch_add(1, Ordering::SeqCst) + 1 == self.at {
                self.entered.send(()).unwrap();
                match &self.then {
                    Then::Wait(gate) => gate.notified().await,
                    Then::Lock => {
                        let lock = "SELECT pg_advisory_xact_lock(1)";
                        cx.transaction().batch_execute(lock).await?;
                    }
                    Then::Block(gate) => gate.lock().unwrap().recv().unwrap(),
                }
            }
            Ok(())
        })
    }
}

struct Working {
    shutdown: Shutdown,
    task: JoinHandle<Result<(), Error>>,
    entered: mpsc::UnboundedReceiver<()>,
    events: mpsc::UnboundedReceiver<WorkerEvent>,
}

/// One consumer.
fn work(config: Config, at: usize, then: Then, timeout: Duration) -> Working {
    let (sender, entered) = mpsc::unbounded_channel();
    let gate = Gate {
        calls: AtomicUsize::new(0),
        at,
        then,
        entered: sender,
    };
    let mut set = ListenerSet::new(CATALOG);
    set.durable(WORK, gate);
    let (sender, events) = mpsc::unbounded_channel();
    let worker = Worker::new(config)
        .listeners(set)
        .concurrency(1)
        .shutdown_timeout(timeout)
        .dead_after(Duration::from_secs(2))
        .on_event(move |event| drop(sender.send(event)));
    let shutdown = Shutdown::new();
    let task = tokio::spawn(worker.run(shutdown.clone()));
    Working {
        shutdown,
        task,
        entered,
        events,
    }
}

impl Working {
    async fn ended(mut self) -> Vec<&'static str> {
        tokio::time::timeout(DEADLINE, self.task)
            .await
            .expect("no hang")
            .unwrap()
            .unwrap();
        let mut steps = Vec::new();
        while let Ok(event) = self.events.try_recv() {
            steps.extend(match event {
                WorkerEvent::Stopping => Some("stopping"),
                WorkerEvent::Cancelling => Some("cancelling"),
                WorkerEvent::Stopped => Some("stopped"),
                WorkerEvent::Failed { .. } => Some("failed"),
                _ => None,
            });
        }
        steps
    }
}

async fn set_up(jobs: i32) -> (Database, Client) {
    let (database, client) = database().await;
    store(&client, "work", &[("any", jobs)]).await;
    (database, client)
}

#[tokio::test]
async fn of_a_batch_in_hand_what_is_done_is_committed_and_what_is_not_begun_is_released() {
    // The first hundred of a session come one by one.
    let (database, client) = set_up(300).await;
    let gate = Arc::new(Notify::new());
    let then = Then::Wait(Arc::clone(&gate));
    let mut working = work(database.config(), 120, then, EVER);
    working.entered.recv().await.unwrap();
    assert!(count(&client, FREE).await < 180, "more than one is claimed");
    working.shutdown.request();
    while !matches!(working.events.recv().await, Some(WorkerEvent::Stopping)) {}
    gate.notify_one();
    assert_eq!(working.ended().await, ["stopped"]);
    assert_eq!(count(&client, EFFECTS).await, 120);
    assert_eq!(count(&client, WAITING).await, 180);
    until(&client, FREE, 180).await;
}

#[tokio::test]
async fn the_second_request_gives_up_a_statement_that_waits_and_frees_the_notification() {
    let (database, client) = set_up(1).await;
    let blocker = database.connect().await.unwrap();
    let lock = "SELECT pg_advisory_lock(1)";
    blocker.batch_execute(lock).await.unwrap();
    let mut working = work(database.config(), 1, Then::Lock, EVER);
    working.entered.recv().await.unwrap();
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'";
    until(&client, waits, 1).await;
    working.shutdown.request();
    assert!(working.shutdown.is_requested());
    while !matches!(working.events.recv().await, Some(WorkerEvent::Stopping)) {}
    for _ in 0..3 {
        working.shutdown.request();
    }
    assert_eq!(working.ended().await, ["cancelling", "stopped"]);
    // Although nobody has released the lock that it waited for.
    until(&client, FREE, 1).await;
    until(&client, waits, 0).await;
    assert_eq!(count(&client, EFFECTS).await, 0);
}

#[tokio::test]
async fn after_the_deadline_listeners_are_cancelled_without_a_second_request() {
    let (database, client) = set_up(1).await;
    let then = Then::Wait(Arc::new(Notify::new()));
    let mut working = work(database.config(), 1, then, Duration::from_millis(1));
    working.entered.recv().await.unwrap();
    working.shutdown.request();
    assert_eq!(working.ended().await, ["stopping", "cancelling", "stopped"]);
    until(&client, FREE, 1).await;
    assert_eq!(count(&client, EFFECTS).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_that_blocks_its_thread_holds_up_neither_the_stop_nor_the_notification() {
    let (database, client) = set_up(1).await;
    let (release, gate) = blocking::channel();
    let then = Then::Block(Mutex::new(gate));
    let mut working = work(database.config(), 1, then, Duration::from_millis(1));
    working.entered.recv().await.unwrap();
    working.shutdown.request();
    assert_eq!(working.ended().await, ["stopping", "cancelling", "stopped"]);
    // Only its thread could close the connection: the server ends the session that gives no sign of life.
    until(&client, FREE, 1).await;
    release.send(()).unwrap();
    assert_eq!(count(&client, EFFECTS).await, 0);
}

#[tokio::test]
async fn a_network_that_swallows_everything_does_not_hold_up_the_stop() {
    let (database, _client) = set_up(1).await;
    let proxy = Proxy::start(&database.config()).await;
    let config = proxy.config(&database.config());
    let gate = Arc::new(Notify::new());
    let then = Then::Wait(Arc::clone(&gate));
    let mut working = work(config.clone(), 1, then, Duration::from_millis(1));
    working.entered.recv().await.unwrap();
    proxy.swallow(true);
    gate.notify_one();
    let asked = Instant::now();
    working.shutdown.request();
    working.ended().await;
    assert!(asked.elapsed() < Duration::from_secs(30));

    // One that cannot even connect.
    let working = work(config, 1, Then::Lock, EVER);
    working.shutdown.request();
    assert_eq!(working.ended().await, [""; 0]);
}
