//! refinery.

use pgpubsub_tools::Tool;

use super::project::Project;

async fn project(files: &[(&str, &str)]) -> Project {
    Project::new(Tool::Refinery, files).await
}

const ONE: (&str, &str) = ("V1__one.sql", "CREATE TABLE t1 ();");

#[tokio::test]
async fn versions_are_numbers_of_any_width_in_any_folder() {
    let files = [
        ("V10__c.sql", "CREATE TABLE t3 ();"),
        ("sub/V09__b.sql", "CREATE TABLE t2 ();"),
        ONE,
        ("notes.sql", "x"),
        ("0011_d.sql", "x"),
        ("V12_one_underscore.sql", "x"),
    ];
    let project = project(&files).await;
    project.up().await.expect("three files");
    assert_eq!(project.applied().await, ["1", "9", "10"]);
}

#[tokio::test]
async fn a_date_does_not_fit_into_a_version() {
    let project = project(&[("V20260131120001__one.sql", "SELECT 1;")]).await;
    let error = project.refused().await;
    assert!(error.contains("version"), "{error}");
}

#[tokio::test]
async fn two_files_of_one_version_are_refused_at_the_second() {
    let files = [
        ("V2__b.sql", "CREATE TABLE t1 ();"),
        ("V2__c.sql", "CREATE TABLE t2 ();"),
    ];
    let project = project(&files).await;
    let error = project.refused().await;
    assert!(error.contains("refinery_schema_history_pkey"), "{error}");
    assert_eq!(project.tables().await.len(), 1);
    // From now on it depends on the order of the folder's entries whether anybody is told; the second is never applied.
    drop(project.up().await);
    assert_eq!(project.tables().await.len(), 1);
}

#[tokio::test]
async fn an_older_file_is_refused() {
    let project = project(&[("V3__three.sql", "CREATE TABLE t3 ();")]).await;
    project.up().await.expect("the newer one");
    project.write(ONE.0, ONE.1);
    let error = project.refused().await;
    assert!(error.contains("missing"), "{error}");
}

#[tokio::test]
async fn a_failing_file_leaves_nothing_and_those_before_it_stay() {
    let files = [ONE, ("V2__two.sql", "CREATE TABLE t2 (); SELECT 1/0;")];
    let project = project(&files).await;
    let error = project.refused().await;
    assert!(error.contains("division by zero"), "{error}");
    assert_eq!(project.tables().await, ["t1"]);
    assert_eq!(project.applied().await, ["1"]);
    project.write("V2__two.sql", "CREATE TABLE t2 ();");
    project.up().await.expect("the file that was mended");
}

#[tokio::test]
async fn an_applied_file_is_neither_edited_nor_renamed_nor_removed() {
    let project = project(&[ONE]).await;
    project.up().await.expect("the file");
    project.write(ONE.0, "-- A comment.\nCREATE TABLE t1 ();");
    let error = project.refused().await;
    assert!(error.contains("different than filesystem one"), "{error}");
    project.remove(ONE.0);
    let error = project.refused().await;
    assert!(error.contains("is missing from the filesystem"), "{error}");
    project.write("V1__other.sql", ONE.1);
    let error = project.refused().await;
    assert!(error.contains("different than filesystem one"), "{error}");
}

#[tokio::test]
async fn a_down_file_may_be_edited() {
    let project = project(&[ONE, ("V1__one.down.sql", "x")]).await;
    project.up().await.expect("the up file");
    project.write("V1__one.down.sql", "DROP TABLE t1;");
    project.up().await.expect("nothing to do");
    project.down(1).await.expect("by hand");
    assert_eq!(project.applied().await, [""; 0]);
}

#[tokio::test]
async fn every_file_is_in_a_transaction() {
    let file = "CREATE INDEX CONCURRENTLY ON t1 ((1));";
    let project = project(&[ONE, ("V2__two.sql", file)]).await;
    let error = project.refused().await;
    assert!(
        error.contains("cannot run inside a transaction block"),
        "{error}"
    );
}
