//! sqlx.

use pgpubsub_tools::Tool;

use super::project::Project;

async fn project(files: &[(&str, &str)]) -> Project {
    Project::new(Tool::Sqlx, files).await
}

const ONE: (&str, &str) = ("0001_one.up.sql", "CREATE TABLE t1 ();");

#[tokio::test]
async fn versions_are_numbers_of_any_width() {
    let files = [
        ("20260131120001_d.up.sql", "ALTER TABLE t1 ADD d int;"),
        ("0010_c.up.sql", "ALTER TABLE t1 ADD c int;"),
        ("9_b.up.sql", "ALTER TABLE t1 ADD b int;"),
        ONE,
    ];
    let project = project(&files).await;
    project.up().await.expect("in order");
    let columns = "SELECT attname::text FROM pg_attribute WHERE attrelid = 't1'::regclass AND attnum > 0 ORDER BY attnum";
    assert_eq!(project.texts(columns).await, ["b", "c", "d"]);
    assert_eq!(project.applied().await, ["1", "9", "10", "20260131120001"]);
}

#[tokio::test]
async fn other_names_are_left_alone_but_a_version_must_be_a_number() {
    let files = [
        ONE,
        ("sub/0002_two.up.sql", "x"),
        ("notes.sql", "x"),
        ("a_b.txt", "x"),
    ];
    let project = project(&files).await;
    project.up().await.expect("the one file");
    assert_eq!(project.applied().await, ["1"]);
    project.write("a_b.sql", "x");
    let error = project.refused().await;
    assert!(error.contains("expected integer version prefix"), "{error}");
}

#[tokio::test]
async fn two_files_of_one_version_are_refused_at_the_second_and_ever_after() {
    let files = [ONE, ("0001_two.up.sql", "CREATE TABLE t2 ();")];
    let project = project(&files).await;
    let error = project.refused().await;
    assert!(error.contains("_sqlx_migrations_pkey"), "{error}");
    assert_eq!(project.tables().await.len(), 1);
    let error = project.refused().await;
    assert!(error.contains("but has been modified"), "{error}");
}

#[tokio::test]
async fn an_older_file_is_applied_late() {
    let project = project(&[("0003_three.up.sql", "CREATE TABLE t3 ();")]).await;
    project.up().await.expect("the newer one");
    project.write(ONE.0, ONE.1);
    project.up().await.expect("the older one");
    assert_eq!(project.tables().await, ["t1", "t3"]);
}

#[tokio::test]
async fn a_failing_file_leaves_nothing_and_those_before_it_stay() {
    let files = [ONE, ("0002_two.up.sql", "CREATE TABLE t2 (); SELECT 1/0;")];
    let project = project(&files).await;
    let error = project.refused().await;
    assert!(error.contains("division by zero"), "{error}");
    assert_eq!(project.tables().await, ["t1"]);
    assert_eq!(project.applied().await, ["1"]);
    project.write("0002_two.up.sql", "CREATE TABLE t2 ();");
    project.up().await.expect("the file that was mended");
}

#[tokio::test]
async fn an_applied_file_is_neither_edited_nor_removed() {
    let project = project(&[ONE]).await;
    project.up().await.expect("the file");
    project.write(ONE.0, "-- A comment.\nCREATE TABLE t1 ();");
    let error = project.refused().await;
    assert!(error.contains("but has been modified"), "{error}");
    project.remove(ONE.0);
    let error = project.refused().await;
    assert!(
        error.contains("is missing in the resolved migrations"),
        "{error}"
    );
}

#[tokio::test]
async fn without_transaction_only_if_the_file_begins_with_these_words() {
    let concurrently = "CREATE INDEX CONCURRENTLY ON pg_temp.t1 ((1));";
    let concurrently = concurrently.replace("pg_temp.", "");
    let begins = format!("-- no-transaction\n{concurrently}");
    let project = project(&[ONE, ("0002_two.up.sql", &begins)]).await;
    project.up().await.expect("no transaction");
    let later = format!("-- Made by us.\n-- no-transaction\n{concurrently}");
    project.write("0003_three.up.sql", &later);
    let error = project.refused().await;
    assert!(
        error.contains("cannot run inside a transaction block"),
        "{error}"
    );
    // One message of several statements is one transaction all the same.
    let two = format!("-- no-transaction\nSELECT 1;\n{concurrently}");
    project.write("0003_three.up.sql", &two);
    let error = project.refused().await;
    assert!(
        error.contains("cannot be executed within a pipeline")
            || error.contains("cannot run inside a transaction block"),
        "{error}"
    );
}
