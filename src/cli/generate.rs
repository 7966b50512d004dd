//! `pgpubsub-gen schema.yaml`.

use std::mem::ManuallyDrop;
use std::path::Path;

use crate::pipeline::{self, Options};
use crate::write::{Change, ChangeSet};

use super::args::{Display, Generate};
use super::{OK, output};

pub(super) fn run(args: &Generate, display: &Display) -> anyhow::Result<u8> {
    if args.schema.as_deref() == Some(Path::new("-")) && !args.stdout {
        anyhow::bail!("a schema from standard input has no folder to write to: add --stdout");
    }
    let source = output::source(args.schema.as_deref())?;
    if let Some(file) = &args.renumber {
        for renamed in pipeline::renumber(&source, file)? {
            if !display.quiet {
                output::line(&format!("renamed  {} to {}", renamed.from, renamed.to))?;
            }
        }
    }
    let options = Options {
        upgrade_templates: args.upgrade_templates,
    };
    // The process ends behind this: nobody waits for the memory to be given back piece by piece.
    let result = ManuallyDrop::new(output::run_with(&source, options, display)?);
    if args.stdout {
        for (path, file) in result.files.iter() {
            output::line(&format!("==> {path} <==\n{}", file.text))?;
        }
        return Ok(OK);
    }
    if !args.dry_run {
        result.changes.apply()?;
    }
    if !display.quiet {
        report(&result.changes, args.dry_run)?;
    }
    Ok(OK)
}

fn report(changes: &ChangeSet, dry_run: bool) -> anyhow::Result<()> {
    let mut migration = false;
    for entry in changes.differences() {
        let word = match entry.change {
            Change::New { .. } => "new",
            Change::Changed { .. } => "changed",
            Change::Stale => "removed",
            Change::Stray => "stray",
            Change::Migration(ref problem) => problem.word(),
            Change::MigrationTaken => "taken",
            Change::Same => continue,
        };
        migration |= entry.path.ends_with(".sql") && word == "new";
        let note = if word == "stray" {
            " (it has our mark, but no run wrote it; left alone)"
        } else {
            ""
        };
        output::line(&format!("{word:>8}  {}{note}", entry.path))?;
    }
    let same = changes.entries().len() - changes.differences().count();
    if changes.is_clean() {
        output::line(&format!("up to date: {same} files"))?;
    } else if dry_run {
        output::line("nothing was written (--dry-run)")?;
    } else if migration {
        output::line(
            "next: read the new migration, commit all of it, and apply it before the program that needs it",
        )?;
    }
    Ok(())
}
