//! Channels with each kind of wake, and workers that find nothing by polling in the time of a test.

#![allow(dead_code)] // Each test file uses some of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pgpubsub_runtime::generated::{
    BoxFuture, Catalog, Channel, DurableHandler, ListenerSpec, Subscription, Wake,
};
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::{Cx, Delivery, Error, ListenerError, ListenerSet, Op, Worker, WorkerEvent};
use pgpubsub_testkit::Database;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_postgres::Client;

pub(crate) const CATALOG: Catalog = Catalog {
    storage_schema: "pgpubsub",
    channels: &[],
    listeners: &[],
    models: &[],
    scheduled: &[],
};

pub(crate) const fn listener(name: &'static str, channel: Channel) -> ListenerSpec {
    ListenerSpec {
        name,
        group: name,
        was: &[],
        subscriptions: match channel.wake {
            Wake::Door => &[Subscription {
                channel: DOOR,
                ops: &[Op::Message],
            }],
            Wake::Poll => &[Subscription {
                channel: POLL,
                ops: &[Op::Message],
            }],
            _ => &[Subscription {
                channel: NONE,
                ops: &[Op::Message],
            }],
        },
        filter: &[],
        retry: pgpubsub_runtime::Retry::DEFAULT,
        timeout: None,
    }
}

pub(crate) const fn channel(name: &'static str, wake: Wake) -> Channel {
    Channel {
        name,
        wire: name,
        delivery: Delivery::Durable,
        wake,
        function: "",
        version: 1,
        ordered: false,
        urgent: false,
        retain: None,
        was: &[],
    }
}

pub(crate) const DOOR: Channel = channel("door", Wake::Door);
pub(crate) const POLL: Channel = channel("poll", Wake::Poll);
pub(crate) const NONE: Channel = channel("none", Wake::None);
pub(crate) const WORK: ListenerSpec = listener("work", DOOR);
pub(crate) const COPY: ListenerSpec = listener("copy", DOOR);

/// What the generator writes for the channels.
pub(crate) const FUNCTIONS: &str = "
    TRUNCATE pgpubsub.listener;
    INSERT INTO pgpubsub.listener VALUES
      ('work', 'door', 'work', '{message}'), ('copy', 'door', 'copy', '{message}'),
      ('polled', 'poll', 'polled', '{message}'), ('left', 'none', 'left', '{message}');
    CREATE FUNCTION store(listener_group text, channel text, payload text) RETURNS void LANGUAGE sql AS $$
      INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload) VALUES ($1, $2, 'message', 1, $3::json) $$;
    CREATE FUNCTION notify_door(payload text) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM store('work', 'door', payload), store('copy', 'door', payload);
      IF NOT (
        pg_try_advisory_xact_lock_shared('6908058684047904866')
        AND pg_try_advisory_xact_lock_shared('4325818962265097382')
      ) THEN
        PERFORM pg_notify('door', '');
      END IF;
    END $$;
    CREATE TABLE done (listener text NOT NULL, payload text NOT NULL);";

/// An advisory lock. A listener that is told to wait for it does so.
pub(crate) const GATE: i64 = 4711;
/// How many listeners wait for it.
pub(crate) const AT_THE_GATE: &str =
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// Notes what it was called for, and takes the time that the payload says.
pub(crate) struct Note;

impl DurableHandler for Note {
    fn call<'a>(
        &'a self,
        _: Op,
        payload: &'a Value,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        Box::pin(async move {
            let listener = cx.notification().listener;
            let text = payload.to_string();
            cx.transaction()
                .execute("INSERT INTO done VALUES ($1, $2)", &[&listener, &text])
                .await?;
            if payload["gate"] == true {
                let wait = "SELECT pg_advisory_xact_lock($1)";
                cx.transaction().execute(wait, &[&GATE]).await?;
            }
            let pause = payload["pause"].as_u64().unwrap_or_default();
            tokio::time::sleep(Duration::from_millis(pause)).await;
            Ok(())
        })
    }
}

pub(crate) async fn database() -> (Database, Client) {
    let database = Database::create().await.unwrap();
    let client = database.connect().await.unwrap();
    client
        .batch_execute(include_str!("../storage.sql"))
        .await
        .unwrap();
    client.batch_execute(FUNCTIONS).await.unwrap();
    (database, client)
}

pub(crate) async fn publish(client: &Client, payload: &str) {
    let publish = "SELECT notify_door($1)";
    client.execute(publish, &[&payload]).await.unwrap();
}

pub(crate) async fn count(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

pub(crate) const DONE: &str = "SELECT count(*) FROM done";
pub(crate) const LEFT: &str = "SELECT count(*) FROM pgpubsub.notification";

/// Waits until a count is what it shall be; how long that took.
pub(crate) async fn until(client: &Client, sql: &str, wanted: i64, within: Duration) -> Duration {
    let start = Instant::now();
    loop {
        let there = count(client, sql).await;
        if there == wanted {
            return start.elapsed();
        }
        assert!(start.elapsed() < within, "{there} of {wanted}: {sql}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A worker that does not find anything by polling in the time of a test.
pub(crate) struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), Error>>,
    /// Scans that found nothing.
    empty: Arc<AtomicUsize>,
}

impl Running {
    pub(crate) fn start(database: &Database, specs: &[ListenerSpec], consumers: usize) -> Self {
        let mut set = ListenerSet::new(CATALOG);
        for spec in specs {
            set.durable(*spec, Note);
        }
        let empty = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&empty);
        let worker = Worker::new(database.config())
            .listeners(set)
            .concurrency(consumers)
            .poll_interval(Duration::from_secs(60))
            .on_event(move |event| {
                if matches!(event, WorkerEvent::Idle) {
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            });
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(worker.run_until(async move { drop(stopped.await) }));
        Self { stop, task, empty }
    }

    pub(crate) fn empty(&self) -> usize {
        self.empty.load(Ordering::Relaxed)
    }

    /// Waits until so many more scans have found nothing.
    pub(crate) async fn looked(&self, times: usize) {
        let wanted = self.empty() + times;
        let start = Instant::now();
        while self.empty() < wanted {
            assert!(start.elapsed() < Duration::from_secs(60), "nobody looks");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.task.await.unwrap().unwrap();
    }
}

/// Doors that workers hold, in a way that does not touch them.
pub(crate) const SHUT: &str = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

pub(crate) async fn asleep(client: &Client, doors: i64) {
    until(client, SHUT, doors, Duration::from_secs(20)).await;
}
