//! The lock file `pgpubsub.lock`: what the generator knows about its own earlier output.
//!
//! It stands beside the schema file and is committed. Without a database and without a clock it answers:
//! which files are ours, which triggers does the newest migration install.

use serde::{Deserialize, Serialize};

/// Name of the lock file; `pgpubsub.NAME.lock`, where several schema files of a folder are for several databases.
pub const FILE_NAME: &str = "pgpubsub.lock";

/// Format of the lock file that this generator writes.
pub const FORMAT: u32 = 1;

/// Contents of the lock file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// [`FORMAT`].
    pub format: u32,
    /// Generated files, overwritten at each run; sorted.
    pub generated: Vec<String>,
    /// Emitted migrations, oldest first, never rewritten.
    pub migrations: Vec<MigrationLock>,
}

/// One emitted migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MigrationLock {
    /// Path of the up file.
    pub up: String,
    /// SHA-256 of the up file, hexadecimal.
    pub up_sha256: String,
    /// Path of the down file.
    pub down: String,
    /// SHA-256 of the down file, hexadecimal.
    pub down_sha256: String,
    /// Fingerprint of the installed state (storage, functions, triggers) that the up file leaves behind.
    pub state: String,
    /// Triggers that the up file leaves behind, sorted.
    pub triggers: Vec<TriggerLock>,
    /// Functions of channels that the up file leaves behind (quoted, with schema and argument types), sorted.
    pub functions: Vec<String>,
}

/// A trigger on a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TriggerLock {
    /// Schema of the table.
    pub schema: String,
    /// The table.
    pub table: String,
    /// The trigger.
    pub trigger: String,
}
