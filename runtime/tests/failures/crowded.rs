//! Servers with no room, and with many who want some.

use std::sync::Arc;

use pgpubsub_runtime::SessionState;
use pgpubsub_testkit::Database;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};

use crate::ledger::{Running, all_done_once, cluster, prepared, store};

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_is_waited_for_at_the_start_and_later() {
    let cluster = cluster(&[("max_connections", "10")]).await;
    let (database, client) = prepared(Database::create_on(&cluster).await.unwrap()).await;
    let role = "CREATE ROLE app LOGIN; GRANT USAGE ON SCHEMA pgpubsub TO app;
                GRANT ALL ON ALL TABLES IN SCHEMA pgpubsub, public TO app";
    client.batch_execute(role).await.unwrap();
    let mut config = database.config();
    config.user("app");

    let mut crowd: Vec<Client> = Vec::new();
    while let Ok((one, connection)) = config.connect(NoTls).await {
        tokio::spawn(connection);
        crowd.push(one);
    }
    assert!(!crowd.is_empty());
    store(&client, "quick", 20).await;
    let mut worker = Running::start(config, |worker| worker.concurrency(2));
    worker.until_reconnecting("53300").await;
    crowd.clear();
    worker.until_session(SessionState::Connected).await;
    all_done_once(&client, 20).await;

    let full = "ALTER ROLE app CONNECTION LIMIT 0";
    client.batch_execute(full).await.unwrap();
    let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'";
    client.batch_execute(terminate).await.unwrap();
    worker.until_session(SessionState::Lost).await;
    worker.until_reconnecting("53300").await;
    store(&client, "quick", 20).await;
    let room = "ALTER ROLE app CONNECTION LIMIT -1";
    client.batch_execute(room).await.unwrap();
    worker.until_session(SessionState::Resynced).await;
    all_done_once(&client, 40).await;
    worker.stop().await;
}

/// Each worker has four sessions: two consumers, one that listens, one for maintenance.
const WORKERS: usize = 40;
const WRITERS: usize = 140;
const EACH: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_three_hundred_connections_is_survived() {
    let cluster = cluster(&[("max_connections", "400")]).await;
    let (database, client) = prepared(Database::create_on(&cluster).await.unwrap()).await;
    let config = database.config();
    let together = Arc::new(Barrier::new(WRITERS));
    let mut writers = JoinSet::new();
    let workers: Vec<Running> = (0..WORKERS)
        .map(|_| Running::start(config.clone(), |worker| worker.concurrency(2)))
        .collect();
    for _ in 0..WRITERS {
        let (config, together) = (config.clone(), Arc::clone(&together));
        writers.spawn(async move {
            let (client, connection) = config.connect(NoTls).await.unwrap();
            tokio::spawn(connection);
            together.wait().await;
            for _ in 0..EACH {
                store(&client, "quick", 1).await;
            }
        });
    }
    // They come and go while the writers write.
    for (place, worker) in workers.into_iter().enumerate() {
        if place % 2 == 0 {
            worker.stop().await;
        } else {
            writers.spawn(async move {
                tokio::time::sleep(std::time::Duration::from_millis(50 * place as u64)).await;
                worker.stop().await;
            });
        }
    }
    while let Some(ended) = writers.join_next().await {
        ended.unwrap();
    }
    let last = Running::start(config, |worker| worker);
    let stored = i64::try_from(WRITERS * EACH).unwrap();
    all_done_once(&client, stored).await;
    last.stop().await;
}
