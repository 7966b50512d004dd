//! The command line, with the real binary and real folders.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;

use tempfile::TempDir;

const SCHEMA: &str = "\
version: 1
generate:
  listeners: {stubs: src/listeners.rs}
models:
  author: {table: app.author, columns: {id: bigint pk, name: text}}
channels:
  author_created: {on: author, after: insert}
";
const UP: &str = "migrations/0001_pgpubsub_init.up.sql";

/// A project folder with a schema.
struct Project {
    folder: TempDir,
}

impl Project {
    fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn new() -> Self {
        let project = Self::empty();
        project.write("schema.yaml", SCHEMA);
        project
    }

    fn generated() -> Self {
        let project = Self::new();
        assert_eq!(code(&project.run(&["schema.yaml"])), 0);
        project
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.path(path), text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    /// The migration whose name begins and ends so.
    fn find(&self, begin: &str, end: &str) -> String {
        let names = fs::read_dir(self.path("migrations")).unwrap();
        let mut names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let name = names.find(|name| name.starts_with(begin) && name.ends_with(end));
        format!("migrations/{}", name.unwrap())
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_pgpubsub-gen"))
            .args(args)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Every file with its text and time, sorted.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>, SystemTime)> {
        let mut files = Vec::new();
        collect(self.folder.path(), &mut files);
        files.sort();
        files
    }
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>, SystemTime)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            files.push((path.clone(), fs::read(&path).unwrap(), modified));
        }
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// `check` finds something, exits with 1, says all the words, and writes nothing.
fn check_finds(project: &Project, words: &[&str]) {
    let before = project.files();
    let output = project.run(&["check"]);
    let text = stdout(&output);
    assert_eq!(code(&output), 1, "{text}{}", stderr(&output));
    for word in words {
        assert!(text.contains(word), "no {word:?} in:\n{text}");
    }
    assert_eq!(project.files(), before);
}

/// The command fails with 2, says all the words, and writes nothing.
fn fails(project: &Project, args: &[&str], words: &[&str]) {
    let before = project.files();
    let output = project.run(args);
    let text = stderr(&output);
    assert_eq!(code(&output), 2, "{text}{}", stdout(&output));
    for word in words {
        assert!(text.contains(word), "no {word:?} in:\n{text}");
    }
    assert_eq!(project.files(), before);
}

#[test]
fn the_second_run_touches_nothing_and_check_is_clean() {
    let project = Project::generated();
    let first = project.files();
    assert_eq!(first.len(), 6, "{first:?}");
    let output = project.run(&["schema.yaml"]);
    assert_eq!(
        (code(&output), stdout(&output).as_str()),
        (0, "up to date: 5 files\n")
    );
    assert_eq!(project.files(), first);
    assert_eq!(code(&project.run(&["check", "schema.yaml"])), 0);
    assert_eq!(project.files(), first);
}

#[test]
fn check_names_a_hand_edit_with_its_diff() {
    let project = Project::generated();
    let text = project
        .read("src/pubsub.rs")
        .replace("pub name: String", "pub name: Text");
    project.write("src/pubsub.rs", &text);
    check_finds(
        &project,
        &[
            "differs: src/pubsub.rs",
            "-    pub name: Text",
            "+    pub name: String",
            "1 file differs",
        ],
    );
    assert_eq!(code(&project.run(&[])), 0);
    assert_eq!(code(&project.run(&["check"])), 0);
}

#[test]
fn check_names_a_deleted_file() {
    for path in ["src/pubsub.rs", "src/listeners.rs"] {
        let project = Project::generated();
        fs::remove_file(project.path(path)).unwrap();
        check_finds(&project, &[&format!("missing: {path}")]);
        assert_eq!(code(&project.run(&[])), 0);
        assert_eq!(code(&project.run(&["check"])), 0);
    }
    let project = Project::generated();
    fs::remove_file(project.path("pgpubsub.lock")).unwrap();
    check_finds(&project, &["missing: pgpubsub.lock"]);
}

#[test]
fn check_names_a_stray_generated_file() {
    let project = Project::generated();
    fs::copy(
        project.path("src/pubsub.rs"),
        project.path("src/pubsub_old.rs"),
    )
    .unwrap();
    fs::copy(
        project.path(UP),
        project.path("migrations/0009_copy.up.sql"),
    )
    .unwrap();
    project.write("src/mine.rs", "// mine\n");
    project.write("migrations/0002_mine.up.sql", "-- mine\n");
    check_finds(
        &project,
        &[
            "stray: src/pubsub_old.rs",
            "copy: migrations/0009_copy.up.sql",
            "2 files differ",
        ],
    );
}

