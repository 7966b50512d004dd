//! The emitted migrations on a real PostgreSQL: what they install, and what they take back.

#[path = "golden/runs.rs"]
#[allow(dead_code)] // Each test uses some of it.
mod runs;
#[path = "golden/schemas.rs"]
#[allow(dead_code)] // Each test uses some of them.
mod schemas;
#[path = "golden/session.rs"]
#[allow(dead_code)] // Each test uses some of it.
mod session;

use pgpubsub_gen::history::History;
use runs::{after, files};
use session::{TABLES, apply, catalogue, down, first, registry, session, up, waiting};

#[tokio::test]
async fn up_and_down_and_up_give_the_same_catalogue() {
    let (_database, client) = session(TABLES).await;
    let one = first(&schemas::example());
    let two = files(&schemas::changed(), &after(&one, &History::default()));
    let empty = catalogue(&client).await;

    up(&client, &one).await;
    let (after_one, registry_one) = (catalogue(&client).await, registry(&client).await);
    up(&client, &two).await;
    let (after_two, registry_two) = (catalogue(&client).await, registry(&client).await);
    assert_ne!(after_one, after_two);
    assert_ne!(registry_one, registry_two);

    down(&client, &two).await;
    assert_eq!(catalogue(&client).await, after_one);
    assert_eq!(registry(&client).await, registry_one);
    up(&client, &two).await;
    assert_eq!(catalogue(&client).await, after_two);
    assert_eq!(registry(&client).await, registry_two);

    down(&client, &two).await;
    down(&client, &one).await;
    assert_eq!(catalogue(&client).await, empty);
}

#[tokio::test]
async fn a_migration_can_be_applied_twice() {
    let (_database, client) = session(TABLES).await;
    let one = first(&schemas::example());
    up(&client, &one).await;
    let once = catalogue(&client).await;
    up(&client, &one).await;
    assert_eq!(catalogue(&client).await, once);
}

#[tokio::test]
async fn waiting_notifications_are_not_dropped() {
    let (_database, client) = session(TABLES).await;
    let one = first(&schemas::example());
    up(&client, &one).await;
    let insert = "INSERT INTO app.author VALUES (1, 'a', NULL, now())";
    client.batch_execute(insert).await.expect("the write");
    let error = apply(&client, &one, ".down.sql")
        .await
        .expect_err("a refusal");
    let error = error.as_db_error().expect("from the server");
    assert_eq!(error.message(), "notifications are still waiting");
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("DELETE FROM"))
    );
    assert_eq!(waiting(&client, "pgpubsub").await.len(), 1);
}

#[tokio::test]
async fn quarantined_notifications_are_not_dropped() {
    let (_database, client) = session(TABLES).await;
    let one = first(&schemas::example());
    up(&client, &one).await;
    let insert = "INSERT INTO pgpubsub.quarantine (id, listener_group, channel, op, model_version, txid, created_at, payload, attempts, reason)
        VALUES (1, 'g', 'c', 'message', 1, '1', now(), '{}', 20, 'failed 20 times')";
    client.batch_execute(insert).await.expect("the write");
    let error = apply(&client, &one, ".down.sql")
        .await
        .expect_err("a refusal");
    let error = error.as_db_error().expect("from the server");
    assert_eq!(error.message(), "notifications are still in quarantine");
    assert!(error.hint().is_some_and(|hint| hint.contains("redrive")));
}
