//! What earlier runs left behind, read once before planning, so that planning itself does no IO.
//!
//! The migrations tell their own story: [`Emitted`] is one of them as a value, [`State`] what they leave behind together.

mod emitted;
mod graph;
mod key;
mod shape;

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::lock::Lock;

pub use emitted::{
    Change, Emitted, Installed, MARK, NO_ID, down_header, drop_line, frame, parse_down,
    renamed_line, sealed, shape_line, up_header,
};
pub use graph::{Placed, State};
pub use key::Key;
pub use shape::{Sent, Shape, ShapeVersion, Shaped, Shapes};

/// Input of the planning stage beside the schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The lock file; `None` at the first run.
    pub lock: Option<Lock>,
    /// File names (not paths) in the migrations folder, ours and the user's, sorted.
    pub migration_names: Vec<String>,
    /// Our migrations, in the order in which tools apply them.
    pub migrations: Vec<Placed>,
    /// What is wrong with our migrations.
    pub problems: Vec<Problem>,
    /// What they leave behind.
    pub state: State,
    /// Shapes of models and messages that they have recorded.
    pub shapes: Shapes,
    /// Objects that the next migration shall say again, even if nothing was planned anew for them.
    pub again: BTreeSet<Key>,
    /// Paths that schema files of other databases in the same folder write.
    pub others: Vec<String>,
}

/// Something that is wrong with an emitted migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub path: String,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What can be wrong with an emitted migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// It is not as it was emitted.
    Edited,
    /// It is gone; the file at the path, or with this id, is needed by another one.
    Missing {
        /// Who needs it.
        needed_by: String,
    },
    /// Another migration has the same number.
    SameNumber {
        /// The other one.
        other: String,
        /// Whether that is ours, too.
        ours: bool,
    },
    /// It is a copy of another one under another number.
    Copy {
        /// The other one.
        of: String,
    },
    /// Its number is smaller than that of one that it builds on.
    TooEarly {
        /// The one that it builds on.
        after: String,
    },
}

impl ProblemKind {
    /// In one word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Edited => "edited",
            Self::Missing { .. } => "missing",
            Self::SameNumber { .. } => "clash",
            Self::Copy { .. } => "copy",
            Self::TooEarly { .. } => "order",
        }
    }

    /// What is wrong with a migration, behind its path, and what to do.
    pub fn description(&self) -> String {
        match self {
            Self::Edited => {
                "is a migration that is not as it was emitted; restore it from version control, and change the schema instead".to_owned()
            }
            Self::Missing { needed_by } => format!(
                "is a migration that was emitted and is gone; restore it from version control: {needed_by} needs it"
            ),
            Self::SameNumber { other, ours: true } => format!(
                "has the same number as {other}, as two branches made them; give a new one to that which no shared database has yet, with `--renumber FILE`"
            ),
            Self::SameNumber { other, .. } => format!(
                "has the same number as {other}; if no shared database has it yet, give it a new one with `--renumber FILE`"
            ),
            Self::Copy { of } => {
                format!("is a copy of {of}; remove the one that no shared database has")
            }
            Self::TooEarly { after } => format!(
                "builds on {after}, which tools apply later; give it a new number with `--renumber FILE`"
            ),
        }
    }
}

/// 65 bits of SHA-256 in lower-case base32 (RFC 4648): enough to tell the objects and files of a project apart.
pub fn fingerprint(text: &str) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    const CHARS: usize = 13;
    let digest = Sha256::digest(text.as_bytes());
    let bit = |index: usize| (digest[index / 8] >> (7 - index % 8)) & 1;
    (0..CHARS)
        .map(|char| (0..5).fold(0u8, |value, offset| value << 1 | bit(char * 5 + offset)))
        .map(|value| char::from(ALPHABET[usize::from(value)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_rfc_4648() {
        // SHA-256 of the empty string begins with e3b0c442 98fc1c14 9a.
        assert_eq!(fingerprint(""), "4oymiquy7qobj");
    }
}
