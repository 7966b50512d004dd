//! Promises of batches: each notification as if it were alone.

#![allow(clippy::unwrap_used)] // A test may panic.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pgpubsub_runtime::generated::{
    BoxFuture, Catalog, Channel, DurableHandler, ListenerSpec, Subscription,
};
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::{
    Backoff, Cx, Delivery, ListenerError, ListenerSet, Op, Worker, WorkerEvent,
};
use pgpubsub_testkit::Database;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_postgres::Client;

const DEADLINE: Duration = Duration::from_secs(120);
const CATALOG: Catalog = Catalog {
    storage_schema: "pgpubsub",
    channels: &[],
    listeners: &[],
    models: &[],
};
const WORK: ListenerSpec = listener("work");
const OTHER: ListenerSpec = listener("other");

const fn listener(name: &'static str) -> ListenerSpec {
    ListenerSpec {
        name,
        group: name,
        was: &[],
        subscriptions: &[Subscription {
            channel: Channel {
                name: "jobs",
                wire: "pgpubsub_jobs",
                delivery: Delivery::Durable,
                function: "notify_jobs",
                version: 1,
                was: &[],
            },
            ops: &[Op::Message],
        }],
        filter: &[],
        retry: pgpubsub_runtime::Retry::DEFAULT,
        timeout: None,
    }
}

/// Does what the job says; every attempt is counted.
#[derive(Clone, Default)]
struct Work {
    calls: Arc<AtomicUsize>,
}

impl DurableHandler for Work {
    fn call<'a>(
        &'a self,
        _: Op,
        job: &'a Value,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        Box::pin(async move {
            self.calls.fetch_add(1, Ordering::SeqCst);
            let id = cx.notification().id;
            let first = cx.notification().attempt == 1;
            let job = job["do"].as_str().ok_or("no job")?;
            let effect = format!("{job} {id}");
            let insert = "INSERT INTO effect VALUES ($1)";
            match job {
                // No SQL at all.
                "nothing" => {}
                "fail without" if first => return Err("told to".into()),
                "fail without" => {}
                "panic" if first => {
                    cx.transaction().execute(insert, &[&effect]).await?;
                    panic!("told to");
                }
                "fail" if first => {
                    cx.transaction().execute(insert, &[&effect]).await?;
                    return Err("told to".into());
                }
                "swallow" if first => {
                    cx.transaction().execute(insert, &[&effect]).await?;
                    drop(cx.transaction().batch_execute("SELECT 1/0").await);
                }
                "defer" if first => {
                    let twice = "INSERT INTO checked SELECT 1 FROM generate_series(1, 2)";
                    cx.transaction().batch_execute(twice).await?;
                }
                "nested" => {
                    let inner = cx.transaction_mut().transaction().await?;
                    inner.execute(insert, &[&"undone"]).await?;
                    inner.rollback().await?;
                    cx.transaction().execute(insert, &[&effect]).await?;
                }
                "slow" => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    cx.transaction().execute(insert, &[&effect]).await?;
                }
                "settings" => {
                    let sql = "SELECT current_setting('enable_seqscan') || ' ' || current_setting('enable_sort')";
                    let row = cx.transaction().query_one(sql, &[]).await?;
                    let settings: String = row.get(0);
                    cx.transaction().execute(insert, &[&settings]).await?;
                }
                _ => {
                    cx.transaction().execute(insert, &[&effect]).await?;
                }
            }
            Ok(())
        })
    }
}

async fn database() -> (Database, Client) {
    let database = Database::create().await.unwrap();
    let client = database.connect().await.unwrap();
    client
        .batch_execute(include_str!("storage.sql"))
        .await
        .unwrap();
    let more = "CREATE TABLE checked (n integer UNIQUE DEFERRABLE INITIALLY DEFERRED);
                INSERT INTO pgpubsub.listener VALUES ('other', 'jobs', 'other', '{message}');";
    client.batch_execute(more).await.unwrap();
    (database, client)
}

/// Stores so many of each job for a group, mixed.
async fn store(client: &Client, group: &str, jobs: &[(&str, i32)]) {
    for (job, count) in jobs {
        store_only(client, group, job, *count).await;
    }
    client.batch_execute("NOTIFY pgpubsub_jobs").await.unwrap();
}

async fn store_only(client: &Client, group: &str, job: &str, count: i32) {
    let insert = "INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload)
                  SELECT $1, 'jobs', 'message', 1, json_build_object('do', $2::text) FROM generate_series(1, $3::integer)";
    client
        .execute(insert, &[&group, &job, &count])
        .await
        .unwrap();
}

/// Puts what waits into a random order.
async fn shuffle(client: &Client) {
    let shuffle = "CREATE TEMP TABLE mixed AS SELECT * FROM pgpubsub.notification ORDER BY random();
                   DELETE FROM pgpubsub.notification;
                   INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload)
                     SELECT listener_group, channel, op, model_version, payload FROM mixed;
                   DROP TABLE mixed; NOTIFY pgpubsub_jobs";
    client.batch_execute(shuffle).await.unwrap();
}

async fn count(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

const WAITING: &str = "SELECT count(*) FROM pgpubsub.notification";
const EFFECTS: &str = "SELECT count(*) FROM effect";

async fn until(client: &Client, sql: &str, wanted: i64) {
    let started = Instant::now();
    loop {
        let now = count(client, sql).await;
        if now == wanted {
            return;
        }
        assert!(started.elapsed() < DEADLINE, "{sql}: {now}, not {wanted}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A worker in the background.
struct Running {
    stop: Arc<Notify>,
    task: JoinHandle<Result<(), pgpubsub_runtime::Error>>,
    events: mpsc::UnboundedReceiver<WorkerEvent>,
}

impl Running {
    fn start(database: &Database, work: &Work, set_up: impl FnOnce(Worker) -> Worker) -> Self {
        let mut set = ListenerSet::new(CATALOG);
        set.durable(WORK, work.clone());
        set.durable(OTHER, work.clone());
        let (sender, events) = mpsc::unbounded_channel();
        let stop = Arc::new(Notify::new());
        let shutdown = Arc::clone(&stop);
        let pause = Duration::from_millis(20);
        let worker = Worker::new(database.config())
            .listeners(set)
            .backoff(Backoff {
                first: pause,
                max: pause,
            })
            .on_event(move |event| drop(sender.send(event)));
        let worker = set_up(worker);
        let task = tokio::spawn(worker.run_until(async move { shutdown.notified().await }));
        Self { stop, task, events }
    }

    async fn stop(self) -> mpsc::UnboundedReceiver<WorkerEvent> {
        self.stop.notify_one();
        tokio::time::timeout(DEADLINE, self.task)
            .await
            .expect("no hang")
            .unwrap()
            .unwrap();
        self.events
    }
}

fn failures(events: &mut mpsc::UnboundedReceiver<WorkerEvent>) -> Vec<String> {
    let mut failures = Vec::new();
    while let Ok(event) = events.try_recv() {
        if let WorkerEvent::Failed { error, .. } = event {
            failures.push(error);
        }
    }
    failures
}

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
    let workers: Vec<Running> = (0..2)
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
    let usual = "SELECT count(*) FROM effect WHERE job = 'on on'";
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
