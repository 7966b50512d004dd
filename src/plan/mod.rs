//! Planning: a valid schema and the history become a [`Plan`], in which every name, type, cast and path is decided.
//!
//! The templates behind this stage only lay it out. Nothing here reads or writes a file, a clock or an environment variable.

mod error;
mod evolution;
pub mod ident;
pub mod layout;
mod literal;
mod live;
mod migration;
pub mod names;
mod objects;
mod rust;
mod rust_event;
mod rust_listener;
mod rust_message;
mod rust_options;
mod rust_reading;
mod rust_row;
mod rust_type;
mod rust_types;
mod sql;
mod versions;

use serde::Serialize;

pub use error::PlanError;
pub use evolution::check;
pub use live::{LiveChannel, LiveColumn, LiveListener, LivePlan, LiveTable, LiveType};
pub use migration::{Action, Content, Lock, Migration, Step, check_renames};
pub use names::sha256_hex;
#[cfg(feature = "cli")]
pub(crate) use objects::drop_statement;
pub use objects::{Object, STORAGE, Source};
pub use rust::{RustChannel, RustModel, RustPlan};
pub use rust_event::{RustEvent, RustImage, RustVariant};
pub use rust_listener::{RustFilter, RustListener, RustSubscription};
pub use rust_message::{RustField, RustMessage};
pub use rust_options::{RustOption, RustOptions};
pub use rust_reading::{RustCall, RustRead};
pub use rust_row::{RustColumn, RustRow, RustRowBody, RustVersion};
pub use rust_type::{RustLabel, RustType};
pub use sql::{
    SqlBranch, SqlColumn, SqlFunction, SqlGroup, SqlImage, SqlIndex, SqlListener, SqlParent,
    SqlPlan, SqlProbe, SqlSchedule, SqlTrigger,
};

pub use versions::Versions;

use crate::history::{History, ShapeVersion};
use crate::model::Schema;

/// All that the templates need to know.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// Name of the schema file, for headers.
    pub source: String,
    /// Path of the Rust file.
    pub rust_path: String,
    /// Whether that file belongs into the project, and not only into a build.
    pub rust_in_project: bool,
    /// Path of the lock file.
    pub lock_path: String,
    /// Path of the listener skeletons.
    pub stubs_path: Option<String>,
    /// The Rust file.
    pub rust: RustPlan,
    /// What the database shall hold.
    pub sql: SqlPlan,
    /// The same, each with its fingerprint.
    pub objects: Vec<Object>,
    /// The next migration; `None` if migrations are not wanted.
    pub migration: Option<Migration>,
    /// Shapes that the migrations have not recorded yet.
    #[serde(skip)]
    pub shapes: Vec<ShapeVersion>,
    /// What a live database is compared with, beside the SQL.
    #[serde(skip)]
    pub live: LivePlan,
    /// Migrations that hold no record of themselves, kept in the new lock file.
    #[serde(skip)]
    pub earlier: Vec<crate::lock::Earlier>,
}

/// The user chooses these paths; migrations have names of their own.
fn distinct_paths(schema: &Schema) -> Result<(), PlanError> {
    let mut seen = vec![schema.generate.lock.as_str()];
    for path in std::iter::once(&schema.generate.rust_out).chain(&schema.generate.stubs) {
        if seen.contains(&path.as_str()) {
            return Err(PlanError::PathClash(path.clone()));
        }
        seen.push(path);
    }
    Ok(())
}

/// The objects that the database shall hold, without what generated code reads.
pub fn objects(schema: &Schema, versions: &Versions) -> Vec<Object> {
    objects::plan(schema, &sql::plan(schema, versions))
}

/// Decides everything.
///
/// # Errors
/// If two declared names become the same Rust name or the migrations folder leaves no number for the next file.
pub fn plan(schema: &Schema, history: &History) -> Result<Plan, PlanError> {
    distinct_paths(schema)?;
    let versions = Versions::new(schema, &history.shapes);
    let shapes = versions.recorded();
    // Each is half of the work.
    let (rust, database) = std::thread::scope(|scope| {
        let rust = scope.spawn(|| rust::plan(schema, &versions));
        let sql = sql::plan(schema, &versions);
        let objects = objects::plan(schema, &sql);
        let migration = migration::plan(schema, history, &objects, &shapes);
        let rust = match rust.join() {
            Ok(rust) => rust,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        (rust, migration.map(|migration| (sql, objects, migration)))
    });
    let rust = rust?;
    let (sql, objects, migration) = database?;
    Ok(Plan {
        source: schema.source.clone(),
        rust_path: schema.generate.rust_out.clone(),
        rust_in_project: schema.generate.rust_in_project,
        lock_path: schema.generate.lock.clone(),
        stubs_path: schema.generate.stubs.clone(),
        rust,
        live: live::plan(schema, &sql),
        sql,
        objects,
        migration,
        shapes,
        earlier: history
            .lock
            .as_ref()
            .map(|lock| lock.earlier.clone())
            .unwrap_or_default(),
    })
}
