//! `pgpubsub-gen breaking`, with the real binary and a repository of git.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

use std::fs;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const SCHEMA: &str = "\
version: 1
include: [models.yaml]
channels:
  author_created: {on: author, after: insert}
";
const MODELS: &str = "\
version: 1
models:
  author: {table: app.author, columns: {id: bigint pk, name: text}}
";

/// A repository with the schema in a folder of it, committed as `main`.
struct Repository {
    folder: TempDir,
}

impl Repository {
    fn new() -> Self {
        let repository = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(repository.folder.path().join("app")).unwrap();
        repository.write("schema.yaml", SCHEMA);
        repository.write("models.yaml", MODELS);
        repository.git(&["init", "--quiet", "--initial-branch", "main"]);
        repository.git(&["add", "--all"]);
        repository.git(&["commit", "--quiet", "--message", "first"]);
        repository
    }

    fn git(&self, args: &[&str]) {
        let output = Command::new("git")
            .args(["-c", "user.name=test", "-c", "user.email=test@example.com"])
            .args(args)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join("app").join(name), text).unwrap();
    }

    /// Exit code and both outputs, from above the schema's folder.
    fn run(&self, args: &[&str]) -> (i32, String, String) {
        outcome(
            &Command::new(env!("CARGO_BIN_EXE_pgpubsub-gen"))
                .arg("breaking")
                .args(args)
                .current_dir(self.folder.path())
                .stdin(Stdio::null())
                .output()
                .unwrap(),
        )
    }
}

fn outcome(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn a_change_against_a_commit_says_what_breaks_and_what_to_do() {
    let repository = Repository::new();
    let args = ["--against", "main", "app/schema.yaml"];
    assert_eq!(
        repository.run(&args),
        (
            0,
            "app/schema.yaml: no change against main\n".to_owned(),
            String::new()
        )
    );
    repository.write(
        "models.yaml",
        &MODELS.replace("name: text", "name: text, level: integer"),
    );
    let (code, stdout, stderr) = repository.run(&args);
    assert_eq!((code, stderr.as_str()), (1, ""));
    assert_eq!(
        stdout,
        "\
breaks: column `level` of model `author` is new [column-added]
  --> models.yaml:3:68
  waiting         breaks  `level` cannot be read from version 1 of model `author`: it is not there
  old workers     ok      they leave version 2 to newer workers
  old publishers  ok      rows are captured whoever writes them
  help: write `level: {type: integer, default: 0}` with a value of yours, or `level: integer?` to get none, or `oldest: 2` at model `author` once nothing older waits
  help: or in three releases: 1. `level: integer?`, or with a `default`: what waits has none of it, what is new has it
  help: 2. fill the column where it is null, and wait until `pgpubsub-gen pending --model author --before 2` says that nothing waits
  help: 3. `level: integer`, and `oldest: 2` at the model

app/schema.yaml: 1 change against main: 1 that break
"
    );
    repository.write(
        "models.yaml",
        &MODELS.replace("name: text", "name: text, level: integer?"),
    );
    let (code, stdout, _) = repository.run(&args);
    assert_eq!(code, 0, "{stdout}");
    assert!(
        stdout.ends_with("1 change against main: nothing breaks\n"),
        "{stdout}"
    );
    assert_eq!(
        repository
            .run(&["--quiet", "--against", "main", "app/schema.yaml"])
            .1,
        ""
    );
}

#[test]
fn programs_and_reviews_get_a_line_a_change() {
    let repository = Repository::new();
    repository.write(
        "schema.yaml",
        &SCHEMA.replace("author_created", "author_made"),
    );
    let json = repository.run(&[
        "--against",
        "HEAD",
        "app/schema.yaml",
        "--message-format=json",
    ]);
    assert_eq!(json.0, 1);
    let lines: Vec<serde_json::Value> = json
        .1
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2, "{}", json.1);
    assert_eq!(lines[0]["code"], "channel-added");
    assert_eq!(lines[0]["severity"], "error");
    assert_eq!(
        (&lines[0]["line"], &lines[0]["column"]),
        (&4.into(), &3.into())
    );
    assert_eq!(lines[0]["waiting"]["verdict"], "breaks");
    assert_eq!(lines[1]["code"], "channel-removed");
    assert_eq!(lines[1]["old_workers"]["verdict"], "note");
    assert!(lines[1].get("line").is_none());
    let github = repository.run(&[
        "--against",
        "HEAD",
        "app/schema.yaml",
        "--message-format=github",
    ]);
    assert!(
        github.1.starts_with("::error file=app/schema.yaml,line=4,col=3,title=channel-added::channel `author_made` is new%0Awaiting: breaks: "),
        "{}",
        github.1
    );
    assert_eq!(github.1.lines().count(), 2);
}

