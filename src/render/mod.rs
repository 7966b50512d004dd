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
pub use sql::Text;

use std::collections::BTreeSet;

use crate::history::{Key, State};
use crate::plan::Plan;

/// Who asks for the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The command line: everything, into the user's repository.
    Project,
    /// A build script: the Rust file only, for `include!`, where inner attributes and docs are not allowed.
    Include,
}

/// SQL that creates each trigger of the plan on a copy of its table, where it calls a function of PostgreSQL's own;
/// `copy` names the copy of a table of the plan.
///
/// # Errors
/// A template does not fit its plan.
pub fn triggers_on_copies(
    plan: &Plan,
    copy: impl Fn(&str) -> String,
) -> Result<Vec<String>, RenderError> {
    let objects = sql::Objects::new(&plan.sql)?;
    plan.sql
        .triggers
        .iter()
        .map(|trigger| objects.trigger_on(trigger, &copy(&trigger.table)))
        .collect()
}

/// SQL of all objects that the database shall hold.
///
/// # Errors
/// A template does not fit its plan.
pub fn objects(plan: &Plan) -> Result<Vec<Text>, RenderError> {
    let objects = sql::Objects::new(&plan.sql)?;
    plan.objects
        .iter()
        .map(|object| {
            Ok(Text {
                object: object.clone(),
                sql: objects.text(object)?,
            })
        })
        .collect()
}

/// Objects that were planned as they are installed, but whose SQL the templates now lay out in another way.
///
/// # Errors
/// A template does not fit its plan.
pub fn laid_out_anew(plan: &Plan, state: &State) -> Result<BTreeSet<Key>, RenderError> {
    let is_other = |text: &Text| {
        state
            .objects
            .get(&text.object.key)
            .is_some_and(|installed| installed.text != text.sql)
    };
    let texts = objects(plan)?.into_iter().filter(is_other);
    Ok(texts.map(|text| text.object.key).collect())
}

/// Lays out the plan.
///
/// # Errors
/// A template does not fit its plan.
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
    for file in migration.transpose()?.into_iter().flatten() {
        files.insert(file.path, FileKind::Migration, file.text);
    }
    files.insert(&plan.lock_path, FileKind::Generated, lock::file(plan)?);
    Ok(files)
}
