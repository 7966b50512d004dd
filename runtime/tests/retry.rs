//! Retries that end, timeouts, and the quarantine: a notification is done, waiting or in quarantine, never lost or doubled.

#![allow(clippy::unwrap_used)] // A test may panic.

mod support;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pgpubsub_runtime::generated::{BoxFuture, DurableHandler, ListenerSpec};
use pgpubsub_runtime::quarantine::{self, Filter};
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::{
    Backoff, Context, Cx, ListenerError, ListenerSet, Op, Retry, Worker, WorkerEvent,
};
use pgpubsub_testkit::Database;
use tokio::sync::mpsc;
use tokio_postgres::Client;

use support::{CATALOG, stored as database};

const WORK: ListenerSpec = ListenerSpec {
    retry: Retry {
        max: 3,
        backoff: Some(fixed(10)),
    },
    timeout: Some(Duration::from_millis(300)),
    ..support::WORK
};

const fn fixed(milliseconds: u64) -> Backoff {
    let pause = Duration::from_millis(milliseconds);
    Backoff {
        first: pause,
        max: pause,
    }
}

/// Does what the job says, after it has left an effect.
#[derive(Clone, Default)]
struct Work {
    /// What was told to come back later.
    snoozed: Arc<Mutex<HashSet<i64>>>,
}

impl Work {
    /// Whether this one has not been told yet.
    fn snoozes(&self, id: i64) -> bool {
        self.snoozed.lock().unwrap().insert(id)
    }
}

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
            let (id, attempt) = (cx.notification().id, cx.notification().attempt);
            let soon = Duration::from_millis(50);
            match job {
                "fail" => Err("told to".into()),
                "fail twice" if attempt < 3 => Err("told to".into()),
                "discard" => Err(ListenerError::discard("nobody wants it")),
                "quarantine" => Err(ListenerError::quarantine("cannot be")),
                "later" if self.snoozes(id) => Err(ListenerError::retry_after(soon)),
                "later" => {
                    assert_eq!(attempt, 1, "a snooze is no attempt");
                    Ok(())
                }
                "sleep" => {
                    tokio::time::sleep(Duration::from_secs(600)).await;
                    Ok(())
                }
                "sleep in the database" => {
                    let savepoint = cx.transaction_mut().transaction().await?;
                    savepoint.batch_execute("SELECT pg_sleep(600)").await?;
                    Ok(())
                }
                "by number" => match id {
                    id if id % 11 == 0 => Err(ListenerError::quarantine("eleven")),
                    id if id % 13 == 0 => Err("thirteen".into()),
                    id if id % 17 == 0 => Err(ListenerError::discard("seventeen")),
                    id if id % 19 == 0 && self.snoozes(id) => {
                        assert_eq!(attempt, 1, "nothing has been counted");
                        Err(ListenerError::retry_after(soon))
                    }
                    id if (id + i64::from(attempt)) % 3 == 0 => Err("once".into()),
                    _ => Ok(()),
                },
                _ => Ok(()),
            }
        })
    }
}

fn worker(database: &Database) -> Worker {
    let mut set = ListenerSet::new(CATALOG);
    set.durable(WORK, Work::default());
    Worker::new(database.config())
        .listeners(set)
        .poll_interval(Duration::from_millis(200))
}

async fn publish(client: &Client, job: &str) {
    let payload = format!("{{\"do\":\"{job}\"}}");
    client
        .execute("SELECT pgpubsub.notify_jobs($1)", &[&payload])
        .await
        .unwrap();
}

async fn count(client: &Client, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    client.query_one(&sql, &[]).await.unwrap().get(0)
}

