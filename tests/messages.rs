//! What a message channel stores of what its senders say, and which messages it folds, on a real PostgreSQL: a sender never waits
//! for another one, never fails because of one, and no message is lost.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

#[path = "golden/runs.rs"]
#[allow(dead_code)] // Each test uses some of it.
mod runs;
#[path = "golden/schemas.rs"]
#[allow(dead_code)] // Each test uses some of them.
mod schemas;
#[path = "golden/session.rs"]
#[allow(dead_code)] // Each test uses some of it.
mod session;

use pgpubsub_testkit::Database;
use session::{down, first, session, up};
use tokio_postgres::Client;

/// Nobody may wait: a statement that waits for a lock fails.
const NO_WAIT: &str = "SET lock_timeout = '1ms'";

async fn migrated() -> (Database, Client) {
    let (database, client) = session("").await;
    up(&client, &first(&schemas::messages())).await;
    client.batch_execute(NO_WAIT).await.unwrap();
    (database, client)
}

async fn another(database: &Database) -> Client {
    let client = database.connect().await.unwrap();
    client.batch_execute(NO_WAIT).await.unwrap();
    client
}

async fn run(client: &Client, sql: &str) {
    let result = client.batch_execute(sql).await;
    result.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

/// What a query of one text column finds.
async fn texts(client: &Client, sql: &str) -> Vec<String> {
    let rows = client.query(sql, &[]).await;
    let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    rows.iter().map(|row| row.get(0)).collect()
}

/// Payloads that wait on a channel, in order.
async fn waiting(client: &Client, channel: &str) -> Vec<String> {
    let sql = format!(
        "SELECT payload::text FROM pgpubsub.notification WHERE channel = '{channel}' ORDER BY payload::text"
    );
    texts(client, &sql).await
}

async fn refused(client: &Client, sql: &str, message: &str) {
    let error = client.batch_execute(sql).await.expect_err(sql);
    let error = error.as_db_error().unwrap();
    assert!(error.message().contains(message), "{sql}: {error:?}");
}

#[tokio::test]
async fn what_a_sender_says_is_stored() {
    let (_database, client) = migrated().await;
    run(
        &client,
        r#"SELECT pgpubsub.notify_plain('{"n": 1}'), pgpubsub.notify_plain('{"n": 2}', 1, NULL), pgpubsub.notify_plain('{"n": 3}', 1, '{}'),
            pgpubsub.notify_shout('{"n": 1}', 1, '{}'),
            pgpubsub.notify_remind('{"n": 1}'),
            pgpubsub.notify_remind('{"n": 2}', options => '{"after": 60}'),
            pgpubsub.notify_remind('{"n": 3}', options => '{"not_before": "2100-01-01T00:00:00Z"}'),
            pgpubsub.notify_remind('{"n": 4}', options => '{"not_before": "2000-01-01T00:00:00Z"}'),
            pgpubsub.notify_nag('{"n": 5}', options => '{"after": 1e300}'),
            pgpubsub.notify_offer('{"n": 1}'),
            pgpubsub.notify_offer('{"n": 2}', options => '{"expires_after": 0.5}'),
            pgpubsub.notify_offer('{"n": 3}', options => '{"expires_at": "infinity"}'),
            pgpubsub.notify_either('{"n": 1}'),
            pgpubsub.notify_ticket('{"n": 1}', options => '{"priority": 9}'),
            pgpubsub.notify_ticket('{"n": 2}', options => '{"priority": 0}'),
            pgpubsub.notify_ticket('{"n": 3}', options => '{"priority": null}')"#,
    )
    .await;
    let stored = texts(
        &client,
        r"SELECT concat_ws(' ', channel, payload ->> 'n', CASE WHEN id < 0 THEN 'later' END,
              CASE WHEN not_before < created_at + interval '1 day' THEN 'soon' ELSE left(date_part('year', not_before)::text, 4) END,
              round(extract(epoch FROM expires_at - created_at)::numeric, 1), priority)
          FROM pgpubsub.notification ORDER BY channel, payload ->> 'n'",
    )
    .await;
    assert_eq!(
        stored,
        [
            "either 1",
            "offer 1 3600.0",
            "offer 2 0.5",
            "offer 3",
            "plain 1",
            "plain 2",
            "plain 3",
            "remind 1",
            "remind 2 later soon",
            "remind 3 later 2100",
            "remind 4",
            "remind 5 later 9709",
            "ticket 1 9",
            "ticket 2",
            "ticket 3",
        ]
    );
}

