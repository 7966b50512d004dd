//! A project: a schema file and a folder of migrations, ours and the user's, for one tool.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pgpubsub_gen::diagnostic::Sources;
use pgpubsub_gen::model::Schema;
use pgpubsub_gen::pipeline::{self, Options, Output};
use pgpubsub_gen::schema;
use pgpubsub_tools::{Tool, down, up};
use tempfile::TempDir;

/// A migration of the user's own: up and down.
#[derive(Clone, Copy)]
pub(crate) struct Sql {
    pub(crate) up: &'static str,
    pub(crate) down: &'static str,
}

pub(crate) struct Project {
    tool: Tool,
    url: String,
    folder: TempDir,
    text: String,
}

impl Project {
    pub(crate) fn new(tool: Tool, url: String, text: &str) -> Self {
        let project = Self {
            tool,
            url,
            folder: tempfile::tempdir().expect("a folder"),
            text: text.replace("TOOL", tool.word()),
        };
        fs::create_dir(project.migrations()).expect("a folder");
        project
    }

    fn migrations(&self) -> PathBuf {
        self.folder.path().join("migrations")
    }

    fn source(&self) -> PathBuf {
        self.folder.path().join("schema.yaml")
    }

    /// Changes the schema file.
    pub(crate) fn edit(&mut self, edits: &[(&str, &str)], what: &str) {
        for (from, to) in edits {
            assert_eq!(
                self.text.matches(from).count(),
                1,
                "{what}: {from}\n{}",
                self.text
            );
            self.text = self.text.replace(from, to);
        }
        fs::write(self.source(), &self.text).expect("the schema file");
    }

    pub(crate) fn schema(&self) -> Schema {
        let sources = Sources::new("schema.yaml", self.text.as_str());
        let loaded = schema::load_text(&sources);
        loaded
            .unwrap_or_else(|_| panic!("it was generated from"))
            .schema
    }

    fn run(&self, options: Options, what: &str) -> Output {
        let source = pipeline::read(&self.source()).expect("a schema file");
        let output = pipeline::run_with(&source, options);
        output.unwrap_or_else(|error| panic!("{what}:\n{error}"))
    }

    /// Generates; how many migrations of ours are new.
    pub(crate) fn generate(&self, what: &str) -> usize {
        let before = self.files();
        let output = self.run(Options::default(), what);
        output
            .changes
            .apply()
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        self.files() - before
    }

    /// What the generator says of the project: nothing is to be done.
    pub(crate) fn check(&self, what: &str) -> Output {
        let output = self.run(Options::default(), what);
        let differences: Vec<_> = output.changes.differences().collect();
        assert!(differences.is_empty(), "{what}: {differences:?}");
        output
    }

    /// And nothing is, if what these templates lay out in another way is wanted, too.
    pub(crate) fn is_of_these_templates(&self, what: &str) {
        let options = Options {
            upgrade_templates: true,
        };
        assert!(self.run(options, what).changes.is_clean(), "{what}");
    }

    /// How many migrations there are.
    pub(crate) fn files(&self) -> usize {
        let numbers: BTreeSet<u64> = names(&self.migrations())
            .iter()
            .map(|name| number(name))
            .collect();
        numbers.len()
    }

    /// Writes the user's own migration with the next number.
    pub(crate) fn migration(&self, sql: Sql) {
        let last = names(&self.migrations())
            .iter()
            .map(|name| number(name))
            .max()
            .unwrap_or(0);
        let number = last + 1;
        let wrapped = |sql: &str| format!("BEGIN;\n{sql}\nCOMMIT;\n");
        let files = match self.tool {
            Tool::Sqlx => [
                (format!("{number:04}_mine.up.sql"), sql.up.to_owned()),
                (format!("{number:04}_mine.down.sql"), sql.down.to_owned()),
            ],
            Tool::Plain | Tool::GolangMigrate => [
                (format!("{number:04}_mine.up.sql"), wrapped(sql.up)),
                (format!("{number:04}_mine.down.sql"), wrapped(sql.down)),
            ],
            Tool::Refinery => [
                (format!("V{number}__mine.sql"), sql.up.to_owned()),
                (format!("V{number}__mine.down.sql"), sql.down.to_owned()),
            ],
            Tool::Diesel => [
                (format!("{number:014}_mine/up.sql"), sql.up.to_owned()),
                (format!("{number:014}_mine/down.sql"), sql.down.to_owned()),
            ],
            Tool::Dbmate => {
                let text = format!("-- migrate:up\n{}\n-- migrate:down\n{}\n", sql.up, sql.down);
                let name = format!("{number:04}_mine.sql");
                [(name.clone(), text.clone()), (name, text)]
            }
        };
        for (path, text) in files {
            let path = self.migrations().join(path);
            fs::create_dir_all(path.parent().expect("a file in a folder")).expect("the folder");
            fs::write(path, text).expect("the file");
        }
    }

    pub(crate) async fn up(&self, what: &str) {
        self.up_at(&self.url, what).await;
    }

    pub(crate) async fn up_at(&self, url: &str, what: &str) {
        let done = up(self.tool, url, &self.migrations()).await;
        done.unwrap_or_else(|error| panic!("{what}: up: {error}\n{}", self.newest()));
    }

    pub(crate) async fn down(&self, steps: usize, what: &str) {
        if steps > 0 {
            let done = down(self.tool, &self.url, &self.migrations(), steps).await;
            done.unwrap_or_else(|error| panic!("{what}: down: {error}\n{}", self.newest()));
        }
    }

    /// What the tool says when it cannot apply.
    pub(crate) async fn up_is_refused(&self) -> String {
        let done = up(self.tool, &self.url, &self.migrations()).await;
        done.expect_err("it is refused").message().to_owned()
    }

    /// What the tool says when it cannot take back.
    pub(crate) async fn down_is_refused(&self) -> String {
        let done = down(self.tool, &self.url, &self.migrations(), 1).await;
        done.expect_err("it is refused").message().to_owned()
    }

    /// The files with the greatest numbers, for a failed test.
    fn newest(&self) -> String {
        let mut names = names(&self.migrations());
        names.sort_by_key(|name| number(name));
        let mut text = String::new();
        for name in names.iter().rev().take(6) {
            let path = self.migrations().join(name);
            for file in [path.clone(), path.join("up.sql"), path.join("down.sql")] {
                if let Ok(sql) = fs::read_to_string(&file) {
                    text += &format!("==> {}\n{sql}\n", file.display());
                }
            }
        }
        text
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder");
    entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .collect()
}

fn number(name: &str) -> u64 {
    let digits: String = name
        .trim_start_matches('V')
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().expect("every file has a number")
}
