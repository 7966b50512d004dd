//! The one way from a schema file to a change set, for the command line, for CI and for build scripts.

use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostics;
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
    #[error("{}", .diagnostics.render(.name, .text, *.colour).trim_end())]
    Schema {
        /// The mistakes.
        diagnostics: Diagnostics,
        /// The file's name.
        name: String,
        /// The file's text.
        text: String,
        /// Whether to show them in colour.
        colour: bool,
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
    /// The same error, to be shown in colour.
    #[must_use]
    pub fn coloured(self, colour: bool) -> Self {
        match self {
            Self::Schema {
                diagnostics,
                name,
                text,
                ..
            } => Self::Schema {
                diagnostics,
                name,
                text,
                colour,
            },
            other => other,
        }
    }
}

/// The result: what should be on disk, and how that differs from what is.
#[derive(Clone, Debug)]
pub struct Output {
    /// What is legal in the schema but dangerous.
    pub warnings: Diagnostics,
    /// All that the files say; a build script lays it out once more, for `include!`.
    pub plan: Plan,
    /// What should be there.
    pub files: Files,
    /// How that differs from what is there.
    pub changes: ChangeSet,
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
    let Loaded { schema, warnings } = load(source)?;
    let history = write::read_history(&source.root, &schema.generate)?;
    let plan = plan::plan(&schema, &history)?;
    let files = render::render(&plan, Mode::Project)?;
    let changes = ChangeSet::compute(&source.root, &schema.generate, &files, &history)?;
    Ok(Output {
        warnings,
        plan,
        files,
        changes,
    })
}

fn load(source: &Source) -> Result<Loaded, Error> {
    schema::load(&source.name, &source.text).map_err(|diagnostics| Error::Schema {
        diagnostics,
        name: source.name.clone(),
        text: source.text.clone(),
        colour: false,
    })
}
