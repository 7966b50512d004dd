//! Layout: a plan becomes files.
//!
//! The templates decide nothing but line breaks; what they print is in the plan, quoted.

mod error;
mod files;
mod layout;
mod lock;
mod rust;
mod sql;

pub use error::RenderError;
pub use files::{File, FileKind, Files};

use crate::plan::Plan;

/// Who asks for the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The command line: everything, into the user's repository.
    Project,
    /// A build script: the Rust file only, for `include!`, where inner attributes and docs are not allowed.
    Include,
}

/// The SQL that installs everything, whatever is there already, and finds out what the functions would run into: for a
/// transaction that is rolled back.
///
/// # Errors
/// A template does not fit its plan.
pub fn trial(plan: &Plan) -> Result<String, RenderError> {
    sql::trial(plan)
}

/// Lays out the plan.
///
/// # Errors
/// If a new migration is due, but the newest one (which its down file restores) is gone or was edited.
pub fn render(plan: &Plan, mode: Mode) -> Result<Files, RenderError> {
    let mut files = Files::default();
    if mode == Mode::Include {
        files.insert(
            &plan.rust_path,
            FileKind::Generated,
            rust::file(plan, mode)?,
        );
        return Ok(files);
    }
    // Each is half of the work of a run.
    let (rust, migration) = std::thread::scope(|scope| {
        let migration = plan
            .migration
            .as_ref()
            .map(|migration| scope.spawn(|| sql::migration(plan, migration)));
        let rust = plan.rust_in_project.then(|| rust::file(plan, mode));
        let migration = migration.map(|thread| match thread.join() {
            Ok(migration) => migration,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        (rust, migration)
    });
    if let Some(rust) = rust {
        files.insert(&plan.rust_path, FileKind::Generated, rust?);
    }
    if let Some(path) = &plan.stubs_path {
        files.insert(path, FileKind::Stub, rust::stubs(plan)?);
    }
    let mut migrations = plan.migrations.clone();
    if let Some(new) = migration.transpose()?.flatten() {
        files.insert(&new.lock.up, FileKind::Migration, new.up);
        files.insert(&new.lock.down, FileKind::Migration, new.down);
        migrations.push(new.lock);
    }
    files.insert(
        &plan.lock_path,
        FileKind::Generated,
        lock::file(plan, migrations)?,
    );
    Ok(files)
}
