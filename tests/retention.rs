//! What is kept of processed notifications: its table, partitions and migrations, on a real PostgreSQL.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

#[path = "live/project.rs"]
#[allow(dead_code)] // Each test file uses some of it.
mod project;

use std::fs;
use std::time::Duration;

use project::{Project, text};

const TABLES: &str = "";
const PLAIN: &str =
    "version: 1\nchannels:\n  jobs: {message: {do: string}}\nlisteners:\n  work: {channel: jobs}\n";
const DAY: i64 = 86_400;

fn retaining() -> String {
    PLAIN.replace("{message", "{retain: 7d, message")
}

/// What a worker does with what it has processed, at some time.
fn keep(retention: i64, at: &str) -> String {
    format!(
        "INSERT INTO pgpubsub.processed (retention, processed_at, id, listener_group, channel, op, model_version, txid, created_at, payload)
         VALUES ({retention}, '{at}', 1, 'work', 'jobs', 'message', 1, '1', '{at}', '{{}}');"
    )
}

fn maintain(retentions: &str, now: &str) -> String {
    format!("SELECT pgpubsub.maintain_processed('{{{retentions}}}', '{now}')")
}

/// Partitions with the number of rows in each.
async fn partitions(project: &Project) -> Vec<String> {
    let sql = "SELECT c.relname || ' ' || (xpath('/row/n/text()', query_to_xml('SELECT count(*) AS n FROM ' || c.oid::regclass, false, true, '')))[1]
               FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = 'pgpubsub.processed'::regclass ORDER BY 1";
    let rows = project.client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn partitions_are_made_ahead_and_dropped_when_all_in_them_has_been_kept_long_enough() {
    let project = Project::installed(TABLES, &retaining()).await;
    let week = 7 * DAY;
    let both = format!("{week}, 7200");
    // The session's own ideas of time do not matter.
    project
        .execute("SET timezone = 'Pacific/Chatham'; SET datestyle = 'SQL, DMY'")
        .await;
    project
        .execute(&maintain(&both, "2026-03-01 23:30:00+00"))
        .await;
    for at in [
        "2026-03-01 00:00:00+00",
        "2026-03-01 23:59:59.999999+00",
        "2026-03-02 00:00:00+00",
    ] {
        project.execute(&keep(week, at)).await;
    }
    project
        .execute(&keep(7_200, "2026-03-01 23:30:00+00"))
        .await;
    let first = [
        "processed_604800_2026030100 2",
        "processed_604800_2026030200 1",
        "processed_604800_2026030300 0",
        "processed_7200_2026030123 1",
        "processed_7200_2026030200 0",
        "processed_7200_2026030201 0",
        "processed_default 0",
    ];
    assert_eq!(partitions(&project).await, first);
    // Again: nothing.
    project
        .execute(&maintain(&both, "2026-03-01 23:59:59+00"))
        .await;
    assert_eq!(partitions(&project).await, first);
    // The last second of it.
    project
        .execute(&maintain(&both, "2026-03-02 01:59:59+00"))
        .await;
    assert!(partitions(&project).await.contains(&first[3].to_owned()));
    project
        .execute(&maintain(&both, "2026-03-02 02:00:00+00"))
        .await;
    assert!(!partitions(&project).await.contains(&first[3].to_owned()));
    project
        .execute(&maintain("", "2026-03-08 23:59:59+00"))
        .await;
    assert!(partitions(&project).await.contains(&first[0].to_owned()));
    // What nobody keeps any more goes in its time, too.
    project
        .execute(&maintain("", "2026-03-09 00:00:00+00"))
        .await;
    assert_eq!(
        partitions(&project).await,
        [
            "processed_604800_2026030200 1",
            "processed_604800_2026030300 0",
            "processed_604800_2026030400 0",
            "processed_default 0",
        ]
    );
}

#[tokio::test]
async fn what_finds_no_partition_is_kept_all_the_same() {
    let project = Project::installed(TABLES, &retaining()).await;
    let week = 7 * DAY;
    project.execute(&keep(week, "2026-03-01 12:00:00+00")).await;
    // A partition for the rest of the day would have to take it over: it is left in peace.
    let at = maintain(&week.to_string(), "2026-03-01 13:00:00+00");
    project.execute(&at).await;
    project.execute(&keep(week, "2026-03-01 14:00:00+00")).await;
    project.execute(&keep(week, "2026-03-02 12:00:00+00")).await;
    let days = [
        "processed_604800_2026030200 1",
        "processed_604800_2026030300 0",
        "processed_default 2",
    ];
    assert_eq!(partitions(&project).await, days);
    for (now, left) in [
        ("2026-03-08 11:59:59+00", 2),
        ("2026-03-08 12:00:00+00", 1),
        ("2026-03-08 14:00:00+00", 0),
    ] {
        project.execute(&maintain("", now)).await;
        let left = format!("processed_default {left}");
        assert!(partitions(&project).await.contains(&left), "{now}: {left}");
    }
}

#[tokio::test]
async fn who_reads_is_not_waited_for() {
    let project = Project::installed(TABLES, &retaining()).await;
    let week = (7 * DAY).to_string();
    project
        .execute(&maintain(&week, "2026-03-01 12:00:00+00"))
        .await;
    project
        .execute(&keep(7 * DAY, "2026-03-01 12:00:00+00"))
        .await;
    let before = partitions(&project).await;
    // A backup.
    let reader = project.database.connect().await.unwrap();
    let read = "BEGIN; SELECT FROM pgpubsub.processed";
    reader.batch_execute(read).await.unwrap();
    let later = maintain("", "2026-03-20 12:00:00+00");
    let waited = project.client.batch_execute(&later);
    tokio::time::timeout(Duration::from_secs(20), waited)
        .await
        .expect("it gives up")
        .unwrap();
    assert_eq!(partitions(&project).await, before);
    // Two at a time: one of them has nothing to do.
    let held = "BEGIN; SELECT pgpubsub.maintain_processed('{}', NULL)";
    project.execute(held).await;
    let other = project.database.connect().await.unwrap();
    other.batch_execute(&later).await.unwrap();
    project.execute("COMMIT").await;
    assert_eq!(partitions(&project).await, before);
    reader.batch_execute("COMMIT").await.unwrap();
    project.execute(&later).await;
    assert_eq!(partitions(&project).await, ["processed_default 0"]);
}

#[tokio::test]
async fn nobody_but_the_owner_ends_the_history() {
    let project = Project::installed(TABLES, &retaining()).await;
    let name = format!("nobody_{}", std::process::id());
    project.execute(&format!("CREATE ROLE {name}")).await;
    project.execute(&format!("SET ROLE {name}")).await;
    let refused = project
        .client
        .batch_execute(&maintain("", "infinity"))
        .await;
    let error = refused.unwrap_err();
    assert_eq!(error.code().map(|code| code.code()), Some("42501"));
    project
        .execute(&format!("RESET ROLE; DROP ROLE {name}"))
        .await;
}

/// The down file of the newest migration, in a transaction.
fn newest_down(project: &Project) -> String {
    let folder = project.folder.path().join("migrations");
    let names = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let newest = names
        .filter(|path| path.to_string_lossy().ends_with(".down.sql"))
        .max();
    let sql = fs::read_to_string(newest.unwrap()).unwrap();
    format!("BEGIN;\n{sql}\nCOMMIT;")
}

#[tokio::test]
async fn it_comes_with_a_migration_and_what_was_kept_stays() {
    let project = Project::installed(TABLES, PLAIN).await;
    let there = "SELECT to_regclass('pgpubsub.processed') IS NOT NULL";
    let is_there = async || -> bool { project.client.query_one(there, &[]).await.unwrap().get(0) };
    assert!(!is_there().await, "who does not use it has no table");

    project.generate(&retaining());
    assert_eq!(
        project.states(),
        [
            "missing table pgpubsub.processed",
            "missing table pgpubsub.processed"
        ]
    );
    project.migrate().await;
    project.is_clean();
    assert!(is_there().await);
    project
        .execute(&keep(7 * DAY, "2026-03-01 12:00:00+00"))
        .await;

    // Programs that keep what they process may run for a while, and what was kept is the user's.
    project.generate(PLAIN);
    let output = project.run(&["check"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    project.migrate().await;
    project.is_clean();
    assert!(is_there().await);
    project.generate(&retaining());
    project.migrate().await;
    project.is_clean();

    // Back to before: not without a word.
    let down = newest_down(&project);
    let refused = project.client.batch_execute(&down).await.unwrap_err();
    assert!(
        refused
            .as_db_error()
            .unwrap()
            .message()
            .contains("processed notifications are still kept"),
        "{refused:?}"
    );
    project.execute("ROLLBACK").await;
    project.execute("TRUNCATE \"pgpubsub\".\"processed\"").await;
    project.execute(&down).await;
    assert!(!is_there().await);
    let sql = "SELECT count(*) FROM pg_proc WHERE pronamespace = 'pgpubsub'::regnamespace AND proname = 'maintain_processed'";
    assert_eq!(
        project
            .client
            .query_one(sql, &[])
            .await
            .unwrap()
            .get::<_, i64>(0),
        0
    );
    // And up again.
    project.migrate().await;
    project.is_clean();
}

/// The tests of the runtime have no generator: what they install is what it writes.
#[tokio::test]
async fn the_runtime_is_tested_with_what_is_generated() {
    let project = Project::new(TABLES, &retaining()).await;
    let migration = project
        .folder
        .path()
        .join("migrations/0001_pgpubsub_init.up.sql");
    let migration = fs::read_to_string(migration).unwrap();
    let (_, text) = migration.split_once("-- begin processed ").unwrap();
    let (_, text) = text.split_once('\n').unwrap();
    let (text, _) = text.split_once("-- end ").unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/runtime/tests/processed.sql");
    let wanted = format!(
        "-- As the generator writes it; `UPDATE_EXPECT=1` on tests/retention.rs writes it anew.\n{text}"
    );
    let committed = fs::read_to_string(path).unwrap_or_default();
    if committed != wanted && std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(path, &wanted).unwrap();
    }
    assert!(
        committed == wanted,
        "{path} is not what the generator writes"
    );
}
