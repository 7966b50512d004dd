//! Each group gets each notification once, whatever becomes of the others.

#![allow(clippy::unwrap_used)] // A test may panic.

#[allow(dead_code)] // Each test file uses some of it.
mod support;

use std::collections::HashSet;
use std::time::Duration;

use pgpubsub_runtime::{Backoff, ListenerSet, Retry, Worker, WorkerEvent};
use support::{CATALOG, DEADLINE, Work, count, database, listener, store_only, until};

/// How many of its own a group sees between two of another one, if each has a batch in turn.
const BATCH: usize = 100;

/// Two groups in trouble: one fails always, and for one there is no worker. What a third one gets does not depend on it.
#[tokio::test]
async fn a_failing_and_a_stopped_group_do_not_delay_a_third() {
    let (database, client) = database().await;
    let install =
        "INSERT INTO pgpubsub.listener VALUES ('stopped', 'jobs', 'stopped', '{message}')";
    client.batch_execute(install).await.unwrap();
    // The first ids are those of the groups in trouble.
    for (group, job) in [
        ("stopped", "nothing"),
        ("other", "unknown"),
        ("work", "nothing"),
    ] {
        store_only(&client, group, job, 1_000).await;
    }
    // Without a text to do: it fails at each attempt.
    let spoil = "UPDATE pgpubsub.notification SET payload = '{}' WHERE listener_group = 'other'";
    client.batch_execute(spoil).await.unwrap();

    let pause = Duration::from_millis(1);
    let mut failing = listener("other");
    failing.retry = Retry {
        max: u32::MAX,
        backoff: Some(Backoff {
            first: pause,
            max: pause,
        }),
    };
    let work = Work::default();
    let mut set = ListenerSet::new(CATALOG);
    set.durable(failing, work.clone());
    set.durable(listener("stopped"), work.clone());
    set.durable(listener("work"), work);
    let (sender, mut events) = tokio::sync::mpsc::unbounded_channel();
    let worker = Worker::new(database.config())
        .listeners(set)
        .only(["other", "work"])
        .concurrency(1)
        .batch(BATCH)
        // Only numbers end a batch.
        .batch_time(DEADLINE)
        .on_event(move |event| drop(sender.send(event)));
    let left = "SELECT count(*) FROM pgpubsub.notification WHERE listener_group = 'work'";
    let done = until(&client, left, 0);
    tokio::time::timeout(DEADLINE, worker.run_until(done))
        .await
        .expect("no hang")
        .unwrap();

    let (mut delivered, mut failed, mut failed_before_the_last) = (HashSet::new(), 0, 0);
    while let Ok(event) = events.try_recv() {
        match event {
            WorkerEvent::Delivered { listener, id, .. } => {
                assert_eq!(listener, "work");
                assert!(delivered.insert(id), "{id:?} twice");
                failed_before_the_last = failed;
            }
            WorkerEvent::Failed { listener, .. } => {
                assert_eq!(listener, "other");
                failed += 1;
            }
            _ => {}
        }
    }
    assert_eq!(delivered.len(), 1_000);
    assert!(failed > 0);
    // They take turns: one for one in the careful part of the session, then batch for batch, which grow alike.
    let most = 1_000 + 2 * BATCH;
    assert!(failed_before_the_last <= most, "{failed_before_the_last}");
    let untouched = "SELECT count(*) FROM pgpubsub.notification WHERE listener_group = 'stopped' AND attempts = 0";
    assert_eq!(count(&client, untouched).await, 1_000);
    let waits = "SELECT count(*) FROM pgpubsub.notification WHERE listener_group = 'other'";
    assert_eq!(count(&client, waits).await, 1_000);
}
