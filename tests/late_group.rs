//! A group that is added later gets everything once: what was written before its migration from the history of another group, and
//! the rest by itself, whoever writes and works meanwhile.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

#[path = "live/project.rs"]
#[allow(dead_code)] // Each test file uses some of it.
mod project;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pgpubsub_testkit::Database;
use project::{Project, text};
use tokio::task::JoinHandle;

const TABLES: &str = "CREATE SCHEMA app; CREATE TABLE app.item (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
    CREATE TABLE app.bulk (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);";
const EARLY: &str = r#"version: 1
models:
  item: {table: app.item, columns: {id: bigint pk, name: text}}
  bulk: {table: app.bulk, columns: {id: bigint pk, name: text}}
channels:
  item_saved: {on: item, after: save, retain: 7d}
  bulk_saved: {on: bulk, after: insert, level: statement, payload: [name], retain: 7d}
  said: {message: {name: string}, retain: 7d, expires: true}
  short: {message: {name: string}}
listeners:
  index: {channel: [item_saved, bulk_saved, said]}
  heed: {channel: short}
"#;
const LATE: &str = "  mirror: {channel: [item_saved, bulk_saved, said], group: late}\n";

/// Applies the newest migration alone, as a tool does.
async fn migrate_newest(project: &Project) {
    let folder = project.folder.path().join("migrations");
    let paths = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let newest = paths
        .filter(|path| path.to_string_lossy().ends_with(".up.sql"))
        .max();
    let sql = fs::read_to_string(newest.unwrap()).unwrap();
    project.execute(&format!("BEGIN;\n{sql}\nCOMMIT;")).await;
}

