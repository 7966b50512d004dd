//! Schedules: workers that fire what is due, each occurrence once, however many they are and whatever becomes of them.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

#[allow(dead_code)] // Only some of it is needed here.
#[path = "../../../runtime/tests/support/pgbouncer.rs"]
mod pgbouncer;
mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use pgbouncer::PgBouncer;
use pgpubsub_roundtrip::pubsub::{Beat, Listeners, OnBeat, YearlyDefaults};
use pgpubsub_runtime::chrono::{DateTime, Utc};
use pgpubsub_runtime::tokio_postgres::Config;
use pgpubsub_runtime::{Cx, ListenerError, Shutdown, Worker, WorkerEvent};
use support::{Fixture, Seen};
use tokio::task::JoinHandle;

/// Notes the planned time of each.
struct Notes;

impl OnBeat for Notes {
    async fn on_beat(&self, _: Beat, cx: &mut Cx<'_>) -> Result<(), ListenerError> {
        let context = &cx.notification().context;
        let planned = context.get("scheduled_at").ok_or("no planned time")?;
        let sql = "INSERT INTO app.beat VALUES ($1::text::timestamptz)";
        cx.transaction().execute(sql, &[&planned]).await?;
        Ok(())
    }
}

struct Running {
    fired: Arc<AtomicI64>,
    shutdown: Shutdown,
    task: JoinHandle<Result<(), pgpubsub_runtime::Error>>,
}

impl Running {
    fn start(config: Config, set_up: impl FnOnce(Worker) -> Worker) -> Self {
        let fired = Arc::new(AtomicI64::new(0));
        let count = Arc::clone(&fired);
        let worker = Worker::new(config)
            .listeners(Listeners::new().on_beat(Notes))
            .poll_interval(Duration::from_millis(200))
            .on_event(move |event| {
                if let WorkerEvent::Fired { channel, .. } = event {
                    assert_eq!(channel, "beat");
                    count.fetch_add(1, Ordering::SeqCst);
                }
            });
        let shutdown = Shutdown::new();
        let task = tokio::spawn(set_up(worker).run(shutdown.clone()));
        Self {
            fired,
            shutdown,
            task,
        }
    }

    /// How many occurrences it has fired.
    async fn stop(self) -> i64 {
        self.shutdown.request();
        self.task.await.unwrap().unwrap();
        self.fired.load(Ordering::SeqCst)
    }
}

async fn noted() -> Fixture {
    let fixture = Fixture::migrated().await;
    fixture
        .sql("CREATE TABLE app.beat (planned timestamptz)")
        .await;
    fixture
}

const DUE: &str = "UPDATE pgpubsub.schedule SET next_at = clock_timestamp() WHERE channel =";
const BEATS: &str = "SELECT count(*) FROM app.beat";
const WAITING: &str = "SELECT count(*) FROM pgpubsub.notification";

#[tokio::test]
async fn a_schedule_sends_what_a_program_would() {
    let fixture = Fixture::migrated().await;
    fixture.sql(&format!("{DUE} 'yearly_defaults'")).await;
    let mut work = fixture.work(&["on_yearly_defaults"]).await;
    let Seen::OnYearlyDefaults(received, notification) = work.one().await else {
        panic!("another listener")
    };
    let expected = YearlyDefaults {
        extra: 2,
        something: None,
        ..YearlyDefaults::default()
    };
    assert_eq!(received, expected);
    let planned = notification.context.get("scheduled_at").unwrap();
    let planned: DateTime<Utc> = planned.parse().unwrap();
    let last = "SELECT last_at FROM pgpubsub.schedule WHERE channel = 'yearly_defaults'";
    let row = fixture.writer.query_one(last, &[]).await.unwrap();
    assert_eq!(planned, row.get::<_, DateTime<Utc>>(0));
    assert!(work.stop().await.is_empty());
}

