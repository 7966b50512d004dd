//! Generated listeners that receive batches: a slice all at once, and whoever is to blame fails alone.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pgpubsub_roundtrip::pubsub::{CATALOG, Listeners, Tick, Ticks, Tock, Tocks, TocksEvent};
use pgpubsub_runtime::quarantine::{self, Filter};
use pgpubsub_runtime::{BatchCx, ListenerError, Received, Worker, WorkerEvent};
use support::Fixture;
use tokio::sync::{mpsc, oneshot};

/// Writes each call down, with the numbers that it got, and does what these say.
#[derive(Default)]
struct Counts {
    postponed: AtomicUsize,
}

const DISCARD: i64 = 7;
const QUARANTINE: i64 = 8;
/// At first.
const LATER: i64 = 9;
/// Goes on after a failed statement, at first.
const SWALLOW: i64 = 10;
/// At first.
const PANIC: i64 = 11;
const FAIL: i64 = 12;

impl Ticks for Counts {
    async fn ticks(
        &self,
        events: &[Received<Tick>],
        cx: &mut BatchCx<'_>,
    ) -> Result<(), ListenerError> {
        let numbers: Vec<i64> = events.iter().map(|received| received.event.n).collect();
        let attempts = events.iter().map(|received| received.notification.attempt);
        let attempts: Vec<i64> = attempts.map(i64::from).collect();
        let sql = "INSERT INTO app.calls VALUES ($1, $2)";
        cx.transaction()
            .execute(sql, &[&numbers, &attempts])
            .await?;
        for received in events {
            let first = received.notification.attempt == 1;
            match received.event.n {
                DISCARD => return Err(ListenerError::discard("of no use")),
                QUARANTINE => return Err(ListenerError::quarantine("somebody look at this")),
                // In the slice, and then by itself.
                LATER if self.postponed.fetch_add(1, Ordering::SeqCst) < 2 => {
                    return Err(ListenerError::retry_after(Duration::from_millis(100)));
                }
                SWALLOW if first => drop(cx.transaction().batch_execute("SELECT 1/0").await),
                PANIC if first => panic!("told to"),
                FAIL => return Err("told to".into()),
                _ => {}
            }
        }
        Ok(())
    }
}

async fn with_calls() -> Fixture {
    let fixture = Fixture::migrated().await;
    fixture
        .sql("CREATE TABLE app.calls (numbers bigint[], attempts bigint[])")
        .await;
    fixture
}

async fn send(fixture: &Fixture, numbers: std::ops::RangeInclusive<i64>) {
    for n in numbers {
        Tick { n }.notify(&fixture.writer).await.unwrap();
    }
}

/// Runs a worker until nothing waits for a group any more; what it told.
async fn drain(fixture: &Fixture, listeners: Listeners, group: &str) -> Vec<WorkerEvent> {
    let (sender, mut told) = mpsc::unbounded_channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = Worker::new(fixture.database.config())
        .listeners(listeners)
        .concurrency(1)
        .on_event(move |event| drop(sender.send(event)));
    let worker = tokio::spawn(worker.run_until(async {
        let _ = stopped.await;
    }));
    let waiting =
        format!("SELECT count(*) FROM pgpubsub.notification WHERE listener_group = '{group}'");
    fixture.until(&waiting, 0).await;
    let _ = stop.send(());
    worker.await.unwrap().unwrap();
    let mut all = Vec::new();
    while let Ok(event) = told.try_recv() {
        all.push(event);
    }
    all
}

fn failures(told: &[WorkerEvent]) -> Vec<&str> {
    let failures = told.iter().filter_map(|event| match event {
        WorkerEvent::Failed { error, .. } => Some(error.as_str()),
        _ => None,
    });
    failures.collect()
}

/// The calls that were committed: the numbers of each, and its attempts.
async fn calls(fixture: &Fixture) -> Vec<(Vec<i64>, Vec<i64>)> {
    let sql = "SELECT numbers, attempts FROM app.calls ORDER BY numbers[1]";
    let rows = fixture.writer.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test]
async fn a_backlog_comes_in_slices_each_notification_once() {
    let fixture = with_calls().await;
    send(&fixture, 101..=600).await;
    let told = drain(&fixture, Listeners::new().ticks(Counts::default()), "ticks").await;
    let calls = calls(&fixture).await;
    let numbers: Vec<i64> = calls
        .iter()
        .flat_map(|(numbers, _)| numbers)
        .copied()
        .collect();
    assert_eq!(numbers, (101..=600).collect::<Vec<_>>());
    // One at a time in the careful part of the session, then all that a batch may have.
    let (alone, slices): (Vec<_>, Vec<_>) =
        calls.iter().partition(|(numbers, _)| numbers.len() == 1);
    assert_eq!(alone.len(), 100);
    assert!(
        slices.iter().any(|(numbers, _)| numbers.len() == 100),
        "{slices:?}"
    );
    assert_eq!(failures(&told), [""; 0]);
    let delivered = |event: &&WorkerEvent| matches!(event, WorkerEvent::Delivered { .. });
    assert_eq!(told.iter().filter(delivered).count(), 500);
}

