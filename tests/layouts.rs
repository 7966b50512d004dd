//! The layout of every migration tool on disk: names, sections, transactions, and new numbers after a merge.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// Each tool with its first file, and that of the way down.
const TOOLS: [(&str, &str, &str); 7] = [
    (
        "sqlx",
        "0001_pgpubsub_init.up.sql",
        "0001_pgpubsub_init.down.sql",
    ),
    (
        "plain",
        "0001_pgpubsub_init.up.sql",
        "0001_pgpubsub_init.down.sql",
    ),
    (
        "golang-migrate",
        "0001_pgpubsub_init.up.sql",
        "0001_pgpubsub_init.down.sql",
    ),
    (
        "refinery",
        "V1__pgpubsub_init.sql",
        "V1__pgpubsub_init.down.sql",
    ),
    (
        "diesel",
        "00000000000001_pgpubsub_init/up.sql",
        "00000000000001_pgpubsub_init/down.sql",
    ),
    ("dbmate", "0001_pgpubsub_init.sql", ""),
    ("atlas", "0001_pgpubsub_init.sql", ""),
];

/// A folder with a schema.
struct Project {
    folder: TempDir,
    settings: String,
}

impl Project {
    fn new(settings: &str) -> Self {
        let project = Self {
            folder: tempfile::tempdir().unwrap(),
            settings: settings.to_owned(),
        };
        project.schema("insert", "");
        project
    }

    /// Events of a channel, and another channel.
    fn schema(&self, events: &str, other: &str) {
        let text = format!(
            "version: 1\ngenerate: {{migrations: {{{}}}}}\nmodels:\n  author: {{columns: {{id: bigint pk}}}}\n  post: {{columns: {{id: bigint pk}}}}\n\
             channels:\n  author_saved: {{on: author, after: {events}}}\n{other}",
            self.settings
        );
        fs::write(self.folder.path().join("schema.yaml"), text).unwrap();
    }

    fn run(&self, args: &[&str]) -> (i32, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_pgpubsub-gen"))
            .args(args)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code().unwrap(), text)
    }

    /// Generates; paths and texts of the migrations that are new.
    fn generate(&self, args: &[&str]) -> BTreeSet<(String, String)> {
        let before = self.migrations();
        let (code, text) = self.run(args);
        assert_eq!(code, 0, "{text}");
        self.migrations().difference(&before).cloned().collect()
    }

    fn migrations(&self) -> BTreeSet<(String, String)> {
        let root = self.folder.path().join("migrations");
        let mut files = BTreeSet::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = fs::read_dir(&folder) else {
                continue;
            };
            for path in entries.map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path
                        .strip_prefix(&root)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_owned();
                    files.insert((name, fs::read_to_string(&path).unwrap()));
                }
            }
        }
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("migrations").join(name)
    }

    fn write(&self, files: &BTreeSet<(String, String)>) {
        for (name, text) in files {
            fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
            fs::write(self.path(name), text).unwrap();
        }
    }
}

#[test]
fn every_tool_gets_its_names_sections_and_transactions() {
    for (tool, up, down) in TOOLS {
        for reversible in [true, false] {
            let project = Project::new(&format!("tool: {tool}, reversible: {reversible}"));
            let files = project.generate(&[]);
            let mut expected: BTreeSet<String> = [up.to_owned()].into();
            if reversible && !down.is_empty() {
                expected.insert(down.to_owned());
            } else if matches!(tool, "sqlx" | "plain") {
                // To sqlx, .up.sql says that there is a .down.sql.
                expected = [up.replace(".up.sql", ".sql")].into();
            }
            let names: BTreeSet<String> = files.iter().map(|(name, _)| name.clone()).collect();
            assert_eq!(names, expected, "{tool}, {reversible}");
            for (name, text) in &files {
                let count = |wanted: &str| text.lines().filter(|line| *line == wanted).count();
                let own = usize::from(matches!(tool, "plain" | "golang-migrate"));
                assert_eq!((count("BEGIN;"), count("COMMIT;")), (own, own), "{name}");
                let sections = usize::from(tool == "dbmate");
                assert_eq!(count("-- migrate:up"), sections, "{name}");
                assert_eq!(count("-- migrate:down"), sections, "{name}");
                let refuses = text.contains("'this migration has no way back'");
                assert_eq!(refuses, tool == "dbmate" && !reversible, "{name}");
            }
            // Nothing more to do, and the change that comes has the same form.
            assert_eq!(project.generate(&[]).len(), 0);
            project.schema("[insert, delete]", "");
            let second = project.generate(&[]);
            assert_eq!(second.len(), files.len(), "{tool}, {reversible}");
            assert_eq!(project.run(&["check"]).0, 0, "{tool}");
        }
    }
}

