//! What kills its process, or the session of its transaction, ends in quarantine, and nothing else suffers for it.

#![allow(clippy::unwrap_used)] // A test may panic.

mod support;

use std::time::Duration;

use pgpubsub_runtime::generated::{BoxFuture, DurableHandler, ListenerSpec};
use pgpubsub_runtime::quarantine::{self, Filter, Quarantined};
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::{Backoff, Cx, ListenerError, ListenerSet, Op, Retry, Worker};
use pgpubsub_testkit::Database;
use tokio::process::Child;
use tokio_postgres::Client;

use support::{CATALOG, DEADLINE, stored as database};

const PAUSE: Duration = Duration::from_millis(10);

const fn listener(max: u32) -> ListenerSpec {
    ListenerSpec {
        retry: Retry {
            max,
            backoff: Some(Backoff {
                first: PAUSE,
                max: PAUSE,
            }),
        },
        ..support::WORK
    }
}

/// Does what the job says, after it has left an effect.
struct Work;

impl DurableHandler for Work {
    fn call<'a>(
        &'a self,
        _: Op,
        job: &'a Value,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        Box::pin(async move {
            let job = job["do"].as_str().ok_or("no job")?;
            match job {
                // Without SQL: as many as a batch may have.
                "nothing" => return Ok(()),
                "kill at once" => std::process::abort(),
                _ => {}
            }
            let effect = format!("{job} {}", cx.notification().id);
            cx.transaction()
                .execute("INSERT INTO effect VALUES ($1)", &[&effect])
                .await?;
            match job {
                "kill" => std::process::abort(),
                "fail" => Err("told to".into()),
                "fail, then end the session" if cx.notification().attempt == 1 => {
                    Err("told to".into())
                }
                "end the session" | "fail, then end the session" => {
                    let end = "SELECT pg_terminate_backend(pg_backend_pid())";
                    cx.transaction().batch_execute(end).await?;
                    Ok(())
                }
                "tell the attempt" => {
                    let attempt = i64::from(cx.notification().attempt);
                    let tell = "INSERT INTO effect VALUES ('attempt ' || $1::bigint)";
                    cx.transaction().execute(tell, &[&attempt]).await?;
                    Ok(())
                }
                _ => Ok(()),
            }
        })
    }
}

async fn publish(client: &Client, job: &str, times: i32) {
    let payload = format!("{{\"do\":\"{job}\"}}");
    let publish = "SELECT pgpubsub.notify_jobs($1) FROM generate_series(1, $2::integer)";
    client.execute(publish, &[&payload, &times]).await.unwrap();
}

async fn count(client: &Client, from: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {from}");
    client.query_one(&sql, &[]).await.unwrap().get(0)
}

async fn in_quarantine(client: &Client) -> Vec<Quarantined> {
    quarantine::list(client, &CATALOG, &Filter::default(), 1_000)
        .await
        .unwrap()
}

/// A process with a worker of so many consumers, which ends when nothing waits any more.
fn start_child(database: &Database, max: u32, consumers: usize) -> Child {
    start_child_of(database, max, consumers, 100)
}

