//! Two branches that both generated, merged with git, and applied in both orders.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

#[path = "golden/runs.rs"]
#[allow(dead_code)] // Each test uses some of it.
mod runs;
#[path = "golden/session.rs"]
#[allow(dead_code)] // Each test uses some of it.
mod session;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use session::{catalogue, registry, session};
use tempfile::TempDir;

const TABLES: &str =
    "CREATE SCHEMA app; CREATE TABLE app.author (id bigint PRIMARY KEY, name text NOT NULL);
    CREATE TABLE app.post (id bigint PRIMARY KEY, title text NOT NULL);";

const SCHEMA: &str = "\
version: 1
defaults: {allow: W0007}
models:
  author: {table: app.author, columns: {id: bigint pk, name: text}}

  post: {table: app.post, columns: {id: bigint pk, title: text}}
channels:
  author_saved: {on: author, after: save}
  # Authors are above.

  # Posts are below.
  post_saved: {on: post, after: save}
";

/// A repository.
struct Repository {
    folder: TempDir,
}

impl Repository {
    fn new(schema: &str, first: Option<&str>) -> Self {
        let repository = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        repository.git(&["init", "--quiet", "--initial-branch", "main"]);
        repository.write(schema);
        if let Some(first) = first {
            let folder = repository.folder.path().join("migrations");
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(first), "SELECT 1;\n").unwrap();
        }
        repository.generate(&[]);
        repository.commit();
        repository
    }

    fn git(&self, args: &[&str]) -> Output {
        Command::new("git")
            .args(["-c", "user.name=test", "-c", "user.email=test@example.com"])
            .args(args)
            .current_dir(self.folder.path())
            .output()
            .unwrap()
    }

    fn commit(&self) {
        assert!(self.git(&["add", "--all"]).status.success());
        let commit = self.git(&["commit", "--quiet", "--message", "x"]);
        assert!(commit.status.success(), "{commit:?}");
    }

    fn write(&self, schema: &str) {
        fs::write(self.folder.path().join("schema.yaml"), schema).unwrap();
    }

    fn run(&self, args: &[&str]) -> (i32, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_pgpubsub-gen"))
            .args(args)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.code().unwrap(),
            String::from_utf8(text).unwrap(),
        )
    }

    fn generate(&self, args: &[&str]) {
        let (code, text) = self.run(args);
        assert_eq!(code, 0, "{text}");
    }

    /// A branch off the first commit with another schema, generated and committed; says which migrations came.
    fn branch(&self, name: &str, schema: &str) -> BTreeSet<String> {
        assert!(
            self.git(&["checkout", "--quiet", "-b", name, "main"])
                .status
                .success()
        );
        let before = self.migrations();
        self.write(schema);
        self.generate(&[]);
        self.commit();
        let after = self.migrations();
        after.difference(&before).cloned().collect()
    }

    /// Merges `right` into `left`; whatever is generated is generated again, the schema is what its author makes of both.
    fn merge(&self, schema: &str) -> Vec<String> {
        assert!(self.git(&["checkout", "--quiet", "left"]).status.success());
        drop(self.git(&["merge", "--quiet", "--no-edit", "right"]));
        let conflicts = self.git(&["diff", "--name-only", "--diff-filter=U"]).stdout;
        self.write(schema);
        String::from_utf8(conflicts)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    fn migrations(&self) -> BTreeSet<String> {
        let names = fs::read_dir(self.folder.path().join("migrations")).unwrap();
        names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    fn up(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join("migrations").join(name)).unwrap()
    }

    /// The catalogue after the migrations were applied in an order in which a database can have got them: those of the given
    /// list later than their numbers say.
    async fn catalogue(&self, late: &BTreeSet<String>) -> (Vec<String>, Vec<String>) {
        let (_database, client) = session(TABLES).await;
        let ups = self.migrations();
        let ups = ups
            .iter()
            .filter(|name| name.ends_with(".up.sql") && !name.contains("mine"));
        // The one that follows both branches is applied last in any case.
        let newest: Vec<&String> = ups
            .clone()
            .filter(|name| {
                self.up(name).lines().nth(1).is_some_and(|line| {
                    line.split_once(" after ")
                        .is_some_and(|(_, after)| after.contains(' '))
                })
            })
            .collect();
        let (late, soon): (Vec<&String>, Vec<&String>) = ups
            .filter(|name| !newest.contains(name))
            .partition(|name| late.contains(*name));
        for name in soon.into_iter().chain(late).chain(newest) {
            client
                .batch_execute(&format!("BEGIN;{};COMMIT", self.up(name)))
                .await
                .unwrap();
        }
        (catalogue(&client).await, registry(&client).await)
    }

    /// Whichever branch's files a database gets first, it ends up the same.
    async fn is_the_same_in_both_orders(&self, left: &BTreeSet<String>, right: &BTreeSet<String>) {
        assert!(self.catalogue(left).await == self.catalogue(right).await);
    }
}

