//! Promises of listeners that hold a lease.

#![allow(clippy::unwrap_used)] // A test may panic.

#[allow(dead_code)] // Each test uses some of it.
#[path = "support/proxy.rs"]
mod proxy;
mod support;

use std::sync::Arc;
use std::time::Duration;

use pgpubsub_runtime::generated::{BoxFuture, LeaseHandler};
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::{
    Backoff, Error, LeaseCx, ListenerError, ListenerSet, Op, Shutdown, Worker, WorkerEvent,
};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_postgres::Config;

use proxy::Proxy;
use support::{CATALOG, DEADLINE, WAITING, WORK, count, database, store, until};

const SHORT: Duration = Duration::from_secs(2);
const LONG: Duration = Duration::from_secs(60);

/// Says which attempt has begun, and goes on when it is told to; `fail` fails the first time.
struct Hold {
    entered: mpsc::UnboundedSender<u32>,
    go_on: Arc<Notify>,
}

impl LeaseHandler for Hold {
    fn call<'a>(
        &'a self,
        _: Op,
        job: &'a Value,
        cx: &'a mut LeaseCx,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        Box::pin(async move {
            let attempt = cx.notification().attempt;
            self.entered.send(attempt)?;
            self.go_on.notified().await;
            if job["do"] == "fail" && attempt == 1 {
                return Err("told to".into());
            }
            Ok(())
        })
    }
}

struct Working {
    entered: mpsc::UnboundedReceiver<u32>,
    go_on: Arc<Notify>,
    events: mpsc::UnboundedReceiver<WorkerEvent>,
    shutdown: Shutdown,
    task: JoinHandle<Result<(), Error>>,
}

impl Working {
    fn start(config: Config, lease: Duration) -> Self {
        let (sender, entered) = mpsc::unbounded_channel();
        let go_on = Arc::new(Notify::new());
        let hold = Hold {
            entered: sender,
            go_on: Arc::clone(&go_on),
        };
        let mut set = ListenerSet::new(CATALOG);
        set.lease(WORK, hold);
        let (sender, events) = mpsc::unbounded_channel();
        let pause = Duration::from_millis(20);
        let worker = Worker::new(config)
            .listeners(set)
            .concurrency(1)
            .dead_after(lease)
            .poll_interval(Duration::from_millis(100))
            .backoff(Backoff {
                first: pause,
                max: pause,
            })
            .on_event(move |event| drop(sender.send(event)));
        let shutdown = Shutdown::new();
        let task = tokio::spawn(worker.run(shutdown.clone()));
        Self {
            entered,
            go_on,
            events,
            shutdown,
            task,
        }
    }

    async fn attempt(&mut self) -> u32 {
        let entered = tokio::time::timeout(DEADLINE, self.entered.recv());
        entered.await.expect("in time").unwrap()
    }

    async fn lost(&mut self) {
        let lost = async {
            while !matches!(
                self.events.recv().await.unwrap(),
                WorkerEvent::LeaseLost { .. }
            ) {}
        };
        tokio::time::timeout(DEADLINE, lost).await.expect("in time");
    }

    /// Returns the attempts that nobody has asked for.
    async fn stop(mut self) -> Vec<u32> {
        if !self.shutdown.is_requested() {
            self.shutdown.request();
        }
        tokio::time::timeout(DEADLINE, self.task)
            .await
            .expect("no hang")
            .unwrap()
            .unwrap();
        let mut attempts = Vec::new();
        while let Ok(attempt) = self.entered.try_recv() {
            attempts.push(attempt);
        }
        attempts
    }
}

#[tokio::test]
async fn a_listener_with_a_lease_runs_without_a_transaction_and_once_if_nothing_happens() {
    let (database, client) = database().await;
    store(&client, "work", &[("any", 1)]).await;
    let mut working = Working::start(database.config(), LONG);
    assert_eq!(working.attempt().await, 1);
    let transactions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                        AND application_name = 'pgpubsub consumer' AND xact_start IS NOT NULL";
    assert_eq!(count(&client, transactions).await, 0);
    let leased = "SELECT count(*) FROM pgpubsub.notification
                  WHERE attempts = 1 AND not_before BETWEEN now() AND now() + interval '60 s'";
    assert_eq!(count(&client, leased).await, 1);
    working.go_on.notify_one();
    until(&client, WAITING, 0).await;
    assert!(working.stop().await.is_empty());
}