/// The same, with batches of up to so many.
fn start_child_of(database: &Database, max: u32, consumers: usize, batch: usize) -> Child {
    tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env("PGPUBSUB_DEATHS", database.url())
        .env("PGPUBSUB_DEATHS_MAX", max.to_string())
        .env("PGPUBSUB_DEATHS_CONSUMERS", consumers.to_string())
        .env("PGPUBSUB_DEATHS_BATCH", batch.to_string())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Whether the process ended as it should.
async fn ended(mut process: Child) -> bool {
    tokio::time::timeout(DEADLINE, process.wait())
        .await
        .expect("no hang")
        .unwrap()
        .success()
}

fn worker(config: tokio_postgres::Config, max: u32, consumers: usize) -> Worker {
    let mut set = ListenerSet::new(CATALOG);
    set.durable(listener(max), Work);
    Worker::new(config)
        .listeners(set)
        .concurrency(consumers)
        .poll_interval(Duration::from_millis(50))
}

async fn nothing_waits(client: &Client) {
    while count(client, "pgpubsub.notification").await > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn run_until_nothing_waits(database: &Database, max: u32, consumers: usize) {
    let client = database.connect().await.unwrap();
    let worker = worker(database.config(), max, consumers).run_until(nothing_waits(&client));
    tokio::time::timeout(DEADLINE, worker)
        .await
        .expect("no hang")
        .unwrap();
}

/// Not a test by itself: the process that [`start_child`] starts.
#[tokio::test]
async fn child() {
    let Ok(url) = std::env::var("PGPUBSUB_DEATHS") else {
        return;
    };
    let number = |name: &str| std::env::var(name).unwrap().parse().unwrap();
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let max = u32::try_from(number("PGPUBSUB_DEATHS_MAX")).unwrap();
    worker(
        url.parse().unwrap(),
        max,
        number("PGPUBSUB_DEATHS_CONSUMERS"),
    )
    .batch(number("PGPUBSUB_DEATHS_BATCH"))
    // A batch is as large as it may be, however slow the machine is.
    .batch_time(DEADLINE)
    .run_until(nothing_waits(&client))
    .await
    .unwrap();
}

#[tokio::test]
async fn what_kills_its_process_ends_in_quarantine_and_the_others_are_done_once() {
    let (database, client) = database().await;
    publish(&client, "good", 20).await;
    publish(&client, "kill", 1).await;
    publish(&client, "good", 29).await;
    let max = 3;
    let mut deaths = 0;
    // As somebody who starts it again does.
    while !ended(start_child(&database, max, 2)).await {
        deaths += 1;
        // Each process is young enough to be careful.
        assert!(deaths <= max, "{deaths} deaths");
    }
    assert!(deaths > 0, "it kills");
    // What was in hand at each death was counted, too, and may have gone the same way.
    let there = in_quarantine(&client).await;
    let guilty = there.iter().find(|there| there.id == 21).unwrap();
    assert_eq!(guilty.attempts, 3);
    assert_eq!(
        guilty.reason,
        "the process or session ended during each of its attempts, of which there were 3"
    );
    let error = guilty.last_error.as_deref().unwrap();
    assert!(error.starts_with("the process died"), "{error}");

    let purge = Filter {
        id: Some(21),
        ..Filter::default()
    };
    quarantine::purge(&client, &CATALOG, &purge).await.unwrap();
    quarantine::redrive(&client, &CATALOG, &Filter::default(), None)
        .await
        .unwrap();
    run_until_nothing_waits(&database, max, 2).await;
    assert_eq!(count(&client, "effect").await, 49);
    let different = "(SELECT DISTINCT job FROM effect) AS different";
    assert_eq!(count(&client, different).await, 49);
    assert_eq!(count(&client, "pgpubsub.quarantine").await, 0);
}

#[tokio::test]
async fn a_process_beyond_its_careful_part_dies_once_uncounted() {
    let (database, client) = database().await;
    // More than the batch of 100 with which a consumer is careful, then what kills.
    publish(&client, "good", 300).await;
    publish(&client, "kill", 1).await;
    let max = 2;
    let mut deaths = 0;
    while !ended(start_child(&database, max, 1)).await {
        deaths += 1;
        assert!(deaths <= 1 + max, "{deaths} deaths");
    }
    // Its batch came to nothing, and the next process began with it, or with what was before it in the batch.
    assert!((max..=1 + max).contains(&deaths), "{deaths}");
    let there = in_quarantine(&client).await;
    assert_eq!(there.len(), 1);
    assert_eq!((there[0].id, there[0].attempts), (301, 2));
    assert_eq!(count(&client, "effect").await, 300);
}

#[tokio::test]
async fn with_large_batches_a_few_deaths_are_uncounted_wherever_it_is() {
    let (database, client) = database().await;
    publish(&client, "nothing", 6_000).await;
    publish(&client, "kill at once", 1).await;
    publish(&client, "nothing", 6_000).await;
    let (max, batch) = (2, 10_000);
    // The careful part is of 100, and each death halves the way to it: log2(10,000 / 100), rounded up, and the first.
    let uncounted = 7 + 1;
    let mut deaths = 0;
    while !ended(start_child_of(&database, max, 1, batch)).await {
        deaths += 1;
        assert!(deaths <= uncounted + max, "{deaths} deaths");
    }
    assert!(deaths > max, "it was in a batch: {deaths}");
    let there = in_quarantine(&client).await;
    assert_eq!(there.len(), 1, "{there:?}");
    assert_eq!((there[0].id, there[0].attempts), (6_001, 2));
}

#[tokio::test]
async fn what_ends_its_session_ends_in_quarantine_too() {
    let (database, client) = database().await;
    publish(&client, "good", 5).await;
    publish(&client, "end the session", 1).await;
    publish(&client, "fail, then end the session", 1).await;
    publish(&client, "good", 5).await;
    run_until_nothing_waits(&database, 2, 1).await;
    let there = in_quarantine(&client).await;
    assert_eq!(there.len(), 2);
    assert_eq!((there[0].id, there[0].attempts), (6, 2));
    assert_eq!((there[1].id, there[1].attempts), (7, 2));
    assert_eq!(
        there[1].reason,
        "tried 2 times, the last time without success or without an end"
    );
    assert_eq!(there[1].last_error.as_deref(), Some("told to"));
    assert_eq!(count(&client, "effect").await, 10);
}

#[tokio::test]
async fn one_that_may_be_tried_once_only_is_tried_once_only() {
    let (database, client) = database().await;
    publish(&client, "good", 400).await;
    publish(&client, "end the session", 1).await;
    // Several consumers that are careful at the same time must not count for each other.
    run_until_nothing_waits(&database, 1, 4).await;
    let there = in_quarantine(&client).await;
    let innocent = there.iter().filter(|there| there.id != 401).count();
    assert_eq!(innocent, 0, "{there:?}");
    assert_eq!(count(&client, "effect").await, 400);
}

#[tokio::test]
async fn a_failure_of_a_counted_attempt_counts_once() {
    let (database, client) = database().await;
    publish(&client, "fail", 10).await;
    publish(&client, "tell the attempt", 1).await;
    run_until_nothing_waits(&database, 3, 1).await;
    let there = in_quarantine(&client).await;
    assert_eq!(there.len(), 10);
    for there in there {
        assert_eq!((there.attempts, &*there.reason), (3, "failed 3 times"));
    }
    assert_eq!(count(&client, "effect WHERE job = 'attempt 1'").await, 1);
}
