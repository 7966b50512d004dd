//! Order keys, as functions store them on a real PostgreSQL: equal for equal values, under any settings, and never at the cost
//! of the write.

#[path = "golden/runs.rs"]
#[allow(dead_code)] // Each test file uses some of it.
mod runs;
#[path = "golden/session.rs"]
#[allow(dead_code)] // Each test file uses some of it.
mod session;

use pgpubsub_gen::diagnostic::{Format, Sources};
use pgpubsub_gen::schema;
use pgpubsub_testkit::Database;
use tokio_postgres::Client;

const TABLE: &str = "CREATE TABLE item (id bigint PRIMARY KEY, owner text, at timestamptz, n numeric, kind regclass);";
const MODEL: &str = "item: {columns: {id: bigint pk, owner: text?, at: timestamptz?, n: numeric?, kind: regclass?}}";

/// A database with what a schema with these channels and listeners installs.
async fn installed(channels: &str, listeners: &str) -> (Database, Client) {
    let text = format!(
        "version: 1\ndefaults: {{allow: [W0001, W0007]}}\nmodels:\n  {MODEL}\nchannels:\n  {channels}\nlisteners:\n  {listeners}\n"
    );
    let sources = Sources::new("schema.yaml", text);
    let schema = match schema::load_text(&sources) {
        Ok(loaded) => loaded.schema,
        Err(mistakes) => panic!(
            "{}",
            mistakes.render(&sources, Format::Text { colour: false })
        ),
    };
    let (database, client) = session::session(TABLE).await;
    session::up(&client, &session::first(&schema)).await;
    (database, client)
}

