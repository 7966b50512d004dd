//! What `check --database-url` finds out by trying, how it behaves among other sessions, and what it leaves behind: nothing.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

#[path = "live/project.rs"]
#[allow(dead_code)] // Each test file uses some of it.
mod project;

use std::time::Instant;

use project::{Project, SCHEMA, TABLES, text};

const AUTHOR: &str = "CREATE SCHEMA app; CREATE TABLE app.author (id bigint PRIMARY KEY, name text NOT NULL); CREATE TABLE app.writer (id bigint PRIMARY KEY);";

fn author(column: &str, options: &str) -> String {
    format!(
        "version: 1\ndefaults: {{allow: [W0001, W0004, W0006]}}\nmodels: {{author: {{table: app.author, columns: {{id: bigint pk, {column}}}}}}}\nchannels: {{c: {{on: author, after: insert{options}}}}}\n"
    )
}

#[tokio::test]
async fn conditions_are_proven_before_anything_is_installed() {
    let project = Project::new(AUTHOR, &author("name: text", ", when: \"new.name <> ''\"")).await;
    let states = project.states();
    assert!(
        states.iter().all(|state| state.starts_with("missing ")),
        "{states:?}"
    );
    let trigger = "refused trigger pgpubsub_c_after_insert on app.author";
    let function = "refused function pgpubsub.capture_c";
    for (options, object, words) in [
        (
            ", when: \"new.nmae <> ''\"",
            trigger,
            "column new.nmae does not exist",
        ),
        (
            ", when: \"new.name\"",
            trigger,
            "argument of WHEN must be type boolean, not type text",
        ),
        (
            ", when: \"app.unknown(new.name)\"",
            trigger,
            "function app.unknown(text) does not exist",
        ),
        (
            ", level: statement, when: \"new.id > 'x'\"",
            function,
            "invalid input syntax",
        ),
        (
            ", condition_in: function, when: \"new.nmae <> ''\"",
            function,
            "column new.nmae does not exist",
        ),
    ] {
        project.generate(&author("name: text", options));
        let states = project.states();
        assert!(states.contains(&object.to_owned()), "{options}: {states:?}");
        let shown = text(&project.on_database(&["check"]).stdout);
        assert!(shown.contains(words), "{options}: {shown}");
        assert_eq!(project.check().1, 1);
    }
    let count = "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgpubsub'";
    let left: i64 = project.client.query_one(count, &[]).await.unwrap().get(0);
    assert_eq!(left, 0, "nothing is installed by looking");
}

#[tokio::test]
async fn a_missing_column_is_said_once() {
    let project = Project::new(AUTHOR, &author("nmae: text", "")).await;
    let states = project.states();
    assert!(
        states.contains(&"column_changed column app.author.nmae".to_owned()),
        "{states:?}"
    );
    assert!(
        !states.iter().any(|state| state.starts_with("refused")),
        "{states:?}"
    );
}

/// Every row that the catalogs have, with the transaction that wrote it.
const CATALOGS: &str = "SELECT md5(string_agg(t, ',' ORDER BY t)) FROM (
    SELECT 'c' || oid::text || ' ' || xmin::text AS t FROM pg_class UNION ALL SELECT 'n' || oid::text || ' ' || xmin::text FROM pg_namespace
    UNION ALL SELECT 'p' || oid::text || ' ' || xmin::text FROM pg_proc UNION ALL SELECT 't' || oid::text || ' ' || xmin::text FROM pg_trigger
    UNION ALL SELECT 'y' || oid::text || ' ' || xmin::text FROM pg_type
    UNION ALL SELECT 'a' || attrelid::text || ' ' || attnum::text || ' ' || xmin::text FROM pg_attribute) AS rows";

