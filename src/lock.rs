//! The lock file `pgpubsub.lock`: which files are ours.
//!
//! It stands beside the schema file and is committed. What the migrations did is not in here but in themselves: a file that
//! every change touches would conflict between any two branches.

use serde::{Deserialize, Serialize};

/// Name of the lock file; `pgpubsub.NAME.lock`, where several schema files of a folder are for several databases.
pub const FILE_NAME: &str = "pgpubsub.lock";

/// Format of the lock file that this generator writes.
pub const FORMAT: u32 = 2;

/// Contents of the lock file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// [`FORMAT`].
    pub format: u32,
    /// Generated files, overwritten at each run; sorted.
    pub generated: Vec<String>,
    /// Migrations of a generator that kept no record in them (lock format 1). They stay as they are; the first migration of
    /// this format installs everything over them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Earlier>,
}

/// A file of such a migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Earlier {
    /// Its path.
    pub path: String,
    /// SHA-256 of its text, hexadecimal.
    pub sha256: String,
}
