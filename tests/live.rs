//! `check --database-url` on real databases: a clean one is clean, a tampered one is told as it is, and nothing is touched.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

#[path = "live/project.rs"]
#[allow(dead_code)] // Each test file uses some of it.
mod project;

use project::{Project, SCHEMA, TABLES, text};

/// Tampers, finds exactly that, repairs it as printed, and finds nothing.
async fn repaired(project: &Project, tamper: &str, expected: &[&str]) {
    project.execute(tamper).await;
    let (records, code) = project.check();
    assert_eq!(project.states(), expected, "{tamper}: {records:#?}");
    assert_eq!(code, 1, "{tamper}");
    project.repair().await;
    project.is_clean();
}

/// Tampers, finds exactly that, and prints no repair of it; takes it back.
async fn told(project: &Project, tamper: &str, back: &str, expected: &[&str], words: &[&str]) {
    project.execute(tamper).await;
    assert_eq!(project.states(), expected, "{tamper}");
    let output = project.on_database(&["check"]);
    let shown = text(&output.stdout);
    for word in words {
        assert!(shown.contains(word), "no {word:?} in:\n{shown}");
    }
    assert!(!shown.contains("-- repair"), "{shown}");
    project.execute(back).await;
    project.is_clean();
}

#[tokio::test]
async fn a_clean_database_is_clean() {
    let project = Project::installed(TABLES, SCHEMA).await;
    project.is_clean();
    let output = project.on_database(&["check"]);
    assert!(
        text(&output.stdout).contains("objects are as the schema says"),
        "{}",
        text(&output.stdout)
    );
    // The user's own trigger of a channel that leaves it to them, and functions of theirs in our schema.
    project
        .execute(
            "CREATE TRIGGER mine AFTER INSERT ON app.post FOR EACH ROW EXECUTE FUNCTION pgpubsub.capture_post_own();
             CREATE FUNCTION pgpubsub.mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'; CREATE TABLE pgpubsub.mine ()",
        )
        .await;
    project.is_clean();
}

#[tokio::test]
async fn nothing_installed_is_missing_as_a_whole_and_the_repair_installs_it() {
    let project = Project::new(TABLES, SCHEMA).await;
    let (records, code) = project.check();
    assert_eq!(code, 1);
    assert!(
        records.iter().all(|record| record["state"] == "missing"),
        "{records:#?}"
    );
    project.repair().await;
    project.is_clean();
}

#[tokio::test]
async fn tampered_schedules_are_found_and_repaired() {
    let schema = "version: 1\nchannels:\n  nightly: {message: {n: 'int = 1'}, schedule: {cron: '0 3 * * *', timezone: Europe/Berlin}}\n  \
                  beat: {message: {}, schedule: {every: 15m, missed: skip}}\n";
    let project = Project::installed("", schema).await;
    project.is_clean();
    let nightly = "schedule of channel nightly";
    for tamper in [
        "UPDATE pgpubsub.schedule SET cron = '0 4 * * *' WHERE channel = 'nightly'",
        "UPDATE pgpubsub.schedule SET cron = NULL, every = '1 day' WHERE channel = 'nightly'",
        "UPDATE pgpubsub.schedule SET missed = 'skip' WHERE channel = 'nightly'",
        "UPDATE pgpubsub.schedule SET message = '{}' WHERE channel = 'nightly'",
    ] {
        repaired(&project, tamper, &[&format!("outdated {nightly}")]).await;
    }
    let gone = "DELETE FROM pgpubsub.schedule WHERE channel = 'nightly'";
    repaired(&project, gone, &[&format!("missing {nightly}")]).await;
    let more = "INSERT INTO pgpubsub.schedule SELECT 'other', cron, timezone, every, missed, function, message, next_at FROM pgpubsub.schedule LIMIT 1";
    repaired(&project, more, &["orphan schedule of channel other"]).await;
    let all = [
        "missing table pgpubsub.schedule",
        "missing schedule of channel beat",
        "missing schedule of channel nightly",
    ];
    repaired(&project, "DROP TABLE pgpubsub.schedule", &all).await;
    let function = "DROP FUNCTION pgpubsub.fire_schedules()";
    repaired(&project, function, &["missing table pgpubsub.schedule"]).await;
    // It fires when it would have.
    project
        .execute(
            "DO $$ BEGIN ASSERT (SELECT bool_and(next_at > now()) FROM pgpubsub.schedule); END $$",
        )
        .await;
}

