//! What earlier runs left behind, read once before planning, so that planning itself does no IO.

mod shape;

use crate::lock::Lock;

pub use shape::{Sent, Shape, ShapeVersion, Shaped, Shapes};

/// Input of the planning stage beside the schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The lock file; `None` at the first run.
    pub lock: Option<Lock>,
    /// File names (not paths) in the migrations folder, ours and the user's, sorted.
    pub migration_names: Vec<String>,
    /// Paths that schema files of other databases in the same folder write.
    pub others: Vec<String>,
    /// Text of the newest migration of ours (the up file), for the down file of the next one.
    pub newest_up: Option<String>,
    /// Shapes of models and messages that the migrations have recorded.
    pub shapes: Shapes,
}
