//! Plans and files of seven schemas, compared with the expected ones in `tests/golden/<case>/`.
//!
//! `UPDATE_EXPECT=1 cargo test --test golden` writes what is there now, and still fails, so that nobody accepts it unseen.

#[path = "golden/schemas.rs"]
#[allow(dead_code)] // Each test uses some of them.
mod schemas;
#[path = "golden/shapes.rs"]
mod shapes;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pgpubsub_gen::history::History;
use pgpubsub_gen::model::Schema;
use pgpubsub_gen::plan::plan;
use pgpubsub_gen::render::{Mode, render};

/// All files of the first run, and the plan.
fn output(schema: &Schema) -> BTreeMap<String, String> {
    output_after(schema, &History::default())
}

fn output_after(schema: &Schema, history: &History) -> BTreeMap<String, String> {
    let plan = plan(schema, history).expect("a plan");
    let mut texts = BTreeMap::new();
    for (mode, folder) in [(Mode::Project, "project"), (Mode::Include, "include")] {
        for (path, file) in render(&plan, mode).expect("files").iter() {
            texts.insert(format!("{folder}/{path}"), file.text.clone());
        }
    }
    let json = serde_json::to_string_pretty(&plan).expect("a plan is JSON");
    texts.insert("plan.json".into(), json + "\n");
    texts
}

fn check(case: &str, schema: &Schema) {
    check_after(case, schema, &History::default());
}

fn check_after(case: &str, schema: &Schema, history: &History) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(case);
    let actual = output_after(schema, history);
    let expected: BTreeMap<String, String> = files(&folder)
        .into_iter()
        .map(|path| {
            let name = path
                .strip_prefix(&folder)
                .expect("below")
                .to_string_lossy()
                .replace('\\', "/");
            (name, fs::read_to_string(path).expect("UTF-8"))
        })
        .collect();
    if actual == expected {
        return;
    }
    let differing: Vec<&String> = actual
        .keys()
        .chain(expected.keys())
        .filter(|name| actual.get(*name) != expected.get(*name))
        .collect();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        if folder.exists() {
            fs::remove_dir_all(&folder).expect("removable");
        }
        for (name, text) in &actual {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
            fs::write(path, text).expect("writable");
        }
        panic!("rewrote {case}: {differing:?}; look at the diff");
    }
    panic!("{case} differs in {differing:?}; UPDATE_EXPECT=1 rewrites the expected files");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.expect("readable").path())
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[test]
fn example() {
    check("example", &schemas::example());
}

#[test]
fn names() {
    check("names", &schemas::names());
}

#[test]
fn all_types() {
    check("all_types", &schemas::all_types());
}

#[test]
fn triggers() {
    check("triggers", &schemas::triggers());
}

#[test]
fn messages() {
    check("messages", &schemas::messages());
}

#[test]
fn schedules() {
    check("schedules", &schemas::schedules());
}

/// What `tests/evolution/` compiles and runs.
#[test]
fn evolution() {
    let history = History {
        shapes: shapes::shapes(include_str!("evolution/schema.shapes")),
        ..History::default()
    };
    check_after("evolution", &schemas::evolution(), &history);
}

#[test]
fn the_same_schema_gives_the_same_bytes() {
    for schema in [
        schemas::example(),
        schemas::names(),
        schemas::all_types(),
        schemas::triggers(),
        schemas::messages(),
        schemas::schedules(),
    ] {
        let first = output(&schema);
        for _ in 0..4 {
            assert!(output(&schema) == first, "{}", schema.source);
        }
    }
}

#[test]
fn rustfmt_leaves_the_rust_files_as_they_are() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let cases = ["example", "names", "all_types", "triggers", "evolution"];
    let rust: Vec<PathBuf> = cases
        .iter()
        .flat_map(|case| files(&folder.join(case)))
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    assert!(rust.len() >= cases.len());
    for edition in ["2021", "2024"] {
        let result = std::process::Command::new("rustfmt")
            .args(["--check", "--edition", edition])
            .args(&rust)
            .output()
            .expect("rustfmt, a component of the toolchain");
        assert!(
            result.status.success(),
            "{}",
            String::from_utf8_lossy(&result.stdout)
        );
    }
}