#[tokio::test]
async fn tampered_functions_are_found_and_repaired() {
    let project = Project::installed(TABLES, SCHEMA).await;
    let saved = "outdated function pgpubsub.capture_author_saved";
    let edited = "DO $$ BEGIN EXECUTE pg_catalog.replace(pg_catalog.pg_get_functiondef('pgpubsub.capture_author_saved'::regproc),
        'RETURN NULL', 'RETURN NEW'); END $$";
    project.execute(edited).await;
    let output = text(&project.on_database(&["check"]).stdout);
    assert!(
        output.contains("    -  RETURN NEW") && output.contains("    +  RETURN NULL"),
        "{output}"
    );
    repaired(&project, edited, &[saved]).await;
    for tamper in [
        "ALTER FUNCTION pgpubsub.capture_author_saved() RESET search_path",
        "ALTER FUNCTION pgpubsub.capture_author_saved() SET timezone = 'Asia/Kathmandu'",
        "ALTER FUNCTION pgpubsub.capture_author_saved() SECURITY INVOKER",
        "ALTER FUNCTION pgpubsub.capture_author_saved() STABLE",
        "GRANT EXECUTE ON FUNCTION pgpubsub.capture_author_saved() TO PUBLIC",
        "COMMENT ON FUNCTION pgpubsub.capture_author_saved() IS 'mine'",
        "COMMENT ON FUNCTION pgpubsub.capture_author_saved() IS NULL",
    ] {
        repaired(&project, tamper, &[saved]).await;
    }
    let said = "outdated function pgpubsub.notify_said";
    for tamper in [
        "REVOKE EXECUTE ON FUNCTION pgpubsub.notify_said(text, int, json) FROM PUBLIC",
        "DROP FUNCTION pgpubsub.notify_said(text, int, json);
         CREATE FUNCTION pgpubsub.notify_said(other text, model_version int, options json) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    ] {
        repaired(&project, tamper, &[said]).await;
    }
    repaired(
        &project,
        "DROP FUNCTION pgpubsub.notify_said(text, int, json)",
        &["missing function pgpubsub.notify_said"],
    )
    .await;
    repaired(
        &project,
        "DROP FUNCTION pgpubsub.capture_measured() CASCADE",
        &[
            "missing function pgpubsub.capture_measured",
            "missing trigger pgpubsub_measured_after_insert on app.measure",
        ],
    )
    .await;
    repaired(
        &project,
        "DROP FUNCTION pgpubsub.db_version()",
        &["missing function pgpubsub.db_version"],
    )
    .await;
    repaired(
        &project,
        "CREATE OR REPLACE FUNCTION pgpubsub.db_version() RETURNS text LANGUAGE sql AS 'SELECT NULL'",
        &["outdated function pgpubsub.db_version"],
    )
    .await;
    repaired(
        &project,
        "CREATE FUNCTION pgpubsub.capture_gone() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
         CREATE FUNCTION pgpubsub.notify_gone(text, integer, json) RETURNS void LANGUAGE sql AS ''",
        &[
            "orphan function pgpubsub.capture_gone",
            "orphan function pgpubsub.notify_gone",
        ],
    )
    .await;
}

