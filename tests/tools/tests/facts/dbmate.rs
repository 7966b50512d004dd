//! dbmate.

use pgpubsub_tools::Tool;

use super::project::Project;

async fn project(files: &[(&str, &str)]) -> Project {
    Project::new(Tool::Dbmate, files).await
}

const ONE: (&str, &str) = (
    "0001_one.sql",
    "-- migrate:up\nCREATE TABLE t1 ();\n-- migrate:down\nDROP TABLE t1;\n",
);

#[tokio::test]
async fn versions_are_texts() {
    let files = [
        (
            "20260131120001_c.sql",
            "-- migrate:up\nALTER TABLE t1 ADD c int;\n-- migrate:down\n",
        ),
        (
            "9_d.sql",
            "-- migrate:up\nALTER TABLE t1 ADD d int;\n-- migrate:down\n",
        ),
        (
            "10_b.sql",
            "-- migrate:up\nALTER TABLE t1 ADD b int;\n-- migrate:down\n",
        ),
        ONE,
        ("notes.sql", "x"),
        ("sub/0002_x.sql", "x"),
    ];
    let project = project(&files).await;
    project.up().await.expect("in order");
    let columns = "SELECT attname::text FROM pg_attribute WHERE attrelid = 't1'::regclass AND attnum > 0 ORDER BY attnum";
    assert_eq!(project.texts(columns).await, ["b", "c", "d"]);
    let applied = project.applied().await;
    assert_eq!(applied, ["0001", "10", "20260131120001", "9"]);
}

#[tokio::test]
async fn comments_may_stand_before_the_first_section_but_sql_may_not() {
    let header = format!("-- Made by us.\n--   id: 4f6a\n\n{}", ONE.1);
    let project = project(&[(ONE.0, &header)]).await;
    project.up().await.expect("comments first");
    assert_eq!(project.tables().await, ["t1"]);
    let sql = "SET lock_timeout = '3s';\n-- migrate:up\nCREATE TABLE t2 ();\n-- migrate:down\n";
    project.write("0002_two.sql", sql);
    let error = project.refused().await;
    assert!(
        error.contains("dbmate does not support statements"),
        "{error}"
    );
}

#[tokio::test]
async fn both_sections_must_be_there() {
    let project = project(&[("0001_one.sql", "-- migrate:up\nCREATE TABLE t1 ();\n")]).await;
    let error = project.refused().await;
    assert!(error.contains("define a down block"), "{error}");
    project.write("0001_one.sql", "CREATE TABLE t1 ();\n");
    let error = project.refused().await;
    assert!(error.contains("define an up block"), "{error}");
    // But they may be empty.
    project.write("0001_one.sql", "-- migrate:up\n-- migrate:down\n");
    project.up().await.expect("nothing to execute");
    project.down(1).await.expect("nothing to execute");
}

/// So no line of ours may look like it, wherever its text comes from: a comment, a literal of several lines, a body.
#[tokio::test]
async fn a_line_that_looks_like_a_section_is_one() {
    let with = |line: &str| {
        format!("-- migrate:up\nCREATE TABLE t1 (\n{line}\n);\n-- migrate:down\nDROP TABLE t1;\n")
    };
    let project = project(&[]).await;
    for line in [
        "-- migrate:down",
        "--migrate:down",
        "--  migrate:down ",
        "-- migrate:down in a comment",
    ] {
        project.write("0001_one.sql", &with(line));
        let error = project.refused().await;
        assert!(error.contains("to be preceded by"), "{line}: {error}");
    }
    for line in ["-- migrate:up", "--migrate:up in a comment"] {
        project.write("0001_one.sql", &with(line));
        project.refused().await;
    }
    for line in [
        "  -- migrate:down",
        "-- see migrate:down",
        "-- - migrate:down",
        "--- migrate:down",
        "-- migrate:downwards",
    ] {
        project.write("0001_one.sql", &with(line));
        let up = project.up().await;
        up.unwrap_or_else(|error| panic!("{line}: {error}"));
        let down = project.down(1).await;
        down.unwrap_or_else(|error| panic!("{line}: {error}"));
    }
}

#[tokio::test]
async fn two_files_of_one_version_are_refused_at_the_second_which_is_then_forgotten() {
    let two = "-- migrate:up
CREATE TABLE t2 ();
-- migrate:down
";
    let project = project(&[ONE, ("0001_two.sql", two)]).await;
    let error = project.refused().await;
    assert!(error.contains("schema_migrations_pkey"), "{error}");
    assert_eq!(project.tables().await, ["t1"]);
    project.up().await.expect("no complaint");
    assert_eq!(project.tables().await, ["t1"]);
    assert_eq!(project.applied().await, ["0001"]);
}

#[tokio::test]
async fn an_older_file_is_applied_late() {
    let three = "-- migrate:up\nCREATE TABLE t3 ();\n-- migrate:down\n";
    let project = project(&[("0003_three.sql", three)]).await;
    project.up().await.expect("the newer one");
    project.write(ONE.0, ONE.1);
    project.up().await.expect("the older one");
    assert_eq!(project.tables().await, ["t1", "t3"]);
}

#[tokio::test]
async fn a_failing_file_leaves_nothing_and_those_before_it_stay() {
    let bad = "-- migrate:up\nCREATE TABLE t2 (); SELECT 1/0;\n-- migrate:down\n";
    let project = project(&[ONE, ("0002_two.sql", bad)]).await;
    let error = project.refused().await;
    assert!(error.contains("division by zero"), "{error}");
    assert_eq!(project.tables().await, ["t1"]);
    assert_eq!(project.applied().await, ["0001"]);
    project.write("0002_two.sql", &bad.replace("SELECT 1/0;", ""));
    project.up().await.expect("the file that was mended");
}

#[tokio::test]
async fn an_applied_file_may_be_edited_and_is_never_missed() {
    let project = project(&[ONE, ("0002_two.sql", "-- migrate:up\n-- migrate:down\n")]).await;
    project.up().await.expect("the files");
    project.write(
        ONE.0,
        "-- migrate:up\n-- Edited.\n-- migrate:down\nDROP TABLE t1;\n",
    );
    project.up().await.expect("nothing to do");
    project.remove("0002_two.sql");
    project.up().await.expect("nothing to do");
    // It takes back the last one that it has a file of, and leaves the other in its table.
    project.down(1).await.expect("the one before");
    assert_eq!(project.tables().await, [""; 0]);
    assert_eq!(project.applied().await, ["0002"]);
}

#[tokio::test]
async fn the_transaction_is_switched_off_on_the_line_of_the_section() {
    let concurrently = "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY ON t1 ((1));\n-- migrate:down\n";
    let project = project(&[ONE, ("0002_two.sql", concurrently)]).await;
    project.up().await.expect("no transaction");
    project.write(
        "0003_three.sql",
        &concurrently.replace(" transaction:false", ""),
    );
    let error = project.refused().await;
    assert!(
        error.contains("cannot run inside a transaction block"),
        "{error}"
    );
}
