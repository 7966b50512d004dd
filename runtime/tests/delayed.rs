//! Promises of what is due later, and of what is not worth delivering any more.

#![allow(clippy::unwrap_used)] // A test may panic.

mod support;

use std::sync::atomic::Ordering;

use pgpubsub_runtime::{Worker, WorkerEvent};
use support::{DEADLINE, EFFECTS, Running, WAITING, Work, count, database, store, until};
use tokio_postgres::Client;

/// A worker that does not look by itself while a test runs.
fn patient(worker: Worker) -> Worker {
    worker.poll_interval(2 * DEADLINE).concurrency(2)
}

/// Stores so many for later, as the functions of channels do, and rings.
async fn store_later(client: &Client, job: &str, count: i32, milliseconds: i32) {
    let insert = "INSERT INTO pgpubsub.notification (id, listener_group, channel, op, model_version, payload, not_before)
                  OVERRIDING SYSTEM VALUE
                  SELECT -nextval('pgpubsub.notification_id_seq'), 'work', 'jobs', 'message', 1, json_build_object('do', $1::text),
                    clock_timestamp() + $3 * interval '1 ms'
                  FROM generate_series(1, $2::integer)";
    let milliseconds = f64::from(milliseconds);
    client
        .execute(insert, &[&job, &count, &milliseconds])
        .await
        .unwrap();
    client.batch_execute("NOTIFY pgpubsub_jobs").await.unwrap();
}

/// An effect knows when it was made.
async fn clocked(client: &Client) {
    let sql = "ALTER TABLE effect ADD at timestamptz NOT NULL DEFAULT clock_timestamp();
               CREATE TABLE stored (job text, due timestamptz);";
    client.batch_execute(sql).await.unwrap();
}

/// What is stored for later now, with its time.
async fn note(client: &Client) {
    let sql = "INSERT INTO stored SELECT (payload ->> 'do') || ' ' || id, not_before FROM pgpubsub.notification WHERE not_before IS NOT NULL";
    client.batch_execute(sql).await.unwrap();
}

const EARLY: &str = "SELECT count(*) FROM stored JOIN effect USING (job) WHERE at < due";
/// A busy machine is slow; a worker that only polls would be later.
const LATE: &str =
    "SELECT count(*) FROM stored JOIN effect USING (job) WHERE at > due + interval '20 s'";

#[tokio::test]
async fn what_is_due_later_is_delivered_at_its_time_without_polling() {
    let (database, client) = database().await;
    clocked(&client).await;
    store_later(&client, "before the start", 1, 1_000).await;
    note(&client).await;
    let worker = Running::start(&database, &Work::default(), patient);
    store_later(&client, "later", 1, 2_000).await;
    // Whoever sleeps until then has to be told of an earlier one.
    store_later(&client, "earlier", 3, 500).await;
    let new = "INSERT INTO stored SELECT (payload ->> 'do') || ' ' || id, not_before FROM pgpubsub.notification
               WHERE payload ->> 'do' <> 'before the start'";
    client.batch_execute(new).await.unwrap();
    until(&client, EFFECTS, 5).await;
    assert_eq!(count(&client, EARLY).await, 0);
    assert_eq!(count(&client, LATE).await, 0);
    assert_eq!(count(&client, WAITING).await, 0);
    worker.stop().await;
}

#[tokio::test]
async fn it_is_delivered_at_its_time_although_who_knew_of_it_is_busy() {
    let (database, client) = database().await;
    clocked(&client).await;
    let worker = Running::start(&database, &Work::default(), patient);
    store_later(&client, "later", 1, 1_500).await;
    note(&client).await;
    let holder = database.connect().await.unwrap();
    // Blocks the listener of "block".
    holder
        .batch_execute("SELECT pg_advisory_lock(1)")
        .await
        .unwrap();
    store(&client, "work", &[("block", 1)]).await;
    until(&client, EFFECTS, 1).await;
    assert_eq!(count(&client, LATE).await, 0);
    holder
        .batch_execute("SELECT pg_advisory_unlock(1)")
        .await
        .unwrap();
    until(&client, EFFECTS, 2).await;
    worker.stop().await;
}

#[tokio::test]
async fn a_retry_comes_at_its_time_during_a_backlog() {
    let (database, client) = database().await;
    let worker = Running::start(&database, &Work::default(), |worker| {
        patient(worker).concurrency(1)
    });
    store(&client, "work", &[("fail", 1), ("slow", 30)]).await;
    let failed = "SELECT count(*) FROM effect WHERE job LIKE 'fail %'";
    until(&client, failed, 1).await;
    assert!(
        count(&client, WAITING).await > 10,
        "it did not wait for them"
    );
    worker.stop().await;
}

#[tokio::test]
async fn an_operator_may_hurry_it() {
    let (database, client) = database().await;
    store_later(&client, "later", 2, 3_600_000).await;
    let worker = Running::start(&database, &Work::default(), patient);
    let hurry = "UPDATE pgpubsub.notification SET not_before = NULL WHERE id = (SELECT min(id) FROM pgpubsub.notification); NOTIFY pgpubsub_jobs";
    client.batch_execute(hurry).await.unwrap();
    until(&client, WAITING, 1).await;
    let hurry = "UPDATE pgpubsub.notification SET not_before = now(); NOTIFY pgpubsub_jobs";
    client.batch_execute(hurry).await.unwrap();
    until(&client, WAITING, 0).await;
    worker.stop().await;
}

