//! Diesel.

use pgpubsub_tools::Tool;

use super::project::Project;

async fn project(files: &[(&str, &str)]) -> Project {
    Project::new(Tool::Diesel, files).await
}

const ONE: (&str, &str) = ("00000000000001_one/up.sql", "CREATE TABLE t1 ();");

#[tokio::test]
async fn versions_are_texts_without_their_hyphens() {
    let files = [
        ("2026-01-31-120001_d/up.sql", "ALTER TABLE t1 ADD d int;"),
        // Nobody asks whether there is such a second.
        ("20260131235960_e/up.sql", "ALTER TABLE t1 ADD e int;"),
        ("00000000000002_b/up.sql", "ALTER TABLE t1 ADD b int;"),
        ("10_c/up.sql", "ALTER TABLE t1 ADD c int;"),
        // After the dates: as a text it is the greatest.
        ("9_f/up.sql", "ALTER TABLE t1 ADD f int;"),
        ONE,
    ];
    let project = project(&files).await;
    project.up().await.expect("in order");
    let columns = "SELECT attname::text FROM pg_attribute WHERE attrelid = 't1'::regclass AND attnum > 0 ORDER BY attnum";
    assert_eq!(project.texts(columns).await, ["b", "c", "d", "e", "f"]);
    let applied = [
        "00000000000001",
        "00000000000002",
        "10",
        "20260131120001",
        "20260131235960",
        "9",
    ];
    assert_eq!(project.applied().await, applied);
}

#[tokio::test]
async fn files_are_left_alone_but_a_folder_must_hold_a_migration() {
    let project = project(&[ONE, ("notes.sql", "x"), (".hidden/x", "x")]).await;
    project.up().await.expect("the one folder");
    assert_eq!(project.applied().await, ["00000000000001"]);
    project.write("other/x.sql", "x");
    let error = project.refused().await;
    assert!(error.contains("Invalid migration directory"), "{error}");
}

#[tokio::test]
async fn of_two_folders_of_one_version_one_is_never_applied_and_nobody_is_told() {
    let files = [ONE, ("0000-00-00-000001_two/up.sql", "CREATE TABLE t2 ();")];
    let project = project(&files).await;
    project.up().await.expect("no complaint");
    project.up().await.expect("no complaint");
    assert_eq!(project.tables().await.len(), 1);
    assert_eq!(project.applied().await.len(), 1);
}

#[tokio::test]
async fn an_older_folder_is_applied_late() {
    let project = project(&[("00000000000003_three/up.sql", "CREATE TABLE t3 ();")]).await;
    project.up().await.expect("the newer one");
    project.write(ONE.0, ONE.1);
    project.up().await.expect("the older one");
    assert_eq!(project.tables().await, ["t1", "t3"]);
}

#[tokio::test]
async fn a_failing_file_leaves_nothing_and_those_before_it_stay() {
    let two = "00000000000002_two/up.sql";
    let project = project(&[ONE, (two, "CREATE TABLE t2 (); SELECT 1/0;")]).await;
    let error = project.refused().await;
    assert!(error.contains("division by zero"), "{error}");
    assert_eq!(project.tables().await, ["t1"]);
    assert_eq!(project.applied().await, ["00000000000001"]);
    project.write(two, "CREATE TABLE t2 ();");
    project.up().await.expect("the file that was mended");
}

#[tokio::test]
async fn an_applied_file_may_be_edited_and_is_missed_only_on_the_way_down() {
    let project = project(&[ONE]).await;
    project.up().await.expect("the file");
    project.write(ONE.0, "-- Edited.");
    project.up().await.expect("nothing to do");
    let error = project.down(1).await.expect_err("no down.sql");
    assert!(error.message().contains("down"), "{error}");
    std::fs::remove_dir_all(project.folder().join("00000000000001_one")).expect("it was there");
    project.up().await.expect("nothing to do");
    project.down(1).await.expect_err("no folder");
}

#[tokio::test]
async fn a_file_must_hold_a_statement() {
    for text in [
        "",
        "-- Nothing.
",
        ";
",
    ] {
        let project = project(&[("00000000000001_one/up.sql", text)]).await;
        let error = project.refused().await;
        assert!(error.contains("empty"), "{error}");
    }
}

#[tokio::test]
async fn a_metadata_file_that_does_not_say_switches_the_transaction_off() {
    let file = "CREATE INDEX CONCURRENTLY ON t1 ((1));";
    let project = project(&[ONE, ("00000000000002_two/up.sql", file)]).await;
    let error = project.refused().await;
    assert!(
        error.contains("cannot run inside a transaction block"),
        "{error}"
    );
    project.write("00000000000002_two/metadata.toml", "");
    project.up().await.expect("no transaction");
}
