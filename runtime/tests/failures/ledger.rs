//! Jobs that write into a ledger, and workers in the background.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pgpubsub_runtime::generated::{BoxFuture, DurableHandler};
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::{
    Backoff, Cx, ListenerError, ListenerSet, Op, SessionState, Worker, WorkerEvent,
};
use pgpubsub_testkit::{Cluster, Options};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config};

pub(crate) use crate::support::{
    CATALOG, DEADLINE, EFFECTS, WORK, count, prepared, stored as database,
};

/// Writes each notification into the ledger, some of them slowly.
struct Ledger;

impl DurableHandler for Ledger {
    fn call<'a>(
        &'a self,
        _: Op,
        job: &'a Value,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        Box::pin(async move {
            let id = cx.notification().id.to_string();
            let insert = "INSERT INTO effect VALUES ($1)";
            cx.transaction().execute(insert, &[&id]).await?;
            if job == "slow" {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(())
        })
    }
}

pub(crate) async fn cluster(settings: &[(&str, &str)]) -> Cluster {
    let settings = settings
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let options = Options {
        settings,
        ..Options::default()
    };
    blocking(move || Cluster::start(&options)).await.unwrap()
}

/// For what blocks while a server starts or stops.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// Stores so many jobs and rings, in one transaction.
pub(crate) async fn store(client: &Client, job: &str, count: i32) {
    let insert = "WITH stored AS (INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload)
                    SELECT 'work', 'jobs', 'message', 1, to_json($1::text) FROM generate_series(1, $2::integer) RETURNING 1)
                  SELECT pg_notify('pgpubsub_jobs', '') FROM stored";
    client.query(insert, &[&job, &count]).await.unwrap();
}

pub(crate) const DIFFERENT_EFFECTS: &str = "SELECT count(DISTINCT job) FROM effect";

/// Waits until a count is so high.
pub(crate) async fn at_least(client: &Client, sql: &str, wanted: i64) {
    let started = Instant::now();
    loop {
        let now = count(client, sql).await;
        if now >= wanted {
            return;
        }
        assert!(started.elapsed() < DEADLINE, "{sql}: {now}, not {wanted}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until all is done, and checks that each has happened once.
pub(crate) async fn all_done_once(client: &Client, stored: i64) {
    at_least(client, EFFECTS, stored).await;
    at_least(
        client,
        "SELECT (count(*) = 0)::integer::bigint FROM pgpubsub.notification",
        1,
    )
    .await;
    assert_eq!(count(client, EFFECTS).await, stored);
    assert_eq!(count(client, DIFFERENT_EFFECTS).await, stored);
}

/// A worker in the background.
pub(crate) struct Running {
    stop: Arc<Notify>,
    task: JoinHandle<Result<(), pgpubsub_runtime::Error>>,
    events: mpsc::UnboundedReceiver<WorkerEvent>,
}

impl Running {
    /// Serves the ledger.
    pub(crate) fn start(config: Config, set_up: impl FnOnce(Worker) -> Worker) -> Self {
        let mut set = ListenerSet::new(CATALOG);
        set.durable(WORK, Ledger);
        Self::with(config, set, set_up)
    }

    pub(crate) fn with(
        config: Config,
        set: ListenerSet,
        set_up: impl FnOnce(Worker) -> Worker,
    ) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let stop = Arc::new(Notify::new());
        let shutdown = Arc::clone(&stop);
        let pause = Duration::from_millis(20);
        let worker = Worker::new(config)
            .listeners(set)
            .heartbeat(Duration::from_secs(1))
            .backoff(Backoff {
                first: pause,
                max: pause,
            })
            .on_event(move |event| drop(sender.send(event)));
        let worker = set_up(worker);
        let task = tokio::spawn(worker.run_until(async move { shutdown.notified().await }));
        Self { stop, task, events }
    }

    /// Waits for an event.
    pub(crate) async fn until<T>(&mut self, wanted: impl Fn(&WorkerEvent) -> Option<T>) -> T {
        let found = async {
            loop {
                let event = self.events.recv().await.expect("the worker runs");
                if let Some(found) = wanted(&event) {
                    return found;
                }
            }
        };
        tokio::time::timeout(DEADLINE, found)
            .await
            .expect("no hang")
    }

    pub(crate) async fn until_session(&mut self, wanted: SessionState) {
        self.until(|event| {
            matches!(event, WorkerEvent::Session(state) if *state == wanted).then_some(())
        })
        .await;
    }

    pub(crate) async fn until_reconnecting(&mut self, why: &str) {
        self.until(|event| match event {
            WorkerEvent::Reconnecting { error, .. } if error.contains(why) => Some(()),
            _ => None,
        })
        .await;
    }

    pub(crate) async fn stop(self) {
        self.stop.notify_one();
        tokio::time::timeout(DEADLINE, self.task)
            .await
            .expect("no hang")
            .unwrap()
            .unwrap();
    }
}