fn edited(edits: &[(&str, &str)]) -> String {
    edits.iter().fold(SCHEMA.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}

const AUTHOR: (&str, &str) = (
    "  # Authors are above.\n",
    "  author_gone: {on: author, after: delete}\n  # Authors are above.\n",
);
const POST: (&str, &str) = (
    "  post_saved: {on: post, after: save}\n",
    "  post_saved: {on: post, after: save}\n  post_gone: {on: post, after: delete}\n",
);

/// Files of a branch under the names that they have after a renumbering.
fn renamed(names: &BTreeSet<String>, now: &BTreeSet<String>) -> BTreeSet<String> {
    let slug = |name: &str| name.split_once('_').unwrap().1.to_owned();
    let slugs: BTreeSet<String> = names.iter().map(|name| slug(name)).collect();
    now.iter()
        .filter(|name| slugs.contains(&slug(name)))
        .cloned()
        .collect()
}

#[tokio::test]
async fn different_changes_need_nothing_but_a_number() {
    let repository = Repository::new(SCHEMA, None);
    let left = repository.branch("left", &edited(&[AUTHOR]));
    let right = repository.branch("right", &edited(&[POST]));
    let conflicts = repository.merge(&edited(&[AUTHOR, POST]));
    assert!(
        conflicts.iter().all(|path| path == "src/pubsub.rs"),
        "{conflicts:?}"
    );

    let (code, text) = repository.run(&["check"]);
    assert_eq!(code, 1);
    assert!(
        text.contains("clash: migrations/0004_") && text.contains("--renumber"),
        "{text}"
    );
    let mine = right.iter().find(|name| name.ends_with(".up.sql")).unwrap();
    let before = repository.up(mine);
    repository.generate(&["--renumber", &format!("migrations/{mine}")]);
    repository.commit();
    let right = renamed(&right, &repository.migrations());
    assert!(
        right.iter().all(|name| name.starts_with("0005_")),
        "{right:?}"
    );
    assert!(
        right
            .iter()
            .any(|name| name.ends_with(".up.sql") && repository.up(name) == before)
    );

    // Nothing more: both changes are there, whichever came first.
    assert_eq!(repository.migrations().len(), 6 + left.len() + right.len());
    assert_eq!(repository.run(&["check"]).0, 0);
    repository.is_the_same_in_both_orders(&left, &right).await;
}

#[tokio::test]
async fn numbers_that_are_times_do_not_clash() {
    let repository = Repository::new(SCHEMA, Some("20260131120000_mine.up.sql"));
    let left = repository.branch("left", &edited(&[AUTHOR]));
    let numbers = |names: &BTreeSet<String>| -> BTreeSet<String> {
        let names = names.iter();
        names
            .map(|name| name.split_once('_').unwrap().0.to_owned())
            .collect()
    };
    // The numbers follow from the text of the files, so two may be the same; of ten branches, few are.
    let mut free = Vec::new();
    for number in 0..10 {
        let gone = format!(
            "{}  post_gone: {{on: post, after: delete, when: old.id > {number}}}\n",
            POST.0
        );
        let name = format!("right_{number}");
        let right = repository.branch(&name, &edited(&[(POST.0, &gone)]));
        if numbers(&left).is_disjoint(&numbers(&right)) {
            free.push((gone, name, right));
        }
    }
    assert!(free.len() >= 5, "{left:?} {free:?}");
    let (gone, name, right) = free.swap_remove(0);
    assert!(
        repository
            .git(&["branch", "-m", &name, "right"])
            .status
            .success()
    );
    let both = edited(&[AUTHOR, (POST.0, &gone)]);
    repository.merge(&both);
    repository.generate(&[]);
    assert_eq!(repository.run(&["check"]).0, 0);
    repository.is_the_same_in_both_orders(&left, &right).await;
}

#[tokio::test]
async fn the_same_change_is_the_same_file() {
    let repository = Repository::new(SCHEMA, None);
    let left = repository.branch("left", &edited(&[AUTHOR]));
    let right = repository.branch("right", &edited(&[AUTHOR]));
    assert_eq!(left, right);
    assert!(repository.merge(&edited(&[AUTHOR])).is_empty());
    let (code, text) = repository.run(&["check"]);
    assert_eq!(code, 0, "{text}");
}

#[tokio::test]
async fn conflicting_changes_are_said_once_more() {
    let repository = Repository::new(SCHEMA, None);
    let when = |value: u8| {
        edited(&[(
            "author_saved: {on: author, after: save}",
            &format!("author_saved: {{on: author, after: save, when: new.id > {value}}}"),
        )])
    };
    let left = repository.branch("left", &when(1));
    let right = repository.branch("right", &when(2));
    let conflicts = repository.merge(&when(2));
    assert_eq!(conflicts, ["schema.yaml"]);
    assert_eq!(repository.run(&["check"]).0, 1);

    let mine = left.iter().find(|name| name.ends_with(".up.sql")).unwrap();
    repository.generate(&["--renumber", mine]);
    repository.commit();
    assert_eq!(repository.run(&["check"]).0, 0);
    let all = repository.migrations();
    let (left, right) = (renamed(&left, &all), renamed(&right, &all));
    assert_eq!(all.len(), 6 + left.len() + right.len() + 2);
    repository.is_the_same_in_both_orders(&left, &right).await;

    // Without the last file it would depend on the order.
    let last: BTreeSet<&String> = all
        .iter()
        .filter(|name| name.starts_with("0006_"))
        .collect();
    assert_eq!(last.len(), 2);
    for name in last {
        fs::remove_file(
            Path::new(repository.folder.path())
                .join("migrations")
                .join(name),
        )
        .unwrap();
    }
    assert!(repository.catalogue(&left).await != repository.catalogue(&right).await);
}