#[test]
fn an_emitted_migration_is_never_rewritten() {
    let project = Project::generated();
    project.write(UP, &(project.read(UP) + "-- edited\n"));
    check_finds(&project, &[&format!("edited: {UP} is a migration")]);
    fails(&project, &[], &[UP, "restore it from version control"]);
    fs::remove_file(project.path(UP)).unwrap();
    check_finds(&project, &[&format!("missing: {UP} is a migration")]);
    fails(&project, &[], &[UP, "is gone"]);
}

#[test]
fn a_changed_schema_emits_one_more_migration_and_leaves_the_first() {
    let project = Project::generated();
    let first = project.read(UP);
    project.write("migrations/0004_mine.up.sql", "-- mine\n");
    project.write(
        "schema.yaml",
        &SCHEMA.replace("name: text", "name: text, nick: text?"),
    );
    check_finds(
        &project,
        &[
            "missing: migrations/0005_pgpubsub_",
            "+    pub nick: Option<String>",
        ],
    );
    assert_eq!(code(&project.run(&[])), 0);
    assert_eq!(project.read(UP), first);
    let second = project.read(&project.find("0005_", ".up.sql"));
    assert!(second.contains("'nick', NEW.\"nick\""), "{second}");
    // The shape of the model has changed, so has its version.
    assert!(project.read("src/pubsub.rs").contains("version: 2,"));
    assert_eq!(code(&project.run(&["check"])), 0);
}

#[test]
fn a_renamed_channel_says_so() {
    let project = Project::generated();
    let renamed = SCHEMA.replace("author_created:", "author_added:");
    project.write("schema.yaml", &renamed);
    fails(
        &project,
        &[],
        &[
            "error[E0502]: channel `author_added` looks like `author_created` under another name",
            "schema.yaml:7:3",
            "write `was: author_created` if it is",
            "`was: []` if `author_added` is new",
        ],
    );
    for was in ["author_created", "[]"] {
        let project = Project::generated();
        let said = renamed.replace("after: insert", &format!("after: insert, was: {was}"));
        project.write("schema.yaml", &said);
        assert_eq!(code(&project.run(&[])), 0, "{was}");
        assert_eq!(code(&project.run(&["check"])), 0, "{was}");
        let rust = project.read("src/pubsub.rs");
        assert_eq!(
            rust.contains("was: &[\"author_created\"]"),
            was != "[]",
            "{rust}"
        );
    }
}

#[test]
fn a_listener_that_takes_the_place_of_another_says_so() {
    let project = Project::generated();
    // The channel had the listener that a channel has by itself.
    let declared = SCHEMA.to_owned() + "listeners:\n  greet: {channel: author_created}\n";
    project.write("schema.yaml", &declared);
    fails(
        &project,
        &[],
        &[
            "error[E0502]: listener `greet` comes to channel `author_created`, and `on_author_created` goes",
            "schema.yaml:9:3",
            "write `was: on_author_created`",
        ],
    );
    for said in [
        "was: on_author_created",
        "was: []",
        "group: on_author_created",
    ] {
        let project = Project::generated();
        let text = declared.replace("created}\n", &format!("created, {said}}}\n"));
        project.write("schema.yaml", &text);
        let output = project.run(&[]);
        assert_eq!(code(&output), 0, "{said}: {}", stderr(&output));
        assert_eq!(code(&project.run(&["check"])), 0, "{said}");
    }
    // One more beside it is no matter.
    let project = Project::generated();
    let text = declared.clone() + "  on_author_created: {channel: author_created}\n";
    project.write("schema.yaml", &text);
    assert_eq!(code(&project.run(&[])), 0);
}

