//! Triggers that an operator has switched stay as they are when a migration replaces them.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

#[path = "golden/runs.rs"]
#[allow(dead_code)] // Each test uses some of it.
mod runs;
#[path = "golden/session.rs"]
#[allow(dead_code)] // Each test uses some of it.
mod session;

use std::collections::BTreeSet;

use pgpubsub_gen::diagnostic::Sources;
use pgpubsub_gen::history::History;
use pgpubsub_gen::model::Schema;
use pgpubsub_gen::schema;
use runs::{after, files};
use session::{down, session, up};
use tokio_postgres::Client;

const TABLES: &str = "CREATE SCHEMA app;
    CREATE TABLE app.\"It's\" (id bigint PRIMARY KEY, n int);
    CREATE TABLE app.part (id bigint PRIMARY KEY, n int) PARTITION BY RANGE (id);
    CREATE TABLE app.part_1 PARTITION OF app.part DEFAULT;";

const FIRST: &str = "\
version: 1
defaults: {allow: [W0001, W0004, W0005, W0007]}
models:
  item: {table: app.\"It's\", columns: {id: bigint pk, n: int?}}
  part: {table: app.part, partitioned: true, columns: {id: bigint pk, n: int?}}
channels:
  off: {on: item, after: insert, when: new.id > 1}
  always: {on: item, after: insert, when: new.id > 1}
  ours: {on: item, after: insert, fire: always, when: new.id > 1}
  becomes: {on: item, after: insert}
  parts: {on: part, after: insert, when: new.id > 1}
  leaves: {on: part, after: insert, when: new.id > 1}
  settled: {on: item, after: insert, deferred: true, when: new.id > 1}
  former: {on: item, after: [insert, delete]}
  bulk: {on: part, after: insert}
";

fn parse(text: &str) -> Schema {
    let loaded = schema::load_text(&Sources::new("schema.yaml", text));
    loaded.unwrap_or_else(|_| panic!("{text}")).schema
}

/// Table, channel, operation and mode of each trigger, whatever it is called.
async fn switched(client: &Client) -> Vec<String> {
    let query = "SELECT tgrelid::regclass::text || ' ' || split_part(tgname::text, '_', 2) || ' ' || split_part(tgname::text, '_', 4)
            || ' ' || tgenabled::text
        FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1";
    let rows = client.query(query, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_trigger_that_was_switched_stays_so_when_it_is_replaced() {
    let (_database, client) = session(TABLES).await;
    let first = files(&parse(FIRST), &History::default());
    let history = after(&first, &History::default());
    let changed = FIRST
        .replace("new.id > 1", "new.id > 2")
        .replace("becomes: {", "becomes: {fire: always, ")
        .replace("former: {", "latter: {was: former, ")
        .replace(
            "bulk: {on: part, after: insert",
            "bulk: {on: part, after: insert, level: statement",
        );
    let second = files(&parse(&changed), &history);
    up(&client, &first).await;
    client
        .batch_execute(
            "ALTER TABLE app.\"It's\" DISABLE TRIGGER pgpubsub_off_after_insert;
             ALTER TABLE app.\"It's\" ENABLE ALWAYS TRIGGER pgpubsub_always_after_insert;
             ALTER TABLE app.\"It's\" DISABLE TRIGGER pgpubsub_former_after_delete;
             ALTER TABLE app.part DISABLE TRIGGER pgpubsub_parts_after_insert;
             ALTER TABLE app.part_1 DISABLE TRIGGER pgpubsub_leaves_after_insert;
             ALTER TABLE app.part DISABLE TRIGGER pgpubsub_bulk_after_insert;
             DO $$ BEGIN EXECUTE (SELECT format('ALTER TABLE %s DISABLE TRIGGER %I', tgrelid::regclass, tgname)
                FROM pg_trigger WHERE tgname ~ 'settled'); END $$;",
        )
        .await
        .unwrap();
    let before = switched(&client).await;
    assert!(before.contains(&"app.\"It's\" settled insert D".to_owned()));
    up(&client, &second).await;
    let expected: Vec<String> = before
        .iter()
        // This one is what the schema says.
        .map(|line| line.replace("becomes insert O", "becomes insert A"))
        // A partition has no copy of a trigger for statements.
        .filter(|line| !line.starts_with("app.part_1 bulk"))
        .map(|line| line.replace("former", "latter"))
        .collect();
    let is: BTreeSet<String> = switched(&client).await.into_iter().collect();
    assert_eq!(is, expected.into_iter().collect());
    down(&client, &second).await;
    let is = switched(&client).await;
    // The copy of a trigger that was taken back is new.
    let bulk = |lines: &[String]| -> Vec<String> {
        let lines = lines
            .iter()
            .filter(|line| !line.starts_with("app.part_1 bulk"));
        lines.cloned().collect()
    };
    assert_eq!(bulk(&is), bulk(&before));
}
