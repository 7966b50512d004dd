//! Promises through PgBouncer in transaction mode.

#![allow(clippy::unwrap_used)] // A test may panic.

#[allow(dead_code)] // Each test uses some of it.
#[path = "support/pgbouncer.rs"]
mod pgbouncer;
#[allow(dead_code)] // Each test uses some of it.
#[path = "support/proxy.rs"]
mod proxy;
mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pgpubsub_runtime::chrono::Utc;
use pgpubsub_runtime::generated::{
    BoxFuture, Channel, DurableHandler, LeaseHandler, ListenerSpec, Subscription, TransientHandler,
    notify,
};
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::{
    Backoff, Context, Cx, Inbox, LeaseCx, ListenerError, ListenerSet, Op, Retry, TransientCx,
    Worker, WorkerEvent, pending, set_context, who_holds,
};
use pgpubsub_testkit::Database;
use tokio::sync::Notify;
use tokio_postgres::Client;

use pgbouncer::{POOL, PgBouncer};
use proxy::Proxy;
use support::{
    CATALOG, EFFECTS, Running, WAITING, WORK, Work, count, database, failures, shuffle, store,
    until,
};

const LISTENING: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'pgpubsub listening'";
const HOUR: Duration = Duration::from_secs(3_600);

/// None without PgBouncer.
async fn pooled() -> Option<(Database, Client, PgBouncer)> {
    let (database, client) = database().await;
    let pooler = PgBouncer::start(&database.config()).await?;
    Some((database, client, pooler))
}

#[tokio::test]
async fn two_thousand_published_and_processed_through_a_pool_of_two_take_effect_once_each() {
    let Some((database, client, pooler)) = pooled().await else {
        return;
    };
    let work = Work::default();
    let running = Running::start_on(pooler.config(), &work, |worker| {
        worker.session(database.config()).poll_interval(HOUR)
    });
    until(&client, LISTENING, 1).await;
    let publishers = (0..8).map(async |_| {
        let publisher = pooler.connect().await;
        for _ in 0..250 {
            let message = BTreeMap::from([("do".to_owned(), "any".to_owned())]);
            notify(&publisher, "SELECT pgpubsub.notify_jobs($1)", &message)
                .await
                .unwrap();
        }
    });
    futures_util::future::join_all(publishers).await;
    until(&client, WAITING, 0).await;
    assert_eq!(count(&client, EFFECTS).await, 2_000);
    let distinct = "SELECT count(DISTINCT job) FROM effect";
    assert_eq!(count(&client, distinct).await, 2_000);
    // By the pool, and by nobody else.
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
                    AND application_name NOT LIKE 'pgpubsub listening' AND pid <> pg_backend_pid()";
    assert!(count(&client, sessions).await <= i64::try_from(POOL).unwrap());
    assert!(failures(&mut running.stop().await).is_empty());
}

#[tokio::test]
async fn failures_of_every_kind_through_a_pool_fail_alone() {
    let came_to_nothing = 10 + 3;
    let failed = 20 + 20 + 10 + came_to_nothing;
    assert_eq!(failures_through_a_pool(1).await.unwrap_or(failed), failed);
    // A transaction that came to nothing lets go of its notification before that is recorded. If another consumer has got hold
    // of it then, only what that one makes of it is told.
    let told = failures_through_a_pool(4).await.unwrap_or(failed);
    assert!(
        (failed - came_to_nothing..=failed).contains(&told),
        "{told}"
    );
}

/// How many failures are told, if there is a pooler; the effects are exact with any number of consumers.
async fn failures_through_a_pool(consumers: usize) -> Option<usize> {
    let (database, client, pooler) = pooled().await?;
    let jobs = [
        ("nothing", 40),
        ("any", 40),
        ("fail", 20),
        ("fail without", 20),
        ("panic", 10),
        ("swallow", 10),
        ("defer", 3),
        ("nested", 10),
    ];
    store(&client, "work", &jobs).await;
    shuffle(&client).await;
    let running = Running::start_on(pooler.config(), &Work::default(), |worker| {
        worker.session(database.config()).concurrency(consumers)
    });
    until(&client, WAITING, 0).await;
    let failed = failures(&mut running.stop().await).len();
    assert_eq!(count(&client, EFFECTS).await, 40 + 20 + 10 + 10 + 3 + 10);
    Some(failed)
}

#[tokio::test]
async fn without_a_session_the_worker_polls() {
    let Some((_database, client, pooler)) = pooled().await else {
        return;
    };
    let running = Running::start_on(pooler.config(), &Work::default(), |worker| {
        worker.polling().poll_interval(Duration::from_millis(50))
    });
    for round in 1..=3 {
        store(&client, "work", &[("any", 1)]).await;
        until(&client, EFFECTS, round).await;
        assert_eq!(count(&client, LISTENING).await, 0);
    }
    running.stop().await;
}