/// Runs until an event comes for which the function says so, and returns all that came.
async fn run_until(
    worker: Worker,
    mut is_last: impl FnMut(&WorkerEvent) -> bool,
) -> Vec<WorkerEvent> {
    let (sender, mut events) = mpsc::unbounded_channel();
    let worker = worker.on_event(move |event| drop(sender.send(event)));
    let mut seen = Vec::new();
    let shutdown = async {
        while let Some(event) = events.recv().await {
            let last = is_last(&event);
            seen.push(event);
            if last {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), worker.run_until(shutdown))
        .await
        .expect("no hang")
        .unwrap();
    seen
}

/// Until so many notifications have come to an end.
async fn run_for(worker: Worker, mut ends: usize) -> Vec<WorkerEvent> {
    run_until(worker, |event| {
        let end = matches!(
            event,
            WorkerEvent::Delivered { .. }
                | WorkerEvent::Discarded { .. }
                | WorkerEvent::Quarantined { .. }
        );
        ends -= usize::from(end);
        ends == 0
    })
    .await
}

#[tokio::test]
async fn after_its_last_attempt_a_notification_is_in_quarantine_as_it_was() {
    let (database, mut client) = database().await;
    let transaction = client.transaction().await.unwrap();
    pgpubsub_runtime::set_context(&transaction, &Context::new().with("tenant", "a"))
        .await
        .unwrap();
    transaction
        .execute("SELECT pgpubsub.notify_jobs('{\"do\":\"fail\"}')", &[])
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    publish(&client, "fail twice").await;
    publish(&client, "good").await;
    let whole = "SELECT id, created_at::text, txid::text, payload::text, context FROM pgpubsub";
    let before = client
        .query_one(&format!("{whole}.notification ORDER BY id LIMIT 1"), &[])
        .await
        .unwrap();

    let events = run_for(worker(&database), 3).await;
    let failed = events
        .iter()
        .filter(|event| matches!(event, WorkerEvent::Failed { .. }))
        .count();
    assert_eq!(failed, 3 + 2);
    assert_eq!(count(&client, "effect").await, 2);
    assert_eq!(count(&client, "pgpubsub.notification").await, 0);

    let after = client
        .query_one(&format!("{whole}.quarantine"), &[])
        .await
        .unwrap();
    assert_eq!(before.get::<_, i64>(0), after.get::<_, i64>(0));
    for column in 1..5 {
        assert_eq!(before.get::<_, &str>(column), after.get::<_, &str>(column));
    }
    let there = quarantine::list(&client, &CATALOG, &Filter::default(), 10)
        .await
        .unwrap();
    assert_eq!(there.len(), 1);
    assert_eq!((there[0].attempts, there[0].op), (3, Op::Message));
    assert_eq!(there[0].reason, "failed 3 times");
    assert_eq!(there[0].last_error.as_deref(), Some("told to"));
    let whole = quarantine::inspect(&client, &CATALOG, there[0].id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(whole.quarantined, there[0]);
    assert_eq!(whole.payload, "{\"do\":\"fail\"}");
    assert_eq!(whole.context.get("tenant"), Some("a".to_owned()));
}

#[tokio::test]
async fn the_error_decides() {
    let (database, client) = database().await;
    for job in ["discard", "quarantine", "later"] {
        publish(&client, job).await;
    }
    let events = run_for(worker(&database), 3).await;
    let has = |wanted: fn(&WorkerEvent) -> bool| events.iter().any(wanted);
    assert!(has(
        |event| matches!(event, WorkerEvent::Discarded { reason, .. } if reason == "nobody wants it")
    ));
    assert!(has(|event| matches!(event, WorkerEvent::Snoozed { .. })));
    assert!(has(
        |event| matches!(event, WorkerEvent::Failed { error, .. } if error == "cannot be")
    ));
    assert!(has(
        |event| matches!(event, WorkerEvent::Quarantined { reason, .. } if reason == "the listener asked for it")
    ));
    // Of `later` only: what the others did is undone.
    assert_eq!(count(&client, "effect").await, 1);
    assert_eq!(count(&client, "pgpubsub.notification").await, 0);
    assert_eq!(count(&client, "pgpubsub.quarantine").await, 1);
}

#[tokio::test]
async fn a_listener_beyond_its_timeout_is_cancelled_on_the_server_too() {
    let (database, client) = database().await;
    // The consumer has large batches when it comes to them.
    let good = "SELECT pgpubsub.notify_jobs('{\"do\":\"good\"}') FROM generate_series(1, 200)";
    client.batch_execute(good).await.unwrap();
    publish(&client, "sleep in the database").await;
    publish(&client, "sleep").await;
    publish(&client, "good").await;
    let begun = Instant::now();
    let events = run_for(worker(&database).concurrency(1), 203).await;
    assert!(begun.elapsed() < Duration::from_secs(20));
    let timeouts = events
        .iter()
        .filter(|event| matches!(event, WorkerEvent::TimedOut { .. }))
        .count();
    assert_eq!(timeouts, 2 * 3);
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, WorkerEvent::Reconnecting { .. })),
        "the session goes on: {events:?}"
    );
    assert_eq!(count(&client, "effect").await, 201);
    assert_eq!(count(&client, "pgpubsub.quarantine").await, 2);
    let running = "pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()";
    assert_eq!(count(&client, running).await, 0);
}

#[tokio::test]
async fn a_full_quarantine_loses_nothing() {
    let (database, client) = database().await;
    publish(&client, "fail").await;
    publish(&client, "fail").await;
    let worker = worker(&database).concurrency(1).quarantine_limit(1);
    run_until(worker, |event| {
        matches!(event, WorkerEvent::QuarantineFull { .. })
    })
    .await;
    assert_eq!(count(&client, "pgpubsub.quarantine").await, 1);
    assert_eq!(count(&client, "pgpubsub.notification").await, 1);
    quarantine::purge(&client, &CATALOG, &Filter::default())
        .await
        .unwrap();
    run_for(self::worker(&database).quarantine_limit(1), 1).await;
    assert_eq!(count(&client, "pgpubsub.quarantine").await, 1);
    assert_eq!(count(&client, "pgpubsub.notification").await, 0);
}