#[tokio::test]
async fn tampered_triggers_are_found_and_repaired() {
    let project = Project::installed(TABLES, SCHEMA).await;
    let name = "pgpubsub_author_saved_after_insert";
    let on = "trigger pgpubsub_author_saved_after_insert on app.author";
    let outdated = format!("outdated {on}");
    repaired(
        &project,
        &format!("DROP TRIGGER {name} ON app.author"),
        &[&format!("missing {on}")],
    )
    .await;
    repaired(
        &project,
        &format!("ALTER TABLE app.author DISABLE TRIGGER {name}"),
        &[&format!("disabled {on}")],
    )
    .await;
    for tamper in [
        format!("ALTER TABLE app.author ENABLE ALWAYS TRIGGER {name}"),
        format!("COMMENT ON TRIGGER {name} ON app.author IS 'mine'"),
    ]
    .into_iter()
    .chain(
        [
            "AFTER INSERT ON app.author FOR EACH ROW WHEN (NEW.name <> 'x')",
            "AFTER INSERT ON app.author FOR EACH ROW",
            "BEFORE INSERT ON app.author FOR EACH ROW WHEN (NEW.name <> '')",
            "AFTER UPDATE OF state ON app.author FOR EACH ROW WHEN (NEW.name <> '')",
            "AFTER INSERT ON app.author FOR EACH STATEMENT",
        ]
        .map(|definition| {
            format!("CREATE OR REPLACE TRIGGER {name} {definition} EXECUTE FUNCTION pgpubsub.capture_author_saved(); COMMENT ON TRIGGER {name} ON app.author IS 'pgpubsub channel author_saved: It''s saved.'")
        }),
    )
    .chain([format!(
        "DROP TRIGGER {name} ON app.author; CREATE CONSTRAINT TRIGGER {name} AFTER INSERT ON app.author DEFERRABLE FOR EACH ROW WHEN (NEW.name <> '') EXECUTE FUNCTION pgpubsub.capture_author_saved()"
    )]) {
        repaired(&project, &tamper, &[&outdated]).await;
    }
    // One that calls the function of another channel.
    repaired(
        &project,
        &format!("CREATE OR REPLACE TRIGGER {name} AFTER INSERT ON app.author FOR EACH ROW WHEN (NEW.name <> '') EXECUTE FUNCTION pgpubsub.capture_author_copy()"),
        &[&outdated],
    )
    .await;
    repaired(
        &project,
        "ALTER TABLE app.author ENABLE TRIGGER pgpubsub_author_copy_after_insert",
        &["outdated trigger pgpubsub_author_copy_after_insert on app.author"],
    )
    .await;
    repaired(
        &project,
        "ALTER TABLE app.measure_now DISABLE TRIGGER pgpubsub_measured_after_insert",
        &["disabled trigger pgpubsub_measured_after_insert on app.measure"],
    )
    .await;
    // A constraint trigger cannot be replaced.
    let row = project
        .client
        .query_one(
            "SELECT tgname::text FROM pg_trigger WHERE tgdeferrable",
            &[],
        )
        .await
        .unwrap();
    let late: String = row.get(0);
    repaired(
        &project,
        &format!("DROP TRIGGER {late} ON app.author; CREATE CONSTRAINT TRIGGER {late} AFTER DELETE ON app.author FOR EACH ROW EXECUTE FUNCTION pgpubsub.capture_author_late()"),
        &[&format!("outdated trigger {late} on app.author")],
    )
    .await;
}

#[tokio::test]
async fn what_a_removed_channel_left_is_an_orphan() {
    let project = Project::installed(TABLES, SCHEMA).await;
    project.generate(&SCHEMA.replace(
        "  author_copy:  {on: author, after: insert, fire: always}\n",
        "",
    ));
    assert_eq!(
        project.states(),
        [
            "orphan trigger pgpubsub_author_copy_after_insert on app.author",
            "orphan function pgpubsub.capture_author_copy",
            "orphan listener on_author_copy on channel author_copy",
        ]
    );
    project.repair().await;
    project.is_clean();
    // Of a channel that is there, but not on this event.
    repaired(
        &project,
        "CREATE TRIGGER pgpubsub_measured_after_delete AFTER DELETE ON app.measure FOR EACH ROW EXECUTE FUNCTION pgpubsub.capture_measured()",
        &["orphan trigger pgpubsub_measured_after_delete on app.measure"],
    )
    .await;
    // One with a name of the user's is theirs, and somebody should know.
    project
        .execute("CREATE TRIGGER mine AFTER DELETE ON app.measure FOR EACH ROW EXECUTE FUNCTION pgpubsub.capture_measured()")
        .await;
    assert_eq!(project.states(), ["note trigger mine on app.measure"]);
    assert_eq!(project.check().1, 0);
}

