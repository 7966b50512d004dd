//! The commands that ask a database, with the real binary and a real PostgreSQL.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

use std::process::{Command, Output};

use pgpubsub_testkit::Database;

async fn database(sql: &str) -> Database {
    let database = Database::create().await.unwrap();
    let client = database.connect().await.unwrap();
    client.batch_execute(sql).await.unwrap();
    database
}

fn run(folder: &std::path::Path, database: Option<&Database>, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgpubsub-gen"));
    command
        .args(args)
        .current_dir(folder)
        .env_remove("DATABASE_URL");
    if let Some(database) = database {
        command.env("DATABASE_URL", database.url());
    }
    command.output().unwrap()
}

/// Exit code 2, and these words on standard error.
fn refused(output: &Output, words: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for word in words {
        assert!(text.contains(word), "{text}");
    }
}

const TABLES: &str = "CREATE SCHEMA app; CREATE TABLE app.author (id bigint PRIMARY KEY, name text NOT NULL); CREATE TABLE app.post (id bigint PRIMARY KEY);
    CREATE VIEW app.authors AS SELECT * FROM app.author;";

#[tokio::test]
async fn chosen_tables_are_imported_and_nothing_is_overwritten() {
    let database = database(TABLES).await;
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| run(folder.path(), Some(&database), args);
    let text = String::from_utf8(run(&["import", "--table", "author"]).stdout).unwrap();
    assert_eq!(
        text,
        "# yaml-language-server: $schema=pgpubsub.schema.json\n# Written by `pgpubsub-gen import`; edit it as you like.\nversion: 1\nmodels:\n  author:\n    table: app.author\n    columns:\n      id:   bigint pk\n      name: text\n# Say what shall be heard:\n# channels:\n#   author_changed: {on: author, after: [insert, update, delete]}\n"
    );
    let all = String::from_utf8(run(&["import", "--schema", "app"]).stdout).unwrap();
    assert!(all.contains("  post:\n") && all.contains("# Left out: app.authors is a view"));
    assert_eq!(
        run(&["import", "-o", "s.yaml", "--channels", "insert"])
            .status
            .code(),
        Some(0)
    );
    assert_eq!(run(&["s.yaml"]).status.code(), Some(0));
    assert_eq!(run(&["check", "s.yaml"]).status.code(), Some(0));
    refused(
        &run(&["import", "-o", "s.yaml"]),
        &["s.yaml is there already"],
    );
    refused(
        &run(&["import", "--table", "app.autor"]),
        &["there is no table `app.autor`; did you mean `app.author`?"],
    );
    refused(
        &run(&["import", "--table", "authors"]),
        &["`authors` is a view", "import the tables"],
    );
    refused(
        &run(&["import", "--schema", "nothing"]),
        &["there are no tables to import"],
    );
}

#[tokio::test]
async fn a_database_that_cannot_be_asked_is_said_to_be_so() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| run(folder.path(), None, args);
    refused(
        &run(&["import"]),
        &["no database is named: give --database-url or set DATABASE_URL"],
    );
    refused(
        &run(&["import", "--database-url", "nonsense"]),
        &["the database URL cannot be read"],
    );
    refused(
        &run(&[
            "import",
            "--database-url",
            "postgres://u:secret@127.0.0.1:1/db",
        ]),
        &["cannot connect to 127.0.0.1:1, database db"],
    );
    refused(
        &run(&[
            "import",
            "--database-url",
            "postgres://u@localhost/db?sslmode=require",
        ]),
        &["without TLS"],
    );
}
