//! The one way from a schema file to a change set, for the command line, for CI and for build scripts.

use std::path::{Path, PathBuf};

use crate::breaking::{self, Finding};
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

/// How a run differs from the usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Emit objects whose SQL this generator lays out in another way, too (`--upgrade-templates`).
    pub upgrade_templates: bool,
}

/// Runs all stages up to the change set; writes nothing.
///
/// # Errors
/// The schema has mistakes, or what is on disk cannot be read or does not fit.
pub fn run(source: &Source) -> Result<Output, Error> {
    run_with(source, Options::default())
}

/// The same, not as usual.
///
/// # Errors
/// As for [`run`].
pub fn run_with(source: &Source, options: Options) -> Result<Output, Error> {
    let (sources, Loaded { schema, warnings }) = load(source)?;
    let mut history = write::read_history(&source.root, &schema.generate)?;
    let mistakes = plan::check(&schema, &history.shapes);
    if !mistakes.is_empty() {
        return Err(Error::Schema {
            diagnostics: mistakes,
            sources,
            format: Format::Text { colour: false },
        });
    }
    let mut plan = plan::plan(&schema, &history)?;
    let mistakes = plan::check_renames(&schema, &history.state, &plan.objects);
    if !mistakes.is_empty() {
        return Err(Error::Schema {
            diagnostics: mistakes,
            sources,
            format: Format::Text { colour: false },
        });
    }
    if options.upgrade_templates {
        history.again = render::laid_out_anew(&plan, &history.state)?;
        plan = plan::plan(&schema, &history)?;
    }
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

/// What differs between the schema of before and today's.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Today's files.
    pub sources: Sources,
    /// What differs, and what that does.
    pub findings: Vec<Finding>,
}

/// Compares the schema with the one that it was. `read` gives the files that the old one includes, by their paths.
///
/// # Errors
/// One of the schemas has mistakes by itself, or the migrations cannot be read.
pub fn breaking(
    source: &Source,
    old: &Source,
    read: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Compared, Error> {
    let (_, before) = load_with(old, read)?;
    let (sources, after) = load(source)?;
    let history = write::read_history(&source.root, &after.schema.generate)?;
    Ok(Compared {
        sources,
        findings: breaking::compare(&before.schema, &after.schema, &history.shapes),
    })
}

/// Gives a migration, and those that build on it, new numbers.
///
/// # Errors
/// The schema has mistakes, the file is none of its migrations, or it cannot be renamed.
pub fn renumber(source: &Source, file: &str) -> Result<Vec<write::Renamed>, Error> {
    let (_, Loaded { schema, .. }) = load(source)?;
    let history = write::read_history(&source.root, &schema.generate)?;
    Ok(write::renumber(
        &source.root,
        &schema.generate,
        &history,
        file,
    )?)
}

fn load(source: &Source) -> Result<(Sources, Loaded), Error> {
    load_with(source, &|path| write::read_include(&source.root, path))
}

fn load_with(
    source: &Source,
    read: &dyn Fn(&str) -> Result<String, String>,
) -> Result<(Sources, Loaded), Error> {
    let mut sources = Sources::new(&source.name, &source.text);
    match schema::load(&mut sources, read) {
        Ok(loaded) => Ok((sources, loaded)),
        Err(diagnostics) => Err(Error::Schema {
            diagnostics,
            sources,
            format: Format::Text { colour: false },
        }),
    }
}