#[tokio::test]
async fn what_was_stored_before_the_start_is_left_alone_without_recovery() {
    let (database, client) = database().await;
    store_later(&client, "old", 1, 300).await;
    let mut worker = Running::start(&database, &Work::default(), |worker| {
        patient(worker).recovery(false)
    });
    worker.idle().await;
    store_later(&client, "new", 1, 500).await;
    until(&client, EFFECTS, 1).await;
    let old = "SELECT count(*) FROM pgpubsub.notification WHERE payload ->> 'do' = 'old'";
    assert_eq!(count(&client, old).await, 1);
    worker.stop().await;
}

#[tokio::test]
async fn what_has_expired_is_removed_and_nobody_is_called() {
    let (database, client) = database().await;
    support::store_only(&client, "work", "write", 50).await;
    store_later(&client, "later", 10, 0).await;
    let expire = "UPDATE pgpubsub.notification SET expires_at = clock_timestamp() WHERE id % 2 = 0;
                  UPDATE pgpubsub.notification SET expires_at = clock_timestamp() + interval '1 hour' WHERE id % 4 = 1;
                  UPDATE pgpubsub.notification SET expires_at = 'infinity' WHERE id % 4 = 3";
    client.batch_execute(expire).await.unwrap();
    let work = Work::default();
    let worker = Running::start(&database, &work, patient);
    until(&client, WAITING, 0).await;
    let mut events = worker.stop().await;
    let (mut expired, mut delivered) = (Vec::new(), 0);
    while let Ok(event) = events.try_recv() {
        match event {
            WorkerEvent::Expired { listener, id } => {
                assert_eq!(listener, "work");
                expired.push(id);
            }
            WorkerEvent::Delivered { .. } => delivered += 1,
            _ => {}
        }
    }
    expired.sort_unstable();
    expired.dedup();
    assert_eq!((expired.len(), delivered), (30, 30));
    assert!(expired.iter().all(|id| id % 2 == 0), "{expired:?}");
    assert_eq!(work.calls.load(Ordering::SeqCst), 30);
    assert_eq!(count(&client, EFFECTS).await, 30);
}

#[tokio::test]
async fn what_expires_while_its_batch_is_worked_off_is_not_delivered_either() {
    let (database, client) = database().await;
    support::store_only(&client, "work", "nothing", 64).await;
    store(&client, "work", &[("slow", 1), ("late", 1)]).await;
    // "slow" takes longer than this, and both are claimed at once.
    let expire = "UPDATE pgpubsub.notification SET expires_at = clock_timestamp() + interval '10 s' WHERE payload ->> 'do' = 'late'";
    client.batch_execute(expire).await.unwrap();
    let holder = database.connect().await.unwrap();
    holder
        .batch_execute("BEGIN; LOCK TABLE effect")
        .await
        .unwrap();
    let work = Work::default();
    let worker = Running::start(&database, &work, |worker| {
        patient(worker).batch_time(2 * DEADLINE).concurrency(1)
    });
    let expired =
        "SELECT count(*) FROM pgpubsub.notification WHERE expires_at <= clock_timestamp()";
    until(&client, expired, 1).await;
    holder.batch_execute("COMMIT").await.unwrap();
    until(&client, WAITING, 0).await;
    let mut events = worker.stop().await;
    let mut expired = 0;
    while let Ok(event) = events.try_recv() {
        expired += usize::from(matches!(event, WorkerEvent::Expired { .. }));
    }
    assert_eq!(expired, 1);
    assert_eq!(count(&client, EFFECTS).await, 1, "only the slow one");
}

/// Entries that scans of the notification table and its indexes have read in a fresh database, by a worker with so many
/// notifications that are due in an hour.
async fn read_beside(future: i32) -> i64 {
    let (database, client) = database().await;
    client
        .batch_execute("ALTER TABLE pgpubsub.notification SET (autovacuum_enabled = off)")
        .await
        .unwrap();
    if future > 0 {
        store_later(&client, "later", future, 3_600_000).await;
    }
    let work = Work::default();
    let mut worker = Running::start(&database, &work, |worker| {
        worker.poll_interval(2 * DEADLINE).concurrency(1)
    });
    worker.idle().await;
    for round in 1..=20 {
        store(&client, "work", &[("nothing", 50)]).await;
        while work.calls.load(Ordering::SeqCst) < round * 50 {
            worker.idle().await;
        }
    }
    worker.stop().await;
    let ended = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgpubsub' AND datname = current_database()";
    until(&client, ended, 0).await;
    let reads = "SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes WHERE relid = 'pgpubsub.notification'::regclass";
    count(&client, reads).await
}

#[tokio::test]
async fn what_is_due_much_later_is_not_read() {
    let (few, many) = (read_beside(0).await, read_beside(100_000).await);
    // The two runs are never quite alike; reading them once would be 100,000 more.
    assert!(many < few + 10_000, "{few} without, {many} with 100,000");
}