#[tokio::test]
async fn nothing_is_changed_and_no_lock_is_stronger_than_that_of_a_select() {
    let project = Project::installed(TABLES, SCHEMA).await;
    let catalogs = async || -> String {
        project
            .client
            .query_one(CATALOGS, &[])
            .await
            .unwrap()
            .get(0)
    };
    let before = catalogs().await;
    // Conflicts with every lock but ACCESS SHARE; what somebody inserted is not committed yet.
    let mut other = project.database.connect().await.unwrap();
    let transaction = other.transaction().await.unwrap();
    transaction
        .batch_execute(
            "INSERT INTO app.author (id, name) VALUES (1, 'x');
             LOCK TABLE app.author, app.post, app.measure, app.measure_now, pgpubsub.notification, pgpubsub.listener, pgpubsub.storage IN EXCLUSIVE MODE",
        )
        .await
        .unwrap();
    project.is_clean();
    transaction.rollback().await.unwrap();
    assert_eq!(catalogs().await, before);
}

#[tokio::test]
async fn a_locked_table_is_not_waited_for() {
    let schema = SCHEMA.replace(
        "version: 1\n",
        "version: 1\ngenerate: {migrations: {lock_timeout: 200ms}}\n",
    );
    let project = Project::installed(TABLES, &schema).await;
    let mut other = project.database.connect().await.unwrap();
    let transaction = other.transaction().await.unwrap();
    transaction
        .batch_execute("LOCK TABLE app.author IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let start = Instant::now();
    let (records, code) = project.check();
    assert_eq!(code, 0, "{records:#?}");
    assert!(
        records.len() >= 2 && records.iter().all(|record| record["state"] == "note"),
        "{records:#?}"
    );
    assert!(start.elapsed().as_secs() < 4, "{:?}", start.elapsed());
}

#[tokio::test]
async fn settings_of_the_database_do_not_matter() {
    let project = Project::installed(TABLES, SCHEMA).await;
    let name: String = project
        .client
        .query_one("SELECT current_database()::text", &[])
        .await
        .unwrap()
        .get(0);
    for setting in [
        "statement_timeout = '20s'",
        "lock_timeout = '1s'",
        "default_transaction_read_only = on",
        "default_transaction_isolation = 'serializable'",
        "search_path = app",
        "quote_all_identifiers = on",
        "standard_conforming_strings = off",
        "datestyle = 'German'",
    ] {
        project
            .execute(&format!("ALTER DATABASE \"{name}\" SET {setting}"))
            .await;
    }
    project.is_clean();
}

#[tokio::test]
async fn a_role_without_rights_compares_what_it_may_see() {
    let project = Project::installed(TABLES, SCHEMA).await;
    let name: String = project
        .client
        .query_one("SELECT current_database()::text", &[])
        .await
        .unwrap()
        .get(0);
    let role = format!("{name}_reader");
    project
        .execute(&format!(
            "CREATE ROLE \"{role}\"; REVOKE TEMPORARY ON DATABASE \"{name}\" FROM PUBLIC"
        ))
        .await;
    let url = project.database.url();
    let joint = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{joint}options=-c%20role%3D{role}");
    let check = || {
        let output = project.run(&["check", "--quiet", "--database-url", &url]);
        assert_eq!(text(&output.stderr), "");
        (text(&output.stdout), output.status.code())
    };
    let shown = project.run(&["check", "--database-url", &url]);
    let shown = text(&shown.stdout);
    assert!(
        shown.contains("may not create temporary tables")
            && shown.contains("may not read the tables of the storage"),
        "{shown}"
    );
    assert_eq!(check(), (String::new(), Some(0)));
    // What the catalogs tell is compared all the same.
    project
        .execute(
            "CREATE OR REPLACE TRIGGER pgpubsub_author_saved_after_insert AFTER INSERT ON app.author FOR EACH ROW EXECUTE FUNCTION pgpubsub.capture_author_saved();
             COMMENT ON TRIGGER pgpubsub_author_saved_after_insert ON app.author IS 'pgpubsub channel author_saved: It''s saved.'",
        )
        .await;
    let (shown, code) = check();
    assert_eq!(code, Some(1));
    assert!(
        shown.contains("has another timing, event or level, or not the condition"),
        "{shown}"
    );
    project.execute(&format!("DROP ROLE \"{role}\"")).await;
}

#[tokio::test]
async fn the_owner_must_be_able_to_store_and_to_read_what_is_extended() {
    let tables =
        "CREATE SCHEMA app; CREATE TABLE app.account (id bigint PRIMARY KEY, name text NOT NULL);
        CREATE TABLE app.guest (account_id bigint PRIMARY KEY, host text NOT NULL);";
    let schema = "version: 1\nmodels:\n  account: {table: app.account, columns: {id: bigint pk, name: text}}\n  guest: {table: app.guest, extends: account, columns: {account_id: bigint pk parent, host: text}}\nchannels: {guest_came: {on: guest, after: insert}}\n";
    let project = Project::installed(tables, schema).await;
    project.is_clean();
    let name: String = project
        .client
        .query_one("SELECT current_database()::text", &[])
        .await
        .unwrap()
        .get(0);
    let role = format!("{name}_owner");
    project
        .execute(&format!("CREATE ROLE \"{role}\"; ALTER FUNCTION pgpubsub.capture_guest_came() OWNER TO \"{role}\""))
        .await;
    let function = "function pgpubsub.capture_guest_came";
    assert_eq!(
        project.states(),
        [
            format!("refused {function}"),
            format!("outdated {function}")
        ]
    );
    let shown = text(&project.on_database(&["check"]).stdout);
    assert!(
        shown.contains("may not read \"app\".\"account\"")
            && shown.contains("may not store notifications"),
        "{shown}"
    );
    project.repair().await;
    project.is_clean();
    project.execute(&format!("DROP ROLE \"{role}\"")).await;
}

#[tokio::test]
async fn every_option_name_and_type_is_compared_as_it_is() {
    let nullable = "CREATE SCHEMA app;
        CREATE TABLE app.account (id bigint PRIMARY KEY, name text NOT NULL, \"Nick Name\" text, balance numeric(40,20) NOT NULL, settings json NOT NULL,
            spot point, password text NOT NULL, created_at timestamptz NOT NULL, changed_at timestamptz);
        CREATE TABLE app.guest (account_id bigint PRIMARY KEY, host text NOT NULL);
        CREATE TABLE app.measure (id bigint, day date, value double precision NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
        CREATE TABLE app.measure_all PARTITION OF app.measure DEFAULT;";
    let project = Project::installed(nullable, include_str!("golden/triggers.yaml")).await;
    project.is_clean();
    let names = r#"CREATE SCHEMA "Sch""ema"; CREATE TYPE "Sch""ema"."Odd State" AS ENUM ('plain', 'it''s \ "so"', '+', 'no');
        CREATE TABLE "Sch""ema"."Sel""ect é" (type text NOT NULL, "or""der" text NOT NULL, new text NOT NULL, old text NOT NULL, _row text NOT NULL,
            "Mixed Case" text NOT NULL, "ti`ck" text NOT NULL, "TG_OP" text NOT NULL, _payload text NOT NULL, state "Sch""ema"."Odd State");
        CREATE TABLE plain (r text NOT NULL);"#;
    let project = Project::installed(names, include_str!("golden/names.yaml")).await;
    project.is_clean();
}

const ANY: &str = "version: 1\nchannels: {said: {message: {x: int}}}\n";

#[tokio::test]
async fn what_import_wrote_is_what_check_finds() {
    let project = Project::new(include_str!("imported/tables.sql"), ANY).await;
    let path = project.folder.path().join("schema.yaml");
    std::fs::remove_file(&path).unwrap();
    std::fs::remove_dir_all(project.folder.path().join("migrations")).unwrap();
    std::fs::remove_file(project.folder.path().join("pgpubsub.lock")).unwrap();
    let output = project.on_database(&[
        "import",
        "--channels",
        "insert,update,delete",
        "-o",
        "schema.yaml",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let schema = std::fs::read_to_string(&path).unwrap();
    project.generate(&schema);
    project.migrate().await;
    project.is_clean();
}
