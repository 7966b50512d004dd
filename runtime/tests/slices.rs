//! Promises of listeners that receive batches, or lazily, beyond what generated code shows.

#![allow(clippy::unwrap_used)] // A test may panic.

#[allow(dead_code)] // Each test uses some of it.
#[path = "support/pgbouncer.rs"]
mod pgbouncer;
mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pgpubsub_runtime::generated::{BatchHandler, BoxFuture, LazyHandler, ListenerSpec};
use pgpubsub_runtime::payload::{DecodeError, Object};
use pgpubsub_runtime::quarantine::{self, Filter};
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::{
    BatchCx, Cx, Lazy, ListenerError, ListenerSet, Notification, OnFailure, Received, Retry,
    WorkerEvent,
};
use tokio::sync::Notify;

use pgbouncer::PgBouncer;
use support::{
    CATALOG, DEADLINE, EFFECTS, OTHER, Running, WAITING, WORK, Work, count, database, failures,
    store, until,
};

/// Of a session; it delivers as many one at a time.
const CAREFUL: i32 = 100;
const TWICE: ListenerSpec = ListenerSpec {
    retry: Retry {
        max: 2,
        backoff: None,
    },
    ..WORK
};

/// Does what the jobs say, and writes each call down.
#[derive(Clone, Default)]
struct Slices {
    /// The jobs of each call, whatever came of it.
    calls: Arc<Mutex<Vec<Vec<String>>>>,
    slow: Arc<AtomicUsize>,
    is_slow: Arc<Notify>,
}

impl BatchHandler for Slices {
    type Event = String;

    fn decode(_: &Notification, payload: &Value) -> Result<String, DecodeError> {
        Object::new(payload)?.field("do")
    }

    fn call<'a>(
        &'a self,
        events: &'a [Received<String>],
        cx: &'a mut BatchCx<'_>,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        Box::pin(async move {
            let jobs = events.iter().map(|received| received.event.clone());
            self.calls.lock().unwrap().push(jobs.collect());
            for Received {
                event,
                notification,
            } in events
            {
                let effect = format!("{event} {}", notification.id);
                if event != "nothing" {
                    let insert = "INSERT INTO effect VALUES ($1)";
                    cx.transaction().execute(insert, &[&effect]).await?;
                }
                let first = notification.attempt == 1;
                match event.as_str() {
                    "fail" if first => return Err("told to".into()),
                    "hang" if first => {
                        let hang = "SELECT pg_sleep(3600)";
                        cx.transaction().batch_execute(hang).await?;
                    }
                    "slow" => {
                        self.slow.fetch_add(1, Ordering::SeqCst);
                        self.is_slow.notify_one();
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                    "end the session" => {
                        let end = "SELECT pg_terminate_backend(pg_backend_pid())";
                        cx.transaction().batch_execute(end).await?;
                    }
                    _ => {}
                }
            }
            Ok(())
        })
    }
}

impl Slices {
    /// So many calls got one of these jobs together with others.
    fn together_with(&self, job: &str) -> usize {
        let calls = self.calls.lock().unwrap();
        let with = |call: &&Vec<String>| call.len() > 1 && call.iter().any(|other| other == job);
        calls.iter().filter(with).count()
    }

    fn start(&self, database: &pgpubsub_testkit::Database, spec: ListenerSpec) -> Running {
        self.start_with(database, spec, OnFailure::CarryOn)
    }

    fn start_with(
        &self,
        database: &pgpubsub_testkit::Database,
        spec: ListenerSpec,
        on_failure: OnFailure,
    ) -> Running {
        let mut set = ListenerSet::new(CATALOG);
        set.batch(spec, self.clone());
        Running::start(database, &Work::default(), |worker| {
            worker.listeners(set).concurrency(1).on_failure(on_failure)
        })
    }
}

const DIFFERENT: &str = "SELECT count(DISTINCT job) FROM effect";

#[tokio::test]
async fn a_call_that_takes_too_long_is_cancelled_and_only_the_guilty_fails() {
    let (database, client) = database().await;
    let jobs = [
        ("nothing", CAREFUL),
        ("write", 20),
        ("hang", 1),
        ("write", 20),
    ];
    store(&client, "work", &jobs).await;
    let timeout = Duration::from_secs(1);
    let slices = Slices::default();
    let spec = ListenerSpec {
        timeout: Some(timeout),
        ..WORK
    };
    let worker = slices.start(&database, spec);
    until(&client, WAITING, 0).await;
    let mut events = worker.stop().await;
    assert_eq!(count(&client, EFFECTS).await, 41);
    assert_eq!(count(&client, DIFFERENT).await, 41);
    assert_eq!(slices.together_with("hang"), 1);
    let mut timed_out = Vec::new();
    while let Ok(event) = events.try_recv() {
        match event {
            WorkerEvent::TimedOut { id, .. } => timed_out.push(id),
            WorkerEvent::Failed { id, .. } => assert_eq!(id, Some(121)),
            _ => {}
        }
    }
    assert_eq!(timed_out, [Some(121)]);
}