/// The names in a group's copies, wherever they are, sorted.
async fn names(project: &Project, group: &str) -> Vec<String> {
    let name = "coalesce(payload->'new'->>'name', payload->>'name')";
    let sql = format!(
        "SELECT name FROM (SELECT listener_group, {name} AS name FROM pgpubsub.notification
            UNION ALL SELECT listener_group, {name} FROM pgpubsub.processed
            UNION ALL SELECT listener_group, {name} FROM pgpubsub.quarantine) AS copies
         WHERE listener_group = '{group}' ORDER BY 1"
    );
    let rows = project.client.query(&sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// What was committed, sorted.
async fn written(project: &Project) -> Vec<String> {
    let sql = "SELECT name FROM (SELECT name FROM app.item UNION ALL SELECT name FROM app.bulk UNION ALL SELECT name FROM app.said) AS w ORDER BY 1";
    let rows = project.client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

fn replay(project: &Project, more: &[&str]) -> Output {
    let mut args = vec!["replay", "--from-group", "index", "--to-group", "late"];
    args.extend(more);
    project.on_database(&args)
}

fn says(output: &Output, code: i32, word: &str) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    assert!(
        format!("{out}{err}").contains(word),
        "no {word:?} in:\n{out}{err}"
    );
}

/// The same in the background.
fn spawn(project: &Project) -> Child {
    Command::new(env!("CARGO_BIN_EXE_pgpubsub-gen"))
        .args([
            "replay",
            "--from-group",
            "index",
            "--to-group",
            "late",
            "--database-url",
        ])
        .arg(project.database.url())
        .current_dir(project.folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Repeats something on a session of its own until it is stopped; how often.
fn repeat(
    database: &Database,
    stop: &Arc<AtomicBool>,
    sql: impl Fn(u64) -> String + Send + 'static,
) -> JoinHandle<u64> {
    let (config, stop) = (database.config(), Arc::clone(stop));
    tokio::spawn(async move {
        let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        let mut turn = 0;
        while !stop.load(Ordering::SeqCst) {
            client.batch_execute(&sql(turn)).await.unwrap();
            turn += 1;
        }
        drop(client);
        connection.await.unwrap().unwrap();
        turn
    })
}

/// As a worker does it, at the end of a batch.
fn process(group: &'static str) -> impl Fn(u64) -> String + Send {
    move |_| {
        format!(
            "WITH picked AS (SELECT listener_group, id FROM pgpubsub.notification WHERE listener_group = '{group}' LIMIT 7 FOR UPDATE SKIP LOCKED),
             done AS (DELETE FROM pgpubsub.notification AS n USING picked AS p WHERE n.listener_group = p.listener_group AND n.id = p.id RETURNING n.*)
             INSERT INTO pgpubsub.processed (retention, id, listener_group, channel, op, model_version, db_version, txid, created_at, payload, context, order_key)
             SELECT 604800, id, listener_group, channel, op, model_version, db_version, txid, created_at, payload, context, order_key FROM done;
             SELECT pg_sleep(0.002)"
        )
    }
}

/// Several statements in a transaction, every fifth of which is rolled back.
fn write(writer: u64) -> impl Fn(u64) -> String + Send {
    move |turn| {
        let name = |part: &str| format!("w{writer} {turn} {part}");
        let end = if turn % 5 == 4 { "ROLLBACK" } else { "COMMIT" };
        let said = |part: &str| {
            let name = name(part);
            format!(
                "INSERT INTO app.said VALUES ('{name}'); SELECT pgpubsub.notify_said('{{\"name\": \"{name}\"}}');"
            )
        };
        format!(
            "BEGIN; INSERT INTO app.item (name) VALUES ('{}'); SELECT pg_sleep(0.003); {}
             INSERT INTO app.bulk (name) SELECT '{}' FROM generate_series(1, 3); SELECT pg_sleep(0.003);
             INSERT INTO app.item (name) SELECT '{}' || n FROM generate_series(1, 2) AS n; {} {end}",
            name("a"), said("b"), name("c"), name("d"), said("e")
        )
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_late_group_gets_everything_once() {
    let project = Project::installed(TABLES, EARLY).await;
    project.execute("CREATE TABLE app.said (name text)").await;
    let stop = Arc::new(AtomicBool::new(false));
    let database = &project.database;
    let mut tasks: Vec<JoinHandle<u64>> = (1..=3)
        .map(|writer| repeat(database, &stop, write(writer)))
        .collect();
    tasks.push(repeat(database, &stop, process("index")));
    // One that is under way for all this time, with what it has planned before.
    let across = project.database.connect().await.unwrap();
    let straddle = |part: &str| {
        format!(
            "INSERT INTO app.item (name) VALUES ('across {part}'); INSERT INTO app.said VALUES ('across {part}');
             SELECT pgpubsub.notify_said('{{\"name\": \"across {part}\"}}');"
        )
    };
    across.batch_execute("BEGIN").await.unwrap();
    across.batch_execute(&straddle("1")).await.unwrap();
    across.batch_execute(&straddle("2")).await.unwrap();
    while names(&project, "index").await.len() < 100 {
        tokio::task::yield_now().await;
    }

    project.generate(&format!("{EARLY}{LATE}"));
    says(
        &replay(&project, &[]),
        2,
        "the listener mirror of the group late is not installed for the channel",
    );
    migrate_newest(&project).await;
    tasks.push(repeat(database, &stop, process("late")));
    let mut giving = spawn(&project);
    let mut lines = BufReader::new(giving.stderr.take().unwrap()).lines();
    let line = tokio::task::spawn_blocking(move || lines.next().unwrap().unwrap())
        .await
        .unwrap();
    assert!(
        line.starts_with("waiting for transactions that began before: that of the backend"),
        "{line}"
    );
    // It meets this table for the first time, and so learns what the migration has changed.
    let bulk = "INSERT INTO app.bulk (name) SELECT 'across 3' FROM generate_series(1, 3)";
    across.batch_execute(bulk).await.unwrap();
    across.batch_execute(&straddle("3")).await.unwrap();
    across.batch_execute("COMMIT").await.unwrap();
    let output = tokio::task::spawn_blocking(move || giving.wait_with_output().unwrap())
        .await
        .unwrap();
    says(&output, 0, " given to the group late");
    // The same again, while all go on: it lacks nothing.
    says(&replay(&project, &[]), 0, "0 given to the group late");
    stop.store(true, Ordering::SeqCst);
    for task in tasks {
        assert!(task.await.unwrap() > 0);
    }

    let written = written(&project).await;
    assert_eq!(names(&project, "index").await, written);
    assert_eq!(names(&project, "late").await, written);
    // Of the one transaction, some were given and some stored for the group itself.
    let given = "WITH got AS (SELECT id, listener_group, payload FROM pgpubsub.processed
                       UNION ALL SELECT id, listener_group, payload FROM pgpubsub.notification)
                 SELECT count(*) FROM got AS late JOIN got AS early USING (id)
                 WHERE late.listener_group = 'late' AND early.listener_group = 'index' AND late.payload::text LIKE '%across%'";
    let given: i64 = project.client.query_one(given, &[]).await.unwrap().get(0);
    assert_eq!(given, 4);
    says(&replay(&project, &["--dry-run"]), 0, "0 would be put back");
}

#[tokio::test]
async fn what_waits_and_what_has_failed_is_given_in_its_order() {
    let ordered = EARLY.replace("after: save, retain", "after: save, key: name, retain");
    let project = Project::installed(TABLES, &ordered).await;
    let write = "INSERT INTO app.item (name) VALUES";
    project
        .execute(&format!(
            "{write} ('failed'), ('done'), ('tried'), ('waits'), ('waits')"
        ))
        .await;
    let messages = "SELECT pgpubsub.notify_said('{\"name\": \"late\"}', options => '{\"expires_after\": 0.001}'),
        pgpubsub.notify_said('{\"name\": \"lasts\"}', options => '{\"expires_after\": 600}')";
    project.execute(messages).await;
    project
        .execute(
            "INSERT INTO pgpubsub.quarantine (id, listener_group, channel, op, model_version, txid, created_at, payload, order_key, attempts, reason)
             SELECT id, listener_group, channel, op, model_version, txid, created_at, payload, order_key, 20, 'failed' FROM pgpubsub.notification
               WHERE payload->'new'->>'name' = 'failed';
             DELETE FROM pgpubsub.notification WHERE payload->'new'->>'name' = 'failed';
             UPDATE pgpubsub.notification SET attempts = 3, not_before = 'infinity' WHERE payload->'new'->>'name' = 'tried';
             WITH done AS (DELETE FROM pgpubsub.notification WHERE payload->'new'->>'name' = 'done' RETURNING *)
             INSERT INTO pgpubsub.processed (retention, id, listener_group, channel, op, model_version, txid, created_at, payload, order_key)
             SELECT 604800, id, listener_group, channel, op, model_version, txid, created_at, payload, order_key FROM done",
        )
        .await;
    // Stored for later: one was due and is done, one is not due yet.
    let later = "SELECT 604800, -n, 'index', 'said', 'message', 1, '1', now(), json_build_object('name', 'later')";
    project
        .execute(&format!(
            "INSERT INTO pgpubsub.processed (retention, id, listener_group, channel, op, model_version, txid, created_at, payload)
             {later} FROM generate_series(901, 901) AS n;
             INSERT INTO pgpubsub.notification (id, listener_group, channel, op, model_version, txid, created_at, payload, not_before)
             OVERRIDING SYSTEM VALUE SELECT -902, 'index', 'said', 'message', 1, '2', now(), '{{\"name\": \"not yet\"}}', 'infinity'"
        ))
        .await;
    project.generate(&format!("{ordered}{LATE}"));
    migrate_newest(&project).await;
    project.execute(&format!("{write} ('waits')")).await;
    let args = [
        "--dry-run",
        "--channel",
        "item_saved",
        "--message-format",
        "json",
    ];
    says(
        &replay(&project, &args),
        0,
        "\"channel\":\"item_saved\",\"count\":5,",
    );
    says(
        &replay(&project, &["--written-since", "infinity"]),
        0,
        "0 given",
    );
    says(
        &replay(&project, &["--channel", "item_saved", "--quiet"]),
        0,
        "",
    );
    says(&replay(&project, &[]), 0, "3 given to the group late");
    let times = "SELECT not_before::text FROM pgpubsub.notification WHERE listener_group = 'late' AND id < 0 ORDER BY id";
    let times = project.client.query(times, &[]).await.unwrap();
    let times: Vec<&str> = times.iter().map(|row| row.get(0)).collect();
    assert_eq!(times, ["infinity", "-infinity"]);
    let sql = "SELECT coalesce(payload->'new'->>'name', payload->>'name'), attempts, not_before IS NULL, order_key, expires_at IS NOT NULL
               FROM pgpubsub.notification WHERE listener_group = 'late' AND id > 0 ORDER BY id";
    let rows = project.client.query(sql, &[]).await.unwrap();
    let rows: Vec<(&str, i32, bool, &str, bool)> = rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4)))
        .collect();
    // In the order in which they were written, what the group has had by itself behind that.
    assert_eq!(
        rows,
        [
            ("failed", 0, true, "[\"failed\"]", false),
            ("done", 0, true, "[\"done\"]", false),
            ("tried", 0, true, "[\"tried\"]", false),
            ("waits", 0, true, "[\"waits\"]", false),
            ("waits", 0, true, "[\"waits\"]", false),
            ("lasts", 0, true, "", true),
            ("waits", 0, true, "[\"waits\"]", false),
        ]
    );
}

#[tokio::test]
async fn what_cannot_be_exact_is_refused() {
    let project = Project::installed(TABLES, EARLY).await;
    let with = |listener: &str| format!("{EARLY}{listener}");
    says(&replay(&project, &[]), 2, "the schema has no group late");
    project.generate(&with("  mirror: {channel: [said, short], group: late}\n"));
    project.migrate().await;
    says(
        &replay(&project, &[]),
        2,
        "the channel short keeps nothing (`retain`)",
    );
    says(&replay(&project, &["--channel", "said"]), 0, "0 given");
    says(
        &replay(&project, &["--channel", "item_saved"]),
        2,
        "the group late takes nothing of a channel item_saved",
    );
    project.execute("SELECT pgpubsub.notify_said('{\"name\": \"x\"}'); DELETE FROM pgpubsub.notification WHERE listener_group = 'late'; UPDATE pgpubsub.notification SET model_version = 9").await;
    says(
        &replay(&project, &["--channel", "said"]),
        2,
        "have the version 9, and the schema knows 1; nothing was put back",
    );
    for more in [
        &["--all"][..],
        &["--rate", "5"],
        &["--keep-ids"],
        &["--processed-since", "now"],
    ] {
        says(&replay(&project, more), 2, "cannot be used with");
    }
    let output = project.on_database(&["replay", "--from-group", "late", "--to-group", "late"]);
    says(&output, 2, "are the same group");
    let output = project.on_database(&["replay", "--from-group", "index"]);
    says(&output, 2, "--to-group");
}
