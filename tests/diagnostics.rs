//! Every mistake is reported with the exact text beside its schema: `tests/diagnostics/NAME.yaml` and `NAME.txt`.
//!
//! `UPDATE_EXPECT=1` rewrites the texts; the run fails all the same, so that nobody blesses by accident.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pgpubsub_gen::diagnostic::{Code, Diagnostics};
use pgpubsub_gen::schema;

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let paths = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|kind| kind == "yaml"))
        .collect();
    cases.sort();
    cases
}

fn mistakes(text: &str) -> Diagnostics {
    match schema::load("schema.yaml", text) {
        Ok(loaded) => loaded.warnings,
        Err(mistakes) => mistakes,
    }
}

#[test]
fn every_fixture_gives_its_exact_text() {
    let bless = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut failed = Vec::new();
    for case in cases() {
        let text = fs::read_to_string(&case).unwrap();
        let rendered = mistakes(&text).render("schema.yaml", &text, false);
        let expected = case.with_extension("txt");
        if fs::read_to_string(&expected).ok().as_deref() != Some(rendered.as_str()) {
            if bless {
                fs::write(&expected, &rendered).unwrap();
            }
            failed.push(format!("{}:\n{rendered}", case.display()));
        }
    }
    assert!(
        failed.is_empty(),
        "run with UPDATE_EXPECT=1 and look at the diff\n{}",
        failed.join("\n")
    );
}

#[test]
fn every_code_has_a_fixture() {
    let mut seen = BTreeSet::new();
    for case in cases() {
        seen.extend(
            mistakes(&fs::read_to_string(case).unwrap())
                .iter()
                .map(|diagnostic| diagnostic.code),
        );
    }
    let missing: Vec<&str> = Code::ALL
        .iter()
        .filter(|code| !seen.contains(code))
        .map(|code| code.as_str())
        .collect();
    assert!(missing.is_empty(), "no fixture shows {missing:?}");
}

#[test]
fn ten_different_mistakes_are_ten_located_errors() {
    let text = include_str!("diagnostics/ten_mistakes.yaml");
    let mistakes = mistakes(text);
    assert_eq!(
        mistakes.len(),
        10,
        "{}",
        mistakes.render("schema.yaml", text, false)
    );
    let codes: BTreeSet<Code> = mistakes.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(codes.len(), 10, "all of different kinds");
    // Each line with a mistake says so in a comment.
    let lines = mistakes
        .iter()
        .map(|diagnostic| text[..diagnostic.span.start].matches('\n').count());
    let said = text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.contains("# mistake"))
        .map(|(line, _)| line);
    assert_eq!(lines.collect::<Vec<_>>(), said.collect::<Vec<_>>());
}

#[test]
fn no_mutilated_schema_panics() {
    let example = include_str!("../schema.example.yaml");
    let check = |text: &str| drop(mistakes(text).render("schema.yaml", text, true));
    for end in (0..example.len()).filter(|end| example.is_char_boundary(*end)) {
        check(&example[..end]);
    }
    let lines: Vec<&str> = example.lines().collect();
    for index in 0..lines.len() {
        for replacement in [
            "",
            "- x",
            "é: [",
            "{}",
            "  ? [a]",
            "<<: *x",
            "a: &x {b: *x}",
            "\t",
            "null: null",
        ] {
            let mut changed = lines.clone();
            changed[index] = replacement;
            check(&changed.join("\n"));
        }
    }
}

#[test]
fn the_example_and_the_starter_have_no_mistake() {
    for text in [
        include_str!("../schema.example.yaml"),
        include_str!("../src/cli/starter.yaml"),
    ] {
        let mistakes = mistakes(text);
        assert!(
            mistakes.is_empty(),
            "{}",
            mistakes.render("schema.yaml", text, false)
        );
    }
}

#[test]
fn the_example_of_the_book_has_no_mistake() {
    let page = include_str!("../docs/src/schema.md");
    let (_, rest) = page.split_once("```yaml\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    let mistakes = mistakes(text);
    assert!(
        mistakes.is_empty(),
        "{}",
        mistakes.render("schema.md", text, false)
    );
}

#[test]
fn three_lines_are_a_whole_schema() {
    let text = "version: 1\nmodels:   {author: {columns: {id: bigint pk, name: text}}}\nchannels: {author_created: {on: author, after: insert}}\n";
    let schema = schema::load("schema.yaml", text).unwrap().schema;
    assert_eq!(schema.listeners.len(), 1);
    assert_eq!(schema.listeners[0].name, "on_author_created");
}
