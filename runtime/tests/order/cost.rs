//! What is read for what is done, however much is blocked.

use tokio_postgres::Client;

use super::support::{Follow, LEDGER, Running, count, database, store, until, worker};

const WORK: Follow = Follow {
    listener: "work",
    failures: 0,
};

/// Entries that were read of the index of the order, and of the other one, once every worker has handed in its counts.
async fn read(client: &Client) -> (i64, i64) {
    let ended = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgpubsub' AND datname = current_database()";
    until(client, ended, |sessions| sessions == 0).await;
    let read = |index: &str| {
        format!(
            "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE schemaname = 'pgpubsub' AND indexrelname = '{index}'"
        )
    };
    let by_order = count(client, &read("notification_order")).await;
    (by_order, count(client, &read("notification_pkey")).await)
}

/// Stores 2,000 notifications of 200 keys, drains them beside what is blocked, and says how much was read for it.
async fn drained(client: &Client, database: &pgpubsub_testkit::Database) -> (i64, i64) {
    store(client, "work", (1_001, 1_200), 10).await;
    let (before, done) = (read(client).await, count(client, LEDGER).await);
    let running = Running::start(worker(database.config(), &[WORK]).concurrency(2));
    until(client, LEDGER, |now| now == done + 2_000).await;
    running.stop().await;
    let after = read(client).await;
    (after.0 - before.0, after.1 - before.1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_behind_blocked_keys_is_not_read() {
    let (database, client) = database(1).await;
    let alone = drained(&client, &database).await;
    // Ten keys, each blocked for long by its first one, with ten thousand behind it.
    store(&client, "work", (1, 10), 10_000).await;
    let block =
        "UPDATE pgpubsub.notification SET attempts = 1, not_before = now() + interval '1 day'
                 WHERE id IN (SELECT min(id) FROM pgpubsub.notification GROUP BY order_key)";
    client.batch_execute(block).await.unwrap();
    let beside = drained(&client, &database).await;
    let waiting = "SELECT count(*) FROM pgpubsub.notification";
    assert_eq!(count(&client, waiting).await, 100_000);
    // Claims find their way by the order, and pass ten keys more than without. Were all read only once, it would be more.
    assert!(
        beside.0 < alone.0 + 100_000,
        "{beside:?}, {alone:?} without"
    );
    // By the other index, single ones are looked up; and it is looked for what was left over from before there was an order:
    // that passes over all, when the worker starts and seldom after. Were it for each claim, there would be forty times more.
    assert!(
        beside.1 < alone.1 + 1_000_000,
        "{beside:?}, {alone:?} without"
    );
}
