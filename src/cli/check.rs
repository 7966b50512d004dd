//! `pgpubsub-gen check`.

use std::path::Path;

use similar::TextDiff;

use crate::database::{try_migration, with_session};
use crate::diagnostic::Format;
use crate::write::Change;

use super::args::Display;
use super::{DIFFERENT, OK, output};

pub(super) fn run(
    schema: Option<&Path>,
    database_url: Option<&str>,
    display: &Display,
) -> anyhow::Result<u8> {
    let source = output::source(schema)?;
    let result = output::run(&source, display)?;
    if let Some(url) = database_url {
        let sql = crate::render::trial(&result.plan)?;
        with_session(url, async |client| try_migration(client, &sql).await)
            .map_err(|error| error.context("the database refuses what the schema asks for"))?;
    }
    let changes = result.changes;
    if changes.is_clean() {
        if !display.quiet {
            output::line(&format!(
                "{}: {} files are up to date",
                source.name,
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
        "{files} from {}; {repair} `pgpubsub-gen {}` and commit the result",
        source.name, source.name
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
