//! Listeners that do what they are told, and workers in the background.
#![allow(dead_code)] // Each test uses some of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pgpubsub_runtime::generated::{
    BoxFuture, Catalog, Channel, DurableHandler, ListenerSpec, Subscription, Wake,
};
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::{
    Backoff, Cx, Delivery, ListenerError, ListenerSet, Op, Worker, WorkerEvent,
};
use pgpubsub_testkit::Database;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config};

pub(crate) const DEADLINE: Duration = Duration::from_secs(120);
pub(crate) const CATALOG: Catalog = Catalog {
    storage_schema: "pgpubsub",
    channels: &[],
    listeners: &[],
    models: &[],
    scheduled: &[],
};
pub(crate) const WORK: ListenerSpec = listener("work");
/// Its channel takes urgent messages.
pub(crate) const OTHER: ListenerSpec = ListenerSpec {
    subscriptions: URGENT_JOBS,
    ..listener("other")
};
const JOBS: &[Subscription] = &[jobs(false)];
const URGENT_JOBS: &[Subscription] = &[jobs(true)];

pub(crate) const fn listener(name: &'static str) -> ListenerSpec {
    ListenerSpec {
        name,
        group: name,
        was: &[],
        subscriptions: JOBS,
        filter: &[],
        retry: pgpubsub_runtime::Retry::DEFAULT,
        timeout: None,
    }
}

const fn jobs(urgent: bool) -> Subscription {
    Subscription {
        channel: Channel {
            name: "jobs",
            wire: "pgpubsub_jobs",
            delivery: Delivery::Durable,
            wake: Wake::Commit,
            function: "notify_jobs",
            version: 1,
            was: &[],
            ordered: false,
            urgent,
            retain: None,
        },
        ops: &[Op::Message],
    }
}

/// Does what the job says; every attempt is counted.
#[derive(Clone, Default)]
pub(crate) struct Work {
    pub(crate) calls: Arc<AtomicUsize>,
    died: Arc<AtomicBool>,
    impatient: bool,
}

impl Work {
    /// Does not wait where the job says so.
    pub(crate) fn impatient() -> Self {
        Self {
            impatient: true,
            ..Self::default()
        }
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
            self.calls.fetch_add(1, Ordering::SeqCst);
            let id = cx.notification().id;
            let first = cx.notification().attempt == 1;
            let job = job["do"].as_str().ok_or("no job")?;
            let effect = format!("{job} {id}");
            let insert = "INSERT INTO effect VALUES ($1)";
            match job {
                // No SQL at all.
                "nothing" => {}
                "quarantine" => return Err(ListenerError::quarantine("cannot be")),
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
                "die" if !self.died.swap(true, Ordering::SeqCst) => {
                    cx.transaction().execute(insert, &[&effect]).await?;
                    let die = "SELECT pg_terminate_backend(pg_backend_pid())";
                    cx.transaction().batch_execute(die).await?;
                }
                "nested" => {
                    let inner = cx.transaction_mut().transaction().await?;
                    inner.execute(insert, &[&"undone"]).await?;
                    inner.rollback().await?;
                    cx.transaction().execute(insert, &[&effect]).await?;
                }
                "wait" => {
                    cx.transaction().execute(insert, &[&effect]).await?;
                    if !self.impatient {
                        std::future::pending::<()>().await;
                    }
                }
                "slow" => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    cx.transaction().execute(insert, &[&effect]).await?;
                }
                "settings" => {
                    let sql = "SELECT current_setting('enable_seqscan') || ' ' || current_setting('enable_sort')
                               || ' ' || current_setting('plan_cache_mode') || ' ' || (current_setting('jit') = reset_val)::text
                               FROM pg_settings WHERE name = 'jit'";
                    let row = cx.transaction().query_one(sql, &[]).await?;
                    let settings: String = row.get(0);
                    cx.transaction().execute(insert, &[&settings]).await?;
                }
                "block" => {
                    let lock = "SELECT pg_advisory_xact_lock(1)";
                    cx.transaction().batch_execute(lock).await?;
                    cx.transaction().execute(insert, &[&effect]).await?;
                }
                _ => {
                    cx.transaction().execute(insert, &[&effect]).await?;
                }
            }
            Ok(())
        })
    }
}

/// A database with the storage, and a session on it.
pub(crate) async fn stored() -> (Database, Client) {
    prepared(Database::create().await.unwrap()).await
}

