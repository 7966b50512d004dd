//! Promises about what is kept of processed notifications.

#![allow(clippy::unwrap_used)] // A test may panic.

#[allow(dead_code)] // Each test uses some of it.
#[path = "support/pgbouncer.rs"]
mod pgbouncer;
mod support;

use std::sync::Arc;
use std::time::Duration;

use pgpubsub_runtime::generated::{
    BoxFuture, Channel, DurableHandler, LeaseHandler, ListenerSpec, Subscription,
};
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::{Cx, LeaseCx, ListenerError, ListenerSet, Op, Worker, WorkerEvent};
use pgpubsub_testkit::Database;
use tokio::sync::Notify;
use tokio_postgres::Client;

use pgbouncer::PgBouncer;
use support::{
    CATALOG, EFFECTS, OTHER, Running, WAITING, WORK, Work, count, failures, shuffle, store, until,
};

const KEPT: &str = "SELECT count(*) FROM pgpubsub.processed";
/// Keeps what it has processed.
const KEEPS: ListenerSpec = ListenerSpec {
    subscriptions: &[Subscription {
        channel: Channel {
            retain: Some(Duration::from_secs(7 * 86_400)),
            was: &["tasks"],
            ..WORK.subscriptions[0].channel
        },
        ops: &[Op::Message],
    }],
    ..WORK
};

async fn database() -> (Database, Client) {
    let (database, client) = support::database().await;
    let table = include_str!("processed.sql");
    client.batch_execute(table).await.unwrap();
    (database, client)
}

/// A worker that keeps what the first of two listeners processes.
fn keeping(work: &Work) -> impl FnOnce(Worker) -> Worker {
    let mut set = ListenerSet::new(CATALOG);
    set.durable(KEEPS, work.clone());
    set.durable(OTHER, work.clone());
    move |worker| worker.listeners(set)
}

#[tokio::test]
async fn what_was_delivered_is_kept_and_what_was_rolled_back_is_not() {
    let (database, client) = database().await;
    let jobs = [
        ("any", 300),
        ("fail", 20),
        ("swallow", 10),
        ("defer", 3),
        ("panic", 5),
        ("die", 1),
    ];
    store(&client, "work", &jobs).await;
    shuffle(&client).await;
    let was = "CREATE TABLE was AS SELECT * FROM pgpubsub.notification";
    client.batch_execute(was).await.unwrap();
    store(&client, "other", &[("any", 40)]).await;
    let work = Work::default();
    let running = Running::start(&database, &work, keeping(&work));
    until(&client, WAITING, 0).await;
    running.stop().await;
    // At every moment it is in one of the tables; at the end in this one, once, and as it was.
    let as_it_was = "SELECT count(*) FROM pgpubsub.processed AS p JOIN was USING (listener_group, id, channel, op, model_version, txid, created_at)
                     WHERE p.payload::text = was.payload::text AND p.db_version IS NOT DISTINCT FROM was.db_version
                       AND p.context IS NOT DISTINCT FROM was.context AND p.retention = 604800 AND p.processed_at > p.created_at";
    assert_eq!(count(&client, as_it_was).await, 339);
    assert_eq!(count(&client, KEPT).await, 339, "not those of the other");
    assert_eq!(count(&client, EFFECTS).await, 379);
    let by_itself = "SELECT count(*) FROM pgpubsub.processed_default";
    assert_eq!(
        count(&client, by_itself).await,
        0,
        "there are partitions before the first"
    );
}

#[tokio::test]
async fn an_attempt_that_fails_leaves_nothing() {
    let (database, client) = database().await;
    store(&client, "work", &[("fail", 1), ("wait", 1)]).await;
    let work = Work::default();
    let running = Running::start(&database, &work, |worker| {
        let long = pgpubsub_runtime::Backoff {
            first: Duration::from_secs(600),
            max: Duration::from_secs(600),
        };
        keeping(&work)(worker)
            .backoff(long)
            .shutdown_timeout(Duration::ZERO)
    });
    until(
        &client,
        "SELECT count(*) FROM pgpubsub.notification WHERE attempts > 0 AND last_error IS NOT NULL",
        1,
    )
    .await;
    running.stop().await;
    assert_eq!(count(&client, WAITING).await, 2);
    assert_eq!(count(&client, KEPT).await, 0);
}