const ORDERED: ListenerSpec = ListenerSpec {
    subscriptions: &[Subscription {
        channel: Channel {
            ordered: true,
            ..WORK.subscriptions[0].channel
        },
        ops: WORK.subscriptions[0].ops,
    }],
    ..WORK
};

/// Takes effect, unless it has a place before it in its key that has not.
struct InOrder;

impl DurableHandler for InOrder {
    fn call<'a>(
        &'a self,
        _: Op,
        job: &'a Value,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        Box::pin(async move {
            let (key, place) = (&job["key"], job["place"].as_i64().ok_or("no place")?);
            if place == 3 && cx.notification().attempt == 1 {
                return Err("told to".into());
            }
            let before = "SELECT count(*) FROM effect WHERE job = $1";
            let key = key.to_string();
            let before = cx.transaction().query_one(before, &[&key]).await?;
            if before.get::<_, i64>(0) != place - 1 {
                return Err(ListenerError::quarantine("out of order"));
            }
            let insert = "INSERT INTO effect VALUES ($1)";
            cx.transaction().execute(insert, &[&key]).await?;
            Ok(())
        })
    }
}

#[tokio::test]
async fn keys_keep_their_order_through_a_pool() {
    let Some((database, client, pooler)) = pooled().await else {
        return;
    };
    let jobs = "INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload, order_key)
                  SELECT 'work', 'jobs', 'message', 1, json_build_object('key', key, 'place', place), '[\"' || key || '\"]'
                  FROM generate_series(1, 20) AS place, generate_series(1, 10) AS key ORDER BY place, key";
    client.batch_execute(jobs).await.unwrap();
    let mut set = ListenerSet::new(CATALOG);
    set.durable(ORDERED, InOrder);
    let pause = Duration::from_millis(20);
    let worker = Worker::new(pooler.config())
        .listeners(set)
        .session(database.config())
        .batch(5)
        .backoff(Backoff {
            first: pause,
            max: pause,
        });
    let shutdown = async { until(&client, WAITING, 0).await };
    worker.run_until(shutdown).await.unwrap();
    assert_eq!(count(&client, EFFECTS).await, 200);
    assert_eq!(count(&client, QUARANTINE).await, 0, "out of order");
}

struct Hopeless;

impl DurableHandler for Hopeless {
    fn call<'a>(
        &'a self,
        _: Op,
        job: &'a Value,
        _: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        Box::pin(async move {
            match job["do"].as_str() {
                Some("discard") => Err(ListenerError::discard("told to")),
                Some("fail") => Err("told to".into()),
                _ => Ok(()),
            }
        })
    }
}

const QUARANTINE: &str = "SELECT count(*) FROM pgpubsub.quarantine";

#[tokio::test]
async fn what_always_fails_ends_in_quarantine_through_a_pool() {
    let Some((database, client, pooler)) = pooled().await else {
        return;
    };
    let jobs = [("nothing", 30), ("fail", 10), ("discard", 5)];
    store(&client, "work", &jobs).await;
    let pause = Duration::from_millis(20);
    let mut set = ListenerSet::new(CATALOG);
    let retry = Retry {
        max: 3,
        backoff: Some(Backoff {
            first: pause,
            max: pause,
        }),
    };
    set.durable(ListenerSpec { retry, ..WORK }, Hopeless);
    let worker = Worker::new(pooler.config())
        .listeners(set)
        .session(database.config())
        .batch(5);
    let shutdown = async { until(&client, WAITING, 0).await };
    worker.run_until(shutdown).await.unwrap();
    assert_eq!(count(&client, QUARANTINE).await, 10);
    let tried = "SELECT count(*) FROM pgpubsub.quarantine WHERE attempts = 3";
    assert_eq!(count(&client, tried).await, 10);
}

struct Deaf;

impl TransientHandler for Deaf {
    fn call<'a>(
        &'a self,
        _: Op,
        _: &'a Value,
        _: &'a mut TransientCx,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        Box::pin(async { Ok(()) })
    }
}

const DEAF: ListenerSpec = support::listener("deaf");

#[tokio::test]
async fn what_cannot_work_is_said_at_the_start() {
    let (database, client) = database().await;
    let mut set = ListenerSet::new(CATALOG);
    set.transient(DEAF, Deaf);
    let worker = Worker::new(database.config()).listeners(set).polling();
    let error = worker.run_until(std::future::pending()).await.unwrap_err();
    assert!(error.to_string().contains("listener `deaf`"), "{error}");

    let elsewhere = Database::create().await.unwrap();
    let mut set = ListenerSet::new(CATALOG);
    set.durable(WORK, Work::default());
    let worker = Worker::new(database.config())
        .listeners(set)
        .session(elsewhere.config());
    let error = worker.run_until(std::future::pending()).await.unwrap_err();
    assert!(error.to_string().contains("another database"), "{error}");
    drop(client);
}

