//! Promises of the inbox.

#![allow(clippy::unwrap_used)] // A test may panic.

mod support;

use std::time::Duration;

use pgpubsub_runtime::Inbox;
use pgpubsub_testkit::Database;
use tokio_postgres::Client;

use support::{CATALOG, Running, Work, count, database, until};

const INBOX: Inbox<'_> = Inbox::of(&CATALOG, "payments");
const REMEMBERED: &str = "SELECT count(*) FROM pgpubsub.inbox";

#[tokio::test]
async fn an_effect_happens_once_for_each_id_and_scope_and_again_only_after_a_rollback() {
    let (_database, mut client) = database().await;
    for (commit, first) in [(false, true), (true, true), (true, false)] {
        let transaction = client.transaction().await.unwrap();
        assert_eq!(INBOX.once(&transaction, "it's 1").await.unwrap(), first);
        // A repetition has not failed the transaction.
        transaction.execute("SELECT 1", &[]).await.unwrap();
        if commit {
            transaction.commit().await.unwrap();
        } else {
            transaction.rollback().await.unwrap();
        }
    }
    assert!(INBOX.once(&client, "2").await.unwrap());
    let other = Inbox::of(&CATALOG, "refunds");
    assert!(other.once(&client, "2").await.unwrap());
    assert_eq!(count(&client, REMEMBERED).await, 3);
}

#[tokio::test]
async fn of_two_at_the_same_time_the_second_waits_for_what_becomes_of_the_first() {
    for commit in [true, false] {
        let (database, mut client) = database().await;
        let mut other = database.connect().await.unwrap();
        let observer = database.connect().await.unwrap();
        let first = client.transaction().await.unwrap();
        assert!(INBOX.once(&first, "1").await.unwrap());
        let second = tokio::spawn(async move {
            let second = other.transaction().await.unwrap();
            let is_first = INBOX.once(&second, "1").await.unwrap();
            second.commit().await.unwrap();
            is_first
        });
        let waiting = "SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        until(&observer, waiting, 1).await;
        // Nobody else waits.
        assert!(INBOX.once(&observer, "2").await.unwrap());
        if commit {
            first.commit().await.unwrap();
        } else {
            first.rollback().await.unwrap();
        }
        assert_eq!(second.await.unwrap(), !commit);
        assert_eq!(count(&observer, REMEMBERED).await, 2);
    }
}

#[tokio::test]
async fn what_postgresql_would_refuse_leaves_the_transaction_as_it_is() {
    let (_database, mut client) = database().await;
    let transaction = client.transaction().await.unwrap();
    let long = "x".repeat(2_000 - "payments".len());
    for id in ["a\0b", &format!("{long}y")] {
        INBOX.once(&transaction, id).await.unwrap_err();
    }
    // Nothing that PostgreSQL could compress to make it fit.
    let sql = "SELECT string_agg(md5(n::text), '') FROM generate_series(1, 100) AS n";
    let random: String = transaction.query_one(sql, &[]).await.unwrap().get(0);
    let longest = &random[..long.len()];
    assert!(INBOX.once(&transaction, longest).await.unwrap());
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn an_inbox_in_another_database_needs_the_right_to_insert_only() {
    let database = Database::create().await.unwrap();
    let client = database.connect().await.unwrap();
    let schema = "My \"Shop\"";
    let inbox = Inbox::in_schema(schema, "payments");
    client
        .batch_execute("CREATE SCHEMA \"My \"\"Shop\"\"\"")
        .await
        .unwrap();
    for _ in 0..2 {
        client.batch_execute(&inbox.create_table()).await.unwrap();
    }
    // Roles belong to the server, which other tests may share: one in a transaction that is rolled back.
    let role = "BEGIN; CREATE ROLE pgpubsub_test_inbox;
        GRANT USAGE ON SCHEMA \"My \"\"Shop\"\"\" TO pgpubsub_test_inbox;
        GRANT INSERT ON \"My \"\"Shop\"\"\".inbox TO pgpubsub_test_inbox;
        SET LOCAL ROLE pgpubsub_test_inbox";
    client.batch_execute(role).await.unwrap();
    assert!(inbox.once(&client, "1").await.unwrap());
    assert!(!inbox.once(&client, "1").await.unwrap());
    client
        .batch_execute("SELECT FROM \"My \"\"Shop\"\"\".inbox")
        .await
        .unwrap_err();
    client.batch_execute("ROLLBACK").await.unwrap();
}

/// One that is older than a day, one that is not.
async fn old_and_new(client: &Client) {
    let insert = "INSERT INTO pgpubsub.inbox VALUES ('payments', 'old', now() - interval '25 hours'),
                                                    ('payments', 'new', now() - interval '23 hours')";
    client.batch_execute(insert).await.unwrap();
}

const DAY: Duration = Duration::from_secs(24 * 3_600);

#[tokio::test]
async fn what_is_forgotten_is_new_again() {
    let (_database, client) = database().await;
    old_and_new(&client).await;
    assert_eq!(INBOX.remove_older_than(&client, DAY).await.unwrap(), 1);
    assert_eq!(INBOX.remove_older_than(&client, DAY).await.unwrap(), 0);
    assert!(INBOX.once(&client, "old").await.unwrap());
    assert!(!INBOX.once(&client, "new").await.unwrap());
}

#[tokio::test]
async fn a_worker_forgets_what_is_older_than_its_retention() {
    let (database, client) = database().await;
    old_and_new(&client).await;
    let running = Running::start(&database, &Work::default(), |worker| {
        worker.inbox_retention(DAY)
    });
    until(&client, REMEMBERED, 1).await;
    assert!(!INBOX.once(&client, "new").await.unwrap());
    running.stop().await;
}
