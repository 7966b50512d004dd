//! What others see while a listener is at work.

use std::sync::Arc;

use pgpubsub_runtime::generated::{BoxFuture, DurableHandler};
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::{Cx, ListenerError, ListenerSet, Op, Worker, WorkerEvent};
use pgpubsub_testkit::Database;
use tokio::sync::{Notify, mpsc};

use super::support::{CATALOG, Running, WAITING, count, database, ordered, store, until};

/// Says which one it gets, and works on it until it may end.
struct Gate {
    began: mpsc::UnboundedSender<Seen>,
    end: Arc<Notify>,
}

#[derive(Debug, PartialEq)]
enum Seen {
    Began(i64),
    Nothing,
}

impl DurableHandler for Gate {
    fn call<'a>(
        &'a self,
        _: Op,
        job: &'a Value,
        _: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        Box::pin(async move {
            drop(self.began.send(Seen::Began(job["n"].as_i64().unwrap())));
            self.end.notified().await;
            Ok(())
        })
    }
}

/// A worker with a gate; what it sees, and what opens the gate for one.
fn start(
    database: &Database,
    consumers: usize,
) -> (Running, mpsc::UnboundedReceiver<Seen>, Arc<Notify>) {
    let (sender, seen) = mpsc::unbounded_channel();
    let end = Arc::new(Notify::new());
    let mut set = ListenerSet::new(CATALOG);
    let gate = Gate {
        began: sender.clone(),
        end: Arc::clone(&end),
    };
    set.durable(ordered("work"), gate);
    let worker = Worker::new(database.config())
        .listeners(set)
        .concurrency(consumers)
        .on_event(move |event| {
            if matches!(event, WorkerEvent::Idle) {
                drop(sender.send(Seen::Nothing));
            }
        });
    (Running::start(worker), seen, end)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_earlier_one_that_commits_late_waits_for_the_one_at_work() {
    let (database, client) = database(1).await;
    let slow = database.connect().await.unwrap();
    let insert = |n: i32| {
        format!(
            "INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload, order_key)
             VALUES ('work', 'jobs', 'message', 1, '{{\"n\": {n}}}', '[\"1\"]'); NOTIFY pgpubsub_jobs;"
        )
    };
    slow.batch_execute(&format!("BEGIN; {}", insert(1)))
        .await
        .unwrap();
    client.batch_execute(&insert(2)).await.unwrap();

    let (running, mut seen, end) = start(&database, 2);
    while seen.recv().await.unwrap() != Seen::Began(2) {}
    slow.batch_execute("COMMIT").await.unwrap();
    // The other consumer hears of it and looks twice, as it may have looked just before the commit.
    for _ in 0..2 {
        client.batch_execute("NOTIFY pgpubsub_jobs").await.unwrap();
        assert_eq!(seen.recv().await, Some(Seen::Nothing), "one at a time");
    }
    end.notify_one();
    while seen.recv().await.unwrap() != Seen::Began(1) {}
    end.notify_one();
    until(&client, WAITING, |waiting| waiting == 0).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_which_nothing_can_be_claimed_are_not_held() {
    let (database, client) = database(1).await;
    store(&client, "work", (1, 500), 1).await;
    // Somebody holds all but the last key, by the rows: a worker that knows no keys.
    let holder = database.connect().await.unwrap();
    let hold = "BEGIN; SELECT FROM pgpubsub.notification WHERE order_key <> '[\"99\"]' FOR UPDATE";
    holder.batch_execute(hold).await.unwrap();
    let (running, mut seen, end) = start(&database, 1);
    while seen.recv().await.unwrap() != Seen::Began(1) {}
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let held = count(&client, locks).await;
    assert!((1..=48).contains(&held), "{held} keys");
    end.notify_one();
    while seen.recv().await.unwrap() != Seen::Nothing {}
    running.stop().await;
}