#[test]
fn a_renamed_table_takes_its_triggers_along() {
    let moved = SCHEMA.replace("table: app.author", "table: app.writer");
    let project = Project::generated();
    project.write("schema.yaml", &moved);
    fails(
        &project,
        &[],
        &[
            "model `author` was on the table `app.author`",
            "write `table: {name: app.writer, was: app.author}` if the table was renamed",
        ],
    );
    for (was, drops) in [("app.author", false), ("[]", true)] {
        let project = Project::generated();
        let said = moved.replace(
            "table: app.writer",
            &format!("table: {{name: app.writer, was: {was}}}"),
        );
        project.write("schema.yaml", &said);
        assert_eq!(code(&project.run(&[])), 0, "{was}");
        assert_eq!(code(&project.run(&["check"])), 0, "{was}");
        let ups = fs::read_dir(project.path("migrations")).unwrap();
        let ups: String = ups
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.starts_with("0001") && name.ends_with(".up.sql"))
            .map(|name| project.read(&format!("migrations/{name}")))
            .collect();
        let dropped =
            "DROP TRIGGER IF EXISTS \"pgpubsub_author_created_after_insert\" ON \"app\".\"author\"";
        assert_eq!(ups.contains(dropped), drops, "{ups}");
        assert!(ups.contains("AFTER INSERT ON \"app\".\"writer\""), "{ups}");
    }
}

#[test]
fn another_generator_emits_nothing_until_it_is_asked_to() {
    use pgpubsub_gen::history::{Emitted, NO_ID, parse_down, sealed};
    let project = Project::generated();
    // As a generator with other templates would have written it.
    let up = project.read(UP);
    let id = Emitted::parse(&up).unwrap().id;
    let up = up
        .replacen(&id, NO_ID, 1)
        .replace("-- A worker that sleeps", "-- Who sleeps");
    let (up, other_id) = sealed(&up);
    project.write(UP, &up);
    let down = project.read("migrations/0001_pgpubsub_init.down.sql");
    let own = down.lines().nth(1).unwrap().rsplit(' ').next().unwrap();
    let (down, _) = sealed(&down.replacen(own, NO_ID, 1).replacen(&id, &other_id, 1));
    assert!(parse_down(&down).unwrap().1);
    project.write("migrations/0001_pgpubsub_init.down.sql", &down);

    assert_eq!(code(&project.run(&["check"])), 0);
    assert!(stdout(&project.run(&[])).contains("up to date"));
    assert_eq!(code(&project.run(&["--upgrade-templates"])), 0);
    let second = project.read(&project.find("0002_", ".up.sql"));
    assert!(
        second.contains("-- A worker that sleeps") && !second.contains("TRIGGER \""),
        "{second}"
    );
    let back = project.read(&project.find("0002_", ".down.sql"));
    assert!(back.contains("-- Who sleeps"), "{back}");
    assert_eq!(project.read(UP), up);
    assert_eq!(code(&project.run(&["check"])), 0);
    assert!(stdout(&project.run(&["--upgrade-templates"])).contains("up to date"));
}

#[test]
fn another_tool_wants_another_folder() {
    let project = Project::generated();
    let with =
        |tool: &str| SCHEMA.replace("generate:", &format!("generate:\n  migrations: {tool}"));
    for tool in ["dbmate", "diesel", "refinery", "atlas"] {
        project.write("schema.yaml", &with(&format!("{{tool: {tool}}}")));
        fails(
            &project,
            &[],
            &[UP, "for another tool", "`migrations.dir` a new folder"],
        );
    }
    project.write("schema.yaml", &with("{tool: dbmate, dir: db/migrations}"));
    assert_eq!(code(&project.run(&[])), 0);
    assert!(
        project
            .read("db/migrations/0001_pgpubsub_init.sql")
            .contains("-- migrate:down")
    );
}

#[test]
fn a_path_that_is_no_longer_wanted_is_removed() {
    let project = Project::generated();
    project.write(
        "schema.yaml",
        &SCHEMA.replace("generate:", "generate:\n  rust: {out: src/channels.rs}"),
    );
    check_finds(
        &project,
        &["stale: src/pubsub.rs", "missing: src/channels.rs"],
    );
    assert_eq!(code(&project.run(&[])), 0);
    assert!(!project.path("src/pubsub.rs").exists());
    assert!(project.path("src/channels.rs").exists());
}

#[test]
fn the_skeletons_belong_to_the_user() {
    let project = Project::generated();
    assert!(
        project
            .read("src/listeners.rs")
            .contains("on_author_created")
    );
    project.write("src/listeners.rs", "// mine\n");
    assert_eq!(code(&project.run(&[])), 0);
    assert_eq!(code(&project.run(&["check"])), 0);
    assert_eq!(project.read("src/listeners.rs"), "// mine\n");
}