#[tokio::test]
async fn a_worker_that_is_silent_behind_a_pooler_is_dead_after_its_time_too() {
    let Some((database, client, pooler)) = pooled().await else {
        return;
    };
    store(&client, "work", &[("wait", 1)]).await;
    let proxy = Proxy::start(&pooler.config()).await;
    let work = Work::default();
    let silent = Running::start_on(proxy.config(&pooler.config()), &work, |worker| {
        worker
            .polling()
            .concurrency(1)
            .shutdown_timeout(Duration::from_millis(1))
            .dead_after(Duration::from_secs(2))
    });
    let held = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'
                AND xact_start < now() - interval '100 ms'";
    until(&client, held, 1).await;
    proxy.swallow(true);
    let other = Running::start_on(pooler.config(), &Work::impatient(), |worker| {
        worker
            .session(database.config())
            .poll_interval(Duration::from_millis(100))
    });
    until(&client, WAITING, 0).await;
    assert_eq!(count(&client, EFFECTS).await, 1);
    other.stop().await;
    // It comes back, and has nothing to do any more.
    proxy.swallow(false);
    silent.stop().await;
    assert_eq!(count(&client, EFFECTS).await, 1);
}

struct Leased;

impl LeaseHandler for Leased {
    fn call<'a>(
        &'a self,
        _: Op,
        job: &'a Value,
        cx: &'a mut LeaseCx,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        Box::pin(async move {
            // Longer than the lease, which has to be renewed.
            while job["do"] == "slow" && cx.notification().created_at > Utc::now() - SLOW {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            match cx.notification().attempt {
                1 if job["do"] == "fail" => Err("told to".into()),
                _ => Ok(()),
            }
        })
    }
}

const SLOW: Duration = Duration::from_secs(6);

#[tokio::test]
async fn leases_are_taken_renewed_and_ended_through_a_pool() {
    let Some((database, client, pooler)) = pooled().await else {
        return;
    };
    let jobs = [("slow", 2), ("any", 20), ("fail", 5)];
    store(&client, "work", &jobs).await;
    let mut set = ListenerSet::new(CATALOG);
    set.lease(WORK, Leased);
    let (sender, mut events) = tokio::sync::mpsc::unbounded_channel();
    let pause = Duration::from_millis(20);
    let worker = Worker::new(pooler.config())
        .listeners(set)
        .session(database.config())
        .dead_after(Duration::from_secs(3))
        .backoff(Backoff {
            first: pause,
            max: pause,
        })
        .on_event(move |event| drop(sender.send(event)));
    let shutdown = async { until(&client, WAITING, 0).await };
    worker.run_until(shutdown).await.unwrap();
    let mut delivered = 0;
    while let Ok(event) = events.try_recv() {
        assert!(!matches!(event, WorkerEvent::LeaseLost { .. }), "{event:?}");
        delivered += usize::from(matches!(event, WorkerEvent::Delivered { .. }));
    }
    assert_eq!(delivered, 27);
}

#[tokio::test]
async fn what_an_application_calls_goes_through_a_pooler() {
    let Some((_database, client, pooler)) = pooled().await else {
        return;
    };
    // Two at the same time, so that one after the other of theirs goes to another session.
    let (first, second) = (pooler.connect().await, pooler.connect().await);
    let disturb = Arc::new(Notify::new());
    let stop = Arc::clone(&disturb);
    let busy = tokio::spawn(async move {
        loop {
            tokio::select! {
                () = stop.notified() => return,
                done = second.batch_execute("BEGIN; SELECT 1; COMMIT") => done.unwrap(),
            }
        }
    });
    let mut first = first;
    let inbox = Inbox::of(&CATALOG, "calls");
    for round in 0..200 {
        assert!(inbox.once(&first, &round.to_string()).await.unwrap());
        pending::waiting(&first, &CATALOG).await.unwrap();
        assert_eq!(who_holds(&first, &CATALOG, 1).await.unwrap(), None);
        let transaction = first.transaction().await.unwrap();
        let context = Context::new().with("round", round.to_string());
        set_context(&transaction, &context).await.unwrap();
        let message = BTreeMap::from([("do".to_owned(), "any".to_owned())]);
        notify(&transaction, "SELECT pgpubsub.notify_jobs($1)", &message)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }
    disturb.notify_one();
    busy.await.unwrap();
    let contexts = "SELECT count(DISTINCT context) FROM pgpubsub.notification";
    assert_eq!(count(&client, contexts).await, 200);
}
