//! What triggers and functions store, on a real PostgreSQL: exactly what happened, and never at the cost of the write.

#[path = "golden/runs.rs"]
#[allow(dead_code)] // Each test uses some of it.
mod runs;
#[path = "golden/schemas.rs"]
#[allow(dead_code)] // Each test uses some of them.
mod schemas;
#[path = "golden/session.rs"]
#[allow(dead_code)] // Each test uses some of it.
mod session;

use session::{TABLES, catalogue, count, down, first, session, up, waiting};

#[tokio::test]
async fn a_before_delete_channel_lets_the_row_go() {
    let (_database, client) = session(TABLES).await;
    up(&client, &first(&schemas::example())).await;
    let write =
        "INSERT INTO app.post VALUES (1, NULL, 'text', '2026-01-31'); DELETE FROM app.post;";
    client.batch_execute(write).await.expect("the write");
    assert_eq!(count(&client, "app.post").await, 0);
    let payload =
        r#"{"old" : {"id" : 1, "author_id" : null, "content" : "text", "date" : "2026-01-31"}}"#;
    assert_eq!(
        waiting(&client, "pgpubsub").await,
        [("delete".into(), payload.into())]
    );
}

#[tokio::test]
async fn a_writer_without_rights_and_with_strange_settings_writes() {
    let (_database, client) = session(TABLES).await;
    up(&client, &first(&schemas::example())).await;
    // Roles belong to the server, which other tests may share: one in a transaction that is rolled back.
    let write = r#"
        BEGIN;
        CREATE ROLE pgpubsub_test_writer;
        GRANT USAGE ON SCHEMA app TO pgpubsub_test_writer;
        GRANT ALL ON ALL TABLES IN SCHEMA app TO pgpubsub_test_writer;
        SET LOCAL ROLE pgpubsub_test_writer;
        SET LOCAL search_path = '';
        SET LOCAL standard_conforming_strings = off;
        SET LOCAL extra_float_digits = -15;
        SET LOCAL intervalstyle = sql_standard;
        SET LOCAL datestyle = 'German';
        SET LOCAL timezone = 'Asia/Kathmandu';
        SET LOCAL bytea_output = escape;
        SET LOCAL pgpubsub.context = '{bad';
        INSERT INTO app.author VALUES (1, 'a', NULL, '2026-01-01 05:45'), (2, 'a', NULL, 'infinity');
        SELECT pgpubsub.notify_post_reads('{"model_id":1}');
        RESET ROLE;"#;
    client.batch_execute(write).await.expect("the writes");
    let row = |id, at| {
        let payload = format!(
            r#"{{"new" : {{"id" : {id}, "name" : "a", "email" : null, "created_at" : "{at}"}}}}"#
        );
        ("insert".to_owned(), payload)
    };
    assert_eq!(
        waiting(&client, "pgpubsub").await,
        [
            row(1, "2026-01-01T00:00:00+00:00"),
            row(2, "infinity"),
            ("message".into(), r#"{"model_id":1}"#.into()),
        ]
    );
    let sql = "SELECT bool_and(context = '{bad' AND db_version IS NULL
        AND NOT pgpubsub.context_matches(context, '{}')) FROM pgpubsub.notification";
    let row = client.query_one(sql, &[]).await.expect("the contexts");
    assert!(
        row.get::<_, bool>(0),
        "the context is kept as it was, and matches nothing"
    );
    client
        .batch_execute("SET LOCAL ROLE pgpubsub_test_writer; SELECT FROM pgpubsub.notification")
        .await
        .expect_err("a writer does not read notifications");
}

#[tokio::test]
async fn the_db_version_is_the_newest_applied_migration() {
    let (_database, client) = session(TABLES).await;
    up(&client, &first(&schemas::example())).await;
    let write = "
        INSERT INTO app.author VALUES (1, 'a', NULL, now());
        CREATE TABLE public._sqlx_migrations (version bigint PRIMARY KEY, success boolean NOT NULL);
        INSERT INTO public._sqlx_migrations VALUES (9, true), (20260101000000, true), (20260201000000, false);";
    client.batch_execute(write).await.expect("the writes");
    // As if a second had gone by.
    let write = "SET pgpubsub.db_version = ''; INSERT INTO app.author VALUES (2, 'a', NULL, now()), (3, 'a', NULL, now())";
    client.batch_execute(write).await.expect("the write");
    let sql = "SELECT db_version FROM pgpubsub.notification ORDER BY id";
    let versions: Vec<Option<String>> = client
        .query(sql, &[])
        .await
        .expect("the versions")
        .iter()
        .map(|row| row.get(0))
        .collect();
    let known = Some("20260101000000".to_owned());
    assert_eq!(versions, [None, known.clone(), known]);
}

#[tokio::test]
async fn the_db_version_is_asked_once_a_second() {
    let (_database, client) = session(TABLES).await;
    up(&client, &first(&schemas::example())).await;
    // What was asked in an earlier second is asked again.
    client
        .batch_execute(
            "SET pgpubsub.db_version = '1 old'; INSERT INTO app.author VALUES (1, 'a', NULL, now())",
        )
        .await
        .expect("the write");
    let stored = "SELECT db_version FROM pgpubsub.notification ORDER BY id DESC LIMIT 1";
    let version: Option<String> = client.query_one(stored, &[]).await.expect("one").get(0);
    assert_eq!(version, None, "the table of the tool is not there");
    // What was asked in this one is not; a second may begin in between, once.
    let mut kept = 0;
    for id in 2..5 {
        client
            .batch_execute(&format!(
                "SELECT set_config('pgpubsub.db_version', date_part('epoch', clock_timestamp())::int8 || ' kept', false);
                 INSERT INTO app.author VALUES ({id}, 'a', NULL, now())"
            ))
            .await
            .expect("the write");
        let version: Option<String> = client.query_one(stored, &[]).await.expect("one").get(0);
        kept += usize::from(version.as_deref() == Some("kept"));
    }
    assert!(kept >= 1, "it was asked for every row");
}

