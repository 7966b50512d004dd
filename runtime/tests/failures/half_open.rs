//! Connections on which nothing comes through any more, while both ends believe in them.

use std::time::Duration;

use pgpubsub_runtime::{SessionState, WorkerEvent};

use crate::ledger::{EFFECTS, Running, all_done_once, at_least, database, store};
use crate::proxy::{Proxy, Role};

/// Longer than any test: what is found is not found by the poll.
const NEVER: Duration = Duration::from_secs(3_600);

fn idle(event: &WorkerEvent) -> Option<()> {
    matches!(event, WorkerEvent::Idle).then_some(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_listening_session_is_noticed_and_replaced() {
    let (database, client) = database().await;
    let proxy = Proxy::start(&database.config()).await;
    let mut worker = Running::start(proxy.config(&database.config()), |worker| {
        worker.concurrency(1).poll_interval(NEVER)
    });
    worker.until_session(SessionState::Connected).await;
    worker.until(idle).await;
    assert!(proxy.hole(Role::Listening) >= 1);
    store(&client, "quick", 10).await;
    worker.until_reconnecting("did not answer").await;
    worker.until_session(SessionState::Resynced).await;
    all_done_once(&client, 10).await;
    // And it hears.
    worker.until(idle).await;
    store(&client, "quick", 1).await;
    all_done_once(&client, 11).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_consumer_is_noticed_and_replaced() {
    let (database, client) = database().await;
    let proxy = Proxy::start(&database.config()).await;
    let mut worker = Running::start(proxy.config(&database.config()), |worker| {
        worker.concurrency(1).poll_interval(NEVER)
    });
    worker.until_session(SessionState::Connected).await;
    worker.until(idle).await;
    assert!(proxy.hole(Role::Consumer) >= 1);
    store(&client, "quick", 10).await;
    worker.until_reconnecting("did not answer").await;
    all_done_once(&client, 10).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_is_gone_for_a_while_in_the_middle_of_work_costs_nothing_but_time() {
    let (database, client) = database().await;
    let proxy = Proxy::start(&database.config()).await;
    let mut config = proxy.config(&database.config());
    config.connect_timeout(Duration::from_millis(500));
    let mut worker = Running::start(config, |worker| worker.concurrency(3));
    worker.until_session(SessionState::Connected).await;
    store(&client, "slow", 300).await;
    for part in 1..=2 {
        at_least(&client, EFFECTS, part * 40).await;
        proxy.hole_everything(true);
        worker.until_reconnecting("did not answer").await;
        proxy.hole_everything(false);
        worker.until_session(SessionState::Resynced).await;
    }
    all_done_once(&client, 300).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_does_not_listen_any_more_is_noticed_and_replaced() {
    let (database, client) = database().await;
    let proxy = Proxy::start(&database.config()).await;
    proxy.garble("LISTEN \"pgpubsub_jobs\"", "LISTEN \"pgpubsub_else\"");
    let mut worker = Running::start(proxy.config(&database.config()), |worker| {
        worker.concurrency(1).poll_interval(NEVER)
    });
    store(&client, "quick", 10).await;
    worker
        .until_reconnecting("does not listen to \"pgpubsub_jobs\"")
        .await;
    worker.until_session(SessionState::Resynced).await;
    all_done_once(&client, 10).await;
    worker.stop().await;
}
