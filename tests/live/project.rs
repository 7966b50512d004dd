//! A project whose migrations are applied to a database, and the command line on both.

use std::fs;
use std::process::{Command, Output, Stdio};

use pgpubsub_testkit::Database;
use serde_json::Value;
use tempfile::TempDir;
use tokio_postgres::Client;

/// Tables of [`SCHEMA`].
pub(crate) const TABLES: &str = "
    CREATE SCHEMA app; CREATE TYPE app.state AS ENUM ('a', 'b');
    CREATE TABLE app.author (id bigint PRIMARY KEY, name text NOT NULL, \"Nick\" varchar(20), size numeric(20,0), state app.state,
        state_list app.state[], at timestamptz(3) NOT NULL DEFAULT now(), loud text GENERATED ALWAYS AS (upper(name)) STORED);
    CREATE TABLE app.post (id bigint PRIMARY KEY, author_id bigint);
    CREATE TABLE app.measure (id bigint, day date, value double precision, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
    CREATE TABLE app.measure_now PARTITION OF app.measure DEFAULT;";

/// A schema with every kind of object.
pub(crate) const SCHEMA: &str = r#"version: 1
defaults: {allow: [W0001, W0002, W0003, W0004, W0005, W0006, W0007]}
types: {state: {enum: [a, b], sql: app.state}}
models:
  author:
    table: app.author
    columns:
      id:    bigint pk
      name:  text
      nick:  {type: "varchar(20)?", column: Nick}
      size:  numeric(20,0)?
      state: state?
      state_list: state[]?
      at:    timestamptz
      loud:  text?
  post: {table: app.post, columns: {id: bigint pk, author_id: "bigint?"}}
  measure: {table: app.measure, partitioned: true, columns: {id: bigint pk, day: date pk, value: "double precision?"}}
channels:
  author_saved: {doc: It's saved., on: author, after: save, changed: {any: [name, nick]}, when: "new.name <> ''"}
  author_named: {on: author, after: {update_of: [nick, name]}, payload: [id]}
  author_bulk:  {on: author, after: [insert, update, delete], level: statement}
  author_late:  {on: author, after: delete, deferred: true, when: "old.name <> 'x'"}
  author_copy:  {on: author, after: insert, fire: always}
  author_flash: {on: author, before: delete, delivery: transient, ignorable: true}
  post_own:     {on: post, after: insert, trigger: own}
  measured:     {on: measure, after: insert}
  said:         {message: {x: int}}
  shouted:      {message: {x: int}, delivery: transient}
listeners:
  hear: {channel: said, group: ears}
"#;

pub(crate) struct Project {
    pub(crate) folder: TempDir,
    pub(crate) database: Database,
    pub(crate) client: Client,
}

impl Project {
    /// Tables and schema; nothing is installed.
    pub(crate) async fn new(tables: &str, schema: &str) -> Self {
        let database = Database::create().await.unwrap();
        let client = database.connect().await.unwrap();
        client.batch_execute(tables).await.unwrap();
        let project = Self {
            folder: tempfile::tempdir().unwrap(),
            database,
            client,
        };
        project.generate(schema);
        project
    }

    /// The same, with its migrations applied.
    pub(crate) async fn installed(tables: &str, schema: &str) -> Self {
        let project = Self::new(tables, schema).await;
        project.migrate().await;
        project
    }

    /// Writes the schema and generates.
    pub(crate) fn generate(&self, schema: &str) {
        fs::write(self.folder.path().join("schema.yaml"), schema).unwrap();
        let output = self.run(&["schema.yaml", "--quiet"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }

    /// Applies every migration, each in a transaction. They can be applied twice.
    pub(crate) async fn migrate(&self) {
        let folder = self.folder.path().join("migrations");
        let mut paths: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_string_lossy().ends_with(".up.sql"))
            .collect();
        paths.sort();
        for path in paths {
            let sql = fs::read_to_string(path).unwrap();
            self.execute(&format!("BEGIN;\n{sql}\nCOMMIT;")).await;
        }
    }

    pub(crate) async fn execute(&self, sql: &str) {
        self.client
            .batch_execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_pgpubsub-gen"))
            .args(args)
            .current_dir(self.folder.path())
            .env_remove("DATABASE_URL")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// The same on the database.
    pub(crate) fn on_database(&self, args: &[&str]) -> Output {
        let url = self.database.url();
        let mut args = args.to_vec();
        args.extend(["--database-url", &url]);
        self.run(&args)
    }

    /// What `check` finds, and its exit code.
    pub(crate) fn check(&self) -> (Vec<Value>, i32) {
        let output = self.on_database(&["check", "--quiet", "--message-format", "json"]);
        assert_eq!(text(&output.stderr), "");
        let records = text(&output.stdout)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        (records, output.status.code().unwrap())
    }

    /// State and object of every finding.
    pub(crate) fn states(&self) -> Vec<String> {
        let (records, _) = self.check();
        let word = |record: &Value, key: &str| record[key].as_str().unwrap_or("-").to_owned();
        records
            .iter()
            .map(|record| format!("{} {}", word(record, "state"), word(record, "object")))
            .collect()
    }

    /// Nothing is found.
    pub(crate) fn is_clean(&self) {
        let (records, code) = self.check();
        assert!(records.is_empty(), "{records:#?}");
        assert_eq!(code, 0);
    }

    /// Runs the repair that the check prints.
    pub(crate) async fn repair(&self) {
        let output = text(&self.on_database(&["check"]).stdout);
        let (_, repair) = output
            .split_once("\n-- repair\n")
            .unwrap_or_else(|| panic!("no repair in:\n{output}"));
        self.execute(repair).await;
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
