//! Promises of channels with a key: one after the other within it, whatever happens, and nothing waits for another key.

#![allow(clippy::unwrap_used)] // A test may panic.

mod cost;
mod gate;
mod support;

use pgpubsub_runtime::ListenerSet;
use pgpubsub_runtime::generated::{ContextFilter, FilterValue};
use support::{
    CATALOG, Follow, LEDGER, Running, WAITING, WRONG, count, database, of_tenant, process, serve,
    store, until, worker, worker_of,
};

const WORK: Follow = Follow {
    listener: "work",
    failures: 0,
};

#[tokio::test]
#[ignore = "a part of another test"]
async fn a_worker_process() {
    serve().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_is_in_order_whoever_fails_or_is_killed() {
    const KEYS: i32 = 20;
    const WRITERS: i32 = 4;
    const EACH: i32 = 400;
    let (database, client) = database(KEYS).await;
    let mut workers = vec![process(&database), process(&database)];
    let mut writers = Vec::new();
    for _ in 0..WRITERS {
        let writer = database.connect().await.unwrap();
        writers.push(tokio::spawn(async move {
            let mut left = EACH;
            while left > 0 {
                // Several changes in a transaction, some of which comes to nothing.
                let changes = rand::random_range(1..=5).min(left);
                let end = if rand::random_range(0..10) == 0 {
                    "ROLLBACK"
                } else {
                    left -= changes;
                    "COMMIT"
                };
                // In order of the keys, or writers could wait for each other for ever.
                let mut keys: Vec<i32> =
                    (0..changes).map(|_| rand::random_range(1..=KEYS)).collect();
                keys.sort_unstable();
                let changes: String = keys
                    .iter()
                    .map(|key| format!("SELECT change({key}, '{{work}}');"))
                    .collect();
                let transaction = format!("BEGIN; {changes} {end}");
                writer.batch_execute(&transaction).await.unwrap();
            }
        }));
    }
    // A process, or a session of one, dies every hundred notifications.
    let all = i64::from(WRITERS * EACH);
    let mut next = 100;
    while next < all {
        until(&client, LEDGER, |done| done >= next).await;
        next += 100;
        if rand::random() {
            let at = rand::random_range(0..workers.len());
            workers[at].kill().unwrap();
            workers[at].wait().unwrap();
            workers[at] = process(&database);
        } else {
            let kill = "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity
                        WHERE application_name = 'pgpubsub' AND datname = current_database() ORDER BY random() LIMIT 1) AS one";
            count(&client, kill).await;
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    until(&client, WAITING, |waiting| waiting == 0).await;
    for mut worker in workers {
        worker.kill().unwrap();
        worker.wait().unwrap();
    }
    assert_eq!(count(&client, WRONG).await, 0, "out of order");
    assert_eq!(count(&client, LEDGER).await, all);
    let behind = "SELECT count(*) FROM item JOIN progress AS p ON p.key = item.key AND p.listener = 'work' AND p.n <> item.n";
    assert_eq!(count(&client, behind).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_key_holds_up_only_itself() {
    let (database, client) = database(30).await;
    client
        .batch_execute("INSERT INTO broken VALUES (7), (8)")
        .await
        .unwrap();
    store(&client, "work", (1, 30), 40).await;
    let running = Running::start(worker(database.config(), &[WORK]).concurrency(2));
    until(&client, LEDGER, |done| done == 28 * 40).await;
    let first =
        "SELECT count(*) FROM pgpubsub.notification WHERE attempts > 0 AND (payload->>'n') = '1'";
    until(&client, first, |tried| tried == 2).await;
    let others =
        "SELECT count(*) FROM pgpubsub.notification WHERE attempts > 0 AND (payload->>'n') <> '1'";
    assert_eq!(count(&client, others).await, 0, "nothing overtakes");
    // Mended, it goes on where it was.
    client.batch_execute("DELETE FROM broken").await.unwrap();
    until(&client, WAITING, |waiting| waiting == 0).await;
    running.stop().await;
    assert_eq!(count(&client, WRONG).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_away_lets_the_next_of_its_key_go() {
    let (database, client) = database(1).await;
    client
        .batch_execute("INSERT INTO broken VALUES (1)")
        .await
        .unwrap();
    store(&client, "work", (1, 1), 3).await;
    let running = Running::start(worker(database.config(), &[WORK]));
    let tried = "SELECT count(*) FROM pgpubsub.notification WHERE attempts > 1";
    until(&client, tried, |tried| tried > 0).await;
    // Somebody gives the first one up.
    client
        .batch_execute("BEGIN; DELETE FROM pgpubsub.notification WHERE payload->>'n' = '1'; DELETE FROM broken; UPDATE progress SET n = 1; COMMIT; NOTIFY pgpubsub_jobs")
        .await
        .unwrap();
    until(&client, WAITING, |waiting| waiting == 0).await;
    running.stop().await;
    assert_eq!(count(&client, WRONG).await, 0);
    assert_eq!(count(&client, LEDGER).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_groups_with_the_same_key_do_not_hold_each_other() {
    let (database, client) = database(1).await;
    client
        .batch_execute("INSERT INTO broken VALUES (1)")
        .await
        .unwrap();
    store(&client, "work", (1, 1), 10).await;
    let failing = Running::start(worker(database.config(), &[WORK]));
    let tried = "SELECT count(*) FROM pgpubsub.notification WHERE attempts > 0";
    until(&client, tried, |tried| tried > 0).await;
    failing.stop().await;
    client.batch_execute("DELETE FROM broken").await.unwrap();
    // The key of one group is held by a transaction that does not end.
    let holder = database.connect().await.unwrap();
    let hold =
        "BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('\"pgpubsub\" work [\"1\"]', 0))";
    holder.batch_execute(hold).await.unwrap();
    store(&client, "other", (1, 1), 10).await;
    let other = Follow {
        listener: "other",
        failures: 0,
    };
    let running = Running::start(worker(database.config(), &[WORK, other]));
    until(
        &client,
        "SELECT count(*) FROM ledger WHERE listener = 'other'",
        |done| done == 10,
    )
    .await;
    let work = "SELECT count(*) FROM ledger WHERE listener = 'work'";
    assert_eq!(count(&client, work).await, 0, "its key is held");
    holder
        .batch_execute("ROLLBACK; NOTIFY pgpubsub_jobs")
        .await
        .unwrap();
    until(&client, WAITING, |waiting| waiting == 0).await;
    running.stop().await;
    assert_eq!(count(&client, WRONG).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_for_all_is_a_total_order() {
    let (database, client) = database(50).await;
    store(&client, "work", (1, 50), 20).await;
    client
        .batch_execute("UPDATE pgpubsub.notification SET order_key = '[]'")
        .await
        .unwrap();
    let follow = Follow {
        failures: 20,
        ..WORK
    };
    let running = Running::start(worker(database.config(), &[follow]).concurrency(4));
    until(&client, WAITING, |waiting| waiting == 0).await;
    running.stop().await;
    assert_eq!(count(&client, LEDGER).await, 1_000);
    let disorder = "SELECT count(*) FROM (SELECT id < lag(id) OVER (ORDER BY at) AS wrong FROM ledger) AS l WHERE wrong";
    assert_eq!(count(&client, disorder).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_no_key_or_was_stored_before_there_was_one_waits_for_nothing() {
    let (database, client) = database(20).await;
    client
        .batch_execute("INSERT INTO broken SELECT generate_series(1, 10)")
        .await
        .unwrap();
    store(&client, "work", (1, 20), 1).await;
    client
        .batch_execute("UPDATE pgpubsub.notification SET order_key = CASE (payload->>'key')::integer % 2 WHEN 1 THEN '' END")
        .await
        .unwrap();
    let running = Running::start(worker(database.config(), &[WORK]).concurrency(2));
    until(&client, LEDGER, |done| done == 10).await;
    client.batch_execute("DELETE FROM broken").await.unwrap();
    until(&client, WAITING, |waiting| waiting == 0).await;
    running.stop().await;
    assert_eq!(count(&client, LEDGER).await, 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_notification_that_somebody_holds_is_not_overtaken() {
    let (database, client) = database(2).await;
    store(&client, "work", (1, 2), 5).await;
    // A worker of before, which knows no keys, or an operator.
    let holder = database.connect().await.unwrap();
    let hold = "BEGIN; SELECT FROM pgpubsub.notification WHERE order_key = '[\"1\"]' ORDER BY id LIMIT 1 FOR UPDATE";
    holder.batch_execute(hold).await.unwrap();
    let running = Running::start(worker(database.config(), &[WORK]).concurrency(2));
    until(&client, LEDGER, |done| done == 5).await;
    let other = "SELECT count(*) FROM ledger WHERE key = 1";
    assert_eq!(count(&client, other).await, 0);
    holder
        .batch_execute("ROLLBACK; NOTIFY pgpubsub_jobs")
        .await
        .unwrap();
    until(&client, WAITING, |waiting| waiting == 0).await;
    running.stop().await;
    assert_eq!(count(&client, WRONG).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_lists_the_keys_that_are_blocked() {
    let (database, client) = database(3).await;
    client
        .batch_execute("INSERT INTO broken VALUES (2)")
        .await
        .unwrap();
    store(&client, "work", (1, 3), 4).await;
    let running = Running::start(worker(database.config(), &[WORK]));
    until(&client, LEDGER, |done| done == 8).await;
    let tried = "SELECT count(*) FROM pgpubsub.notification WHERE attempts > 0";
    until(&client, tried, |tried| tried == 1).await;
    running.stop().await;
    let blocked = pgpubsub_runtime::pending::blocked(&client, &support::CATALOG);
    let [blocked] = &blocked.await.unwrap()[..] else {
        panic!("one key");
    };
    assert_eq!(
        (blocked.group.as_str(), blocked.key.as_str()),
        ("work", "[\"2\"]")
    );
    assert_eq!((blocked.channel.as_str(), blocked.behind), ("jobs", 3));
    assert!(blocked.attempts > 0 && blocked.next_attempt.is_some());
    assert_eq!(blocked.last_error.as_deref(), Some("told to"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_that_take_different_parts_of_a_key_keep_its_order() {
    const A: &[ContextFilter] = &[ContextFilter {
        key: "tenant",
        value: FilterValue::Literal("a"),
    }];
    const B: &[ContextFilter] = &[ContextFilter {
        key: "tenant",
        value: FilterValue::Literal("b"),
    }];
    let (database, client) = database(3).await;
    store(&client, "work", (1, 3), 40).await;
    let tenants = "UPDATE pgpubsub.notification SET context = CASE (payload->>'n')::integer / 5 % 2 WHEN 0 THEN '{\"tenant\": \"a\"}' ELSE '{\"tenant\": \"b\"}' END";
    client.batch_execute(tenants).await.unwrap();
    let start = |filter| {
        let mut set = ListenerSet::new(CATALOG);
        set.durable(of_tenant(filter), WORK);
        let pause = std::time::Duration::from_millis(20);
        Running::start(worker_of(database.config(), set).poll_interval(pause))
    };
    let a = start(A);
    // The first four of each key are all that it can take.
    until(&client, LEDGER, |done| done == 12).await;
    let b = start(B);
    until(&client, WAITING, |waiting| waiting == 0).await;
    a.stop().await;
    b.stop().await;
    assert_eq!(count(&client, WRONG).await, 0);
    assert_eq!(count(&client, LEDGER).await, 120);
}
