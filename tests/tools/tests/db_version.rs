//! The db version of a notification, as the tables of the real tools tell it.

#[path = "facts/project.rs"]
#[allow(dead_code)] // This file uses some of it.
mod project;
#[path = "../../golden/runs.rs"]
#[allow(dead_code)] // This file uses some of it.
mod runs;

use std::time::{Duration, Instant};

use pgpubsub_gen::diagnostic::{Format, Sources};
use pgpubsub_gen::history::History;
use pgpubsub_gen::schema;
use pgpubsub_testkit::Database;
use pgpubsub_tools::Tool;
use project::Project;
use tokio_postgres::Client;

/// The statement that makes the function, for these settings of `generate.migrations`.
fn function(settings: &str) -> String {
    let text = format!(
        "version: 1\ngenerate: {{migrations: {{{settings}}}}}\nmodels: {{item: {{columns: {{id: bigint pk}}}}}}\n\
         channels: {{c: {{on: item, after: insert}}}}\n"
    );
    let sources = Sources::new("schema.yaml", text);
    let schema = match schema::load_text(&sources) {
        Ok(loaded) => loaded.schema,
        Err(mistakes) => panic!(
            "{}",
            mistakes.render(&sources, Format::Text { colour: false })
        ),
    };
    let files = runs::files(&schema, &History::default());
    let all: String = files.iter().map(|(_, file)| file.text.as_str()).collect();
    let start = all
        .find(r#"CREATE OR REPLACE FUNCTION "pgpubsub"."db_version"()"#)
        .expect("its start");
    let length = all[start..]
        .find(r#"REVOKE ALL ON FUNCTION "pgpubsub"."db_version"()"#)
        .expect("what comes next");
    all[start..start + length].to_owned()
}

/// A session in which the function exists.
async fn installed(database: &Database, settings: &str) -> Client {
    let client = database.connect().await.expect("a session");
    let sql = format!(
        "CREATE SCHEMA IF NOT EXISTS \"pgpubsub\"; {}",
        function(settings)
    );
    client.batch_execute(&sql).await.expect("the function");
    client
}

/// An empty database in which the function exists, and what else is asked for.
async fn made(settings: &str, sql: &str) -> (Database, Client) {
    let database = Database::create().await.expect("a database");
    let client = installed(&database, settings).await;
    client.batch_execute(sql).await.expect("the tables");
    (database, client)
}

async fn version(client: &Client) -> Option<String> {
    let query = r#"SELECT "pgpubsub"."db_version"()"#;
    client
        .query_one(query, &[])
        .await
        .expect("never an error")
        .get(0)
}

/// Two migrations by the real tool, the second of which fails the first time.
async fn follows(tool: Tool, files: [(&str, &str); 2], versions: [&str; 2]) {
    if let Err(error) = tool.installed()
        && tool == Tool::GolangMigrate
    {
        eprintln!("skipped: {error}");
        return;
    }
    let project = Project::new(tool, &[]).await;
    let client = installed(project.database(), &format!("tool: {}", tool.word())).await;
    assert_eq!(version(&client).await, None, "the table is not there yet");
    let [first, second] = files;
    project.write(first.0, first.1);
    project.up().await.expect("the first");
    assert_eq!(version(&client).await.as_deref(), Some(versions[0]));
    project.write(second.0, &second.1.replace("CREATE", "mistake"));
    project.refused().await;
    let dirty = tool == Tool::GolangMigrate;
    let known = (!dirty).then_some(versions[0]);
    assert_eq!(version(&client).await.as_deref(), known);
    if dirty {
        return;
    }
    project.write(second.0, second.1);
    project.up().await.expect("the second");
    assert_eq!(version(&client).await.as_deref(), Some(versions[1]));
}

#[tokio::test]
async fn sqlx_tells_its_greatest_version() {
    let files = [
        ("9_one.up.sql", "CREATE TABLE t1 ();"),
        ("10_two.up.sql", "CREATE TABLE t2 ();"),
    ];
    follows(Tool::Sqlx, files, ["9", "10"]).await;
}

#[tokio::test]
async fn refinery_tells_its_greatest_version() {
    let files = [
        ("V9__one.sql", "CREATE TABLE t1 ();"),
        ("V10__two.sql", "CREATE TABLE t2 ();"),
    ];
    follows(Tool::Refinery, files, ["9", "10"]).await;
}

#[tokio::test]
async fn diesel_tells_its_last_version() {
    let files = [
        ("00000000000009_one/up.sql", "CREATE TABLE t1 ();"),
        ("2026-01-31-120001_two/up.sql", "CREATE TABLE t2 ();"),
    ];
    follows(Tool::Diesel, files, ["00000000000009", "20260131120001"]).await;
}

#[tokio::test]
async fn dbmate_tells_its_last_version() {
    let files = [
        (
            "0009_one.sql",
            "-- migrate:up\nCREATE TABLE t1 ();\n-- migrate:down\n",
        ),
        (
            "0010_two.sql",
            "-- migrate:up\nCREATE TABLE t2 ();\n-- migrate:down\n",
        ),
    ];
    follows(Tool::Dbmate, files, ["0009", "0010"]).await;
}

#[tokio::test]
async fn golang_migrate_tells_its_version_unless_it_is_dirty() {
    let files = [
        ("0009_one.up.sql", "CREATE TABLE t1 ();"),
        ("0010_two.up.sql", "CREATE TABLE t2 ();"),
    ];
    follows(Tool::GolangMigrate, files, ["9", "10"]).await;
}

/// As golang-migrate makes it, for machines without it.
const GOLANG_MIGRATE: &str = "CREATE TABLE public.schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);";
const DBMATE: &str = "CREATE TABLE public.schema_migrations (version varchar(255) PRIMARY KEY);";

#[tokio::test]
async fn a_dirty_version_of_golang_migrate_is_none() {
    let (_database, client) = made("tool: golang-migrate", GOLANG_MIGRATE).await;
    assert_eq!(version(&client).await, None);
    for (row, expected) in [("7, false", Some("7")), ("8, true", None)] {
        let write =
            format!("DELETE FROM schema_migrations; INSERT INTO schema_migrations VALUES ({row})");
        client.batch_execute(&write).await.expect("the row");
        assert_eq!(version(&client).await.as_deref(), expected);
    }
}

#[tokio::test]
async fn a_writer_that_has_asked_does_not_hold_up_golang_migrate() {
    let sql = format!("{GOLANG_MIGRATE} INSERT INTO schema_migrations VALUES (7, false);");
    let (database, writer) = made("tool: golang-migrate", &sql).await;
    writer.batch_execute("BEGIN").await.expect("a transaction");
    assert_eq!(version(&writer).await.as_deref(), Some("7"));
    // As it writes a version.
    let write = "BEGIN; SET LOCAL lock_timeout = '1s'; TRUNCATE schema_migrations; INSERT INTO schema_migrations VALUES (8, true); COMMIT";
    let other = database.connect().await.expect("a session");
    other.batch_execute(write).await.expect("no wait");
    assert_eq!(version(&writer).await, None);
    writer.batch_execute("COMMIT").await.expect("it goes on");
}

#[tokio::test]
async fn texts_are_ordered_by_their_bytes_as_the_tools_do() {
    let numeric = "CREATE COLLATION public.n (provider = icu, locale = 'en-u-kn-true');
        CREATE TABLE public.schema_migrations (version varchar(255) COLLATE public.n PRIMARY KEY);";
    let (_database, client) = made("tool: dbmate", numeric).await;
    let rows = "INSERT INTO schema_migrations VALUES ('9'), ('10')";
    client.batch_execute(rows).await.expect("the rows");
    assert_eq!(version(&client).await.as_deref(), Some("9"));
}

#[tokio::test]
async fn atlas_tells_its_last_version_that_is_whole() {
    let table = "CREATE SCHEMA atlas_schema_revisions;
        CREATE TABLE atlas_schema_revisions.atlas_schema_revisions (version varchar PRIMARY KEY, applied bigint NOT NULL, total bigint NOT NULL);
        INSERT INTO atlas_schema_revisions.atlas_schema_revisions VALUES ('20260101000000', 3, 3), ('20260201000000', 1, 2);";
    let (_database, client) = made("tool: atlas", table).await;
    assert_eq!(version(&client).await.as_deref(), Some("20260101000000"));
}

#[tokio::test]
async fn a_table_of_another_tool_under_the_same_name_tells_nothing() {
    let mate = format!("{DBMATE} INSERT INTO schema_migrations VALUES ('0007');");
    let migrate = format!("{GOLANG_MIGRATE} INSERT INTO schema_migrations VALUES (7, false);");
    for (tool, table) in [("golang-migrate", mate), ("dbmate", migrate)] {
        let (_database, client) = made(&format!("tool: {tool}"), &table).await;
        assert_eq!(version(&client).await, None, "{tool}");
    }
    let other = "CREATE VIEW public._sqlx_migrations AS SELECT 1 / 0 AS version, true AS success";
    let (_database, client) = made("tool: sqlx", other).await;
    assert_eq!(version(&client).await, None);
}

#[tokio::test]
async fn a_table_of_another_name_is_asked_and_none_is_none() {
    let table = "CREATE SCHEMA \"Ops\"; CREATE TABLE \"Ops\".\"it's\" (version int); INSERT INTO \"Ops\".\"it's\" VALUES (9), (10);
        CREATE TABLE public._sqlx_migrations (version int, success bool); INSERT INTO _sqlx_migrations VALUES (1, true);";
    let named = r#"version_table: '"Ops"."it''s"'"#;
    for (settings, expected) in [
        (format!("tool: plain, {named}"), Some("10")),
        (format!("tool: refinery, {named}"), Some("10")),
        (format!("tool: sqlx, {named}"), None),
        ("tool: plain".to_owned(), None),
        ("tool: sqlx, version_table: none".to_owned(), None),
        ("tool: sqlx".to_owned(), Some("1")),
        (String::new(), Some("1")),
    ] {
        let (_database, client) = made(&settings, table).await;
        assert_eq!(version(&client).await.as_deref(), expected, "{settings}");
    }
}

/// Roles are of the whole server; a name of its own for each database.
#[tokio::test]
async fn a_table_that_the_owner_of_the_function_may_not_read_tells_nothing() {
    let sql = format!("{DBMATE} INSERT INTO schema_migrations VALUES ('0007');");
    let (_database, client) = made("tool: dbmate", &sql).await;
    let owner = "DO $$ BEGIN
        EXECUTE format('CREATE ROLE %I', current_database());
        EXECUTE format('ALTER FUNCTION \"pgpubsub\".\"db_version\"() OWNER TO %I', current_database());
      END $$";
    client
        .batch_execute(owner)
        .await
        .expect("a role of no rights");
    assert_eq!(version(&client).await, None);
    let hidden = "CREATE SCHEMA hidden; ALTER TABLE schema_migrations SET SCHEMA hidden";
    client.batch_execute(hidden).await.expect("the schema");
    assert_eq!(version(&client).await, None);
    let gone = "DO $$ BEGIN
        EXECUTE format('DROP OWNED BY %I', current_database());
        EXECUTE format('DROP ROLE %I', current_database());
      END $$";
    client
        .batch_execute(gone)
        .await
        .expect("no role left behind");
}

#[tokio::test]
async fn a_locked_table_of_any_tool_does_not_hold_up_a_write() {
    let tables = [
        (
            "sqlx",
            "public._sqlx_migrations",
            "version bigint PRIMARY KEY, success bool",
        ),
        (
            "refinery",
            "public.refinery_schema_history",
            "version int4 PRIMARY KEY",
        ),
        (
            "diesel",
            "public.__diesel_schema_migrations",
            "version varchar(50) PRIMARY KEY",
        ),
        (
            "dbmate",
            "public.schema_migrations",
            "version varchar(255) PRIMARY KEY",
        ),
        (
            "golang-migrate",
            "public.schema_migrations",
            "version bigint PRIMARY KEY, dirty bool",
        ),
    ];
    for (tool, table, columns) in tables {
        let sql = format!("CREATE TABLE {table} ({columns})");
        let (database, client) = made(&format!("tool: {tool}"), &sql).await;
        let holder = database.connect().await.expect("a session");
        let lock = format!("BEGIN; LOCK TABLE {table}");
        holder.batch_execute(&lock).await.expect("the lock");
        let started = Instant::now();
        assert_eq!(version(&client).await, None, "{tool}");
        let waited = started.elapsed();
        // The wait itself is PostgreSQL's matter; a busy machine may come late to see its end.
        assert!(waited < Duration::from_secs(3), "{tool}: {waited:?}");
    }
}
