//! The one way from a schema file to a change set, for the command line, for CI and for build scripts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostics, Format, Sources};
use crate::history::History;
use crate::plan::{self, Plan, PlanError};
use crate::render::{self, Files, Mode, RenderError};
use crate::schema::{self, Loaded};
use crate::write::{self, ChangeSet, WriteError};

/// A schema file that was read.
#[derive(Clone, Debug)]
pub struct Source {
    /// As it was given, for messages.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Its folder, which all output paths are relative to.
    pub root: PathBuf,
}

/// Why there is no output.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The schema file has mistakes.
    #[error("{}", .diagnostics.render(.sources, *.format).trim_end())]
    Schema {
        /// The mistakes.
        diagnostics: Diagnostics,
        /// The files.
        sources: Sources,
        /// How to show them.
        format: Format,
    },
    /// The schema is valid, but nothing can be planned for it.
    #[error("error: {0}")]
    Plan(#[from] PlanError),
    /// What is there already does not allow it.
    #[error("error: {0}")]
    Render(#[from] RenderError),
    /// Reading or writing failed.
    #[error("error: {0}")]
    Write(#[from] WriteError),
}

impl Error {
    /// The same error, to be shown in another format.
    #[must_use]
    pub fn shown(mut self, wanted: Format) -> Self {
        if let Self::Schema { format, .. } = &mut self {
            *format = wanted;
        }
        self
    }
}

/// The result: what should be on disk, and how that differs from what is.
#[derive(Clone, Debug)]
pub struct Output {
    /// The schema's files.
    pub sources: Sources,
    /// What is legal in the schema but dangerous.
    pub warnings: Diagnostics,
    /// All that the files say; a build script lays it out once more, for `include!`.
    pub plan: Plan,
    /// What should be there.
    pub files: Files,
    /// How that differs from what is there.
    pub changes: ChangeSet,
    /// What earlier runs left behind.
    pub history: History,
}

/// Reads a schema file.
///
/// # Errors
/// It cannot be read or is not UTF-8.
pub fn read(path: &Path) -> Result<Source, Error> {
    Ok(write::read_source(path)?)
}

/// Runs all stages up to the change set; writes nothing.
///
/// # Errors
/// The schema has mistakes, or what is on disk cannot be read or does not fit.
pub fn run(source: &Source) -> Result<Output, Error> {
    let mut sources = Sources::new(&source.name, &source.text);
    let read = |path: &str| write::read_include(&source.root, path);
    let loaded = schema::load(&mut sources, &read);
    let Loaded { schema, warnings } = match loaded {
        Ok(loaded) => loaded,
        Err(diagnostics) => {
            return Err(Error::Schema {
                diagnostics,
                sources,
                format: Format::Text { colour: false },
            });
        }
    };
    let history = write::read_history(&source.root, &schema.generate)?;
    let plan = plan::plan(&schema, &history, &BTreeSet::new())?;
    let files = render::render(&plan, Mode::Project)?;
    let changes = ChangeSet::compute(&source.root, &schema.generate, &files, &history)?;
    Ok(Output {
        sources,
        warnings,
        plan,
        files,
        changes,
        history,
    })
}
