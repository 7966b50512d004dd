//! Who is woken by generated functions, and which of them allow two-phase commit.

#[path = "golden/runs.rs"]
#[allow(dead_code)] // Each test file uses some of it.
mod runs;
#[path = "golden/session.rs"]
#[allow(dead_code)] // Each test file uses some of it.
mod session;

use pgpubsub_gen::diagnostic::Sources;
use pgpubsub_gen::schema;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

const SCHEMA: &str = r"
version: 1
defaults: {allow: [W0001, W0002, W0003, W0004, W0005, W0007]}
models:
  doors:   {table: app.doors, columns: {id: bigint pk}}
  commits: {table: app.commits, columns: {id: bigint pk}}
  polls:   {table: app.polls, columns: {id: bigint pk}}
  nones:   {table: app.nones, columns: {id: bigint pk}}
channels:
  at_door:   {on: doors, after: insert}
  at_commit: {on: commits, after: insert, wake: commit}
  by_poll:   {on: polls, after: insert, wake: poll}
  by_nobody: {on: nones, after: insert, wake: none}
";
const TABLES: &str = "CREATE SCHEMA app;
    CREATE TABLE app.doors (id bigint PRIMARY KEY); CREATE TABLE app.commits (id bigint PRIMARY KEY);
    CREATE TABLE app.polls (id bigint PRIMARY KEY); CREATE TABLE app.nones (id bigint PRIMARY KEY);";

/// Writes, prepares and commits in two phases.
async fn in_two_phases(client: &Client, table: &str) -> Result<(), tokio_postgres::Error> {
    let prepare =
        format!("BEGIN; INSERT INTO app.{table} VALUES (1); PREPARE TRANSACTION 'wake {table}'");
    if let Err(error) = client.batch_execute(&prepare).await {
        client.batch_execute("ROLLBACK").await?;
        return Err(error);
    }
    assert_eq!(session::count(client, "pgpubsub.notification").await, 0);
    client
        .batch_execute(&format!("COMMIT PREPARED 'wake {table}'"))
        .await
}

#[tokio::test]
async fn two_phase_commit_works_unless_a_notify_is_sent() {
    let sources = Sources::new("schema.yaml", SCHEMA.to_owned());
    let schema = schema::load_text(&sources).expect("no mistakes").schema;
    let (database, client) = session::session(TABLES).await;
    session::up(&client, &session::first(&schema)).await;
    let most = "SELECT current_setting('max_prepared_transactions')::int4";
    let most: i32 = client.query_one(most, &[]).await.expect("a setting").get(0);
    if most == 0 {
        println!("skipped: the server has max_prepared_transactions = 0");
        return;
    }

    // Nobody sleeps: a writer at the door sends no NOTIFY.
    for table in ["polls", "nones", "doors"] {
        in_two_phases(&client, table).await.expect(table);
        assert_eq!(session::count(&client, "pgpubsub.notification").await, 1);
        client
            .batch_execute("DELETE FROM pgpubsub.notification")
            .await
            .expect("a removal");
    }
    let refused =
        |error: tokio_postgres::Error| error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED);
    let error = in_two_phases(&client, "commits").await.expect_err("commit");
    assert!(refused(error));

    // Now somebody does.
    let sleeper = database.connect().await.expect("a session");
    let keys =
        "SELECT pg_try_advisory_lock(substring(prosrc FROM 'lock_shared\\(''?(-?[0-9]+)')::bigint)
                FROM pg_proc WHERE pronamespace = 'pgpubsub'::regnamespace AND prosrc LIKE '%pg_try_advisory_xact_lock_shared%'";
    let shut = sleeper.query(keys, &[]).await.expect("the door");
    assert_eq!(shut.len(), 1);
    assert!(shut[0].get::<_, bool>(0));
    client
        .batch_execute("TRUNCATE app.doors, app.polls, app.nones")
        .await
        .expect("empty tables");
    let error = in_two_phases(&client, "doors").await.expect_err("door");
    assert!(refused(error));
    for table in ["polls", "nones"] {
        in_two_phases(&client, table).await.expect(table);
        client
            .batch_execute("DELETE FROM pgpubsub.notification")
            .await
            .expect("a removal");
    }
}