#[tokio::test]
async fn what_one_transaction_cannot_do_again_is_not_called_together_again() {
    let (database, client) = database().await;
    // More than it may have savepoints, the guilty one at the end.
    store(
        &client,
        "work",
        &[("nothing", CAREFUL), ("write", 99), ("fail", 1)],
    )
    .await;
    let slices = Slices::default();
    let worker = slices.start(&database, WORK);
    until(&client, WAITING, 0).await;
    let mut events = worker.stop().await;
    assert_eq!(count(&client, EFFECTS).await, 100);
    assert_eq!(count(&client, DIFFERENT).await, 100);
    assert_eq!(failures(&mut events), ["told to"]);
    assert_eq!(slices.together_with("fail"), 1);
}

#[tokio::test]
async fn a_stop_while_they_are_done_again_commits_what_is_done_and_releases_the_rest() {
    let (database, client) = database().await;
    store(
        &client,
        "work",
        &[("nothing", CAREFUL), ("slow", 30), ("fail", 1)],
    )
    .await;
    let slices = Slices::default();
    let worker = slices.start(&database, WORK);
    // Thirty in the slice, and some by themselves.
    let enough = async {
        while slices.slow.load(Ordering::SeqCst) < 33 {
            slices.is_slow.notified().await;
        }
    };
    tokio::time::timeout(DEADLINE, enough)
        .await
        .expect("slow ones");
    let stopped = Instant::now();
    let mut events = worker.stop().await;
    assert!(
        stopped.elapsed() < Duration::from_secs(1),
        "not all of them"
    );
    let (done, waiting) = (count(&client, EFFECTS).await, count(&client, WAITING).await);
    assert!((1..30).contains(&done), "{done}");
    assert_eq!(done + waiting, 31);
    assert_eq!(failures(&mut events), [""; 0]);
}

#[tokio::test]
async fn a_worker_that_exits_on_a_failure_names_the_guilty_one() {
    let (database, client) = database().await;
    store(
        &client,
        "work",
        &[
            ("nothing", CAREFUL),
            ("write", 10),
            ("fail", 1),
            ("write", 10),
        ],
    )
    .await;
    let slices = Slices::default();
    let worker = slices.start_with(&database, WORK, OnFailure::Exit);
    let error = worker.ended().await.unwrap_err().to_string();
    assert!(error.contains("notification 111: told to"), "{error}");
    assert_eq!(count(&client, EFFECTS).await, 10);
    assert_eq!(count(&client, WAITING).await, 11);
}

#[tokio::test]
async fn what_ends_the_session_of_a_slice_is_found_and_counted_alone() {
    let (database, client) = database().await;
    let jobs = [
        ("nothing", CAREFUL),
        ("write", 40),
        ("end the session", 1),
        ("write", 40),
    ];
    store(&client, "work", &jobs).await;
    let slices = Slices::default();
    let worker = slices.start(&database, TWICE);
    until(&client, WAITING, 0).await;
    worker.stop().await;
    assert_eq!(count(&client, EFFECTS).await, 80);
    assert_eq!(count(&client, DIFFERENT).await, 80);
    assert_eq!(slices.together_with("end the session"), 1);
    let there = quarantine::list(&client, &CATALOG, &Filter::default(), 10)
        .await
        .unwrap();
    assert_eq!(there.len(), 1);
    assert_eq!((there[0].id, there[0].attempts), (141, 2));
}

/// Loads its payload each time.
struct Loads;

impl LazyHandler for Loads {
    type Event = String;

    fn decode(_: &Notification, payload: &Value) -> Result<String, DecodeError> {
        Object::new(payload)?.field("do")
    }

    fn call<'a>(
        &'a self,
        event: Lazy<String>,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        Box::pin(async move {
            let job = event.load(cx).await?;
            let effect = format!("{job} {}", cx.notification().id);
            let insert = "INSERT INTO effect VALUES ($1)";
            cx.transaction().execute(insert, &[&effect]).await?;
            if job == "fail" && cx.notification().attempt == 1 {
                return Err("told to".into());
            }
            Ok(())
        })
    }
}

#[tokio::test]
async fn slices_and_lazy_payloads_come_through_a_pool() {
    let (database, client) = database().await;
    let Some(pooler) = PgBouncer::start(&database.config()).await else {
        return;
    };
    let jobs = [
        ("write", CAREFUL),
        ("write", 50),
        ("fail", 1),
        ("write", 50),
    ];
    store(&client, "work", &jobs).await;
    store(&client, "other", &jobs).await;
    let slices = Slices::default();
    let mut set = ListenerSet::new(CATALOG);
    set.batch(WORK, slices.clone());
    set.lazy(OTHER, Loads);
    let worker = Running::start_on(pooler.config(), &Work::default(), |worker| {
        let worker = worker.listeners(set).concurrency(1);
        worker.session(database.config())
    });
    until(&client, WAITING, 0).await;
    let mut events = worker.stop().await;
    assert_eq!(count(&client, EFFECTS).await, 402);
    assert_eq!(count(&client, DIFFERENT).await, 402);
    assert_eq!(slices.together_with("fail"), 1);
    assert_eq!(failures(&mut events), ["told to"; 2]);
}
