//! Promises of batches: each notification as if it were alone.

#![allow(clippy::unwrap_used)] // A test may panic.

mod support;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use pgpubsub_runtime::generated::{ContextFilter, FilterValue, ListenerSpec};
use pgpubsub_runtime::{ListenerSet, WorkerEvent};

use support::{
    CATALOG, EFFECTS, Running, WAITING, WORK, Work, count, database, failures, shuffle, store,
    store_only, until,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_in_a_batch_each_takes_effect_once_and_only_the_guilty_fail() {
    let (database, client) = database().await;
    let jobs = [
        ("write", 800),
        ("nothing", 400),
        ("nested", 100),
        ("fail", 40),
        ("fail without", 40),
        ("panic", 10),
        ("swallow", 20),
        ("defer", 10),
    ];
    for (job, number) in jobs {
        store_only(&client, "work", job, number).await;
    }
    shuffle(&client).await;
    let work = Work::default();
    let workers: Vec<Running> = (0..8)
        .map(|_| Running::start(&database, &work, |worker| worker.concurrency(2)))
        .collect();
    until(&client, WAITING, 0).await;
    let mut failed = Vec::new();
    for worker in workers {
        failed.extend(failures(&mut worker.stop().await));
    }
    let effects = "SELECT count(*) FROM effect WHERE job LIKE $1";
    for (job, number) in jobs {
        let wrote = i64::from(if matches!(job, "nothing" | "fail without") {
            0
        } else {
            number
        });
        let like = format!("{job} %");
        let row = client.query_one(effects, &[&like]).await.unwrap();
        assert_eq!(row.get::<_, i64>(0), wrote, "{job}");
    }
    assert_eq!(
        count(&client, "SELECT count(DISTINCT job) FROM effect").await,
        count(&client, EFFECTS).await
    );
    let of = |start: &str| {
        failed
            .iter()
            .filter(|error| error.starts_with(start))
            .count()
    };
    assert_eq!(of("told to"), 80, "{failed:?}");
    assert_eq!(of("the listener panicked: told to"), 10);
    assert_eq!(of("the listener went on"), 20, "{failed:?}");
    assert_eq!(of("the commit failed: duplicate key"), 10, "{failed:?}");
    assert_eq!(failed.len(), 120, "nobody else fails: {failed:?}");
}

#[tokio::test]
async fn a_connection_lost_within_a_batch_undoes_all_of_it_and_all_is_done_again() {
    let (database, client) = database().await;
    store_only(&client, "work", "write", 100).await;
    store_only(&client, "work", "die", 1).await;
    store_only(&client, "work", "write", 100).await;
    let worker = Running::start(&database, &Work::default(), |worker| worker.concurrency(1));
    until(&client, WAITING, 0).await;
    let mut events = worker.stop().await;
    assert_eq!(count(&client, EFFECTS).await, 201);
    let distinct = "SELECT count(DISTINCT job) FROM effect";
    assert_eq!(count(&client, distinct).await, 201);
    assert_eq!(failures(&mut events), [""; 0], "it is nobody's failure");
}

#[tokio::test]
async fn a_drain_reads_nothing_twice_although_a_snapshot_keeps_the_dead() {
    let (database, client) = database().await;
    store_only(&client, "work", "nothing", 5_000).await;
    let holder = database.connect().await.unwrap();
    let snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM effect";
    holder.batch_execute(snapshot).await.unwrap();
    let worker = Running::start(&database, &Work::default(), |worker| {
        worker.concurrency(1).batch(10)
    });
    until(&client, WAITING, 0).await;
    worker.stop().await;
    // A session hands in its counts when it ends.
    let ended = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgpubsub %'
                 AND datname = current_database()";
    until(&client, ended, 0).await;
    let read = "SELECT idx_tup_read FROM pg_stat_user_indexes
                WHERE indexrelid = 'pgpubsub.notification_pkey'::regclass";
    let read = count(&client, read).await;
    // Once by the claim, and a few times from the start; the removal reads no index. Without a cursor: more than a million.
    assert!((5_000..40_000).contains(&read), "{read}");
}

#[tokio::test]
async fn the_listeners_own_statements_are_planned_as_everywhere() {
    let (database, client) = database().await;
    for _ in 0..10 {
        store(
            &client,
            "work",
            &[
                ("nothing", 3),
                ("settings", 1),
                ("fail", 1),
                ("settings", 1),
            ],
        )
        .await;
    }
    let worker = Running::start(&database, &Work::default(), |worker| worker.concurrency(1));
    until(&client, WAITING, 0).await;
    worker.stop().await;
    let usual = "SELECT count(*) FROM effect WHERE job = 'on on auto true'";
    assert_eq!(count(&client, usual).await, 20);
}

#[tokio::test]
async fn what_lies_behind_the_cursor_is_not_forgotten() {
    let (database, client) = database().await;
    let (mut late, mut holder) = (
        database.connect().await.unwrap(),
        database.connect().await.unwrap(),
    );
    // An early id that commits late, rows that another session holds, one that waits for its time.
    let uncommitted = late.transaction().await.unwrap();
    let insert =
        "INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload)
                  VALUES ('work', 'jobs', 'message', 1, '{\"do\": \"late\"}')";
    uncommitted.execute(insert, &[]).await.unwrap();
    store(&client, "work", &[("held", 50), ("write", 3_000)]).await;
    let later = "UPDATE pgpubsub.notification SET not_before = clock_timestamp() + interval '1 second'
                 WHERE id = (SELECT min(id) FROM pgpubsub.notification WHERE payload->>'do' = 'write')";
    client.execute(later, &[]).await.unwrap();
    let holding = holder.transaction().await.unwrap();
    let hold = "SELECT FROM pgpubsub.notification WHERE payload->>'do' = 'held' FOR UPDATE";
    holding.execute(hold, &[]).await.unwrap();

    let worker = Running::start(&database, &Work::default(), |worker| {
        worker
            .concurrency(2)
            .poll_interval(Duration::from_millis(300))
    });
    until(&client, EFFECTS, 3_000).await;
    uncommitted.commit().await.unwrap();
    until(&client, EFFECTS, 3_001).await;
    holding.rollback().await.unwrap();
    until(&client, WAITING, 0).await;
    assert_eq!(count(&client, EFFECTS).await, 3_051);
    worker.stop().await;
}

#[tokio::test]
async fn a_backlog_of_one_group_does_not_hold_up_another() {
    let (database, client) = database().await;
    store(&client, "work", &[("write", 10_000)]).await;
    let worker = Running::start(&database, &Work::default(), |worker| worker.concurrency(1));
    until(
        &client,
        "SELECT (count(*) > 500)::int::bigint FROM effect",
        1,
    )
    .await;
    store_only(&client, "other", "other", 1).await;
    until(
        &client,
        "SELECT count(*) FROM effect WHERE job LIKE 'other%'",
        1,
    )
    .await;
    let left = count(&client, WAITING).await;
    assert!(left > 2_000, "only {left} of the backlog were left");
    until(&client, WAITING, 0).await;
    let mut events = worker.stop().await;
    // The order in which they were done says it exactly.
    let (mut stored_after, mut done) = (None, 0);
    while let Ok(event) = events.try_recv() {
        if let WorkerEvent::Delivered { listener, .. } = event {
            done += 1;
            if listener == "other" {
                stored_after = Some(done);
            }
        }
    }
    assert!(stored_after.unwrap() < 8_000, "{stored_after:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_listener_leaves_the_rest_to_idle_consumers() {
    let (database, client) = database().await;
    // Quick ones first: they make the batches large.
    store(&client, "work", &[("nothing", 2_000)]).await;
    let work = Work::default();
    let worker = Running::start(&database, &work, |worker| worker.concurrency(4));
    until(&client, WAITING, 0).await;
    let started = Instant::now();
    store(&client, "work", &[("slow", 40)]).await;
    until(&client, WAITING, 0).await;
    let took = started.elapsed();
    worker.stop().await;
    // 40 x 100 ms by four: one second, and some for the first batch of each.
    assert!(took < Duration::from_millis(2_200), "{took:?}");
    assert_eq!(work.calls.load(Ordering::SeqCst), 2_040);
}

#[tokio::test]
async fn a_stop_ends_the_batch_after_the_running_listener() {
    let (database, client) = database().await;
    store(&client, "work", &[("nothing", 2_000)]).await;
    let work = Work::default();
    let worker = Running::start(&database, &work, |worker| {
        worker.concurrency(1).batch_time(Duration::from_secs(3_600))
    });
    until(&client, WAITING, 0).await;
    store(&client, "work", &[("slow", 100)]).await;
    while work.calls.load(Ordering::SeqCst) < 2_002 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    worker.stop().await;
    let done = count(&client, EFFECTS).await;
    assert!((1..20).contains(&done), "{done}");
    assert_eq!(count(&client, WAITING).await, 100 - done);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_steady_stream_is_worked_off_some_at_a_time() {
    let (database, client) = database().await;
    let by = "ALTER TABLE effect ADD transaction xid8 DEFAULT pg_current_xact_id()";
    client.batch_execute(by).await.unwrap();
    let worker = Running::start(&database, &Work::default(), |worker| worker.concurrency(1));
    // Beyond what a session is careful with.
    store(&client, "work", &[("any", 200)]).await;
    until(&client, EFFECTS, 200).await;
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let config = database.config();
            tokio::spawn(async move {
                let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
                let connection = tokio::spawn(connection);
                for _ in 0..200 {
                    store(&client, "work", &[("any", 1)]).await;
                    // Slower than a worker.
                    client
                        .batch_execute("SELECT pg_sleep(0.004)")
                        .await
                        .unwrap();
                }
                drop(client);
                connection.await.unwrap().unwrap();
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    until(&client, EFFECTS, 1_800).await;
    worker.stop().await;
    let each = "SELECT count(*) / count(DISTINCT transaction) FROM effect WHERE split_part(job, ' ', 2)::bigint > 200";
    let each = count(&client, each).await;
    assert!(each >= 6, "{each} in a transaction");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_while_a_claim_comes_to_it_is_done_once() {
    const PATIENT: ListenerSpec = ListenerSpec {
        filter: &[ContextFilter {
            key: "tenant",
            value: FilterValue::Literal("acme"),
        }],
        ..WORK
    };
    let (database, client) = database().await;
    // The filter of the claim waits at a gate, when it is told to.
    let gate = "CREATE OR REPLACE FUNCTION pgpubsub.context_matches(context text, filter jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN
          IF context = 'gate' THEN
            PERFORM pg_advisory_xact_lock_shared(4711);
          END IF;
          RETURN true;
        END $$;
        SELECT pg_advisory_lock(4711)";
    client.batch_execute(gate).await.unwrap();
    // The first is that with which the session is careful.
    store_only(&client, "work", "any", 2).await;
    let last = "UPDATE pgpubsub.notification SET context = 'gate' WHERE id = (SELECT max(id) FROM pgpubsub.notification)";
    client.batch_execute(last).await.unwrap();
    let worker = Running::start(&database, &Work::default(), |worker| {
        let mut set = ListenerSet::new(CATALOG);
        set.durable(PATIENT, Work::default());
        worker.listeners(set).concurrency(1).batch(1)
    });
    let waits =
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    until(&client, waits, 1).await;
    // The claim sees it as it was, and locks it as it is then: in another place of the table.
    let write =
        "UPDATE pgpubsub.notification SET db_version = 'written'; SELECT pg_advisory_unlock(4711)";
    client.batch_execute(write).await.unwrap();
    until(&client, WAITING, 0).await;
    worker.stop().await;
    assert_eq!(count(&client, EFFECTS).await, 2, "each once");
}

#[tokio::test]
async fn a_group_may_have_any_name() {
    const ODD: &str = r#"it's \ "so" $1"#;
    let (database, client) = database().await;
    let rename = "UPDATE pgpubsub.listener SET listener_group = $1 WHERE name = 'work'";
    client.execute(rename, &[&ODD]).await.unwrap();
    store_only(&client, ODD, "any", 3).await;
    let worker = Running::start(&database, &Work::default(), |worker| {
        let mut set = ListenerSet::new(CATALOG);
        set.durable(ListenerSpec { group: ODD, ..WORK }, Work::default());
        worker.listeners(set)
    });
    until(&client, WAITING, 0).await;
    worker.stop().await;
    assert_eq!(count(&client, EFFECTS).await, 3);
}
