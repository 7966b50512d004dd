//! Everything the generator wants on disk, in memory.

use std::collections::BTreeMap;

/// Paths (relative to the folder of the schema file, `/` separators) and what belongs there, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    entries: BTreeMap<String, File>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// What may happen to it.
    pub kind: FileKind,
    /// Contents, LF only, ending in LF.
    pub text: String,
}

/// What may happen to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// Overwritten whenever it differs, removed when stale. The lock file is one of them.
    Generated,
    /// Written if absent, then the user's.
    Stub,
    /// Written if absent, never changed: an existing one that differs is an error.
    Migration,
}

impl Files {
    /// Adds a file; a second one at the same path is a bug of the caller, the plan has proven paths distinct.
    pub fn insert(&mut self, path: impl Into<String>, kind: FileKind, text: impl Into<String>) {
        let text = text.into();
        let before = self.entries.insert(path.into(), File { kind, text });
        debug_assert!(before.is_none(), "the plan has proven all paths distinct");
    }

    /// The files in order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &File)> {
        self.entries
            .iter()
            .map(|(path, file)| (path.as_str(), file))
    }

    /// The file at a path.
    pub fn get(&self, path: &str) -> Option<&File> {
        self.entries.get(path)
    }
}