#[test]
fn a_file_wins_over_a_commit_of_the_same_name() {
    let repository = Repository::new();
    fs::write(
        repository.folder.path().join("main"),
        "version: 1\nmodels: {author: {table: app.author, columns: {id: bigint pk}}}\n\
         channels: {author_created: {on: author, after: insert}}\n",
    )
    .unwrap();
    let (code, stdout, _) = repository.run(&["--against", "main", "app/schema.yaml"]);
    assert_eq!(code, 1, "{stdout}");
    assert!(
        stdout.contains("column `name` of model `author` is new"),
        "{stdout}"
    );
}

#[test]
fn what_migrations_have_recorded_already_does_not_change_what_is_said() {
    let repository = Repository::new();
    let generate = |repository: &Repository| {
        let output = Command::new(env!("CARGO_BIN_EXE_pgpubsub-gen"))
            .arg("app/schema.yaml")
            .current_dir(repository.folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    repository.write(
        "models.yaml",
        &MODELS.replace("name: text", "name: text, level: integer?"),
    );
    let args = ["--against", "main", "app/schema.yaml"];
    let before = repository.run(&args);
    repository.write("models.yaml", MODELS);
    generate(&repository);
    repository.write(
        "models.yaml",
        &MODELS.replace("name: text", "name: text, level: integer?"),
    );
    assert_eq!(repository.run(&args), before);
    generate(&repository);
    assert_eq!(repository.run(&args), before);
    assert!(before.1.contains("version 2"), "{}", before.1);
}

#[test]
fn what_cannot_be_compared_is_an_error_that_says_why() {
    let repository = Repository::new();
    let says = |args: &[&str], words: &str| {
        let (code, stdout, stderr) = repository.run(args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
    };
    let schema = "app/schema.yaml";
    says(
        &["--against", "nowhere", schema],
        "`nowhere` is neither a file nor a commit, branch or tag",
    );
    says(
        &["--against=--upload-pack=x", schema],
        "is neither a file nor a commit",
    );
    repository.write("other.yaml", SCHEMA);
    says(
        &["--against", "main", "app/other.yaml"],
        "`main` has no file app/other.yaml",
    );
    says(
        &["--against", "main", "app/missing.yaml"],
        "there is no file app/missing.yaml",
    );
    repository.write("schema.yaml", &SCHEMA.replace("models.yaml", "tables.yaml"));
    repository.write("tables.yaml", MODELS);
    repository.git(&["rm", "--quiet", "--cached", "app/models.yaml"]);
    repository.git(&["add", "app/schema.yaml"]);
    repository.git(&["commit", "--quiet", "--message", "a file is missing"]);
    says(
        &["--against", "main", schema],
        "cannot include `tables.yaml`: `main` has no such file",
    );
    repository.write("broken.yaml", "version: 1\nchannels: {x: {on: nothing}}\n");
    says(
        &["--against", "app/broken.yaml", schema],
        "app/broken.yaml:2",
    );
}

#[test]
fn without_a_repository_only_a_file_can_be_compared() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("schema.yaml"),
        "version: 1\nchannels: {x: {message: {n: int}}}\n",
    )
    .unwrap();
    let run = |against: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_pgpubsub-gen"))
            .args(["breaking", "--against", against])
            .current_dir(folder.path())
            .env("GIT_CEILING_DIRECTORIES", folder.path().parent().unwrap())
            .output()
            .unwrap();
        outcome(&output)
    };
    let (code, _, stderr) = run("main");
    assert_eq!(code, 2);
    assert!(
        stderr.contains("there is no file main, and . is not in a git repository"),
        "{stderr}"
    );
    assert_eq!(run("schema.yaml").0, 0);
}