/// The number, with what stands before it.
fn number(name: &str) -> &str {
    &name[..name.find('_').unwrap()]
}

#[test]
fn a_number_that_two_branches_took_is_named_and_resolved_for_every_tool() {
    const OTHER: &str = "  post_saved: {on: post, after: insert}\n";
    for (tool, ..) in TOOLS {
        let project = Project::new(&format!("tool: {tool}"));
        project.generate(&[]);
        project.schema("[insert, delete]", "");
        let left = project.generate(&[]);
        for (name, _) in &left {
            fs::remove_file(project.path(name)).unwrap();
            if let Some((folder, _)) = name.split_once('/') {
                drop(fs::remove_dir(project.path(folder)));
            }
        }
        project.schema("insert", OTHER);
        let right = project.generate(&[]);
        assert_eq!(left.len(), right.len(), "{tool}");
        // Where numbers are times, branches seldom have the same; here they have.
        let (from, to) = (
            number(&left.first().unwrap().0).to_owned(),
            number(&right.first().unwrap().0).to_owned(),
        );
        let left = left
            .into_iter()
            .map(|(name, text)| (name.replacen(&from, &to, 1), text))
            .collect();
        project.write(&left);
        project.schema("[insert, delete]", OTHER);
        let (code, text) = project.run(&["check"]);
        assert_eq!(code, 1, "{tool}");
        let mine = &left.last().unwrap().0;
        assert!(
            text.contains(&format!("clash: migrations/{mine}")) && text.contains("--renumber"),
            "{tool}: {text}"
        );

        let renumbered = project.generate(&["--renumber", &format!("migrations/{mine}")]);
        let texts = |files: &BTreeSet<(String, String)>| -> BTreeSet<String> {
            files.iter().map(|(_, text)| text.clone()).collect()
        };
        assert_eq!(texts(&renumbered), texts(&left), "{tool}: their text stays");
        assert!(
            renumbered.iter().all(|(name, _)| number(name) != to),
            "{tool}: {renumbered:?}"
        );
        let (code, text) = project.run(&["check"]);
        assert_eq!(code, 0, "{tool}: {text}");
        // Nothing is left behind.
        let folders = fs::read_dir(project.path("")).unwrap().count();
        let migrations: BTreeSet<String> = project
            .migrations()
            .into_iter()
            .map(|(name, _)| name.split('/').next().unwrap().to_owned())
            .collect();
        assert_eq!(folders, migrations.len(), "{tool}");
    }
}

#[test]
fn databases_that_share_a_folder_leave_each_others_files_alone() {
    for (tool, ..) in TOOLS {
        let project = Project::new("");
        for name in ["one", "two"] {
            let text = format!(
                "version: 1\ngenerate: {{database: {name}, rust: {{out: src/{name}.rs}}, migrations: {{tool: {tool}}}}}\n\
                 models: {{author: {{columns: {{id: bigint pk}}}}}}\nchannels: {{author_saved: {{on: author, after: insert}}}}\n"
            );
            fs::write(project.folder.path().join(format!("{name}.yaml")), text).unwrap();
            assert!(!project.generate(&[&format!("{name}.yaml")]).is_empty());
        }
        for name in ["one.yaml", "two.yaml"] {
            let (code, text) = project.run(&["check", name]);
            assert_eq!(code, 0, "{tool}: {text}");
        }
    }
}
