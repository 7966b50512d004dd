//! Two-phase commit and the door. That `poll` and `none` allow it is shown with generated functions in `tests/wake.rs` of the generator.

#![allow(clippy::unwrap_used)] // A test may panic.

#[path = "support/door.rs"]
mod support;

use std::time::Duration;

use support::{DONE, LEFT, Running, SHUT, WORK, asleep, count, database, until};

/// PostgreSQL keeps the advisory locks of a prepared transaction, and prepares none that has sent a NOTIFY.
#[tokio::test(flavor = "multi_thread")]
async fn a_prepared_transaction_holds_the_door_open_and_cannot_be_had_while_a_worker_sleeps() {
    let (database, client) = database().await;
    let prepared = "SELECT current_setting('max_prepared_transactions')::bigint";
    if count(&client, prepared).await == 0 {
        println!("skipped: the server has max_prepared_transactions = 0");
        return;
    }
    let begin = "BEGIN; SELECT notify_door('{}'); PREPARE TRANSACTION";
    let prepare = format!("{begin} 'pgpubsub first'");
    client.batch_execute(&prepare).await.unwrap();
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock' AND pid IS NULL
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(count(&client, locks).await, 2);

    // The worker looks by itself as long as it is there.
    let worker = Running::start(&database, &[WORK], 1);
    worker.looked(20).await;
    assert_eq!(count(&client, SHUT).await, 0);
    let commit = "COMMIT PREPARED 'pgpubsub first'";
    client.batch_execute(commit).await.unwrap();
    let noticed = until(&client, DONE, 1, Duration::from_secs(10)).await;
    assert!(noticed < Duration::from_secs(5), "{noticed:?}");

    asleep(&client, 1).await;
    let error = client
        .batch_execute(&format!("{begin} 'pgpubsub second'"))
        .await
        .unwrap_err();
    let code = error.code().cloned();
    let refused = tokio_postgres::error::SqlState::FEATURE_NOT_SUPPORTED;
    assert_eq!(code, Some(refused), "{error:?}");
    // The whole transaction is gone, and nothing waits for anybody but the other group.
    let work = "SELECT count(*) FROM pgpubsub.notification WHERE listener_group = 'work'";
    assert_eq!(count(&client, work).await, 0);
    assert_eq!(count(&client, LEFT).await, 1);
    worker.stop().await;
}
