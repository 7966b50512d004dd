//! The emitted migrations on a real PostgreSQL.

#[path = "golden/runs.rs"]
#[allow(dead_code)] // Each test uses some of it.
mod runs;
#[path = "golden/schemas.rs"]
#[allow(dead_code)] // Each test uses some of them.
mod schemas;

use pgpubsub_gen::history::History;
use pgpubsub_gen::model::{PgType, Schema};
use pgpubsub_gen::render::Files;
use pgpubsub_testkit::Database;
use runs::{after, files, migrations};
use tokio_postgres::Client;

const TABLES: &str = "
    CREATE SCHEMA app;
    CREATE TABLE app.author (id bigint PRIMARY KEY, name text NOT NULL, email text, created_at timestamptz NOT NULL);
    CREATE TABLE app.post (id bigint PRIMARY KEY, author_id bigint, content text NOT NULL, date date NOT NULL);
    CREATE TABLE app.article (LIKE app.post);
    CREATE TABLE app.media (id bigint PRIMARY KEY, name text NOT NULL, content_type text, size numeric(20,0) NOT NULL,
        storage_key uuid NOT NULL);";

/// A session on a fresh database with these tables.
async fn session(tables: &str) -> (Database, Client) {
    let database = Database::create().await.expect("a database");
    let client = database.connect().await.expect("a session");
    client.batch_execute(tables).await.expect("the tables");
    (database, client)
}

/// Applies a file as sqlx does: in one transaction.
async fn apply(client: &Client, files: &Files, end: &str) -> Result<(), tokio_postgres::Error> {
    let migrations = migrations(files);
    let (_, text) = migrations
        .iter()
        .find(|(path, _)| path.ends_with(end))
        .expect("the file");
    let result = client
        .batch_execute(&format!("BEGIN;\n{text}\nCOMMIT;"))
        .await;
    if result.is_err() {
        client.batch_execute("ROLLBACK").await.expect("a rollback");
    }
    result
}

async fn up(client: &Client, files: &Files) {
    apply(client, files, ".up.sql").await.expect("the up file");
}

async fn down(client: &Client, files: &Files) {
    apply(client, files, ".down.sql")
        .await
        .expect("the down file");
}

/// Everything that our migrations can touch, as text.
async fn catalogue(client: &Client) -> Vec<String> {
    let sql = r"
        SELECT pg_get_functiondef(oid) || coalesce(proacl::text, '') || coalesce(obj_description(oid), '')
            FROM pg_proc WHERE pronamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
        UNION ALL SELECT pg_get_triggerdef(oid) || tgenabled::text || coalesce(obj_description(oid), '')
            FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT attrelid::regclass::text || ' ' || attname || ' ' || format_type(atttypid, atttypmod) || attnotnull
                || attidentity::text || coalesce(pg_get_expr(adbin, adrelid), '') || coalesce(relacl::text, '')
            FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
            LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
            WHERE attnum > 0 AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
        UNION ALL SELECT nspname || coalesce(nspacl::text, '') FROM pg_namespace
        ORDER BY 1";
    let rows = client.query(sql, &[]).await.expect("the catalogue");
    rows.iter().map(|row| row.get(0)).collect()
}

async fn registry(client: &Client) -> Vec<String> {
    let sql = r#"SELECT l::text FROM "pgpubsub"."listener" AS l ORDER BY 1"#;
    let rows = client.query(sql, &[]).await.expect("the registry");
    rows.iter().map(|row| row.get(0)).collect()
}

/// Operation and payload of what waits in a storage schema, in order.
async fn waiting(client: &Client, storage: &str) -> Vec<(String, String)> {
    let sql = format!("SELECT op, payload::text FROM {storage}.notification ORDER BY id");
    let rows = client.query(&sql, &[]).await.expect("the notifications");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

async fn count(client: &Client, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    client.query_one(&sql, &[]).await.expect("the count").get(0)
}

fn first(schema: &Schema) -> Files {
    files(schema, &History::default())
}

#[tokio::test]
async fn up_and_down_and_up_give_the_same_catalogue() {
    let (_database, client) = session(TABLES).await;
    let one = first(&schemas::example());
    let two = files(&schemas::changed(), &after(&one, &History::default()));
    let empty = catalogue(&client).await;

    up(&client, &one).await;
    let (after_one, registry_one) = (catalogue(&client).await, registry(&client).await);
    up(&client, &two).await;
    let (after_two, registry_two) = (catalogue(&client).await, registry(&client).await);
    assert_ne!(after_one, after_two);
    assert_ne!(registry_one, registry_two);

    down(&client, &two).await;
    assert_eq!(catalogue(&client).await, after_one);
    assert_eq!(registry(&client).await, registry_one);
    up(&client, &two).await;
    assert_eq!(catalogue(&client).await, after_two);
    assert_eq!(registry(&client).await, registry_two);

    down(&client, &two).await;
    down(&client, &one).await;
    assert_eq!(catalogue(&client).await, empty);
}

#[tokio::test]
async fn a_migration_can_be_applied_twice() {
    let (_database, client) = session(TABLES).await;
    let one = first(&schemas::example());
    up(&client, &one).await;
    let once = catalogue(&client).await;
    up(&client, &one).await;
    assert_eq!(catalogue(&client).await, once);
}

#[tokio::test]
async fn waiting_notifications_are_not_dropped() {
    let (_database, client) = session(TABLES).await;
    let one = first(&schemas::example());
    up(&client, &one).await;
    let insert = "INSERT INTO app.author VALUES (1, 'a', NULL, now())";
    client.batch_execute(insert).await.expect("the write");
    let error = apply(&client, &one, ".down.sql")
        .await
        .expect_err("a refusal");
    let error = error.as_db_error().expect("from the server");
    assert_eq!(error.message(), "notifications are still waiting");
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("DELETE FROM"))
    );
    assert_eq!(waiting(&client, "pgpubsub").await.len(), 1);
}