#[test]
fn a_mistake_writes_nothing() {
    let project = Project::new();
    project.write("schema.yaml", include_str!("diagnostics/ten_mistakes.yaml"));
    for args in [
        &["schema.yaml"][..],
        &["check"],
        &["--stdout"],
        &["--dry-run"],
    ] {
        fails(
            &project,
            args,
            &[
                "schema.yaml:3:22",
                "error: 10 mistakes in schema.yaml; nothing was written",
            ],
        );
    }
}

#[test]
fn stdout_and_dry_run_write_nothing() {
    let project = Project::new();
    let before = project.files();
    let output = project.run(&["schema.yaml", "--stdout"]);
    assert_eq!(code(&output), 0);
    for path in [UP, "src/pubsub.rs", "src/listeners.rs", "pgpubsub.lock"] {
        assert!(
            stdout(&output).contains(&format!("==> {path} <==")),
            "{path}"
        );
    }
    let output = project.run(&["--dry-run"]);
    assert_eq!(code(&output), 0);
    assert!(
        stdout(&output).contains(&format!("new  {UP}"))
            && stdout(&output).contains("nothing was written")
    );
    assert_eq!(project.files(), before);
}

#[test]
fn wrong_calls_and_unreadable_files_say_what_to_do() {
    let project = Project::empty();
    fails(
        &project,
        &[],
        &["there is no file schema.yaml", "pgpubsub-gen init"],
    );
    fails(&project, &["other.yaml"], &["there is no file other.yaml"]);
    fails(&project, &["--unknown"], &["--unknown"]);
    fails(&project, &["-"], &["--stdout"]);
    fs::create_dir(project.path("folder")).unwrap();
    fails(&project, &["folder"], &["cannot read folder"]);
    fs::write(project.path("latin.yaml"), b"version: 1 # \xe9\n").unwrap();
    fails(&project, &["latin.yaml"], &["latin.yaml is not UTF-8"]);
}

#[test]
fn a_lock_file_that_is_none_is_refused() {
    for (text, word) in [
        ("{", "restore it from version control"),
        ("<<<<<<< ours\n{}\n>>>>>>> theirs\n", "merge conflict"),
        ("{\"format\": 3, \"new\": 1}", "newer generator"),
    ] {
        let project = Project::new();
        project.write("pgpubsub.lock", text);
        fails(&project, &[], &["pgpubsub.lock", word]);
    }
}

#[test]
fn a_taken_path_and_a_folder_in_the_way_are_refused() {
    let project = Project::new();
    fs::create_dir_all(project.path("src/pubsub.rs")).unwrap();
    fails(&project, &[], &["src/pubsub.rs"]);
}

#[test]
fn windows_line_ends_are_no_difference() {
    let project = Project::generated();
    for path in ["src/pubsub.rs", UP, "pgpubsub.lock", "schema.yaml"] {
        let text = project.read(path).replace('\n', "\r\n");
        project.write(path, &text);
    }
    let output = project.run(&["check"]);
    assert_eq!(code(&output), 0, "{}{}", stdout(&output), stderr(&output));
}

#[test]
fn init_writes_a_starter_that_generates_and_overwrites_nothing() {
    let project = Project::empty();
    assert_eq!(code(&project.run(&["init"])), 0);
    assert_eq!(code(&project.run(&[])), 0);
    assert_eq!(code(&project.run(&["check"])), 0);
    fails(&project, &["init"], &["schema.yaml is there already"]);
}

#[test]
fn the_help_teaches() {
    let project = Project::empty();
    let help = stdout(&project.run(&["--help"]));
    for word in [
        "Examples:",
        "Exit codes:",
        "pgpubsub-gen check schema.yaml",
        "pgpubsub.lock",
        "--dry-run",
        "init",
    ] {
        assert!(help.contains(word), "no {word:?} in:\n{help}");
    }
}

