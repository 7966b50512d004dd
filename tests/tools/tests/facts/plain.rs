//! psql.

use pgpubsub_tools::Tool;

use super::project::Project;

#[tokio::test]
async fn a_failing_file_leaves_nothing_if_it_is_a_transaction() {
    let files = [
        (
            "0001_one.up.sql",
            "BEGIN;\nCREATE TABLE t1 ();\nSELECT 1/0;\nCOMMIT;\n",
        ),
        ("0002_two.up.sql", "CREATE TABLE t2 ();\n"),
    ];
    let project = Project::new(Tool::Plain, &files).await;
    let error = project.refused().await;
    assert!(error.contains("division by zero"), "{error}");
    assert_eq!(project.tables().await, [""; 0]);
    assert_eq!(project.applied().await, [""; 0]);
}

#[tokio::test]
async fn psql_reads_no_variable_and_no_command_of_its_own_into_quotes_and_comments() {
    let file = r#"BEGIN;
-- :DBNAME \q :'DBNAME'
CREATE TABLE t1 (":DBNAME" text DEFAULT ':DBNAME \q', "\q" text DEFAULT $a$:DBNAME
\q
:'DBNAME'$a$);
INSERT INTO t1 DEFAULT VALUES;
COMMIT;
"#;
    let project = Project::new(Tool::Plain, &[("0001_one.up.sql", file)]).await;
    project.up().await.expect("the file");
    let texts = project.texts(r#"SELECT ":DBNAME" || "\q" FROM t1"#).await;
    assert_eq!(texts, [":DBNAME \\q:DBNAME\n\\q\n:'DBNAME'"]);
}
