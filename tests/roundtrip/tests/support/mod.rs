//! A migrated database, and a worker that records what it receives.
#![allow(dead_code)] // each test file uses its part

pub(crate) mod random;
mod recorder;
pub(crate) mod rows;

use std::time::Duration;

use pgpubsub_roundtrip::pubsub;
use pgpubsub_runtime::Worker;
use pgpubsub_runtime::tokio_postgres::Client;
use pgpubsub_testkit::Database;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

pub(crate) use recorder::{Recorder, Seen};

/// Long enough for any slow machine; nothing waits for it to pass.
const DEADLINE: Duration = Duration::from_secs(30);

const TABLES: &str = include_str!("tables.sql");
pub(crate) const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");

/// A database with the tables of `schema.yaml` and its migration, and a session of a writer.
pub(crate) struct Fixture {
    pub(crate) database: Database,
    pub(crate) writer: Client,
}

impl Fixture {
    pub(crate) async fn migrated() -> Self {
        let database = Database::create().await.expect("a database");
        let writer = database.connect().await.expect("a session");
        writer.batch_execute(TABLES).await.expect("the tables");
        database.migrate(MIGRATIONS).await.expect("the migrations");
        Self { database, writer }
    }

    pub(crate) async fn sql(&self, sql: &str) {
        self.writer
            .batch_execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    pub(crate) async fn count(&self, sql: &str) -> i64 {
        self.writer
            .query_one(sql, &[])
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"))
            .get(0)
    }

    /// Waits until a count is reached.
    pub(crate) async fn until(&self, sql: &str, count: i64) {
        let reached = async {
            while self.count(sql).await != count {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(DEADLINE, reached)
            .await
            .unwrap_or_else(|_| panic!("{sql}"));
    }

    /// Starts a worker for the named listeners and waits until it listens and has scanned once.
    pub(crate) async fn work(&self, only: &[&str]) -> Work {
        let (sender, seen) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let (idle, mut first_idle) = mpsc::unbounded_channel();
        let worker = Worker::new(self.database.config())
            .listeners(pubsub::Listeners::all(Recorder::new(sender)))
            .only(only.iter().copied())
            // One after the other: what is told arrives in the order in which it was stored.
            .concurrency(1)
            .poll_interval(Duration::from_millis(200))
            .on_event(move |event| {
                if matches!(event, pgpubsub_runtime::WorkerEvent::Listening) {
                    let _ = idle.send(());
                }
            });
        let task = tokio::spawn(worker.run_until(async move {
            let _ = stopped.await;
        }));
        tokio::time::timeout(DEADLINE, first_idle.recv())
            .await
            .expect("the worker listens in time");
        Work { seen, stop, task }
    }
}

/// A running worker.
pub(crate) struct Work {
    seen: mpsc::UnboundedReceiver<Seen>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), pgpubsub_runtime::Error>>,
}

impl Work {
    /// The next `count` events, in the order in which they were handled.
    pub(crate) async fn next(&mut self, count: usize) -> Vec<Seen> {
        let mut all = Vec::with_capacity(count);
        while all.len() < count {
            let next = tokio::time::timeout(DEADLINE, self.seen.recv()).await;
            match next {
                Ok(Some(seen)) => all.push(seen),
                Ok(None) => panic!("the worker ended after {all:?}"),
                Err(_) => panic!("only {} of {count} events came: {all:?}", all.len()),
            }
        }
        all
    }

    pub(crate) async fn one(&mut self) -> Seen {
        self.next(1).await.remove(0)
    }

    /// Stops the worker; returns what was seen beyond what the test has taken.
    pub(crate) async fn stop(mut self) -> Vec<Seen> {
        let _ = self.stop.send(());
        self.task.await.expect("no panic").expect("a clean stop");
        let mut rest = Vec::new();
        while let Ok(seen) = self.seen.try_recv() {
            rest.push(seen);
        }
        rest
    }
}
