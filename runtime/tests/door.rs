//! Wake-ups through the door: none is lost, and whoever is awake is not rung for.

#![allow(clippy::unwrap_used)] // A test may panic.

#[path = "support/door.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use pgpubsub_runtime::generated::ListenerSpec;
use pgpubsub_runtime::{ListenerSet, Worker};
use pgpubsub_testkit::Database;
use tokio::sync::oneshot;
use tokio_postgres::{AsyncMessage, NoTls};

use support::{
    AT_THE_GATE, CATALOG, COPY, DONE, GATE, LEFT, NONE, Note, POLL, Running, SHUT, WORK, asleep,
    count, database, listener, publish, until,
};

/// Counts the NOTIFYs of a channel.
async fn bell(database: &Database) -> Arc<AtomicUsize> {
    let (client, mut connection) = database.config().connect(NoTls).await.unwrap();
    let rings = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&rings);
    tokio::spawn(async move {
        let mut messages = futures_util::stream::poll_fn(move |cx| connection.poll_message(cx));
        while let Some(Ok(message)) = messages.next().await {
            if matches!(message, AsyncMessage::Notification(_)) {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    client.batch_execute("LISTEN door").await.unwrap();
    // The session lives as long as its client.
    std::mem::forget(client);
    rings
}

/// Writers with pauses and rollbacks by chance; how many committed.
async fn write(database: &Database, writers: u64, each: u64) -> i64 {
    let tasks: Vec<_> = (0..writers)
        .map(|writer| {
            let config = database.config();
            tokio::spawn(async move {
                let (mut client, connection) = config.connect(NoTls).await.unwrap();
                tokio::spawn(connection);
                let mut committed = 0;
                // A small generator of our own: the same run again for the same writer.
                let mut state = writer * 7_919 + 1;
                let mut chance = move |upto: u64| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    (state >> 33) % upto
                };
                for _ in 0..each {
                    tokio::time::sleep(Duration::from_micros(chance(40) * chance(1_000))).await;
                    let transaction = client.transaction().await.unwrap();
                    publish(transaction.client(), "{}").await;
                    tokio::time::sleep(Duration::from_micros(chance(3) * chance(2_000))).await;
                    if chance(4) == 0 {
                        transaction.rollback().await.unwrap();
                    } else {
                        transaction.commit().await.unwrap();
                        committed += 1;
                    }
                }
                committed
            })
        })
        .collect();
    let mut committed = 0;
    for task in tasks {
        committed += task.await.unwrap();
    }
    committed
}

async fn nothing_is_lost(workers: usize, consumers: usize) {
    let (database, client) = database().await;
    let workers: Vec<_> = (0..workers)
        .map(|_| Running::start(&database, &[WORK, COPY], consumers))
        .collect();
    asleep(&client, 2).await;
    // Several rounds: each ends with everybody asleep, which is when a lost one shows.
    let mut committed = 0;
    for _ in 0..6 {
        committed += write(&database, 8, 25).await;
        until(&client, DONE, committed * 2, Duration::from_secs(5)).await;
        assert_eq!(count(&client, LEFT).await, 0);
    }
    for worker in workers {
        worker.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_worker_loses_no_wake_up() {
    nothing_is_lost(1, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_workers_lose_no_wake_up() {
    nothing_is_lost(3, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sleeps_is_rung_for_and_who_is_busy_is_not() {
    let (database, client) = database().await;
    let rings = bell(&database).await;
    let worker = Running::start(&database, &[WORK], 1);
    asleep(&client, 1).await;
    publish(&client, "{}").await;
    until(&client, DONE, 1, Duration::from_secs(5)).await;
    assert_eq!(rings.load(Ordering::Relaxed), 1);

    client
        .execute("SELECT pg_advisory_lock($1)", &[&GATE])
        .await
        .unwrap();
    publish(&client, r#"{"gate": true}"#).await;
    until(&client, AT_THE_GATE, 1, Duration::from_secs(5)).await;
    let before = rings.load(Ordering::Relaxed);
    for _ in 0..100 {
        publish(&client, "{}").await;
    }
    // The first of them tells the worker that it had better open the door.
    let rung = rings.load(Ordering::Relaxed) - before;
    assert!(rung <= 20, "{rung} rings for a busy worker");
    client
        .execute("SELECT pg_advisory_unlock($1)", &[&GATE])
        .await
        .unwrap();
    until(&client, DONE, 102, Duration::from_secs(10)).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_worker_leaves_the_door_to_an_idle_one() {
    let (database, client) = database().await;
    let workers = [0, 1].map(|_| Running::start(&database, &[WORK], 1));
    asleep(&client, 1).await;
    // One of them is busy with this for longer than the test waits for the rest.
    publish(&client, r#"{"pause": 8000}"#).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    for done in 1..=40 {
        publish(&client, "{}").await;
        until(&client, DONE, done, Duration::from_secs(2)).await;
    }
    for worker in workers {
        worker.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_transaction_is_waited_for_without_busy_polling() {
    let (database, client) = database().await;
    let worker = Running::start(&database, &[WORK], 2);
    asleep(&client, 1).await;
    // The door is open while the worker is busy; the long transaction begins then.
    publish(&client, r#"{"pause": 300}"#).await;
    publish(&client, r#"{"pause": 300}"#).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    publish(&client, "{}").await;
    until(&client, SHUT, 0, Duration::from_secs(5)).await;
    let mut writer = database.connect().await.unwrap();
    let transaction = writer.transaction().await.unwrap();
    publish(transaction.client(), "{}").await;
    until(&client, DONE, 3, Duration::from_secs(5)).await;
    tokio::time::sleep(Duration::from_millis(500)).await;

    let before = worker.empty();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let scans = worker.empty() - before;
    assert!(scans <= 25, "{scans} scans in two seconds");
    assert_eq!(count(&client, SHUT).await, 0, "a writer is under way");

    transaction.commit().await.unwrap();
    let noticed = until(&client, DONE, 4, Duration::from_secs(5)).await;
    assert!(noticed < Duration::from_millis(600), "{noticed:?}");
    asleep(&client, 1).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sleeper_notices_that_the_one_at_the_door_is_dead() {
    let (database, client) = database().await;
    let workers = [0, 1].map(|_| Running::start(&database, &[WORK], 1));
    asleep(&client, 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let holder = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'
                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    client.execute(holder, &[]).await.unwrap();
    until(&client, SHUT, 0, Duration::from_secs(5)).await;
    publish(&client, "{}").await;
    let noticed = until(&client, DONE, 1, Duration::from_secs(5)).await;
    assert!(noticed < Duration::from_secs(2), "{noticed:?}");
    for worker in workers {
        worker.stop().await;
    }
}

async fn found_by_itself(spec: ListenerSpec, options: impl FnOnce(Worker) -> Worker) -> Duration {
    let (database, client) = database().await;
    let mut set = ListenerSet::new(CATALOG);
    set.durable(spec, Note);
    let worker = options(Worker::new(database.config()).listeners(set));
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(worker.run_until(async move { drop(stopped.await) }));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let channel = spec.subscriptions[0].channel.name;
    client
        .execute("SELECT store($1, $2, '{}')", &[&spec.group, &channel])
        .await
        .unwrap();
    let took = until(&client, DONE, 1, Duration::from_secs(10)).await;
    assert_eq!(count(&client, SHUT).await, 0);
    drop(stop);
    task.await.unwrap().unwrap();
    took
}

#[tokio::test(flavor = "multi_thread")]
async fn what_wakes_nobody_is_found_by_the_poll() {
    let minute = Duration::from_secs(60);
    let polled = found_by_itself(listener("polled", POLL), |worker| {
        worker
            .poll_interval(minute)
            .short_poll_interval(Duration::from_millis(500))
    });
    let left = found_by_itself(listener("left", NONE), |worker| {
        worker
            .poll_interval(Duration::from_millis(700))
            .short_poll_interval(minute)
    });
    let (polled, left) = tokio::join!(polled, left);
    assert!(polled < Duration::from_secs(3) && left < Duration::from_secs(3));
}
