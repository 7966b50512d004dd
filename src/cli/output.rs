//! What the commands print, and what they read.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::args::Display;
use crate::diagnostic::Diagnostics;
use crate::pipeline::{self, Source};

/// The schema file of a command.
pub(super) fn source(schema: Option<&Path>) -> anyhow::Result<Source> {
    let default = Path::new("schema.yaml");
    let path = schema.unwrap_or(default);
    if path == Path::new("-") {
        let mut text = String::new();
        io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| anyhow::anyhow!("cannot read standard input: {error}"))?;
        return Ok(Source {
            name: "<stdin>".into(),
            text,
            root: PathBuf::from("."),
        });
    }
    Ok(pipeline::read(path)?)
}

/// A line on standard output; a closed pipe is an error, not a panic.
pub(super) fn line(text: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// Warnings of a schema, on standard error.
pub(super) fn warnings(source: &Source, warnings: &Diagnostics, display: &Display) {
    if !warnings.is_empty() && !display.quiet {
        let text = warnings.render(&source.name, &source.text, display.colour());
        // Standard error may be closed.
        drop(write!(io::stderr().lock(), "{text}"));
    }
}

/// An error, in its own layout.
pub(super) fn error(error: &anyhow::Error) {
    let text = format!("{error:#}");
    let text = if error.is::<pipeline::Error>() || text.starts_with("error") {
        text
    } else {
        format!("error: {text}")
    };
    // Standard error may be closed, too.
    drop(writeln!(io::stderr().lock(), "{text}"));
}

pub(super) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