#[tokio::test]
async fn what_is_put_back_is_tried_from_the_beginning() {
    let (database, client) = database().await;
    for _ in 0..5 {
        publish(&client, "quarantine").await;
    }
    run_for(worker(&database), 5).await;
    let ids: Vec<i64> = quarantine::list(&client, &CATALOG, &Filter::default(), 10)
        .await
        .unwrap()
        .iter()
        .map(|there| there.id)
        .collect();
    assert_eq!(ids.len(), 5);

    // The mistake is corrected.
    client
        .execute(
            "UPDATE pgpubsub.quarantine SET payload = '{\"do\":\"good\"}'",
            &[],
        )
        .await
        .unwrap();
    let one = Filter {
        id: Some(ids[0]),
        ..Filter::default()
    };
    let other = Filter {
        channel: Some("others".to_owned()),
        ..Filter::default()
    };
    let group = Filter {
        group: Some("work".to_owned()),
        ..Filter::default()
    };
    for (filter, moved) in [(&other, 0), (&one, 1), (&one, 0)] {
        let put_back = quarantine::redrive(&client, &CATALOG, filter, None).await;
        assert_eq!(put_back.unwrap(), moved);
    }
    let row = client
        .query_one(
            "SELECT id, attempts, last_error, not_before IS NULL FROM pgpubsub.notification",
            &[],
        )
        .await
        .unwrap();
    assert_eq!((row.get(0), row.get(1), row.get(3)), (ids[0], 0, true));
    assert_eq!(row.get::<_, &str>(2), "cannot be");

    let begun = Instant::now();
    let moved = quarantine::redrive(&client, &CATALOG, &group, Some(10)).await;
    assert_eq!(moved.unwrap(), 4);
    assert!(
        begun.elapsed() >= Duration::from_millis(350),
        "ten a second"
    );
    run_for(worker(&database), 5).await;
    assert_eq!(count(&client, "effect").await, 5);
    for table in ["pgpubsub.notification", "pgpubsub.quarantine"] {
        assert_eq!(count(&client, table).await, 0);
    }
}

#[tokio::test]
async fn each_of_many_is_done_or_in_quarantine_once() {
    many(100).await;
}

#[tokio::test]
async fn each_of_many_is_done_or_in_quarantine_once_however_careful_the_worker_is() {
    many(1_500).await;
}

/// Consumers are careful with as many as a batch may have.
async fn many(batch: usize) {
    let (database, client) = database().await;
    client
        .execute(
            "SELECT pgpubsub.notify_jobs('{\"do\":\"by number\"}') FROM generate_series(1, 1500)",
            &[],
        )
        .await
        .unwrap();
    run_for(worker(&database).concurrency(4).batch(batch), 1_500).await;
    let number = |is: fn(i32) -> bool| (1..=1_500).map(|id| i64::from(is(id))).sum::<i64>();
    let hopeless = number(|id| id % 11 == 0 || id % 13 == 0);
    let unwanted = number(|id| id % 11 != 0 && id % 13 != 0 && id % 17 == 0);
    assert_eq!(count(&client, "pgpubsub.quarantine").await, hopeless);
    let effects = 1_500 - hopeless - unwanted;
    assert_eq!(count(&client, "effect").await, effects);
    assert_eq!(count(&client, "pgpubsub.notification").await, 0);
}

#[tokio::test]
async fn a_role_without_the_rights_is_told_which_at_the_start() {
    let (database, client) = database().await;
    let role = format!("limited_{}", std::process::id());
    client
        .batch_execute(&format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'limited'; GRANT USAGE ON SCHEMA pgpubsub TO {role};
             GRANT SELECT ON ALL TABLES IN SCHEMA pgpubsub TO {role};
             GRANT UPDATE, DELETE ON pgpubsub.notification TO {role}"
        ))
        .await
        .unwrap();
    let mut config = database.config();
    config.user(&role).password("limited");
    let mut set = ListenerSet::new(CATALOG);
    set.durable(WORK, Work::default());
    let error = Worker::new(config)
        .listeners(set)
        .run_until(std::future::pending())
        .await
        .unwrap_err()
        .to_string();
    client
        .batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))
        .await
        .unwrap();
    assert!(
        error.ends_with("grant INSERT on \"pgpubsub\".\"quarantine\""),
        "{error}"
    );
}