#[tokio::test]
async fn a_tampered_storage_is_found() {
    let project = Project::installed(TABLES, SCHEMA).await;
    for (tamper, expected) in [
        (
            "DELETE FROM pgpubsub.listener WHERE name = 'hear'",
            "missing listener hear on channel said",
        ),
        (
            "UPDATE pgpubsub.listener SET listener_group = 'x' WHERE name = 'hear'",
            "outdated listener hear on channel said",
        ),
        (
            "UPDATE pgpubsub.listener SET ops = '{insert}' WHERE name = 'hear'",
            "outdated listener hear on channel said",
        ),
        (
            "INSERT INTO pgpubsub.listener VALUES ('gone', 'said', 'gone', '{message}')",
            "orphan listener gone on channel said",
        ),
        (
            "REVOKE USAGE ON SCHEMA pgpubsub FROM PUBLIC",
            "outdated storage pgpubsub",
        ),
        ("DELETE FROM pgpubsub.storage", "outdated storage pgpubsub"),
        ("DROP TABLE pgpubsub.spill", "outdated storage pgpubsub"),
        (
            "DROP FUNCTION pgpubsub.context_matches",
            "missing storage pgpubsub",
        ),
    ] {
        repaired(&project, tamper, &[expected]).await;
    }
    told(
        &project,
        "UPDATE pgpubsub.storage SET version = version + 1",
        "UPDATE pgpubsub.storage SET version = version - 1",
        &["outdated storage pgpubsub"],
        &["this generator knows", "or a newer one"],
    )
    .await;
    told(
        &project,
        "ALTER TABLE pgpubsub.notification RENAME COLUMN context TO kontext",
        "ALTER TABLE pgpubsub.notification RENAME COLUMN kontext TO context",
        &["outdated storage pgpubsub"],
        &["context"],
    )
    .await;
}

#[tokio::test]
async fn changed_columns_are_told_with_what_to_do() {
    let project = Project::installed(TABLES, SCHEMA).await;
    let cases: [(&str, &str, &[&str], &[&str]); 8] = [
        (
            "ALTER TABLE app.measure ALTER value TYPE real",
            "ALTER TABLE app.measure ALTER value TYPE double precision",
            &["column_changed column app.measure.value"],
            &["is real in the table and double precision in the schema"],
        ),
        (
            "ALTER TABLE app.measure RENAME value TO valu",
            "ALTER TABLE app.measure RENAME valu TO value",
            &["column_changed column app.measure.value"],
            &["a write to the table would fail", "is it `valu` now?"],
        ),
        (
            "ALTER TABLE app.author ALTER \"Nick\" SET NOT NULL, ALTER at DROP NOT NULL",
            "ALTER TABLE app.author ALTER \"Nick\" DROP NOT NULL, ALTER at SET NOT NULL",
            &[
                "column_changed column app.author.Nick",
                "column_changed column app.author.at",
            ],
            &["(warning)", "a null would not decode"],
        ),
        (
            "ALTER TABLE app.post DROP CONSTRAINT post_pkey",
            "ALTER TABLE app.post ADD PRIMARY KEY (id)",
            &["column_changed table app.post"],
            &["has another primary key (none) than declared (id)"],
        ),
        (
            "ALTER TABLE app.author DROP CONSTRAINT author_pkey, ADD PRIMARY KEY (id, name)",
            "ALTER TABLE app.author DROP CONSTRAINT author_pkey, ADD PRIMARY KEY (id)",
            &["column_changed table app.author"],
            &["has another primary key (id, name) than declared (id)"],
        ),
        (
            "ALTER TABLE app.post RENAME TO posts; CREATE VIEW app.post AS SELECT * FROM app.posts",
            "DROP VIEW app.post; ALTER TABLE app.posts RENAME TO post",
            &["column_changed table app.post"],
            &["is a view"],
        ),
        (
            "ALTER TABLE app.post RENAME TO posts",
            "ALTER TABLE app.posts RENAME TO post",
            &["column_changed table app.post"],
            &["of the model post is not there"],
        ),
        (
            "ALTER TABLE app.post ADD extra integer",
            "ALTER TABLE app.post DROP extra",
            &[],
            &[],
        ),
    ];
    for (tamper, back, expected, words) in cases {
        told(&project, tamper, back, expected, words).await;
    }
    let project = Project::installed(TABLES, SCHEMA).await;
    project
        .execute("ALTER TABLE app.measure DROP COLUMN value")
        .await;
    assert_eq!(
        project.states(),
        ["column_changed column app.measure.value"]
    );
}