#[tokio::test]
async fn a_locked_version_table_does_not_hold_up_a_write() {
    let (database, client) = session(TABLES).await;
    up(&client, &first(&schemas::example())).await;
    let create = "CREATE TABLE public._sqlx_migrations (version bigint PRIMARY KEY, success boolean NOT NULL)";
    client
        .batch_execute(create)
        .await
        .expect("the version table");
    let other = database.connect().await.expect("a second session");
    let lock = "BEGIN; LOCK TABLE public._sqlx_migrations IN ACCESS EXCLUSIVE MODE";
    other.batch_execute(lock).await.expect("the lock");
    let write = "SET statement_timeout = '5s'; INSERT INTO app.author VALUES (1, 'a', NULL, now())";
    client.batch_execute(write).await.expect("the write");
    assert_eq!(waiting(&client, "pgpubsub").await.len(), 1);
}

#[tokio::test]
async fn a_row_of_a_megabyte_is_captured() {
    let (_database, client) = session(TABLES).await;
    up(&client, &first(&schemas::example())).await;
    let write = "INSERT INTO app.author VALUES (1, repeat('é', 500000), NULL, now())";
    client.batch_execute(write).await.expect("the write");
    assert!(waiting(&client, "pgpubsub").await[0].1.len() > 1_000_000);
}

#[tokio::test]
async fn a_transient_message_too_long_for_notify_is_spilled() {
    let (_database, client) = session(TABLES).await;
    up(&client, &first(&schemas::example())).await;
    for (length, spilled) in [(100, 0), (20_000, 1)] {
        let sql = format!(
            r#"SELECT pgpubsub.notify_cache_expired('{{"reason":"' || repeat('é', {length}) || '"}}')"#
        );
        client.batch_execute(&sql).await.expect("the message");
        assert_eq!(count(&client, "pgpubsub.spill").await, spilled);
    }
}

#[tokio::test]
async fn names_that_look_for_trouble_work() {
    let tables = r#"
        CREATE SCHEMA "Sch""ema";
        CREATE TYPE "Sch""ema"."Odd State" AS ENUM ('plain', 'it''s \ "so"', '+', 'no');
        CREATE TABLE "Sch""ema"."Sel""ect é" ("type" text, "or""der" text, "new" text, "old" text, "_row" text,
            "Mixed Case" text, "ti`ck" text, "TG_OP" text, "_payload" text, state "Sch""ema"."Odd State");
        CREATE TABLE plain (r text);"#;
    let (_database, client) = session(tables).await;
    let one = first(&schemas::names());
    let empty = catalogue(&client).await;
    up(&client, &one).await;
    let write = r#"
        INSERT INTO "Sch""ema"."Sel""ect é" VALUES ('1', '2', '3', '4', '5', '6', '7', '8', '9', '+');
        UPDATE "Sch""ema"."Sel""ect é" SET "new" = 'n';
        DELETE FROM "Sch""ema"."Sel""ect é";
        INSERT INTO plain VALUES ('a'), ('a');
        UPDATE plain SET r = 'b';"#;
    client.batch_execute(write).await.expect("the writes");
    assert_eq!(count(&client, r#""Sch""ema"."Sel""ect é""#).await, 0);
    let storage = r#""Pub""Sub""#;
    let ops: Vec<String> = waiting(&client, storage)
        .await
        .into_iter()
        .map(|(op, _)| op)
        .collect();
    // The listeners of a group share one copy, each group has its own.
    assert_eq!(
        ops,
        [
            "insert", "update", "update", "delete", "delete", "insert", "insert"
        ]
    );
    client
        .batch_execute(&format!("DELETE FROM {storage}.notification"))
        .await
        .expect("done");
    down(&client, &one).await;
    assert_eq!(catalogue(&client).await, empty);
}

#[tokio::test]
async fn equal_rows_of_one_transaction_are_two_notifications_and_a_savepoint_takes_back_its_own() {
    let (_database, client) = session(TABLES).await;
    up(&client, &first(&schemas::example())).await;
    let write = "
        BEGIN;
        SELECT pgpubsub.notify_post_reads('{}'), pgpubsub.notify_post_reads('{}');
        SAVEPOINT s;
        SELECT pgpubsub.notify_post_reads('{}');
        ROLLBACK TO s;
        COMMIT;";
    client.batch_execute(write).await.expect("the writes");
    let message = ("message".to_owned(), "{}".to_owned());
    assert_eq!(
        waiting(&client, "pgpubsub").await,
        [message.clone(), message]
    );
}

#[tokio::test]
async fn an_upsert_tells_what_it_did() {
    let (_database, client) = session(TABLES).await;
    up(&client, &first(&schemas::example())).await;
    let key = "00000000-0000-0000-0000-000000000001";
    let write = format!(
        "INSERT INTO app.media VALUES (1, 'a', NULL, 1, '{key}');
        INSERT INTO app.media VALUES (1, 'b', NULL, 1, '{key}') ON CONFLICT DO NOTHING;
        INSERT INTO app.media VALUES (1, 'c', NULL, 1, '{key}'), (2, 'd', NULL, 1, '{key}')
            ON CONFLICT (id) DO UPDATE SET name = excluded.name;"
    );
    client.batch_execute(&write).await.expect("the writes");
    let ops: Vec<String> = waiting(&client, "pgpubsub")
        .await
        .into_iter()
        .map(|(op, _)| op)
        .collect();
    assert_eq!(ops, ["insert", "update", "insert"]);
}
