//! Triggers that an operator has switched stay as they are when a migration replaces them.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

#[path = "golden/runs.rs"]
#[allow(dead_code)] // Each test uses some of it.
mod runs;
#[path = "golden/session.rs"]
#[allow(dead_code)] // Each test uses some of it.
mod session;

use pgpubsub_gen::diagnostic::Sources;
use pgpubsub_gen::history::History;
use pgpubsub_gen::model::Schema;
use pgpubsub_gen::schema;
use runs::{after, ends_with, files};
use session::{down, session, up};
use tokio_postgres::Client;

const TABLES: &str = "CREATE SCHEMA app;
    CREATE TABLE app.\"It's\" (id bigint PRIMARY KEY, n int);
    CREATE TABLE app.part (id bigint PRIMARY KEY, n int) PARTITION BY RANGE (id);
    CREATE TABLE app.part_1 PARTITION OF app.part DEFAULT;";

fn parse(item: &str, part: &str) -> Schema {
    let text = format!(
        "version: 1\ndefaults: {{allow: [W0004, W0005, W0007]}}\nmodels:
  item: {{table: app.\"It's\", columns: {{id: bigint pk, n: int?}}}}
  part: {{table: app.part, partitioned: true, columns: {{id: bigint pk, n: int?}}}}
channels:
  off: {{on: item, after: insert, {item}}}
  always: {{on: item, after: insert, {item}}}
  ours: {{on: item, after: insert, fire: always, {item}}}
  becomes: {{on: item, after: insert, fire: {}}}
  parts: {{on: part, after: insert, {part}}}
  leaves: {{on: part, after: insert, {part}}}
",
        if item.contains('1') {
            "origin"
        } else {
            "always"
        }
    );
    let loaded = schema::load_text(&Sources::new("schema.yaml", text.as_str()));
    loaded.unwrap_or_else(|_| panic!("{text}")).schema
}

async fn switched(client: &Client) -> Vec<String> {
    let query = "SELECT tgrelid::regclass::text || ' ' || split_part(tgname::text, '_', 2) || ' ' || tgenabled::text FROM pg_trigger
        WHERE NOT tgisinternal ORDER BY 1";
    let rows = client.query(query, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_trigger_that_was_switched_stays_so_when_it_is_replaced() {
    let (_database, client) = session(TABLES).await;
    let first = files(
        &parse("when: new.id > 1", "when: new.id > 1"),
        &History::default(),
    );
    let history = after(&first, &History::default());
    let second = files(&parse("when: new.id > 2", "when: new.id > 2"), &history);
    assert!(
        ends_with(&second, ".up.sql")
            .concat()
            .contains("OR REPLACE TRIGGER")
    );
    up(&client, &first).await;
    client
        .batch_execute(
            "ALTER TABLE app.\"It's\" DISABLE TRIGGER pgpubsub_off_after_insert;
             ALTER TABLE app.\"It's\" ENABLE ALWAYS TRIGGER pgpubsub_always_after_insert;
             ALTER TABLE app.part DISABLE TRIGGER pgpubsub_parts_after_insert;
             ALTER TABLE app.part_1 DISABLE TRIGGER pgpubsub_leaves_after_insert;",
        )
        .await
        .unwrap();
    let before = switched(&client).await;
    up(&client, &second).await;
    let expected: Vec<String> = before
        .iter()
        // This one is what the schema says.
        .map(|line| line.replace("becomes O", "becomes A"))
        .collect();
    assert_eq!(switched(&client).await, expected);
    down(&client, &second).await;
    assert_eq!(switched(&client).await, before);
    up(&client, &second).await;
    assert_eq!(switched(&client).await, expected);
}