#[test]
fn mistakes_are_told_to_programs_and_to_code_reviews() {
    let project = Project::new();
    project.write(
        "schema.yaml",
        "version: 1\nchannels: {a: {message: {x: integer}}}\n",
    );
    let json = project.run(&["check", "--message-format", "json"]);
    assert_eq!(code(&json), 2);
    assert_eq!(
        stdout(&json),
        "{\"severity\":\"error\",\"code\":\"E0203\",\"message\":\"there is no field type `integer`\",\"file\":\"schema.yaml\",\"line\":2,\"column\":29,\"end_line\":2,\"end_column\":36,\"label\":\"\",\"help\":\"write `int`\",\"secondary\":null}\n"
    );
    let github = project.run(&["schema.yaml", "--message-format=github"]);
    assert_eq!(code(&github), 2);
    assert_eq!(
        stdout(&github),
        "::error file=schema.yaml,line=2,col=29,endLine=2,endColumn=36,title=E0203::there is no field type `integer`%0Ahelp: write `int`\n"
    );
    let project = Project::new();
    let github = project.run(&["check", "--message-format=github"]);
    assert_eq!(code(&github), 1);
    assert!(
        stdout(&github)
            .contains("::error file=src/pubsub.rs,title=check::src/pubsub.rs is missing\n")
    );
}

#[test]
fn warnings_are_shown_and_refused_when_asked() {
    let project = Project::empty();
    project.write(
        "schema.yaml",
        &SCHEMA.replace("after: insert", "after: delete"),
    );
    let shown = project.run(&["schema.yaml"]);
    assert_eq!(code(&shown), 0);
    assert!(
        stderr(&shown).contains("warning[W0007]"),
        "{}",
        stderr(&shown)
    );
    assert!(stderr(&shown).contains("warning: 1 warning in schema.yaml"));
    assert_eq!(stderr(&project.run(&["check", "--quiet"])), "");
    let denied = project.run(&["check", "--deny-warnings"]);
    assert_eq!(code(&denied), 2);
}

#[test]
fn explain_knows_every_code() {
    let project = Project::empty();
    let all = stdout(&project.run(&["explain"]));
    for line in all.lines() {
        let one = project.run(&["explain", &line[..5].to_lowercase()]);
        assert!(stdout(&one).starts_with(&line[..5]), "{line}");
    }
    fails(
        &project,
        &["explain", "E9999"],
        &["there is no code `E9999`"],
    );
}

#[test]
fn several_databases_share_a_folder_and_keep_apart() {
    let project = Project::empty();
    project.write(
        "shared.yaml",
        "version: 1\ntypes: {state: {enum: [a, b]}}\n",
    );
    for (name, table) in [("main", "author"), ("audit", "entry")] {
        project.write(
            &format!("{name}.yaml"),
            &format!("version: 1\ninclude: shared.yaml\ngenerate: {{database: {name}, rust: {{out: src/{name}.rs}}, migrations: {{dir: migrations/{name}}}}}\nmodels: {{{table}: {{columns: {{id: bigint pk, state: state}}}}}}\nchannels: {{{table}_made: {{on: {table}, after: insert}}}}\n"),
        );
    }
    for name in ["main.yaml", "audit.yaml", "main.yaml", "audit.yaml"] {
        assert_eq!(code(&project.run(&[name])), 0, "{name}");
    }
    for name in ["main.yaml", "audit.yaml"] {
        let check = project.run(&["check", name]);
        assert_eq!(code(&check), 0, "{}", stdout(&check));
    }
    assert!(project.read("pgpubsub.audit.lock").contains("src/audit.rs"));
    assert!(
        project
            .read("migrations/audit/0001_pgpubsub_init.up.sql")
            .contains("entry_made")
    );
}

#[test]
fn included_files_belong_to_the_schema() {
    let project = Project::new();
    project.write(
        "schema.yaml",
        "version: 1\ninclude: parts/models.yaml\nchannels: {a: {on: author, after: insert}}\n",
    );
    fs::create_dir(project.path("parts")).unwrap();
    project.write(
        "parts/models.yaml",
        "version: 1\nmodels: {author: {columns: {id: bigint pk}}}\n",
    );
    assert_eq!(code(&project.run(&["schema.yaml"])), 0);
    project.write(
        "parts/models.yaml",
        "version: 1\nmodels: {author: {columns: {id: bigit pk}}}\n",
    );
    fails(&project, &["check"], &["parts/models.yaml:2:33"]);
}

#[test]
fn a_closed_pipe_is_no_panic() {
    let project = Project::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_pgpubsub-gen"))
        .arg("--stdout")
        .current_dir(project.folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(stderr(&output), "");
}