#[tokio::test]
async fn a_before_delete_channel_lets_the_row_go() {
    let (_database, client) = session(TABLES).await;
    up(&client, &first(&schemas::example())).await;
    let write =
        "INSERT INTO app.post VALUES (1, NULL, 'text', '2026-01-31'); DELETE FROM app.post;";
    client.batch_execute(write).await.expect("the write");
    assert_eq!(count(&client, "app.post").await, 0);
    let payload = r#"{"old" : {"id":1,"author_id":null,"content":"text","date":"2026-01-31"}}"#;
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
        let payload =
            format!(r#"{{"new" : {{"id":{id},"name":"a","email":null,"created_at":"{at}"}}}}"#);
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
        CREATE TABLE public._sqlx_migrations (version bigint PRIMARY KEY);
        INSERT INTO public._sqlx_migrations VALUES (9), (20260101000000);";
    client.batch_execute(write).await.expect("the writes");
    let write = "INSERT INTO app.author VALUES (2, 'a', NULL, now()), (3, 'a', NULL, now())";
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
        CREATE TABLE "Sch""ema"."Sel""ect é" ("type" text, "or""der" text, "new" text, "old" text, "_row" text,
            "Mixed Case" text, "ti`ck" text, "TG_OP" text, "_payload" text);
        CREATE TABLE plain (r text);"#;
    let (_database, client) = session(tables).await;
    let one = first(&schemas::names());
    let empty = catalogue(&client).await;
    up(&client, &one).await;
    let write = r#"
        INSERT INTO "Sch""ema"."Sel""ect é" VALUES ('1', '2', '3', '4', '5', '6', '7', '8', '9');
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
async fn every_type_has_its_exact_text() {
    let schema = schemas::all_types();
    let columns: Vec<String> = schema.models[0]
        .columns
        .iter()
        .map(|column| format!("\"{}\" {}", column.column, sql_type(&column.ty)))
        .collect();
    let table = format!("CREATE TABLE everything ({})", columns.join(", "));
    let (_database, client) = session(&table).await;
    up(&client, &first(&schema)).await;
    for (column, value, json) in [
        ("id", "9223372036854775807", "9223372036854775807"),
        ("number", "NaN", "\"NaN\""),
        ("number_40_20", "1.5", "\"1.50000000000000000000\""),
        (
            "number_array",
            "{1e400,NULL}",
            &format!("[\"1{}\",null]", "0".repeat(400)),
        ),
        ("single", "0.1", "\"0.1\""),
        ("double", "5e-324", "\"5e-324\""),
        ("double_array", "{-0,-Infinity}", "[\"-0\",\"-Infinity\"]"),
        ("letters", "a", "\"a    \""),
        ("bytes", "\\x00ff", "\"\\\\x00ff\""),
        ("day", "0044-03-15 BC", "\"0044-03-15 BC\""),
        ("hour", "24:00:00", "\"24:00:00\""),
        ("moment", "-infinity", "\"-infinity\""),
        (
            "moment",
            "1900-01-01 00:00:00.000001+00",
            "\"1900-01-01T00:00:00.000001+00:00\"",
        ),
        (
            "span",
            "1 year 2 mons -3 days 4:05:06.7",
            "\"P1Y2M-3DT4H5M6.7S\"",
        ),
        (
            "json_text",
            r#"{"a":"\u0000", "a":1e1000000}"#,
            r#""{\"a\":\"\\u0000\", \"a\":1e1000000}""#,
        ),
        ("json_tree", "null", "\"null\""),
        ("json_tree_array", "{null,\"1\"}", "[null,\"1\"]"),
    ] {
        let sql = format!("INSERT INTO everything (\"{column}\") VALUES ('{value}')");
        client
            .batch_execute(&sql)
            .await
            .unwrap_or_else(|error| panic!("{column}: {error:?}"));
        let sql = format!(
            "DELETE FROM pgpubsub.notification RETURNING (payload -> 'new' -> '{column}')::text"
        );
        let text: String = client.query_one(&sql, &[]).await.expect("one row").get(0);
        assert_eq!(text, json, "{column}");
    }
}

fn sql_type(ty: &PgType) -> String {
    match ty {
        PgType::SmallInt => "smallint".into(),
        PgType::Integer => "integer".into(),
        PgType::BigInt => "bigint".into(),
        PgType::Numeric(None) => "numeric".into(),
        PgType::Numeric(Some((precision, scale))) => format!("numeric({precision},{scale})"),
        PgType::Real => "real".into(),
        PgType::DoublePrecision => "double precision".into(),
        PgType::Boolean => "boolean".into(),
        PgType::Text => "text".into(),
        PgType::VarChar(_) => "varchar".into(),
        PgType::Char(length) => format!("char({})", length.unwrap_or(1)),
        PgType::Uuid => "uuid".into(),
        PgType::Bytea => "bytea".into(),
        PgType::Date => "date".into(),
        PgType::Time => "time".into(),
        PgType::Timestamp => "timestamp".into(),
        PgType::TimestampTz => "timestamptz".into(),
        PgType::Interval => "interval".into(),
        PgType::Json => "json".into(),
        PgType::Jsonb => "jsonb".into(),
        PgType::Array(element) => format!("{}[]", sql_type(element)),
    }
}
