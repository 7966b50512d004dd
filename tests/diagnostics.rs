//! Every mistake is reported with the exact text beside its schema: `tests/diagnostics/NAME.yaml` and `NAME.txt`.
//!
//! Shapes that earlier migrations have recorded stand in `NAME.shapes`.
//!
//! `UPDATE_EXPECT=1` rewrites the texts; the run fails all the same, so that nobody blesses by accident.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "golden/shapes.rs"]
mod shapes;

use pgpubsub_gen::diagnostic::{Code, Diagnostics, Format, Sources};
use pgpubsub_gen::{plan, schema};

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
    mistakes_with(text, "")
}

/// Mistakes of a schema with a past.
fn mistakes_with(text: &str, past: &str) -> Diagnostics {
    match schema::load_text(&sources(text)) {
        Ok(loaded) => {
            let mistakes = plan::check(&loaded.schema, &shapes::shapes(past));
            if mistakes.is_empty() {
                loaded.warnings
            } else {
                mistakes
            }
        }
        Err(mistakes) => mistakes,
    }
}

/// Mistakes of a fixture.
fn mistakes_of(case: &Path) -> Diagnostics {
    let past = fs::read_to_string(case.with_extension("shapes")).unwrap_or_default();
    mistakes_with(&fs::read_to_string(case).unwrap(), &past)
}

fn sources(text: &str) -> Sources {
    Sources::new("schema.yaml", text)
}

fn rendered(text: &str) -> String {
    mistakes(text).render(&sources(text), Format::Text { colour: false })
}

#[test]
fn every_fixture_gives_its_exact_text() {
    let bless = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut failed = Vec::new();
    for case in cases() {
        let text = fs::read_to_string(&case).unwrap();
        let rendered = mistakes_of(&case).render(&sources(&text), Format::Text { colour: false });
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
        seen.extend(mistakes_of(&case).iter().map(|diagnostic| diagnostic.code));
    }
    let missing: Vec<&str> = Code::ALL
        .iter()
        .filter(|code| !seen.contains(code))
        .map(|code| code.as_str())
        .collect();
    assert!(missing.is_empty(), "no fixture shows {missing:?}");
}

/// Exactly the lines that say `# mistake` have one, and each is of another kind.
fn each_marked_line_has_its_mistake(text: &str, count: usize, kinds: usize) {
    let mistakes = mistakes(text);
    assert_eq!(mistakes.len(), count, "{}", rendered(text));
    let codes: BTreeSet<Code> = mistakes.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(codes.len(), kinds, "{codes:?}");
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
fn ten_different_mistakes_are_ten_located_errors() {
    each_marked_line_has_its_mistake(include_str!("diagnostics/ten_mistakes.yaml"), 10, 10);
}

#[test]
fn twenty_five_mistakes_are_found_in_one_run() {
    let text = include_str!("diagnostics/twenty_five_mistakes.yaml");
    each_marked_line_has_its_mistake(text, 25, 24);
}

#[test]
fn no_mutilated_schema_panics() {
    let example = include_str!("../schema.example.yaml");
    let check = |text: &str| {
        for format in [Format::Text { colour: true }, Format::Json, Format::Github] {
            drop(mistakes(text).render(&sources(text), format));
        }
    };
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
        assert!(mistakes.is_empty(), "{}", rendered(text));
    }
}

#[test]
fn the_example_of_the_book_has_no_mistake() {
    let page = include_str!("../docs/src/schema.md");
    let (_, rest) = page.split_once("```yaml\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    let mistakes = mistakes(text);
    assert!(mistakes.is_empty(), "{}", rendered(text));
}

#[test]
fn three_lines_are_a_whole_schema() {
    let text = "version: 1\nmodels:   {author: {columns: {id: bigint pk, name: text}}}\nchannels: {author_created: {on: author, after: insert}}\n";
    let schema = schema::load_text(&sources(text)).unwrap().schema;
    assert_eq!(schema.listeners.len(), 1);
    assert_eq!(schema.listeners[0].name, "on_author_created");
}

#[test]
fn every_code_is_explained_with_an_example_of_wrong_and_right() {
    for code in Code::ALL {
        let page = code.explanation();
        let block = |kind: &str| {
            let (_, rest) = page
                .split_once(&format!("```yaml {kind}\n"))
                .unwrap_or_else(|| panic!("{} has no block `{kind}`", code.as_str()));
            rest.split_once("```").unwrap().0
        };
        // What only the history tells.
        let past = page
            .split_once("```text shapes\n")
            .map(|(_, rest)| rest.split_once("```").unwrap().0)
            .unwrap_or_default();
        let found: Vec<Code> = mistakes_with(block("wrong"), past)
            .iter()
            .map(|diagnostic| diagnostic.code)
            .collect();
        assert_eq!(found, [*code], "{}", rendered(block("wrong")));
        let right = mistakes_with(block("right"), past);
        assert!(right.is_empty(), "{}", rendered(block("right")));
    }
}

#[test]
fn mistakes_in_several_files_are_placed_in_theirs() {
    let main = "version: 1\ninclude: [models.yaml, gone.yaml, models.yaml]\nchannels: {a: {on: author, after: insrt}}\nmodels: {author: {columns: {id: bigint pk}}}\n";
    let models = "version: 1\ngenerate: {}\nmodels: {author: {columns: {id: bigit pk}}}\n";
    let mut sources = sources(main);
    let read = |path: &str| match path {
        "models.yaml" => Ok(models.to_owned()),
        _ => Err("there is no such file".to_owned()),
    };
    let mistakes = schema::load(&mut sources, &read).err().unwrap();
    let lines: Vec<String> = mistakes.lines(&sources);
    assert_eq!(
        lines,
        [
            "schema.yaml:2:24: cannot include `gone.yaml`: there is no such file [E0009]",
            "schema.yaml:2:35: `models.yaml` is included twice [E0009]",
            "schema.yaml:3:35: there is no event `insrt` [E0302]",
            "models.yaml:2:1: `generate` does not belong into an included file [E0405]",
            "models.yaml:3:10: `author` is there twice [E0004]",
            "models.yaml:3:33: there is no column type `bigit` [E0201]",
        ]
    );
    // The second place is in the other file.
    let text = mistakes.render(&sources, Format::Text { colour: false });
    assert!(
        text.contains("::: schema.yaml:4:10") || text.contains("--> schema.yaml:4:10"),
        "{text}"
    );
}
