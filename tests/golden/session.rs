//! A session on a fresh database, with the tables and migrations of a case.

use pgpubsub_gen::history::History;
use pgpubsub_gen::model::Schema;
use pgpubsub_gen::render::Files;
use pgpubsub_testkit::Database;
use tokio_postgres::Client;

use crate::runs::{ends_with, files};

/// Tables of the example.
pub(crate) const TABLES: &str = "
    CREATE SCHEMA app;
    CREATE TABLE app.author (id bigint PRIMARY KEY, name text NOT NULL, email text, created_at timestamptz NOT NULL);
    CREATE TABLE app.post (id bigint PRIMARY KEY, author_id bigint, content text NOT NULL, date date NOT NULL);
    CREATE TABLE app.article (LIKE app.post);
    CREATE TABLE app.media (id bigint PRIMARY KEY, name text NOT NULL, content_type text, size numeric(20,0) NOT NULL,
        storage_key uuid NOT NULL);";

/// A session on a fresh database with these tables.
pub(crate) async fn session(tables: &str) -> (Database, Client) {
    let database = Database::create().await.expect("a database");
    let client = database.connect().await.expect("a session");
    client.batch_execute(tables).await.expect("the tables");
    (database, client)
}

/// Major version of the server.
pub(crate) async fn version(client: &Client) -> i32 {
    let query = "SELECT current_setting('server_version_num')::int4 / 10000";
    client
        .query_one(query, &[])
        .await
        .expect("the version")
        .get(0)
}

/// Applies files as sqlx does: each in one transaction.
pub(crate) async fn apply(
    client: &Client,
    files: &Files,
    end: &str,
) -> Result<(), tokio_postgres::Error> {
    for text in ends_with(files, end) {
        let result = client
            .batch_execute(&format!("BEGIN;\n{text}\nCOMMIT;"))
            .await;
        if result.is_err() {
            client.batch_execute("ROLLBACK").await.expect("a rollback");
        }
        result?;
    }
    Ok(())
}

pub(crate) async fn up(client: &Client, files: &Files) {
    apply(client, files, ".up.sql").await.expect("the up file");
}

pub(crate) async fn down(client: &Client, files: &Files) {
    apply(client, files, ".down.sql")
        .await
        .expect("the down file");
}

/// Everything that our migrations can touch, as text.
pub(crate) async fn catalogue(client: &Client) -> Vec<String> {
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

pub(crate) async fn registry(client: &Client) -> Vec<String> {
    let sql = r#"SELECT l::text FROM "pgpubsub"."listener" AS l ORDER BY 1"#;
    let rows = client.query(sql, &[]).await.expect("the registry");
    let mut registry: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    // All that a schema says of its schedules, if it has some.
    let there = "SELECT to_regclass('pgpubsub.schedule') IS NOT NULL";
    let row = client.query_one(there, &[]).await.expect("an answer");
    if row.get(0) {
        let sql = "SELECT (channel, cron, timezone, every, missed, function, message)::text FROM pgpubsub.schedule ORDER BY 1";
        let rows = client.query(sql, &[]).await.expect("the schedules");
        registry.extend(rows.iter().map(|row| row.get::<_, String>(0)));
    }
    registry
}

/// Operation and payload of what waits in a storage schema, in order.
pub(crate) async fn waiting(client: &Client, storage: &str) -> Vec<(String, String)> {
    let sql = format!("SELECT op, payload::text FROM {storage}.notification ORDER BY id");
    let rows = client.query(&sql, &[]).await.expect("the notifications");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

pub(crate) async fn count(client: &Client, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    client.query_one(&sql, &[]).await.expect("the count").get(0)
}

pub(crate) fn first(schema: &Schema) -> Files {
    files(schema, &History::default())
}
