//! Promises of durable delivery.

#![allow(clippy::unwrap_used)] // A test may panic.

mod support;

use std::time::Duration;

use pgpubsub_runtime::generated::{BoxFuture, DurableHandler};
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::{
    Backoff, Cx, Error, ListenerError, ListenerSet, OnFailure, Op, Worker, WorkerEvent,
};
use pgpubsub_testkit::Database;
use tokio::sync::mpsc;
use tokio_postgres::Client;

use support::{CATALOG, WORK, count, stored as database};

/// Does what the job says.
struct Work;

impl DurableHandler for Work {
    fn call<'a>(
        &'a self,
        _: Op,
        job: &'a Value,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        Box::pin(async move {
            let job = job["do"].as_str().ok_or("no job")?;
            cx.transaction()
                .execute("INSERT INTO effect VALUES ($1)", &[&job])
                .await?;
            match job {
                "block" => {
                    let lock = "SELECT pg_advisory_xact_lock(1)";
                    cx.transaction().batch_execute(lock).await?;
                    Ok(())
                }
                "fail" => Err("told to".into()),
                "panic" => panic!("told to"),
                "swallow" => {
                    drop(cx.transaction().batch_execute("SELECT 1/0").await);
                    Ok(())
                }
                "die once" if cx.notification().attempt == 1 && first_time() => {
                    cx.transaction()
                        .execute("SELECT pg_terminate_backend(pg_backend_pid())", &[])
                        .await?;
                    Ok(())
                }
                _ => Ok(()),
            }
        })
    }
}

fn first_time() -> bool {
    static DIED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
    !DIED.swap(true, std::sync::atomic::Ordering::SeqCst)
}

fn worker(database: &Database) -> Worker {
    let mut set = ListenerSet::new(CATALOG);
    set.durable(WORK, Work);
    Worker::new(database.config())
        .listeners(set)
        .backoff(Backoff {
            first: Duration::from_secs(600),
            max: Duration::from_secs(600),
        })
}

async fn publish(client: &Client, job: &str) {
    let payload = format!("{{\"do\":\"{job}\"}}");
    client
        .execute("SELECT pgpubsub.notify_jobs($1)", &[&payload])
        .await
        .unwrap();
}

/// Runs until so many attempts, good or bad, were made.
async fn run_for(worker: Worker, attempts: usize) -> Result<(), Error> {
    let (sender, mut events) = mpsc::unbounded_channel();
    let worker = worker.on_event(move |event| drop(sender.send(event)));
    let shutdown = async move {
        let mut made = 0;
        while made < attempts {
            if let Some(WorkerEvent::Delivered { .. } | WorkerEvent::Failed { .. }) =
                events.recv().await
            {
                made += 1;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), worker.run_until(shutdown))
        .await
        .expect("no hang")
}

#[tokio::test]
async fn a_thousand_identical_ones_are_delivered_once_each_by_four_consumers() {
    let (database, client) = database().await;
    client
        .execute(
            "SELECT pgpubsub.notify_jobs('{\"do\":\"same\"}') FROM generate_series(1, 1000)",
            &[],
        )
        .await
        .unwrap();
    run_for(worker(&database).concurrency(4), 1_000)
        .await
        .unwrap();
    assert_eq!(count(&client, "SELECT count(*) FROM effect").await, 1_000);
    assert_eq!(
        count(&client, "SELECT count(*) FROM pgpubsub.notification").await,
        0
    );
}

#[tokio::test]
async fn failures_are_kept_without_effects_and_hold_nothing_up() {
    let (database, client) = database().await;
    for job in ["fail", "panic", "swallow"] {
        publish(&client, job).await;
    }
    client
        .execute("SELECT pgpubsub.notify_jobs('[]')", &[])
        .await
        .unwrap();
    publish(&client, "good").await;
    // One consumer: between a transaction that came to nothing and the record of it, another one may try once more.
    run_for(worker(&database).concurrency(1), 5).await.unwrap();
    assert_eq!(count(&client, "SELECT count(*) FROM effect").await, 1);
    let rows = client
        .query(
            "SELECT last_error, attempts FROM pgpubsub.notification ORDER BY id",
            &[],
        )
        .await
        .unwrap();
    let errors: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(errors.len(), 4);
    assert_eq!(errors[0], "told to");
    assert_eq!(errors[1], "the listener panicked: told to");
    assert!(
        errors[2].starts_with("the listener went on"),
        "{}",
        errors[2]
    );
    let attempts: Vec<i32> = rows.iter().map(|row| row.get(1)).collect();
    assert_eq!(attempts, [1, 1, 1, 1], "{errors:?}");
}

#[tokio::test]
async fn a_lost_connection_redelivers_and_the_effect_happens_once() {
    let (database, client) = database().await;
    publish(&client, "die once").await;
    run_for(worker(&database), 1).await.unwrap();
    assert_eq!(count(&client, "SELECT count(*) FROM effect").await, 1);
    assert_eq!(
        count(&client, "SELECT count(*) FROM pgpubsub.notification").await,
        0
    );
}

#[tokio::test]
async fn exit_on_failure_records_the_attempt_and_names_the_listener() {
    let (database, client) = database().await;
    publish(&client, "fail").await;
    let error = worker(&database)
        .on_failure(OnFailure::Exit)
        .run_until(std::future::pending())
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "listener `work` failed on notification 1: told to"
    );
    assert_eq!(
        count(
            &client,
            "SELECT count(*) FROM pgpubsub.notification WHERE attempts = 1"
        )
        .await,
        1
    );
}

