//! What the commands print, and what they read.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::args::Display;
use crate::diagnostic::{Format, escaped, property};
use crate::pipeline::{self, Options, Output, Source};

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

/// Runs the pipeline, shows the warnings of the schema, and refuses them if that is asked for.
pub(super) fn run(source: &Source, display: &Display) -> anyhow::Result<Output> {
    run_with(source, Options::default(), display)
}

/// The same, not as usual.
pub(super) fn run_with(
    source: &Source,
    options: Options,
    display: &Display,
) -> anyhow::Result<Output> {
    let format = display.format();
    let output = pipeline::run_with(source, options).map_err(|error| error.shown(format))?;
    if output.warnings.is_empty() {
        return Ok(output);
    }
    if display.deny_warnings {
        let error = pipeline::Error::Schema {
            diagnostics: output.warnings,
            sources: output.sources,
            format,
        };
        return Err(error.into());
    }
    if !display.quiet {
        diagnostics(&output.warnings.render(&output.sources, format), format)?;
    }
    Ok(output)
}

/// A file that differs from the schema, for programs.
pub(super) fn difference(path: &str, what: &str, format: Format) -> anyhow::Result<()> {
    let message = format!("{path} {what}");
    let text = match format {
        Format::Github => format!(
            "::error file={},title=check::{}",
            property(path),
            escaped(&message)
        ),
        _ => {
            let (severity, code) = ("error", "check");
            serde_json::json!({"severity": severity, "code": code, "message": message, "file": path})
                .to_string()
        }
    };
    Ok(line(&text)?)
}

/// Mistakes or warnings, where readers of their format look for them.
fn diagnostics(text: &str, format: Format) -> io::Result<()> {
    match format {
        // Standard error may be closed.
        Format::Text { .. } => drop(write!(io::stderr().lock(), "{text}")),
        Format::Json | Format::Github => write!(io::stdout().lock(), "{text}")?,
    }
    Ok(())
}

/// An error, in its own layout.
pub(super) fn error(error: &anyhow::Error) {
    if let Some(pipeline::Error::Schema {
        diagnostics: found,
        sources,
        format,
    }) = error.downcast_ref()
    {
        drop(diagnostics(&found.render(sources, *format), *format));
        return;
    }
    let text = match error.downcast_ref::<pipeline::Error>() {
        // It says its cause itself.
        Some(error) => error.to_string(),
        None => format!("error: {error:#}"),
    };
    // Standard error may be closed, too.
    drop(writeln!(io::stderr().lock(), "{text}"));
}

pub(super) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