#[tokio::test]
async fn whoever_spoils_a_slice_fails_alone_and_gets_its_own_verdict() {
    let fixture = with_calls().await;
    // The careful part, then a slice with one of each.
    send(&fixture, 101..=220).await;
    send(&fixture, 1..=30).await;
    let insert =
        "INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload)
                  VALUES ('ticks', 'tick', 'message', 1, '{\"n\": \"no number\"}')";
    fixture.sql(insert).await;
    send(&fixture, 31..=60).await;
    let told = drain(&fixture, Listeners::new().ticks(Counts::default()), "ticks").await;

    let calls = calls(&fixture).await;
    let mut effects: Vec<i64> = calls
        .iter()
        .flat_map(|(numbers, _)| numbers)
        .copied()
        .collect();
    effects.sort_unstable();
    let wanted = (1..=60).chain(101..=220);
    let wanted: Vec<i64> = wanted
        .filter(|n| ![DISCARD, QUARANTINE, FAIL].contains(n))
        .collect();
    assert_eq!(effects, wanted, "each once, and nothing of a failed call");
    assert!(
        calls.iter().any(|(numbers, _)| numbers.len() > 1),
        "{calls:?}"
    );
    let tried: Vec<_> = calls
        .iter()
        .filter(|(_, attempts)| *attempts != vec![1; attempts.len()])
        .collect();
    let second = |n: i64| (vec![n], vec![2]);
    assert_eq!(tried, [&second(SWALLOW), &second(PANIC)], "by themselves");

    let told_to = "told to";
    let panicked = "the listener panicked: told to";
    let mut failed = failures(&told);
    failed.sort_unstable();
    let of = |start: &str| {
        failed
            .iter()
            .filter(|error| error.starts_with(start))
            .count()
    };
    assert_eq!(of(told_to), 3, "{failed:?}");
    assert_eq!(of(panicked), 1, "{failed:?}");
    assert_eq!(of("the listener went on after"), 1, "{failed:?}");
    assert_eq!(of("somebody look at this"), 1, "{failed:?}");
    assert_eq!(of("the payload does not decode: n: "), 3, "{failed:?}");
    assert_eq!(failed.len(), 9, "nobody else fails: {failed:?}");
    let snoozed = |event: &&WorkerEvent| matches!(event, WorkerEvent::Snoozed { .. });
    assert_eq!(told.iter().filter(snoozed).count(), 1);
    let discarded = |event: &&WorkerEvent| matches!(event, WorkerEvent::Discarded { .. });
    assert_eq!(told.iter().filter(discarded).count(), 1);

    let all = Filter::default();
    let there = quarantine::list(&fixture.writer, &CATALOG, &all, 10);
    let mut attempts: Vec<_> = there
        .await
        .unwrap()
        .iter()
        .map(|there| there.attempts)
        .collect();
    attempts.sort_unstable();
    assert_eq!(attempts, [1, 3, 3]);
}

/// Writes down what it gets, and fails for some at first.
struct Follows;

impl Tocks for Follows {
    async fn tocks(
        &self,
        events: &[Received<TocksEvent>],
        cx: &mut BatchCx<'_>,
    ) -> Result<(), ListenerError> {
        for Received {
            event,
            notification,
        } in events
        {
            let TocksEvent::Tock(Tock { who, n }) = event else {
                return Err("no tock".into());
            };
            let sql = "INSERT INTO app.heard (who, n, size) VALUES ($1, $2, $3)";
            let size = i64::try_from(events.len())?;
            cx.transaction().execute(sql, &[who, n, &size]).await?;
            if n % 5 == 0 && *n <= 40 && notification.attempt == 1 {
                return Err("told to".into());
            }
        }
        Ok(())
    }
}

#[tokio::test]
async fn within_a_key_the_order_holds_whoever_fails() {
    const EACH: i64 = 100;
    let fixture = Fixture::migrated().await;
    fixture
        .sql("CREATE TABLE app.heard (at bigint GENERATED ALWAYS AS IDENTITY, who text, n bigint, size bigint)")
        .await;
    for n in 1..=EACH {
        for who in ["a", "b", "c", "d"] {
            let who = who.to_owned();
            Tock { who, n }.notify(&fixture.writer).await.unwrap();
        }
    }
    drain(&fixture, Listeners::new().tocks(Follows), "tocks").await;
    let sql = "SELECT who, n, size FROM app.heard ORDER BY at";
    let mut heard: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let mut largest = 0;
    for row in fixture.writer.query(sql, &[]).await.unwrap() {
        heard.entry(row.get(0)).or_default().push(row.get(1));
        largest = largest.max(row.get::<_, i64>(2));
    }
    let all: Vec<i64> = (1..=EACH).collect();
    assert_eq!(heard.len(), 4);
    assert!(heard.values().all(|of_one| *of_one == all), "{heard:?}");
    assert!(largest > 1, "slices");
}