#[tokio::test]
async fn of_many_workers_one_fires_each_occurrence() {
    let fixture = noted().await;
    let often = "UPDATE pgpubsub.schedule SET every = '100 milliseconds', next_at = clock_timestamp() WHERE channel = 'beat'";
    fixture.sql(often).await;
    let workers: Vec<Running> = (0..6)
        .map(|_| Running::start(fixture.database.config(), |worker| worker.concurrency(1)))
        .collect();
    let some = "SELECT least(count(*), 30) FROM app.beat";
    fixture.until(some, 30).await;
    fixture
        .sql("UPDATE pgpubsub.schedule SET next_at = 'infinity'")
        .await;
    fixture.until(WAITING, 0).await;
    let mut fired = 0;
    for worker in workers {
        fired += worker.stop().await;
    }
    let beats = fixture
        .writer
        .query("SELECT planned FROM app.beat", &[])
        .await
        .unwrap();
    let distinct: BTreeSet<DateTime<Utc>> = beats.iter().map(|row| row.get(0)).collect();
    assert_eq!(beats.len(), distinct.len());
    assert_eq!(fired, i64::try_from(beats.len()).unwrap());
}

#[tokio::test]
async fn one_that_dies_while_it_fires_leaves_the_occurrence_to_another() {
    let fixture = noted().await;
    // Who fires has to wait here, in the middle of it.
    let mut blocker = fixture.database.connect().await.unwrap();
    let blocked = blocker.transaction().await.unwrap();
    let lock = "LOCK TABLE pgpubsub.notification IN SHARE MODE";
    blocked.batch_execute(lock).await.unwrap();
    fixture.sql(&format!("{DUE} 'beat'")).await;
    let workers: Vec<Running> = (0..2)
        .map(|_| Running::start(fixture.database.config(), |worker| worker))
        .collect();
    let firing = "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pgpubsub schedules' AND wait_event_type = 'Lock'";
    fixture.until(&format!("SELECT count(*) {firing}"), 1).await;
    let kill = format!("SELECT pg_terminate_backend(pid) {firing}");
    fixture.sql(&kill).await;
    drop(blocked.rollback().await);
    fixture.until(BEATS, 1).await;
    fixture.until(WAITING, 0).await;
    let mut fired = 0;
    for worker in workers {
        fired += worker.stop().await;
    }
    assert_eq!((fired, fixture.count(BEATS).await), (1, 1));
}

#[tokio::test]
async fn schedules_fire_through_a_pooler() {
    let fixture = noted().await;
    let Some(pooler) = PgBouncer::start(&fixture.database.config()).await else {
        return;
    };
    let often = "UPDATE pgpubsub.schedule SET every = '500 milliseconds', next_at = clock_timestamp() WHERE channel = 'beat'";
    fixture.sql(often).await;
    let worker = Running::start(pooler.config(), |worker| worker.polling());
    fixture
        .until("SELECT least(count(*), 3) FROM app.beat", 3)
        .await;
    assert!(worker.stop().await >= 3);
}

#[tokio::test]
async fn a_worker_without_its_schedules_refuses_to_start() {
    let fixture = noted().await;
    let start = || Running::start(fixture.database.config(), |worker| worker).task;
    fixture
        .sql("DELETE FROM pgpubsub.schedule WHERE channel = 'beat'")
        .await;
    let error = start().await.unwrap().unwrap_err();
    assert!(error.is_not_installed(), "{error}");
    assert!(error.to_string().contains("channel `beat`"), "{error}");
    fixture.sql("DROP TABLE pgpubsub.schedule CASCADE").await;
    let error = start().await.unwrap().unwrap_err();
    assert!(error.is_not_installed(), "{error}");
}

#[tokio::test]
async fn a_worker_runs_on_when_a_migration_has_taken_the_schedules_away() {
    let fixture = noted().await;
    let worker = Running::start(fixture.database.config(), |worker| worker);
    fixture.sql(&format!("{DUE} 'beat'")).await;
    fixture.until(BEATS, 1).await;
    fixture
        .sql("DROP FUNCTION pgpubsub.fire_schedules(); DROP TABLE pgpubsub.schedule")
        .await;
    fixture.sql("SELECT pgpubsub.notify_beat('{}')").await;
    // It has no planned time, so the listener fails: and is called.
    let failed = "SELECT count(*) FROM pgpubsub.notification WHERE attempts > 0";
    fixture.until(failed, 1).await;
    assert_eq!(worker.stop().await, 1);
}