/// Wants nothing, or does not get to it.
struct Unwilling;

impl DurableHandler for Unwilling {
    fn call<'a>(
        &'a self,
        _: Op,
        job: &'a Value,
        _: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        Box::pin(async move {
            match job["do"].as_str() {
                Some("discard") => Err(ListenerError::discard("no")),
                Some("quarantine") => Err(ListenerError::quarantine("no")),
                _ => Ok(()),
            }
        })
    }
}

#[tokio::test]
async fn only_what_was_processed_is_kept() {
    let (database, client) = database().await;
    let jobs = [("discard", 2), ("quarantine", 2), ("any", 5), ("late", 3)];
    for (job, number) in jobs {
        support::store_only(&client, "work", job, number).await;
    }
    let expire = "UPDATE pgpubsub.notification SET expires_at = now() - interval '1 s' WHERE payload->>'do' = 'late';
                  INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload)
                  VALUES ('work', 'tasks', 'message', 1, '{}');
                  INSERT INTO pgpubsub.notification (id, listener_group, channel, op, model_version, payload, not_before)
                  OVERRIDING SYSTEM VALUE VALUES (-77, 'work', 'jobs', 'message', 1, '{}', '-infinity')";
    client.batch_execute(expire).await.unwrap();
    let running = Running::start(&database, &Work::default(), |worker| {
        let mut set = ListenerSet::new(CATALOG);
        set.durable(KEEPS, Unwilling);
        worker.listeners(set)
    });
    until(&client, WAITING, 0).await;
    running.stop().await;
    let of = async |what: &str| count(&client, &format!("{KEPT} WHERE {what}")).await;
    assert_eq!(of("payload->>'do' = 'any'").await, 5);
    assert_eq!(of("channel = 'tasks'").await, 1, "under a former name");
    assert_eq!(of("id = -77").await, 1, "stored for later");
    assert_eq!(count(&client, KEPT).await, 7);
}

/// As fast as a lease can be.
struct Leased;

impl LeaseHandler for Leased {
    fn call<'a>(
        &'a self,
        _: Op,
        job: &'a Value,
        cx: &'a mut LeaseCx,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        Box::pin(async move {
            match (job["do"].as_str(), cx.notification().attempt) {
                (Some("fail"), 1) => Err("told to".into()),
                _ => Ok(()),
            }
        })
    }
}

#[tokio::test]
async fn what_a_lease_was_held_for_is_kept() {
    let (database, client) = database().await;
    store(&client, "work", &[("any", 3), ("fail", 2)]).await;
    let running = Running::start(&database, &Work::default(), |worker| {
        let mut set = ListenerSet::new(CATALOG);
        set.lease(KEEPS, Leased);
        worker
            .listeners(set)
            .poll_interval(Duration::from_millis(50))
    });
    until(&client, WAITING, 0).await;
    let mut events = running.stop().await;
    assert_eq!(failures(&mut events).len(), 2);
    assert_eq!(count(&client, KEPT).await, 5);
}

