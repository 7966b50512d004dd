//! `pgpubsub-gen check`.

use std::mem::ManuallyDrop;
use std::path::Path;

use similar::TextDiff;

use crate::diagnostic::Format;
use crate::write::{Change, ChangeSet};

use super::args::Display;
use super::{DIFFERENT, OK, live, output};

pub(super) fn run(
    schema: Option<&Path>,
    database_url: Option<&str>,
    display: &Display,
) -> anyhow::Result<u8> {
    let source = output::source(schema)?;
    // The process ends behind this: nobody waits for the memory to be given back piece by piece.
    let result = ManuallyDrop::new(output::run(&source, display)?);
    let files = files(&source.name, &result.changes, display)?;
    let database = match database_url {
        Some(url) => live::check(&result.plan, url, display)?,
        None => OK,
    };
    Ok(files.max(database))
}

/// The committed files.
fn files(source: &str, changes: &ChangeSet, display: &Display) -> anyhow::Result<u8> {
    if changes.is_clean() {
        if !display.quiet {
            output::line(&format!(
                "{source}: {} files are up to date",
                changes.entries().len()
            ))?;
        }
        return Ok(OK);
    }
    if !matches!(display.format(), Format::Text { .. }) {
        for entry in changes.differences() {
            output::difference(&entry.path, &what_differs(&entry.change), display.format())?;
        }
        return Ok(DIFFERENT);
    }
    let mut by_hand = false;
    for entry in changes.differences() {
        let path = &entry.path;
        match &entry.change {
            Change::New { .. } => output::line(&format!("missing: {path}"))?,
            Change::Changed { before, text } => {
                output::line(&format!("differs: {path}"))?;
                let diff = TextDiff::from_lines(before, text);
                let (there, wanted) =
                    (format!("{path} (there)"), format!("{path} (of the schema)"));
                output::line(
                    diff.unified_diff()
                        .header(&there, &wanted)
                        .to_string()
                        .trim_end(),
                )?;
            }
            Change::Stale => output::line(&format!("stale: {path} is no longer generated"))?,
            other => {
                by_hand = true;
                let word = match other {
                    Change::Stray => "stray",
                    Change::Migration(problem) => problem.word(),
                    _ => "taken",
                };
                output::line(&format!("{word}: {path} {}", what_differs(other)))?;
            }
        }
    }
    let count = changes.differences().count();
    let files = if count == 1 {
        "1 file differs".to_owned()
    } else {
        format!("{count} files differ")
    };
    let repair = if by_hand {
        "repair what is named above, then run"
    } else {
        "run"
    };
    output::line(&format!(
        "{files} from {source}; {repair} `pgpubsub-gen {source}` and commit the result"
    ))?;
    Ok(DIFFERENT)
}

/// What is said behind the path of a file.
fn what_differs(change: &Change) -> String {
    match change {
        Change::New { .. } => "is missing",
        Change::Changed { .. } => "is not what the schema makes",
        Change::Stale => "is no longer generated",
        Change::Stray => "has the mark of a generated file, but no run wrote it; remove it",
        Change::Migration(problem) => return problem.description(),
        Change::MigrationTaken => {
            "would be the new migration, and another file is there; rename that file"
        }
        Change::Same => "is up to date",
    }
    .to_owned()
}
