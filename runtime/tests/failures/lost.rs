//! Sessions that the server ends.

use std::time::Duration;

use pgpubsub_runtime::{SessionState, WorkerEvent};
use pgpubsub_testkit::{Database, Shutdown};

use crate::ledger::{
    EFFECTS, Running, all_done_once, at_least, blocking, cluster, count, database, prepared, store,
};

const LISTENING: &str = "query LIKE '%pg_listening_channels%'";
const CONSUMER: &str = "query NOT LIKE '%pg_listening_channels%'";

/// Ends one of the worker's sessions by chance, of those for which a condition holds.
fn terminate(which: &str) -> String {
    format!(
        "WITH one AS MATERIALIZED (SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'pgpubsub %' AND datname = current_database()
           AND {which} ORDER BY random() LIMIT 1)
         SELECT count(*) FROM one WHERE pg_terminate_backend(pid)"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn each_takes_effect_once_while_the_server_ends_sessions_of_every_role() {
    let (database, client) = database().await;
    let mut worker = Running::start(database.config(), |worker| worker.concurrency(3));
    worker.until_session(SessionState::Connected).await;
    let (mut listening, mut consumers, mut stored) = (0, 0, 0);
    for round in 0..60 {
        store(&client, if round % 3 == 0 { "slow" } else { "quick" }, 20).await;
        stored += 20;
        let moment = Duration::from_millis(rand::random_range(0..60));
        tokio::time::sleep(moment).await;
        match round % 4 {
            0 => listening += count(&client, &terminate(LISTENING)).await,
            _ => consumers += count(&client, &terminate(CONSUMER)).await,
        }
    }
    assert!(
        listening >= 2 && consumers >= 10,
        "{listening} and {consumers}"
    );
    all_done_once(&client, stored).await;
    worker.until_session(SessionState::Lost).await;
    worker.until_session(SessionState::Resynced).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_maintenance_session_that_is_ended_leaves_the_rest_alone() {
    let (database, client) = database().await;
    let holder = database.connect().await.unwrap();
    let hold = "BEGIN; LOCK TABLE pgpubsub.spill";
    holder.batch_execute(hold).await.unwrap();
    let mut worker = Running::start(database.config(), |worker| worker.concurrency(1));
    worker.until_session(SessionState::Connected).await;
    let maintenance =
        terminate("query LIKE 'DELETE FROM \"pgpubsub\".\"spill\"%' AND wait_event_type = 'Lock'");
    at_least(&client, &maintenance, 1).await;
    holder.batch_execute("ROLLBACK").await.unwrap();
    store(&client, "quick", 10).await;
    all_done_once(&client, 10).await;
    worker.stop().await;
}

async fn restart(how: Shutdown) {
    let cluster = cluster(&[]).await;
    let (database, client) = prepared(Database::create_on(&cluster).await.unwrap()).await;
    let mut worker = Running::start(database.config(), |worker| worker.concurrency(3));
    worker.until_session(SessionState::Connected).await;
    store(&client, "slow", 200).await;
    at_least(&client, EFFECTS, 40).await;
    let cluster = blocking(move || {
        cluster.shut_down(how).unwrap();
        cluster
    })
    .await;
    worker.until_session(SessionState::Lost).await;
    // While it is down, too, the worker only waits.
    worker
        .until(|event| matches!(event, WorkerEvent::Reconnecting { .. }).then_some(()))
        .await;
    let _cluster = blocking(move || {
        cluster.start_again().unwrap();
        cluster
    })
    .await;
    let client = database.connect().await.unwrap();
    store(&client, "quick", 50).await;
    worker.until_session(SessionState::Resynced).await;
    all_done_once(&client, 250).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fast_restart_of_the_server_costs_nothing_but_time() {
    restart(Shutdown::Fast).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_of_the_server_costs_nothing_but_time() {
    restart(Shutdown::Immediate).await;
}
