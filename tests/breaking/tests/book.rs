//! The table of the book is made of the cases.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use pgpubsub_breaking::CASES;

const BEGIN: &str = "<!-- made of tests/breaking/cases by its tests -->\n";
const END: &str = "<!-- end -->\n";

fn table() -> String {
    let mut subjects: BTreeMap<&str, String> = BTreeMap::new();
    for case in CASES {
        let (subject, name) = case.name.split_once(": ").unwrap();
        let rows = subjects.entry(subject).or_default();
        for (index, finding) in case.findings.iter().enumerate() {
            let name = if index == 0 { name } else { "" };
            let [waiting, workers, publishers] = finding.verdicts.map(|(word, _)| word);
            let _ = writeln!(
                rows,
                "| {name} | `{}` | {waiting} | {workers} | {publishers} |",
                finding.kind
            );
        }
    }
    let mut text = String::new();
    for (subject, rows) in subjects {
        let (first, rest) = subject.split_at(1);
        let _ = write!(
            text,
            "\n### {}{rest}\n\n| change | kind | waiting | old workers | old publishers |\n|---|---|---|---|---|\n{rows}",
            first.to_uppercase()
        );
    }
    text + "\n"
}

#[test]
fn the_table_of_changes_is_that_of_the_cases() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/evolution.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (there, after) = rest.split_once(END).unwrap();
    let wanted = table();
    if there != wanted && std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{wanted}{END}{after}")).unwrap();
    }
    assert!(
        there == wanted,
        "docs/src/evolution.md is out of date: run with UPDATE_EXPECT=1"
    );
}
