//! golang-migrate.

use pgpubsub_tools::Tool;

use super::project::Project;

/// With the program, or not at all.
async fn project(files: &[(&str, &str)]) -> Option<Project> {
    match Tool::GolangMigrate.installed() {
        Ok(()) => Some(Project::new(Tool::GolangMigrate, files).await),
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    }
}

const ONE: (&str, &str) = ("0001_one.up.sql", "CREATE TABLE t1 ();");

#[tokio::test]
async fn an_older_file_is_never_applied() {
    let three = ("0003_three.up.sql", "CREATE TABLE t3 ();");
    let Some(project) = project(&[three]).await else {
        return;
    };
    project.up().await.expect("the newer one");
    project.write(ONE.0, ONE.1);
    // It says that nothing has changed, or nothing at all.
    drop(project.up().await);
    assert_eq!(project.tables().await, ["t3"]);
}

#[tokio::test]
async fn a_failing_file_leaves_the_database_dirty() {
    let two = "BEGIN;\nCREATE TABLE t2 ();\nSELECT 1/0;\nCOMMIT;\n";
    let Some(project) = project(&[ONE, ("0002_two.up.sql", two)]).await else {
        return;
    };
    project.refused().await;
    assert_eq!(project.tables().await, ["t1"]);
    assert_eq!(project.applied().await, [""; 0]);
}

#[tokio::test]
async fn two_files_of_one_version_are_refused() {
    let Some(project) = project(&[ONE, ("1_two.up.sql", "CREATE TABLE t2 ();")]).await else {
        return;
    };
    let error = project.refused().await;
    assert!(error.contains("duplicate"), "{error}");
    assert_eq!(project.tables().await, [""; 0]);
}