#[tokio::test]
async fn delivery_goes_on_without_partitions_and_while_somebody_reads() {
    let (database, client) = database().await;
    // A backup, which lets nobody drop or attach one.
    let backup = database.connect().await.unwrap();
    let hold =
        "BEGIN; LOCK TABLE pgpubsub.processed, pgpubsub.processed_default IN ACCESS SHARE MODE";
    backup.batch_execute(hold).await.unwrap();
    store(&client, "work", &[("any", 50)]).await;
    let work = Work::default();
    let running = Running::start(&database, &work, keeping(&work));
    until(&client, WAITING, 0).await;
    let by_itself = "SELECT count(*) FROM pgpubsub.processed_default";
    assert_eq!(count(&client, by_itself).await, 50);
    backup.batch_execute("COMMIT").await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn delivery_goes_on_when_the_table_is_taken_away() {
    let (database, client) = database().await;
    let work = Work::default();
    let running = Running::start(&database, &work, keeping(&work));
    store(&client, "work", &[("any", 5)]).await;
    until(&client, KEPT, 5).await;
    let gone = "DROP TABLE pgpubsub.processed";
    client.batch_execute(gone).await.unwrap();
    store(&client, "work", &[("any", 5)]).await;
    until(&client, WAITING, 0).await;
    let mut events = running.stop().await;
    let failed = failures(&mut events);
    assert!(
        failed.is_empty(),
        "it is no failure of a listener: {failed:?}"
    );
    let quarantined = "SELECT count(*) FROM pgpubsub.quarantine";
    assert_eq!(count(&client, quarantined).await, 0);
    assert_eq!(count(&client, EFFECTS).await, 10);
}

#[tokio::test]
async fn what_is_processed_through_a_pooler_is_kept_too() {
    let (database, client) = database().await;
    let Some(pooler) = PgBouncer::start(&database.config()).await else {
        return;
    };
    store(&client, "work", &[("any", 250), ("fail", 5)]).await;
    let work = Work::default();
    let running = Running::start_on(pooler.config(), &work, |worker| {
        keeping(&work)(worker)
            .session(database.config())
            .poll_interval(Duration::from_millis(50))
    });
    until(&client, WAITING, 0).await;
    running.stop().await;
    assert_eq!(count(&client, KEPT).await, 255);
    let by_itself = "SELECT count(*) FROM pgpubsub.processed_default";
    assert_eq!(count(&client, by_itself).await, 0);
}

#[tokio::test]
async fn a_worker_does_not_start_where_nothing_can_be_kept() {
    let (database, client) = support::database().await;
    let start = async |config| {
        let mut set = ListenerSet::new(CATALOG);
        set.durable(KEEPS, Work::default());
        let idle = Arc::new(Notify::new());
        let told = Arc::clone(&idle);
        let worker = Worker::new(config).listeners(set).on_event(move |event| {
            if let WorkerEvent::Idle = event {
                told.notify_one();
            }
        });
        let running = worker.run_until(async move { idle.notified().await });
        running.await.map_err(|error| error.to_string())
    };
    let error = start(database.config()).await.unwrap_err();
    assert!(
        error.contains("\"pgpubsub\".\"processed\": apply the newest migration"),
        "{error}"
    );
    let table = include_str!("processed.sql");
    client.batch_execute(table).await.unwrap();
    let name = format!("worker_{}", std::process::id());
    let role = format!(
        "CREATE ROLE {name} LOGIN; GRANT USAGE ON SCHEMA pgpubsub TO {name};
         GRANT SELECT, UPDATE, DELETE ON ALL TABLES IN SCHEMA pgpubsub TO {name};
         GRANT INSERT ON pgpubsub.quarantine TO {name}"
    );
    client.batch_execute(&role).await.unwrap();
    let mut config = database.config();
    config.options(format!("-c role={name}"));
    let error = start(config.clone()).await.unwrap_err();
    assert!(
        error.contains("grant INSERT on \"pgpubsub\".\"processed\""),
        "{error}"
    );
    let grant = format!("GRANT INSERT ON pgpubsub.processed TO {name}");
    client.batch_execute(&grant).await.unwrap();
    let error = start(config.clone()).await.unwrap_err();
    assert!(
        error.contains("grant EXECUTE on \"pgpubsub\".\"maintain_processed\""),
        "{error}"
    );
    let grant = format!("GRANT EXECUTE ON FUNCTION pgpubsub.maintain_processed TO {name}");
    client.batch_execute(&grant).await.unwrap();
    start(config).await.unwrap();
    let drop = format!("DROP OWNED BY {name}; DROP ROLE {name}");
    client.batch_execute(&drop).await.unwrap();
}
