//! What becomes of priority, expiry and keys on the way through quarantine and back.

#![allow(clippy::unwrap_used)] // A test may panic.

mod support;

use pgpubsub_runtime::quarantine::{self, Filter};
use pgpubsub_testkit::Database;
use support::{CATALOG, EFFECTS, Running, WAITING, Work, count, database, until};
use tokio_postgres::Client;

const QUARANTINE: &str = "SELECT count(*) FROM pgpubsub.quarantine";
/// How each is to be delivered.
const MANNER: &str = "SELECT id, priority, order_key, dedup_key, expires_at::text FROM pgpubsub";

type Manner = (
    i64,
    Option<i16>,
    Option<String>,
    Option<String>,
    Option<String>,
);

async fn manners(client: &Client, table: &str) -> Vec<Manner> {
    let rows = client
        .query(&format!("{MANNER}.{table} ORDER BY id"), &[])
        .await
        .unwrap();
    rows.iter()
        .map(|row| (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4)))
        .collect()
}

/// Three that cannot be done, the last as plain as they come, go to quarantine.
async fn quarantined(database: &Database, client: &Client) -> Vec<Manner> {
    let insert = "INSERT INTO pgpubsub.notification
          (listener_group, channel, op, model_version, payload, priority, order_key, dedup_key, expires_at)
        SELECT 'work', 'jobs', 'message', 1, '{\"do\": \"quarantine\"}', p, o, d, now() + e::interval
        FROM (VALUES (7, '[\"a\"]', 'folds', '1 h'), (NULL, '', NULL, '290000 years'), (NULL, NULL, NULL, NULL)) AS v (p, o, d, e)";
    client.execute(insert, &[]).await.unwrap();
    let before = manners(client, "notification").await;
    let worker = Running::start(database, &Work::default(), |worker| worker);
    until(client, QUARANTINE, 3).await;
    worker.stop().await;
    before
}

#[tokio::test]
async fn what_is_put_back_is_delivered_as_before() {
    let (database, client) = database().await;
    let before = quarantined(&database, &client).await;
    assert_eq!(manners(&client, "quarantine").await, before);
    let there = quarantine::list(&client, &CATALOG, &Filter::default(), 10)
        .await
        .unwrap();
    assert_eq!((there[0].priority, there[2].priority), (Some(7), None));
    assert_eq!(there[0].order_key.as_deref(), Some("[\"a\"]"));
    assert_eq!(there[0].dedup_key.as_deref(), Some("folds"));
    assert!(there[0].expires_at < there[1].expires_at && there[2].expires_at.is_none());

    let moved = quarantine::redrive(&client, &CATALOG, &Filter::default(), None).await;
    assert_eq!(moved.unwrap(), 3);
    assert_eq!(manners(&client, "notification").await, before);
}

#[tokio::test]
async fn what_has_expired_in_quarantine_is_delivered_if_somebody_puts_it_back() {
    let (database, client) = database().await;
    quarantined(&database, &client).await;
    let expire = "UPDATE pgpubsub.quarantine SET expires_at = now() - interval '1 s', payload = '{\"do\": \"good\"}', dedup_key = 'folds'
                  WHERE order_key IS NOT NULL";
    assert_eq!(client.execute(expire, &[]).await.unwrap(), 2);
    let moved = quarantine::redrive(&client, &CATALOG, &Filter::default(), None).await;
    assert_eq!(moved.unwrap(), 3);
    for (id, _, _, dedup_key, expires_at) in manners(&client, "notification").await {
        assert_eq!((dedup_key, expires_at), (None, None), "{id}");
    }
    let worker = Running::start(&database, &Work::default(), |worker| worker);
    until(&client, WAITING, 0).await;
    worker.stop().await;
    assert_eq!(count(&client, EFFECTS).await, 2);
    assert_eq!(count(&client, QUARANTINE).await, 1);
}