async fn write(client: &Client, sql: &str) {
    let written = client.batch_execute(sql).await;
    written.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

/// What was stored since the last call, in order: group, operation and key.
async fn keys(client: &Client) -> Vec<String> {
    let take = "WITH taken AS (DELETE FROM pgpubsub.notification RETURNING *) \
        SELECT listener_group || ' ' || op || ' ' || coalesce('<' || order_key || '>', 'none') FROM taken ORDER BY id";
    let rows = client.query(take, &[]).await.expect("the keys");
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_row_has_the_key_of_its_new_values_and_a_deleted_one_of_its_old() {
    let channels =
        "changed: {on: item, after: [insert, update, delete, truncate], key: [id, owner]}";
    let (_database, client) = installed(channels, "one: {channel: changed}").await;
    let changes = "INSERT INTO item VALUES (1, 'a'), (2, 'a\",\"b'), (3, NULL);
        UPDATE item SET owner = 'b' WHERE id = 1; DELETE FROM item WHERE id = 1; TRUNCATE item;";
    write(&client, changes).await;
    assert_eq!(
        keys(&client).await,
        [
            r#"one insert <["1","a"]>"#,
            r#"one insert <["2","a\",\"b"]>"#,
            "one insert <>", // nothing equals NULL
            r#"one update <["1","b"]>"#,
            r#"one delete <["1","b"]>"#,
            "one truncate <>",
        ]
    );
}

#[tokio::test]
async fn the_settings_of_the_writer_make_no_other_key() {
    let channels = "changed: {on: item, after: insert, key: [at, n, kind]}";
    let (_database, client) = installed(channels, "one: {channel: changed}").await;
    let insert = |id| {
        format!(
            "INSERT INTO item VALUES ({id}, NULL, '2026-01-31 12:00:00+00', 1.50, 'public.item'::regclass);"
        )
    };
    write(&client, &insert(1)).await;
    let hostile = "SET timezone = 'Asia/Kathmandu'; SET datestyle = 'German'; SET search_path = ''; \
                   SET standard_conforming_strings = off; SET quote_all_identifiers = on;";
    write(&client, hostile).await;
    write(&client, &insert(2).replace("INTO item", "INTO public.item")).await;
    let keys = keys(&client).await;
    assert_eq!(keys[0], keys[1]);
    assert!(keys[0].contains("2026-01-31 12:00:00+00"), "{keys:?}");
}

#[tokio::test]
async fn a_long_key_is_a_hash_and_fails_no_write() {
    let channels = "changed: {on: item, after: insert, key: owner}\n  said: {message: {who: string}, key: who}";
    let (_database, client) = installed(channels, "one: {channel: [changed, said]}").await;
    // Random, or it would be compressed until it fits into the index.
    let long = "CREATE TEMP TABLE long AS SELECT string_agg(gen_random_uuid()::text, '') AS text FROM generate_series(1, 1000);
        INSERT INTO item SELECT g, text || CASE WHEN g = 3 THEN '!' ELSE '' END FROM long, generate_series(1, 3) AS g;
        SELECT pgpubsub.notify_said(json_build_object('who', text)::text) FROM long;";
    write(&client, long).await;
    let keys = keys(&client).await;
    let key = |index: usize| {
        keys[index]
            .split(' ')
            .next_back()
            .expect("a key")
            .to_owned()
    };
    assert!(key(0).starts_with("<sha256:"), "{keys:?}");
    assert_eq!(key(0), key(1));
    assert_ne!(key(0), key(2));
    assert_eq!(key(0), key(3), "whatever the channel is");
}

#[tokio::test]
async fn a_statement_has_a_key_for_each_of_its_rows() {
    let channels =
        "bulk: {on: item, after: [insert, update, delete], level: statement, key: owner}";
    let (_database, client) = installed(channels, "one: {channel: bulk}").await;
    write(&client, "INSERT INTO item VALUES (1, 'a'), (2, NULL)").await;
    assert_eq!(
        keys(&client).await,
        [r#"one insert <["a"]>"#, "one insert <>"]
    );
    write(&client, "UPDATE item SET owner = 'b' WHERE id = 1").await;
    assert_eq!(keys(&client).await, [r#"one update <["b"]>"#]);
    // The halves of a row whose primary key was changed.
    write(&client, "UPDATE item SET id = 10, owner = 'c' WHERE id = 1").await;
    let mut halves = keys(&client).await;
    halves.sort();
    assert_eq!(halves, [r#"one update <["b"]>"#, r#"one update <["c"]>"#]);
    write(&client, "DELETE FROM item").await;
    assert_eq!(
        keys(&client).await,
        [r#"one delete <>"#, r#"one delete <["c"]>"#]
    );
}

#[tokio::test]
async fn a_message_has_the_key_of_its_fields_whatever_else_is_in_it() {
    let channels = "placed: {message: {customer: int, tenant: string, note: string?}, key: [tenant, customer]}";
    let (_database, client) = installed(channels, "one: {channel: placed}").await;
    for (payload, key) in [
        (r#"{"customer": 1, "tenant": "a"}"#, r#"["a","1"]"#),
        (
            r#"{"tenant": "a", "note": "\u0000", "customer": 1}"#,
            r#"["a","1"]"#,
        ),
        (
            r#"{"tenant": "a", "note": "\ud800 \\u0000", "customer": 1}"#,
            r#"["a","1"]"#,
        ),
        (r#"{"customer": 1, "tenant": null}"#, ""),
        (r#"{"customer": 1}"#, ""),
        (r#"[1]"#, ""),
        ("1", ""),
    ] {
        let publish = "SELECT pgpubsub.notify_placed($1)";
        client.execute(publish, &[&payload]).await.expect(payload);
        assert_eq!(keys(&client).await, [format!("one message <{key}>")]);
    }
    let broken = client
        .execute("SELECT pgpubsub.notify_placed('{')", &[])
        .await;
    let error = broken.expect_err("no JSON");
    assert_eq!(
        error.code().map(|code| code.code()),
        Some("22P02"),
        "as without a key"
    );
}

#[tokio::test]
async fn only_groups_that_have_an_order_get_a_key() {
    let channels = "keyed: {on: item, after: insert, key: id}
  plain: {on: item, after: [insert, update]}
  bulk: {on: item, after: update, level: statement}
  total: {message: {n: int}, order: total}";
    let listeners = "one: {channel: [keyed, plain]}
  two: {channel: [plain, bulk]}
  three: {channel: [total, bulk]}";
    let (_database, client) = installed(channels, listeners).await;
    write(&client, "INSERT INTO item VALUES (1)").await;
    let mut inserted = keys(&client).await;
    inserted.sort();
    assert_eq!(
        inserted,
        ["one insert <>", r#"one insert <["1"]>"#, "two insert none"]
    );
    write(
        &client,
        "UPDATE item SET n = 1; SELECT pgpubsub.notify_total('{}')",
    )
    .await;
    let mut updated = keys(&client).await;
    updated.sort();
    assert_eq!(
        updated,
        [
            "one update <>",
            "three message <[]>",
            "three update <>",
            "two update none",
            "two update none"
        ]
    );
}

#[tokio::test]
async fn a_column_of_the_key_that_changes_its_type_fails_no_write() {
    let channels = "changed: {on: item, after: insert, key: n}";
    let (database, client) = installed(channels, "one: {channel: changed}").await;
    let writer = database.connect().await.expect("a session");
    write(&writer, "INSERT INTO item VALUES (1, NULL, NULL, 1)").await;
    write(&client, "ALTER TABLE item ALTER n TYPE integer").await;
    write(&writer, "INSERT INTO item VALUES (2, NULL, NULL, 1)").await;
    assert_eq!(keys(&client).await, [r#"one insert <["1"]>"#; 2]);
}
