//! `pgpubsub-gen check`.

use std::path::Path;

use similar::TextDiff;

use crate::pipeline;
use crate::write::Change;

use super::args::Display;
use super::{DIFFERENT, OK, output};

pub(super) fn run(schema: Option<&Path>, display: &Display) -> anyhow::Result<u8> {
    let source = output::source(schema)?;
    let result = pipeline::run(&source).map_err(|error| error.coloured(display.colour()))?;
    output::warnings(&source, &result.warnings, display);
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
                output::line(&match other {
                    Change::Stray => format!(
                        "stray: {path} has the mark of a generated file, but no run wrote it; remove it"
                    ),
                    Change::MigrationEdited => {
                        format!(
                            "edited: migration {path} is not as it was emitted; restore it from version control"
                        )
                    }
                    Change::MigrationMissing => {
                        format!(
                            "missing: migration {path} was emitted and is gone; restore it from version control"
                        )
                    }
                    _ => format!(
                        "taken: the new migration {path} would meet another file; rename that file"
                    ),
                })?;
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
