//! A primary that dies, and the standby that takes over.

use pgpubsub_runtime::SessionState;
use pgpubsub_testkit::{Database, Options, Shutdown};
use tokio_postgres::NoTls;

use crate::ledger::{
    EFFECTS, Running, all_done_once, at_least, blocking, cluster, prepared, store,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_moves_to_the_standby_that_was_promoted() {
    let primary = cluster(&[]).await;
    let (database, client) = prepared(Database::create_on(&primary).await.unwrap()).await;
    let (primary, standby) = blocking(move || {
        let standby = primary.standby(&Options::default()).unwrap();
        (primary, standby)
    })
    .await;
    // So that what is committed is there, and the counts are certain.
    for setting in [
        "synchronous_standby_names = '*'",
        "synchronous_commit = remote_apply",
    ] {
        let set = format!("ALTER SYSTEM SET {setting}");
        client.batch_execute(&set).await.unwrap();
    }
    client
        .batch_execute("SELECT pg_reload_conf()")
        .await
        .unwrap();
    let synchronous = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
    at_least(&client, synchronous, 1).await;

    // The standby comes first, and must not be taken as long as it is one.
    let mut config = tokio_postgres::Config::new();
    config
        .user("postgres")
        .dbname(database.config().get_dbname().unwrap())
        .host_path(standby.folder())
        .host_path(primary.folder());
    let mut worker = Running::start(config.clone(), |worker| worker.concurrency(3));
    worker.until_session(SessionState::Connected).await;
    store(&client, "slow", 200).await;
    at_least(&client, EFFECTS, 40).await;
    let _servers = blocking(move || {
        primary.shut_down(Shutdown::Immediate).unwrap();
        standby.promote().unwrap();
        (primary, standby)
    })
    .await;
    worker.until_session(SessionState::Lost).await;
    worker.until_session(SessionState::Resynced).await;

    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    // What it took over from the primary would wait for a standby of its own.
    for sql in [
        "ALTER SYSTEM RESET synchronous_standby_names",
        "SELECT pg_reload_conf()",
    ] {
        client.batch_execute(sql).await.unwrap();
    }
    store(&client, "quick", 50).await;
    all_done_once(&client, 250).await;
    worker.stop().await;
}