#[tokio::test]
async fn what_wait_for_newer_workers_and_sessions_without_triggers_are_noted() {
    let project = Project::installed(TABLES, SCHEMA).await;
    project
        .execute("INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload) VALUES ('g', 'measured', 'insert', 7, '{}')")
        .await;
    let (records, code) = project.check();
    assert_eq!(code, 0, "{records:#?}");
    assert_eq!(records[0]["state"], "note");
    let message = records[0]["message"].as_str().unwrap();
    assert!(message.contains("wait with the version 7"), "{message}");
    let name: String = project
        .client
        .query_one("SELECT current_database()::text", &[])
        .await
        .unwrap()
        .get(0);
    project
        .execute(&format!("DELETE FROM pgpubsub.notification; ALTER DATABASE \"{name}\" SET session_replication_role = replica"))
        .await;
    let (records, code) = project.check();
    assert_eq!((records.len(), code), (2, 0), "{records:#?}");
    assert!(
        records[0]["message"]
            .as_str()
            .unwrap()
            .contains("fires no trigger")
    );
}

#[tokio::test]
async fn changed_types_are_told() {
    let tables = "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE place AS (street text, zip varchar(10)); CREATE DOMAIN cents AS bigint;
        CREATE TABLE thing (id bigint PRIMARY KEY, mood mood, place place, cents cents, moods mood[]);";
    let schema = "version: 1\ndefaults: {allow: [W0004]}\ntypes: {mood: {enum: [sad, ok]}, place: {composite: {street: text?, zip: \"varchar(10)?\"}}, cents: {domain: bigint}}\n\
        models: {thing: {columns: {id: bigint pk, mood: mood?, place: place?, cents: cents?, moods: \"mood[]?\"}}}\nchannels: {c: {on: thing, after: insert}}\n";
    let project = Project::installed(tables, schema).await;
    project.is_clean();
    project.execute("ALTER TYPE mood ADD VALUE 'happy'").await;
    assert_eq!(project.states(), ["column_changed type public.mood"]);
    assert_eq!(project.check().1, 0, "a warning");
    project.generate(&schema.replace("[sad, ok]", "[sad, ok, happy]"));
    project.migrate().await;
    told(
        &project,
        "ALTER TYPE place RENAME ATTRIBUTE zip TO code",
        "ALTER TYPE place RENAME ATTRIBUTE code TO zip",
        &["column_changed type public.place"],
        &["has other attributes than declared, or in another order: street text, code character varying(10)"],
    )
    .await;
    told(
        &project,
        "ALTER TABLE thing DROP cents; DROP DOMAIN cents; CREATE DOMAIN cents AS integer; ALTER TABLE thing ADD cents cents",
        "ALTER TABLE thing DROP cents; DROP DOMAIN cents; CREATE DOMAIN cents AS bigint; ALTER TABLE thing ADD cents cents",
        &["column_changed type public.cents"],
        &["is over integer, and not over what is declared"],
    )
    .await;
}

#[tokio::test]
async fn what_would_break_writes_is_no_repair() {
    let project = Project::installed(TABLES, SCHEMA).await;
    // The schema is ahead of the database: what is installed still works.
    project.generate(&SCHEMA.replace(
        "value: \"double precision?\"",
        "value: \"double precision?\", unit: \"text?\"",
    ));
    project
        .execute("ALTER TABLE app.measure DISABLE TRIGGER pgpubsub_measured_after_insert; DROP FUNCTION pgpubsub.notify_said(text, int, json)")
        .await;
    assert_eq!(
        project.states(),
        [
            "column_changed column app.measure.unit",
            "missing function pgpubsub.notify_said",
            "outdated function pgpubsub.capture_measured",
            "disabled trigger pgpubsub_measured_after_insert on app.measure",
        ]
    );
    let shown = text(&project.on_database(&["check"]).stdout);
    let (_, repair) = shown.split_once("-- repair").unwrap();
    assert!(
        repair.contains("notify_said") && !repair.contains("measure"),
        "{repair}"
    );
    project.repair().await;
    project
        .execute("ALTER TABLE app.measure ADD unit text")
        .await;
    project.repair().await;
    project.is_clean();
}
