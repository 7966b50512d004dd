//! Generation from a build script, into `OUT_DIR`.
//!
//! ```no_run
//! // build.rs
//! fn main() -> Result<(), pgpubsub_gen::build_script::Error> {
//!     pgpubsub_gen::compile("schema.yaml")
//! }
//! ```
//!
//! and in the crate: `pgpubsub_runtime::include_generated!(pub mod pubsub);`
//!
//! No database and no network is used. Migrations belong into the repository, so a build script only checks that the
//! committed ones are those of the schema.

use std::env;
use std::fmt;
use std::fs;
use std::path::PathBuf;

use crate::pipeline;
use crate::render::{self, Mode};
use crate::write::Change;

/// Name of the generated file in `OUT_DIR`.
const FILE_NAME: &str = "pubsub.rs";

/// Whether a build fails when the committed migrations are not those of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migrations {
    /// It does.
    Check,
    /// It does not.
    Ignore,
}

/// How to generate from a build script.
#[derive(Clone, Debug)]
pub struct Config {
    schema: PathBuf,
    migrations: Migrations,
}

/// Why a build script failed. Both of its texts are the readable one, as cargo shows the `Debug` text of what `main` returns.
pub struct Error(String);

/// Generates from a schema file with the usual settings; the path is relative to the crate.
///
/// # Errors
/// The schema has mistakes, or the migrations are not up to date.
pub fn compile(schema: impl Into<PathBuf>) -> Result<(), Error> {
    Config::new(schema).generate()
}

impl Config {
    /// For a schema file; the path is relative to the crate.
    pub fn new(schema: impl Into<PathBuf>) -> Self {
        Self {
            schema: schema.into(),
            migrations: Migrations::Check,
        }
    }

    /// Whether the migrations are checked. Default: [`Migrations::Check`].
    #[must_use]
    pub fn migrations(mut self, migrations: Migrations) -> Self {
        self.migrations = migrations;
        self
    }

    /// Generates `$OUT_DIR/pubsub.rs`.
    ///
    /// # Errors
    /// The schema has mistakes, or the migrations are not up to date.
    pub fn generate(&self) -> Result<(), Error> {
        let folder = variable("CARGO_MANIFEST_DIR")?;
        let out = PathBuf::from(variable("OUT_DIR")?).join(FILE_NAME);
        let path = PathBuf::from(folder).join(&self.schema);
        println!("cargo::rerun-if-changed={}", path.display());
        let source = pipeline::read(&path).map_err(Error::new)?;
        let project = pipeline::run(&source).map_err(Error::new)?;
        println!(
            "cargo::rerun-if-changed={}",
            source.root.join(&project.plan.lock_path).display()
        );
        for included in project.sources.files().iter().skip(1) {
            println!(
                "cargo::rerun-if-changed={}",
                source.root.join(&included.name).display()
            );
        }
        for line in project.warnings.lines(&project.sources) {
            println!("cargo::warning={line}");
        }
        for entry in project.changes.entries() {
            if entry.path.ends_with(".sql") {
                println!(
                    "cargo::rerun-if-changed={}",
                    source.root.join(&entry.path).display()
                );
            }
        }
        if self.migrations == Migrations::Check {
            self.check(&project)?;
        }
        let include = render::render(&project.plan, Mode::Include).map_err(Error::new)?;
        let file = include.get(&project.plan.rust_path);
        let text = file.map(|file| file.text.as_str()).unwrap_or_default();
        // An equal file keeps its time, so that nothing is compiled again for it.
        if fs::read_to_string(&out).ok().as_deref() != Some(text) {
            fs::write(&out, text)
                .map_err(|error| Error(format!("cannot write {}: {error}", out.display())))?;
        }
        Ok(())
    }

    fn check(&self, project: &pipeline::Output) -> Result<(), Error> {
        let problems: Vec<String> = project
            .changes
            .differences()
            .filter(|entry| {
                entry.path.ends_with(".sql") || matches!(entry.change, Change::Migration(_))
            })
            .map(|entry| match &entry.change {
                Change::New { .. } => format!("migration {} is not there yet", entry.path),
                Change::Migration(problem) => format!("{} {}", entry.path, problem.description()),
                _ => format!("{} is not one of the emitted migrations", entry.path),
            })
            .collect();
        if problems.is_empty() {
            return Ok(());
        }
        let command = format!("pgpubsub-gen {}", self.schema.display());
        Err(Error(format!(
            "the migrations do not fit the schema:\n  {}\nrun `{command}` and commit the result",
            problems.join("\n  ")
        )))
    }
}

fn variable(name: &str) -> Result<std::ffi::OsString, Error> {
    env::var_os(name).ok_or_else(|| {
        Error(format!(
            "{name} is not set: this is for build scripts, which cargo runs"
        ))
    })
}

impl Error {
    fn new(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{}", self.0)
    }
}

impl std::error::Error for Error {}
