//! Settings of the notification table, on a real PostgreSQL: what is usual for us, what the schema says, and what somebody has set
//! by hand.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

#[path = "live/project.rs"]
#[allow(dead_code)] // Each test file uses some of it.
mod project;

use std::fs;

use pgpubsub_gen::schema::json_schema;
use pgpubsub_testkit::Database;
use project::Project;

const USUAL: [&str; 8] = [
    "autovacuum_analyze_scale_factor=0",
    "autovacuum_analyze_threshold=1000",
    "autovacuum_vacuum_scale_factor=0",
    "autovacuum_vacuum_threshold=1000",
    "toast.autovacuum_vacuum_scale_factor=0",
    "toast.autovacuum_vacuum_threshold=1000",
    "toast.vacuum_truncate=false",
    "vacuum_truncate=false",
];

/// A schema that says these.
fn schema(settings: &str) -> String {
    format!(
        "version: 1\ngenerate: {{postgres: {{settings: {{{settings}}}}}}}\nchannels:\n  said: {{message: {{x: int}}}}\n"
    )
}

async fn settings(project: &Project) -> Vec<String> {
    let sql = "SELECT unnest(reloptions) AS setting FROM pg_class WHERE oid = 'pgpubsub.notification'::regclass
        UNION ALL SELECT 'toast.' || unnest(t.reloptions) FROM pg_class AS c JOIN pg_class AS t ON t.oid = c.reltoastrelid
            WHERE c.oid = 'pgpubsub.notification'::regclass
        ORDER BY setting";
    let rows = project.client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// What is usual, with some other settings.
fn usual_with(others: &[&str]) -> Vec<String> {
    let name = |setting: &str| setting.split('=').next().unwrap().to_owned();
    let replaced: Vec<String> = others.iter().map(|other| name(other)).collect();
    let mut all: Vec<String> = USUAL
        .iter()
        .filter(|setting| !replaced.contains(&name(setting)))
        .chain(others)
        .map(|setting| (*setting).to_owned())
        .collect();
    all.sort();
    all
}

fn migrations(project: &Project) -> Vec<std::path::PathBuf> {
    let folder = fs::read_dir(project.folder.path().join("migrations")).unwrap();
    let mut paths: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The last file of that kind.
fn last(project: &Project, end: &str) -> String {
    let mut paths = migrations(project);
    paths.retain(|path| path.to_string_lossy().ends_with(end));
    fs::read_to_string(paths.last().unwrap()).unwrap()
}

/// Applies the last migration only.
async fn newest(project: &Project) {
    let up = last(project, ".up.sql");
    project.execute(&format!("BEGIN; {up}; COMMIT")).await;
}

#[tokio::test]
async fn what_the_schema_says_is_set_and_taken_back() {
    let project = Project::installed("", &schema("")).await;
    assert_eq!(settings(&project).await, USUAL);
    project.migrate().await;
    assert_eq!(settings(&project).await, USUAL, "once more");

    let first = migrations(&project).len();
    project.generate(&schema(
        "fillfactor: 90, autovacuum_vacuum_threshold: 5000, toast.autovacuum_vacuum_scale_factor: 0.05",
    ));
    assert_eq!(migrations(&project).len(), first + 2, "one more, both ways");
    project.migrate().await;
    let said = usual_with(&[
        "fillfactor=90",
        "autovacuum_vacuum_threshold=5000",
        "toast.autovacuum_vacuum_scale_factor=0.05",
    ]);
    assert_eq!(settings(&project).await, said);
    project.is_clean();
    let down = last(&project, ".down.sql");
    project.execute(&format!("BEGIN; {down}; COMMIT")).await;
    assert_eq!(settings(&project).await, USUAL, "taken back");

    project.migrate().await;
    project.generate(&schema(
        "fillfactor: 80, vacuum_index_cleanup: off, autovacuum_enabled: true",
    ));
    project.migrate().await;
    let said = usual_with(&[
        "fillfactor=80",
        "vacuum_index_cleanup=off",
        "autovacuum_enabled=true",
    ]);
    assert_eq!(settings(&project).await, said);
    project.generate(&schema(""));
    project.migrate().await;
    assert_eq!(settings(&project).await, USUAL, "nothing is said any more");
}

#[tokio::test]
async fn what_somebody_has_set_by_hand_stays_unless_the_schema_says_it() {
    let project = Project::installed("", &schema("")).await;
    project
        .execute(
            "ALTER TABLE pgpubsub.notification SET (autovacuum_vacuum_threshold = 77, fillfactor = 50);
             ALTER TABLE pgpubsub.notification RESET (vacuum_truncate)",
        )
        .await;
    project.is_clean();
    let mut theirs = usual_with(&["autovacuum_vacuum_threshold=77", "fillfactor=50"]);
    theirs.retain(|setting| setting != "vacuum_truncate=false");
    project.migrate().await;
    assert_eq!(settings(&project).await, theirs);
    project.generate(&schema("parallel_workers: 0"));
    project.migrate().await;
    project.generate(&schema("fillfactor: 90"));
    project.migrate().await;
    theirs.retain(|setting| setting != "fillfactor=50");
    theirs.insert(5, "fillfactor=90".to_owned());
    theirs.sort();
    assert_eq!(settings(&project).await, theirs);

    // What is set otherwise where the schema says something is found, and repaired.
    project
        .execute("ALTER TABLE pgpubsub.notification SET (fillfactor = 60)")
        .await;
    let (records, code) = project.check();
    assert_eq!((records.len(), code), (1, 1), "{records:#?}");
    let message = records[0]["message"].as_str().unwrap();
    assert!(
        message.contains("has the setting fillfactor = 60 and not 90"),
        "{message}"
    );
    project.repair().await;
    project.is_clean();
    assert_eq!(settings(&project).await, theirs);
    project
        .execute("ALTER TABLE pgpubsub.notification SET (fillfactor = 60)")
        .await;
    project.generate(&schema(""));
    newest(&project).await;
    theirs.retain(|setting| setting != "fillfactor=90");
    theirs.push("fillfactor=60".to_owned());
    theirs.sort();
    assert_eq!(
        settings(&project).await,
        theirs,
        "not what a migration has set"
    );
}

#[tokio::test]
async fn a_change_of_settings_waits_for_no_writer_and_no_writer_for_it() {
    let project = Project::installed("", &schema("")).await;
    let mut writer = project.database.connect().await.unwrap();
    let store = "SELECT pgpubsub.notify_said('{\"x\": 1}')";
    let open = writer.transaction().await.unwrap();
    open.batch_execute(store).await.unwrap();

    project.generate(&schema("fillfactor: 90"));
    let up = last(&project, ".up.sql");
    project.execute(&format!("BEGIN; {up}")).await;
    open.batch_execute("SET LOCAL lock_timeout = '1ms'")
        .await
        .unwrap();
    open.batch_execute(store).await.unwrap();
    project.execute("COMMIT").await;
    open.commit().await.unwrap();
    assert_eq!(settings(&project).await, usual_with(&["fillfactor=90"]));
}

#[tokio::test]
async fn vacuum_keeps_the_space_that_the_next_backlog_needs() {
    let project = Project::installed("", &schema("")).await;
    let fill = "SELECT pgpubsub.notify_said('{\"x\": 1}') FROM generate_series(1, 2000); DELETE FROM pgpubsub.notification";
    project.execute(fill).await;
    project.execute("VACUUM pgpubsub.notification").await;
    let size = "SELECT pg_relation_size('pgpubsub.notification')";
    let size: i64 = project.client.query_one(size, &[]).await.unwrap().get(0);
    assert!(size > 0, "it was truncated: its writers have waited");
}

#[tokio::test]
async fn the_limits_of_every_setting_are_those_of_postgresql() {
    let database = Database::create().await.unwrap();
    let client = database.connect().await.unwrap();
    client
        .batch_execute("CREATE TABLE t (x text)")
        .await
        .unwrap();
    let language = json_schema();
    let place = "/properties/generate/properties/postgres/properties/settings/properties";
    let settings = language.pointer(place).unwrap().as_object().unwrap();
    assert!(settings.len() > 30, "{}", settings.len());
    for (name, shape) in settings {
        let mut good = vec![];
        let mut bad = vec!["'nonsense'".to_owned()];
        if let Some(words) = shape["enum"].as_array() {
            good.extend(words.iter().map(ToString::to_string));
        } else if shape["type"] == "boolean" {
            good.extend(["true".to_owned(), "false".to_owned()]);
        } else {
            let (from, to) = (&shape["minimum"], &shape["maximum"]);
            good.extend([from.to_string(), to.to_string()]);
            let step =
                |limit: &serde_json::Value, by: f64| (limit.as_f64().unwrap() + by).to_string();
            bad.extend([step(from, -1.5), step(to, 1.0)]);
        }
        for (values, works) in [(good, true), (bad, false)] {
            for value in values {
                let value = value.replace('"', "'");
                let sql = format!("ALTER TABLE t SET ({name} = {value})");
                let result = client.batch_execute(&sql).await;
                assert_eq!(result.is_ok(), works, "{sql}: {result:?}");
            }
        }
    }
}