#[tokio::test]
async fn a_lease_is_renewed_for_as_long_as_the_listener_takes() {
    let (database, client) = database().await;
    store(&client, "work", &[("any", 1)]).await;
    let mut working = Working::start(database.config(), SHORT);
    let mut other = Working::start(database.config(), SHORT);
    let first = tokio::select! {
        attempt = working.attempt() => attempt,
        attempt = other.attempt() => attempt,
    };
    assert_eq!(first, 1);
    let old = "SELECT count(*) FROM pgpubsub.notification
               WHERE created_at < now() - interval '6 s' AND not_before > now()";
    until(&client, old, 1).await;
    for worker in [&working, &other] {
        worker.go_on.notify_one();
    }
    until(&client, WAITING, 0).await;
    assert!(working.stop().await.is_empty() && other.stop().await.is_empty());
}

#[tokio::test]
async fn the_lease_of_a_silent_worker_ends_and_it_changes_nothing_of_what_the_next_one_does() {
    let (database, client) = database().await;
    store(&client, "work", &[("any", 1)]).await;
    let proxy = Proxy::start(&database.config()).await;
    let mut silent = Working::start(proxy.config(&database.config()), SHORT);
    assert_eq!(silent.attempt().await, 1);
    proxy.swallow(true);
    let mut next = Working::start(database.config(), SHORT);
    assert_eq!(next.attempt().await, 2);
    // The first comes back with its work done, in the middle of the second attempt.
    silent.go_on.notify_one();
    proxy.swallow(false);
    silent.lost().await;
    assert_eq!(count(&client, WAITING).await, 1);
    next.go_on.notify_one();
    until(&client, WAITING, 0).await;
    assert!(silent.stop().await.is_empty() && next.stop().await.is_empty());
}

#[tokio::test]
async fn a_failure_is_recorded_and_tried_again() {
    let (database, client) = database().await;
    // The next attempt takes the error away again.
    let note = "CREATE TABLE noted (attempts integer, error text);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO noted VALUES (NEW.attempts, NEW.last_error);
          RETURN NULL;
        END $$;
        CREATE TRIGGER note AFTER UPDATE ON pgpubsub.notification FOR EACH ROW EXECUTE FUNCTION note()";
    client.batch_execute(note).await.unwrap();
    store(&client, "work", &[("fail", 1)]).await;
    let mut working = Working::start(database.config(), LONG);
    assert_eq!(working.attempt().await, 1);
    working.go_on.notify_one();
    assert_eq!(working.attempt().await, 2);
    let recorded = "SELECT count(*) FROM noted WHERE attempts = 1 AND error = 'told to'";
    assert_eq!(count(&client, recorded).await, 1);
    let error =
        "SELECT count(*) FROM pgpubsub.notification WHERE attempts = 2 AND last_error IS NULL";
    assert_eq!(count(&client, error).await, 1, "it is in hand again");
    working.go_on.notify_one();
    until(&client, WAITING, 0).await;
    assert!(working.stop().await.is_empty());
}

#[tokio::test]
async fn the_loss_of_every_connection_does_not_interrupt_it() {
    let (database, client) = database().await;
    store(&client, "work", &[("any", 1)]).await;
    let mut working = Working::start(database.config(), LONG);
    assert_eq!(working.attempt().await, 1);
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name LIKE 'pgpubsub %'";
    assert!(count(&client, kill).await > 0);
    working.go_on.notify_one();
    until(&client, WAITING, 0).await;
    assert!(working.stop().await.is_empty());
}

#[tokio::test]
async fn a_stop_lets_it_finish() {
    let (database, client) = database().await;
    store(&client, "work", &[("any", 2)]).await;
    let mut working = Working::start(database.config(), LONG);
    assert_eq!(working.attempt().await, 1);
    working.shutdown.request();
    while !matches!(working.events.recv().await, Some(WorkerEvent::Stopping)) {}
    working.go_on.notify_one();
    assert!(working.stop().await.is_empty());
    assert_eq!(count(&client, WAITING).await, 1);
}
