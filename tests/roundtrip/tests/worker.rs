//! The worker with generated listeners: failures that stay with their listener, retries, and clear refusals to start.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

mod support;

use std::time::Duration;

use pgpubsub_roundtrip::pubsub::{
    ItemAudit, ItemChanged, ItemInserted, ItemInsertedEvent, Listeners,
};
use pgpubsub_runtime::tokio_postgres::Config;
use pgpubsub_runtime::{Backoff, Cx, Error, ListenerError, Worker, WorkerEvent};
use support::Fixture;
use tokio::sync::{mpsc, oneshot};

/// Writes to a ledger, and fails after that on its first attempts.
struct Fails {
    times: u32,
}

impl ItemInserted for Fails {
    async fn item_inserted(
        &self,
        event: ItemInsertedEvent,
        cx: &mut Cx<'_>,
    ) -> Result<(), ListenerError> {
        let attempt = cx.notification().attempt;
        let sql = "INSERT INTO app.ledger VALUES ('inserted', $1)";
        cx.transaction().execute(sql, &[&event.new.id]).await?;
        if attempt <= self.times {
            return Err(format!("attempt {attempt} was told to fail").into());
        }
        Ok(())
    }
}

struct Audit;

impl ItemAudit for Audit {
    async fn item_audit(&self, event: ItemChanged, cx: &mut Cx<'_>) -> Result<(), ListenerError> {
        if let ItemChanged::Insert { new } = event {
            let sql = "INSERT INTO app.ledger VALUES ('audit', $1)";
            cx.transaction().execute(sql, &[&new.id]).await?;
        }
        Ok(())
    }
}

async fn with_ledger() -> Fixture {
    let fixture = Fixture::migrated().await;
    fixture
        .sql("CREATE TABLE app.ledger (listener text, id bigint)")
        .await;
    fixture
}

/// Runs a worker until `count` events of it satisfy the condition.
async fn run_until(worker: Worker, count: usize, counts: impl Fn(&WorkerEvent) -> bool) {
    let (sender, mut events) = mpsc::unbounded_channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = worker.on_event(move |event| {
        let _ = sender.send(event);
    });
    let worker = tokio::spawn(worker.run_until(async {
        let _ = stopped.await;
    }));
    let mut seen = 0;
    while seen < count {
        let event = tokio::time::timeout(Duration::from_secs(30), events.recv()).await;
        seen += usize::from(counts(
            &event.expect("an event in time").expect("a running worker"),
        ));
    }
    let _ = stop.send(());
    worker.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_failing_listener_is_tried_again_and_undoes_nothing_of_another() {
    let fixture = with_ledger().await;
    fixture
        .sql("INSERT INTO app.item VALUES (1, 'a'), (2, 'b')")
        .await;
    let listeners = Listeners::new()
        .item_inserted(Fails { times: 2 })
        .item_audit(Audit);
    let worker = Worker::new(fixture.database.config())
        .listeners(listeners)
        .backoff(Backoff {
            first: Duration::from_millis(5),
            max: Duration::from_millis(20),
        });
    run_until(worker, 4, |event| {
        matches!(event, WorkerEvent::Delivered { .. })
    })
    .await;
    let ledger = "SELECT count(*) FROM app.ledger WHERE listener =";
    assert_eq!(fixture.count(&format!("{ledger} 'audit'")).await, 2);
    assert_eq!(
        fixture.count(&format!("{ledger} 'inserted'")).await,
        2,
        "failed attempts left nothing"
    );
}

#[tokio::test]
async fn a_failed_notification_stays_with_its_attempts_and_last_error() {
    let fixture = with_ledger().await;
    fixture.sql("INSERT INTO app.item VALUES (1, 'a')").await;
    let worker = Worker::new(fixture.database.config())
        .listeners(Listeners::new().item_inserted(Fails { times: 99 }))
        .backoff(Backoff {
            first: Duration::from_millis(5),
            max: Duration::from_millis(5),
        });
    run_until(worker, 3, |event| {
        matches!(event, WorkerEvent::Failed { .. })
    })
    .await;
    let row = fixture
        .writer
        .query_one(
            "SELECT attempts, last_error, not_before IS NOT NULL FROM pgpubsub.notification WHERE listener_group = 'item_inserted'",
            &[],
        )
        .await
        .unwrap();
    let attempts: i32 = row.get(0);
    assert!(attempts >= 3, "{attempts}");
    assert_eq!(
        row.get::<_, String>(1),
        format!("attempt {attempts} was told to fail")
    );
    assert!(row.get::<_, bool>(2));
    assert_eq!(fixture.count("SELECT count(*) FROM app.ledger").await, 0);
}

#[tokio::test]
async fn a_claim_reads_a_few_rows_however_many_wait() {
    let fixture = with_ledger().await;
    // Not analyzed, as a table that is empty most of the time is in practice.
    fixture
        .sql("INSERT INTO app.item SELECT n, 'backlog' FROM generate_series(1, 1000) AS n")
        .await;
    let worker = Worker::new(fixture.database.config())
        .listeners(Listeners::new().item_inserted(Fails { times: 0 }));
    run_until(worker, 1000, |event| {
        matches!(event, WorkerEvent::Delivered { .. })
    })
    .await;
    // A session hands in its counts when it ends.
    let ended = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgpubsub %'
                 AND datname = current_database()";
    while fixture.count(ended).await > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let read = "SELECT coalesce(idx_tup_fetch, 0) + seq_tup_read FROM pg_stat_user_tables
                WHERE relid = 'pgpubsub.notification'::regclass";
    let read = fixture.count(read).await;
    assert!(
        (1..50_000).contains(&read),
        "{read} rows read for 1,000 notifications"
    );
}

#[tokio::test]
async fn a_worker_leaves_no_predicate_locks_that_could_fail_a_serializable_writer() {
    let fixture = with_ledger().await;
    let name = fixture
        .writer
        .query_one("SELECT current_database()::text", &[])
        .await
        .unwrap();
    let name: String = name.get(0);
    let stricter =
        format!("ALTER DATABASE \"{name}\" SET default_transaction_isolation = 'serializable'");
    fixture.sql(&stricter).await;
    // Predicate locks outlive their transaction for as long as a writer like this one overlaps with it.
    fixture
        .sql("BEGIN ISOLATION LEVEL SERIALIZABLE; INSERT INTO app.item VALUES (1, 'open')")
        .await;
    let other = fixture.database.connect().await.unwrap();
    other
        .batch_execute("INSERT INTO app.item VALUES (2, 'a')")
        .await
        .unwrap();
    let worker = Worker::new(fixture.database.config())
        .listeners(Listeners::new().item_inserted(Fails { times: 1 }))
        .backoff(Backoff {
            first: Duration::from_millis(5),
            max: Duration::from_millis(5),
        });
    run_until(worker, 1, |event| {
        matches!(event, WorkerEvent::Delivered { .. })
    })
    .await;
    let locks = "SELECT count(*) FROM pg_locks WHERE mode = 'SIReadLock'
                 AND relation IN ('pgpubsub.notification'::regclass, 'pgpubsub.notification_pkey'::regclass, 'pgpubsub.spill'::regclass, 'pgpubsub.spill_pkey'::regclass)";
    assert_eq!(fixture.count(locks).await, 0);
    fixture.sql("COMMIT").await;
}

#[tokio::test]
async fn a_panicking_observer_ends_the_worker_with_an_error_and_loses_nothing() {
    let fixture = with_ledger().await;
    fixture.sql("INSERT INTO app.item VALUES (1, 'a')").await;
    let worker = Worker::new(fixture.database.config())
        .listeners(Listeners::new().item_inserted(Fails { times: 99 }))
        .on_event(|event| {
            assert!(
                !matches!(event, WorkerEvent::Failed { .. }),
                "told to panic"
            )
        });
    let ended = tokio::time::timeout(
        Duration::from_secs(30),
        worker.run_until(std::future::pending()),
    );
    let error = ended.await.expect("an end in time").expect_err("an error");
    says(&error, &["a task of the worker has ended"]);
    let waiting =
        "SELECT count(*) FROM pgpubsub.notification WHERE listener_group = 'item_inserted'";
    assert_eq!(fixture.count(waiting).await, 1);
}

async fn refusal(config: Config, change: impl Fn(Worker) -> Worker) -> Error {
    let worker = Worker::new(config).listeners(Listeners::new().item_inserted(Fails { times: 0 }));
    let stopped = change(worker).run_until(async {
        tokio::time::sleep(Duration::from_secs(30)).await;
    });
    stopped.await.expect_err("the worker does not start")
}

fn says(error: &Error, words: &[&str]) {
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "no {word:?} in: {text}");
    }
}