/// The same, of a database that is there.
pub(crate) async fn prepared(database: Database) -> (Database, Client) {
    let client = database.connect().await.unwrap();
    let storage = include_str!("../storage.sql");
    client.batch_execute(storage).await.unwrap();
    (database, client)
}

/// The same, with what [`Work`] needs.
pub(crate) async fn database() -> (Database, Client) {
    let (database, client) = stored().await;
    let more = "CREATE TABLE checked (n integer UNIQUE DEFERRABLE INITIALLY DEFERRED);
                INSERT INTO pgpubsub.listener VALUES ('other', 'jobs', 'other', '{message}');";
    client.batch_execute(more).await.unwrap();
    (database, client)
}

/// Stores so many of each job for a group, mixed.
pub(crate) async fn store(client: &Client, group: &str, jobs: &[(&str, i32)]) {
    for (job, count) in jobs {
        store_only(client, group, job, *count).await;
    }
    client.batch_execute("NOTIFY pgpubsub_jobs").await.unwrap();
}

pub(crate) async fn store_only(client: &Client, group: &str, job: &str, count: i32) {
    let insert = "INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload)
                  SELECT $1, 'jobs', 'message', 1, json_build_object('do', $2::text) FROM generate_series(1, $3::integer)";
    client
        .execute(insert, &[&group, &job, &count])
        .await
        .unwrap();
}

/// Puts what waits into a random order.
pub(crate) async fn shuffle(client: &Client) {
    let shuffle = "CREATE TEMP TABLE mixed AS SELECT * FROM pgpubsub.notification ORDER BY random();
                   DELETE FROM pgpubsub.notification;
                   INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload)
                     SELECT listener_group, channel, op, model_version, payload FROM mixed;
                   DROP TABLE mixed; NOTIFY pgpubsub_jobs";
    client.batch_execute(shuffle).await.unwrap();
}

pub(crate) async fn count(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

pub(crate) const WAITING: &str = "SELECT count(*) FROM pgpubsub.notification";
pub(crate) const EFFECTS: &str = "SELECT count(*) FROM effect";

pub(crate) async fn until(client: &Client, sql: &str, wanted: i64) {
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
pub(crate) struct Running {
    stop: Arc<Notify>,
    task: JoinHandle<Result<(), pgpubsub_runtime::Error>>,
    events: mpsc::UnboundedReceiver<WorkerEvent>,
}

impl Running {
    pub(crate) fn start(
        database: &Database,
        work: &Work,
        set_up: impl FnOnce(Worker) -> Worker,
    ) -> Self {
        Self::start_on(database.config(), work, set_up)
    }

    pub(crate) fn start_on(
        config: Config,
        work: &Work,
        set_up: impl FnOnce(Worker) -> Worker,
    ) -> Self {
        let mut set = ListenerSet::new(CATALOG);
        set.durable(WORK, work.clone());
        set.durable(OTHER, work.clone());
        let (sender, events) = mpsc::unbounded_channel();
        let stop = Arc::new(Notify::new());
        let shutdown = Arc::clone(&stop);
        let pause = Duration::from_millis(20);
        let worker = Worker::new(config)
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

    /// Waits until a consumer has found nothing to do.
    pub(crate) async fn idle(&mut self) {
        let idle = async {
            while let Some(event) = self.events.recv().await {
                if let WorkerEvent::Idle = event {
                    return;
                }
            }
        };
        tokio::time::timeout(DEADLINE, idle).await.expect("idle");
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ended(self) -> Result<(), pgpubsub_runtime::Error> {
        let ended = tokio::time::timeout(DEADLINE, self.task).await;
        ended.expect("an end in time").unwrap()
    }

    pub(crate) async fn stop(self) -> mpsc::UnboundedReceiver<WorkerEvent> {
        self.stop.notify_one();
        tokio::time::timeout(DEADLINE, self.task)
            .await
            .expect("no hang")
            .unwrap()
            .unwrap();
        self.events
    }
}

pub(crate) fn failures(events: &mut mpsc::UnboundedReceiver<WorkerEvent>) -> Vec<String> {
    let mut failures = Vec::new();
    while let Ok(event) = events.try_recv() {
        if let WorkerEvent::Failed { error, .. } = event {
            failures.push(error);
        }
    }
    failures
}