#[tokio::test]
async fn what_a_channel_does_not_take_is_an_error_that_names_it() {
    let (_database, client) = migrated().await;
    for (call, message) in [
        (
            "plain('{}', 1, '{\"after\": 1}')",
            "the channel plain takes no option 'after'",
        ),
        (
            "shout('{}', 1, '{\"priority\": 1}')",
            "the channel shout takes no option 'priority'",
        ),
        (
            "once('{}', 1, '{\"priority\": 1}')",
            "the channel once takes no option 'priority'",
        ),
        (
            "remind('{}', 1, '{\"priority\": 1}')",
            "the channel remind takes no option 'priority'",
        ),
        (
            "ticket('{}', 1, '{\"it''s\": 1}')",
            "the channel ticket takes no option 'it''s'",
        ),
        (
            "remind('{}', 1, '{\"after\": 1, \"not_before\": null}')",
            "",
        ),
        (
            "remind('{}', 1, '{\"after\": 1, \"not_before\": \"2100-01-01\"}')",
            "says twice what 'not_before' is",
        ),
        (
            "remind('{}', 1, '{\"not_before\": \"infinity\"}')",
            "would never be due",
        ),
        (
            "remind('{}', 1, '{\"not_before\": \"soon\"}')",
            "invalid input syntax",
        ),
        ("remind('{}', 1, '[]')", "are no JSON object"),
        (
            "ticket('{}', 1, '{\"priority\": 10}')",
            "is from 0 to 9, and not 10",
        ),
        (
            "ticket('{}', 1, '{\"priority\": -1}')",
            "is from 0 to 9, and not -1",
        ),
    ] {
        let sql = format!("SELECT pgpubsub.notify_{call}");
        match message {
            "" => run(&client, &sql).await,
            message => refused(&client, &sql, message).await,
        }
    }
}

#[tokio::test]
async fn the_first_stays_or_the_last_is_taken_while_one_waits() {
    let (_database, client) = migrated().await;
    for n in 1..=3 {
        let calls = format!(
            r#"SELECT pgpubsub.notify_once('{{"who": "a", "what": null, "n": {n}}}'), pgpubsub.notify_once('{{"who": "b", "what": "x", "n": {n}}}'),
                   pgpubsub.notify_latest('{{"who": "a", "n": {n}}}')"#
        );
        run(&client, &calls).await;
    }
    assert_eq!(
        waiting(&client, "once").await,
        [
            r#"{"who": "a", "what": null, "n": 1}"#,
            r#"{"who": "b", "what": "x", "n": 1}"#
        ]
    );
    // One for each group.
    let last = r#"{"who": "a", "n": 3}"#;
    assert_eq!(waiting(&client, "latest").await, [last, last]);
    let ids = "SELECT id::text || ' ' || listener_group FROM pgpubsub.notification WHERE channel = 'latest' ORDER BY id";
    let before = texts(&client, ids).await;
    run(
        &client,
        r#"UPDATE pgpubsub.notification SET attempts = 3, last_error = 'x', not_before = now() + interval '1 hour' WHERE listener_group = 'copies';
           SELECT pgpubsub.notify_latest('{"who": "a", "n": 4}')"#,
    )
    .await;
    assert_eq!(texts(&client, ids).await, before, "id and place stay");
    let tried = "SELECT 'tried' FROM pgpubsub.notification WHERE attempts > 0 OR last_error IS NOT NULL OR not_before IS NOT NULL";
    assert!(texts(&client, tried).await.is_empty());
    // What was delivered folds nothing any more.
    run(
        &client,
        r#"DELETE FROM pgpubsub.notification; SELECT pgpubsub.notify_once('{"who": "a", "what": null}')"#,
    )
    .await;
    assert_eq!(waiting(&client, "once").await.len(), 1);
}