#[tokio::test]
async fn what_cannot_work_is_refused_at_the_start_with_what_to_do() {
    let fixture = Fixture::migrated().await;
    let config = fixture.database.config();

    let error = refusal(config.clone(), |worker| worker.only(["item_insertd"])).await;
    assert!(error.is_options());
    says(&error, &["`item_insertd`", "did you mean `item_inserted`?"]);

    let mut read_only = config.clone();
    read_only.options("-c default_transaction_read_only=on");
    let error = refusal(read_only, |worker| worker).await;
    assert!(error.is_read_only());
    says(&error, &["read-only"]);

    let role = format!("worker_{}", std::process::id());
    fixture
        .sql(&format!(
            "DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN"
        ))
        .await;
    let mut unprivileged = config.clone();
    unprivileged.user(&role);
    let error = refusal(unprivileged, |worker| worker).await;
    says(&error, &["permission denied", "grant"]);
    fixture.sql(&format!("DROP ROLE {role}")).await;

    fixture
        .sql("DELETE FROM pgpubsub.listener WHERE name = 'item_inserted'")
        .await;
    let error = refusal(config.clone(), |worker| worker).await;
    assert!(error.is_not_installed());
    says(
        &error,
        &[
            "listener `item_inserted` is not installed",
            "apply the newest migration",
        ],
    );

    for (version, word) in [
        (0, "the database is too old"),
        (2, "this program is too old"),
    ] {
        fixture
            .sql(&format!("UPDATE pgpubsub.storage SET version = {version}"))
            .await;
        let error = refusal(config.clone(), |worker| worker).await;
        assert!(error.is_storage_version());
        says(&error, &[word]);
    }

    fixture.sql("DROP SCHEMA pgpubsub CASCADE").await;
    let error = refusal(config.clone(), |worker| worker).await;
    assert!(error.is_storage_missing());
    says(
        &error,
        &["\"pgpubsub\".\"storage\"", "apply the migrations"],
    );

    let mut nowhere = config;
    nowhere.dbname("no such database");
    let error = refusal(nowhere, |worker| worker).await;
    assert!(error.is_closed());
    says(&error, &["could not connect", "no such database"]);
}