#[tokio::test]
async fn a_database_without_storage_is_told_apart() {
    let database = Database::create().await.unwrap();
    let error = worker(&database)
        .run_until(std::future::pending())
        .await
        .unwrap_err();
    assert!(error.is_storage_missing(), "{error}");
}

#[tokio::test]
async fn without_recovery_only_what_comes_later_is_delivered_even_after_the_listening_session_died()
{
    let (database, client) = database().await;
    publish(&client, "before").await;
    let (sender, mut events) = mpsc::unbounded_channel();
    let worker = worker(&database)
        .recovery(false)
        .poll_interval(Duration::from_secs(3_600))
        .on_event(move |event| drop(sender.send(event)));
    let shutdown = async {
        let mut listening = 0;
        while let Some(event) = events.recv().await {
            match event {
                WorkerEvent::Listening if listening == 0 => {
                    listening = 1;
                    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                                WHERE pid <> pg_backend_pid() AND datname = current_database()
                                AND (query LIKE '%pg_advisory_unlock%' OR query LIKE '%pg_try_advisory_lock%')";
                    client.execute(kill, &[]).await.unwrap();
                    publish(&client, "later").await;
                }
                WorkerEvent::Delivered { .. } => break,
                _ => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), worker.run_until(shutdown))
        .await
        .expect("no hang")
        .unwrap();
    assert_eq!(
        count(&client, "SELECT count(*) FROM effect WHERE job = 'later'").await,
        1
    );
    assert_eq!(count(&client, "SELECT count(*) FROM effect").await, 1);
}

/// Asks a worker to stop while its listener waits for a lock, which is then released if `release` says so.
async fn stop_while_blocked(timeout: Duration, release: bool) -> (i64, i64) {
    let (database, client) = database().await;
    let other = database.connect().await.unwrap();
    client
        .batch_execute("SELECT pg_advisory_lock(1)")
        .await
        .unwrap();
    publish(&client, "block").await;
    let shutdown = async {
        let blocked = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        while count(&other, blocked).await == 0 {
            tokio::task::yield_now().await;
        }
        if release {
            client
                .batch_execute("SELECT pg_advisory_unlock(1)")
                .await
                .unwrap();
        }
    };
    let run = worker(&database)
        .shutdown_timeout(timeout)
        .run_until(shutdown);
    tokio::time::timeout(Duration::from_secs(60), run)
        .await
        .expect("no hang")
        .unwrap();
    let kept = "SELECT count(*) FROM pgpubsub.notification WHERE last_error IS NULL";
    (
        count(&other, "SELECT count(*) FROM effect").await,
        count(&other, kept).await,
    )
}

#[tokio::test]
async fn a_stop_lets_the_running_listener_finish() {
    assert_eq!(
        stop_while_blocked(Duration::from_secs(30), true).await,
        (1, 0)
    );
}

#[tokio::test]
async fn a_stop_beyond_its_deadline_leaves_the_notification_and_no_effect() {
    assert_eq!(
        stop_while_blocked(Duration::from_millis(50), false).await,
        (0, 1)
    );
}
