//! Promises of what is urgent.

#![allow(clippy::unwrap_used)] // A test may panic.

mod support;

use support::{Running, WAITING, Work, database, store_only, until};
use tokio_postgres::Client;

/// A number for each effect, in the order in which they were made: by one consumer, that is the order of the calls.
const NUMBERED: &str = "ALTER TABLE effect ADD n bigint GENERATED ALWAYS AS IDENTITY";

/// Stores so many urgent ones as the functions of channels do.
async fn store_urgent(client: &Client, job: &str, priority: i16, count: i32) {
    let insert = "INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload, priority)
                  SELECT 'other', 'jobs', 'message', 1, json_build_object('do', $1::text), $2 FROM generate_series(1, $3::integer)";
    client
        .execute(insert, &[&job, &priority, &count])
        .await
        .unwrap();
}

async fn texts(client: &Client, sql: &str) -> Vec<String> {
    let rows = client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn urgent_ones_do_not_wait_behind_a_backlog_and_the_highest_come_first() {
    let (database, client) = database().await;
    client.batch_execute(NUMBERED).await.unwrap();
    store_only(&client, "other", "write", 10_000).await;
    store_only(&client, "work", "write", 1_000).await;
    for (priority, count) in [(1, 1), (9, 2), (5, 1), (9, 1)] {
        store_urgent(&client, &format!("urgent{priority}"), priority, count).await;
    }
    let worker = Running::start(&database, &Work::default(), |worker| worker.concurrency(1));
    until(&client, WAITING, 0).await;
    worker.stop().await;
    let order = "SELECT split_part(job, ' ', 1) FROM effect WHERE job LIKE 'urgent%' ORDER BY n";
    assert_eq!(
        texts(&client, order).await,
        ["urgent9", "urgent9", "urgent9", "urgent5", "urgent1"]
    );
    let by_id = "SELECT DISTINCT (array_agg(split_part(job, ' ', 2)::bigint ORDER BY n)
                     = array_agg(split_part(job, ' ', 2)::bigint ORDER BY split_part(job, ' ', 2)::bigint))::text
                 FROM effect WHERE job LIKE 'urgent9%'";
    assert_eq!(texts(&client, by_id).await, ["true"]);
    let last = "SELECT max(n)::text FROM effect WHERE job LIKE 'urgent%'";
    let last: i64 = texts(&client, last).await[0].parse().unwrap();
    assert!(last < 500, "the last of them was call {last} of 11,005");
}

#[tokio::test]
async fn what_comes_while_a_backlog_is_worked_off_is_next() {
    let (database, client) = database().await;
    client.batch_execute(NUMBERED).await.unwrap();
    store_only(&client, "other", "write", 10_000).await;
    let worker = Running::start(&database, &Work::default(), |worker| worker.concurrency(1));
    let begun = "SELECT (count(*) > 500)::int::bigint FROM effect";
    until(&client, begun, 1).await;
    let write = "SELECT coalesce(max(n), 0)::text FROM effect";
    store_urgent(&client, "urgent", 3, 1).await;
    let stored: i64 = texts(&client, write).await[0].parse().unwrap();
    until(&client, WAITING, 0).await;
    worker.stop().await;
    let done = "SELECT n::text FROM effect WHERE job LIKE 'urgent%'";
    let done: i64 = texts(&client, done).await[0].parse().unwrap();
    assert!(
        done < stored + 2_000,
        "stored after call {stored}, called as {done}"
    );
}

#[tokio::test]
async fn the_others_are_not_starved() {
    let (database, client) = database().await;
    client.batch_execute(NUMBERED).await.unwrap();
    store_only(&client, "work", "write", 1_000).await;
    store_only(&client, "other", "write", 1_000).await;
    store_urgent(&client, "urgent", 9, 10_000).await;
    let worker = Running::start(&database, &Work::default(), |worker| worker.concurrency(1));
    until(&client, WAITING, 0).await;
    worker.stop().await;
    let last = "SELECT max(n)::text FROM effect WHERE job LIKE 'write%'";
    let last: i64 = texts(&client, last).await[0].parse().unwrap();
    assert!(last < 8_000, "the last of 2,000 was call {last} of 12,000");
}