#[tokio::test]
async fn equal_is_what_has_the_same_values_in_the_same_version() {
    let (_database, client) = migrated().await;
    let long = "x".repeat(10_000);
    for payload in [
        r#"{"who": "a", "what": "b"}"#.to_owned(),
        r#"{"who": "a, b", "what": null}"#.to_owned(),
        r#"{"who": "a", "what": null}"#.to_owned(),
        r#"{"who": "a\", \"b", "what": "c"}"#.to_owned(),
        r#"{"who": 1, "what": "1"}"#.to_owned(),
        r#"{"who": "1", "what": 1}"#.to_owned(),
        format!(r#"{{"who": "{long}", "what": "1"}}"#),
        format!(r#"{{"who": "{long}", "what": "2"}}"#),
        // Not to be told apart: each is stored.
        r#"{"who": "a"}"#.to_owned(),
        r#"{"who": "a"}"#.to_owned(),
        r#"{"who": "\u0000", "what": 1}"#.to_owned(),
        r#"{"who": "\u0000", "what": 1}"#.to_owned(),
        "[]".to_owned(),
        "[]".to_owned(),
    ] {
        let sql = "SELECT pgpubsub.notify_once($1)";
        client.execute(sql, &[&payload]).await.unwrap();
    }
    assert_eq!(waiting(&client, "once").await.len(), 14);
    for call in [
        format!(r#"{{"who": "{long}", "what": "1", "n": 1}}"#),
        r#"{"what": "b", "who": "a"}"#.to_owned(),
    ] {
        let sql = "SELECT pgpubsub.notify_once($1)";
        client.execute(sql, &[&call]).await.unwrap();
    }
    assert_eq!(waiting(&client, "once").await.len(), 14, "equal ones");
    run(
        &client,
        r#"SELECT pgpubsub.notify_once('{"what": "b", "who": "a"}', 2)"#,
    )
    .await;
    assert_eq!(waiting(&client, "once").await.len(), 15, "another version");
}

#[tokio::test]
async fn debounce_puts_off_but_not_for_ever() {
    let (_database, client) = migrated().await;
    let send = r#"SELECT pgpubsub.notify_calm('{"who": "a", "n": 1}')"#;
    let due = "SELECT concat(id < 0, ' ', round(extract(epoch FROM nullif(not_before, '-infinity') - clock_timestamp()))) FROM pgpubsub.notification";
    run(&client, send).await;
    assert_eq!(texts(&client, due).await, ["t 5"]);
    let earlier = "UPDATE pgpubsub.notification SET not_before = not_before - interval '4 s', created_at = created_at - interval '4 s'";
    run(&client, earlier).await;
    assert_eq!(texts(&client, due).await, ["t 1"]);
    run(&client, send).await;
    assert_eq!(texts(&client, due).await, ["t 5"], "put off");
    run(
        &client,
        "UPDATE pgpubsub.notification SET created_at = clock_timestamp() - interval '58 s'",
    )
    .await;
    run(&client, send).await;
    assert_eq!(texts(&client, due).await, ["t 2"], "at most a minute");
}

#[tokio::test]
async fn what_stands_for_two_is_due_first_lives_longest_and_is_as_urgent_as_one_of_them() {
    let (_database, client) = migrated().await;
    let state = "SELECT concat_ws(' ', payload ->> 'n', coalesce(round(extract(epoch FROM nullif(not_before, '-infinity') - clock_timestamp()))::text, 'now'),
                     coalesce(round(extract(epoch FROM expires_at - clock_timestamp()))::text, 'never'), priority)
                 FROM pgpubsub.notification ORDER BY channel";
    let send = async |n: i32, options: &str| {
        for channel in ["all_first", "all_last"] {
            let payload = format!(r#"{{"who": "a", "n": {n}}}"#);
            let sql = format!("SELECT pgpubsub.notify_{channel}('{payload}', 1, '{options}')");
            run(&client, &sql).await;
        }
        texts(&client, state).await
    };
    assert_eq!(
        send(1, r#"{"after": 100, "expires_after": 200}"#).await,
        ["1 100 200", "1 100 200"]
    );
    assert_eq!(
        send(2, r#"{"after": 50, "expires_after": 150, "priority": 3}"#).await,
        ["1 50 200 3", "2 50 200 3"]
    );
    assert_eq!(
        send(3, r#"{"after": 80, "expires_after": 300, "priority": 1}"#).await,
        ["1 50 300 3", "3 50 300 3"]
    );
    assert_eq!(
        send(4, r#"{"expires_at": "infinity"}"#).await,
        ["1 now never 3", "4 now never 3"]
    );
    // After a failure, a first one keeps the time of its next attempt, another payload is tried at its own.
    run(
        &client,
        "UPDATE pgpubsub.notification SET attempts = 1, last_error = 'told to', not_before = clock_timestamp() + interval '500 s'",
    )
    .await;
    assert_eq!(
        send(5, r#"{"after": 20}"#).await,
        ["1 500 never 3", "5 20 never 3"]
    );
    // What has expired stands for nothing.
    run(
        &client,
        "UPDATE pgpubsub.notification SET expires_at = now()",
    )
    .await;
    assert_eq!(
        send(6, r#"{"after": 20, "expires_after": 9}"#).await.len(),
        4
    );
    // What is in hand, as an attempt that has begun and has no end says, stands for itself.
    run(
        &client,
        "UPDATE pgpubsub.notification SET attempts = 1, last_error = NULL, expires_at = NULL",
    )
    .await;
    assert_eq!(send(7, r#"{"after": 20}"#).await.len(), 6);
}

#[tokio::test]
async fn who_cannot_fold_stores_and_nobody_waits() {
    let (database, client) = migrated().await;
    let other = another(&database).await;
    let send = |n: i32| {
        format!(
            r#"SELECT pgpubsub.notify_latest('{{"who": "a", "n": {n}}}'), pgpubsub.notify_calm('{{"who": "a", "n": {n}}}'),
                   pgpubsub.notify_once('{{"who": "a", "what": 0, "n": {n}}}')"#
        )
    };
    let all = "SELECT concat(channel, ' ', payload ->> 'n') FROM pgpubsub.notification
               WHERE listener_group <> 'copies' ORDER BY 1";
    // Two writers who do not see each other.
    run(&client, "BEGIN").await;
    run(&client, &send(1)).await;
    run(&other, "BEGIN").await;
    run(&other, &send(2)).await;
    run(&client, "COMMIT").await;
    run(&other, "COMMIT").await;
    let both = [
        "calm 1", "calm 2", "latest 1", "latest 2", "once 1", "once 2",
    ];
    assert_eq!(texts(&client, all).await, both);
    // The next one takes both.
    run(&client, "BEGIN").await;
    run(&client, &send(3)).await;
    assert_eq!(
        texts(&client, all).await,
        ["calm 3", "latest 3", "once 1", "once 2"]
    );
    // What it has taken is locked: another one stores, and is not lost if the first one rolls back.
    run(
        &other,
        "DELETE FROM pgpubsub.notification WHERE channel = 'once' AND payload ->> 'n' = '2'",
    )
    .await;
    run(&other, &send(4)).await;
    run(&client, "ROLLBACK").await;
    assert_eq!(
        texts(&client, all).await,
        [
            "calm 1", "calm 2", "calm 4", "latest 1", "latest 2", "latest 4", "once 1", "once 4"
        ]
    );
    run(&client, &send(5)).await;
    assert_eq!(
        texts(&client, all).await,
        ["calm 5", "latest 5", "once 1", "once 4"]
    );
    // A worker holds them.
    run(
        &other,
        "BEGIN; SELECT FROM pgpubsub.notification FOR UPDATE SKIP LOCKED",
    )
    .await;
    run(&client, &send(6)).await;
    run(
        &other,
        "DELETE FROM pgpubsub.notification WHERE payload ->> 'n' <> '6'; COMMIT",
    )
    .await;
    assert_eq!(
        texts(&client, all).await,
        ["calm 6", "latest 6", "once 6"],
        "one delivery more, and never one less"
    );
}

#[tokio::test]
async fn a_message_that_waits_is_not_delivered_before_the_writer_has_committed() {
    let (database, client) = migrated().await;
    let worker = another(&database).await;
    let send = r#"SELECT pgpubsub.notify_once('{"who": "a", "what": 1}'), pgpubsub.notify_latest('{"who": "a", "n": 1}')"#;
    let free = "SELECT channel FROM pgpubsub.notification ORDER BY channel FOR UPDATE SKIP LOCKED";
    run(&client, send).await;
    assert_eq!(texts(&worker, free).await, ["latest", "latest", "once"]);
    run(&client, "BEGIN").await;
    run(&client, send).await;
    assert!(texts(&worker, free).await.is_empty());
    run(&client, "COMMIT").await;
    assert_eq!(texts(&worker, free).await, ["latest", "latest", "once"]);
}

#[tokio::test]
async fn strict_transactions_store_and_never_fail() {
    let (database, client) = migrated().await;
    let other = another(&database).await;
    let send = r#"SELECT pgpubsub.notify_once('{"who": "a", "what": 1}'), pgpubsub.notify_latest('{"who": "a", "n": 1}'),
                      pgpubsub.notify_calm('{"who": "a", "n": 1}')"#;
    run(&client, send).await;
    for level in ["REPEATABLE READ", "SERIALIZABLE"] {
        for session in [&client, &other] {
            // The snapshot is older than what the other one has written.
            run(
                session,
                &format!("BEGIN ISOLATION LEVEL {level}; SELECT FROM pgpubsub.storage"),
            )
            .await;
        }
        run(&client, send).await;
        run(&client, "COMMIT").await;
        run(&other, send).await;
        run(&other, "COMMIT").await;
    }
    assert_eq!(waiting(&client, "once").await.len(), 5);
    assert_eq!(waiting(&client, "latest").await.len(), 10);
    assert_eq!(waiting(&client, "calm").await.len(), 5);
    run(&client, send).await;
    assert_eq!(waiting(&client, "once").await.len(), 5);
    assert_eq!(
        waiting(&client, "latest").await.len(),
        2,
        "one of each group"
    );
    assert_eq!(waiting(&client, "calm").await.len(), 1);
}

#[tokio::test]
async fn a_sender_looks_for_equal_messages_by_the_index_whatever_was_there_when_it_planned() {
    let (_database, client) = migrated().await;
    run(&client, "VACUUM ANALYZE pgpubsub.notification").await;
    let send = |n: i32| format!(r#"SELECT pgpubsub.notify_latest('{{"who": "{n}", "n": 1}}')"#);
    for n in 0..20 {
        run(&client, &send(n)).await;
    }
    run(
        &client,
        "INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload, dedup_key)
         SELECT 'on_latest', 'latest', 'message', 1, '{}', n::text FROM generate_series(1, 20000) AS n",
    )
    .await;
    let reads = "SELECT (seq_tup_read + idx_tup_fetch)::text FROM pg_stat_xact_user_tables WHERE relname = 'notification'";
    run(&client, "BEGIN").await;
    for n in 0..20 {
        run(&client, &send(n)).await;
    }
    let read: i64 = texts(&client, reads).await[0].parse().unwrap();
    run(&client, "COMMIT").await;
    assert!(read <= 20 * 10, "{read} rows for 20 messages");
}

#[tokio::test]
async fn the_way_down_leaves_nothing() {
    let (_database, client) = migrated().await;
    down(&client, &first(&schemas::messages())).await;
    let left = "SELECT proname::text FROM pg_proc WHERE pronamespace::regnamespace::text = 'pgpubsub'
                UNION ALL SELECT relname::text FROM pg_class WHERE relnamespace::regnamespace::text = 'pgpubsub'";
    assert!(texts(&client, left).await.is_empty());
}
