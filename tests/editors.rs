//! The committed JSON Schema is the language that the generator reads.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

use std::fs;
use std::path::{Path, PathBuf};

use pgpubsub_gen::diagnostic::{Code, Sources};
use pgpubsub_gen::schema::{self, json_schema};
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_committed_json_schema_is_that_of_the_language() {
    let text = serde_json::to_string_pretty(&json_schema()).unwrap() + "\n";
    let path = root().join("pgpubsub.schema.json");
    if fs::read_to_string(&path).ok().as_deref() != Some(text.as_str()) {
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&path, &text).unwrap();
        }
        panic!(
            "pgpubsub.schema.json differs from the language; run with UPDATE_EXPECT=1 and look at the diff"
        );
    }
}

/// Mistakes that an editor can see: what is there, and of what kind.
const STRUCTURAL: [Code; 2] = [Code::UnknownKey, Code::WrongKind];

#[test]
fn an_editor_accepts_what_is_valid_and_refuses_what_is_structurally_wrong() {
    let validator = jsonschema::validator_for(&json_schema()).unwrap();
    let mut fixtures: Vec<PathBuf> = fs::read_dir(root().join("tests/diagnostics"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "yaml"))
        .collect();
    fixtures.extend(
        [
            "schema.example.yaml",
            "src/cli/starter.yaml",
            "tests/roundtrip/schema.yaml",
            "tests/golden/names.yaml",
            "tests/golden/all_types.yaml",
            "tests/golden/triggers.yaml",
            "tests/evolution/schema.yaml",
        ]
        .map(|path| root().join(path)),
    );
    let mut documents: Vec<(String, String)> = fixtures
        .iter()
        .map(|path| {
            (
                path.display().to_string(),
                fs::read_to_string(path).unwrap(),
            )
        })
        .collect();
    // What the book shows as right.
    for code in Code::ALL {
        let (_, right) = code.explanation().split_once("```yaml right\n").unwrap();
        let right = right.split_once("```").unwrap().0;
        documents.push((code.as_str().to_owned(), right.to_owned()));
    }
    let (mut valid, mut structural) = (0, 0);
    for (name, text) in documents {
        // What is no YAML, or has a key twice, is no document for an editor either.
        let mut options = serde_saphyr::Options::default();
        options.strict_booleans = true; // YAML 1.2
        let Ok(document) = serde_saphyr::from_str_with_options::<Value>(&text, options) else {
            continue;
        };
        let mistakes = schema::load_text(&Sources::new("schema.yaml", text.as_str())).err();
        let accepted = validator.is_valid(&document);
        match mistakes {
            None => {
                let why: Vec<String> = validator
                    .iter_errors(&document)
                    .map(|error| format!("{}: {error}", error.instance_path))
                    .collect();
                assert!(accepted, "{name}: {why:?}");
                valid += 1;
            }
            Some(mistakes)
                if mistakes
                    .iter()
                    .any(|mistake| STRUCTURAL.contains(&mistake.code)) =>
            {
                assert!(!accepted, "{name}");
                structural += 1;
            }
            Some(_) => {}
        }
    }
    assert!(
        valid > 40 && structural > 10,
        "{valid} valid, {structural} structural"
    );
}

#[test]
fn the_starter_points_editors_at_the_json_schema() {
    let starter = include_str!("../src/cli/starter.yaml");
    assert!(starter.starts_with("# yaml-language-server: $schema="));
}
