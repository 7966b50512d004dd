//! What can go wrong on a disk.

use std::io;
use std::path::{Path, PathBuf};

/// Reading or writing failed. Nothing was written, unless it says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The schema file is not there.
    #[error("there is no file {}; write one with `pgpubsub-gen init {}`", .0.display(), .0.display())]
    NoSchema(PathBuf),
    /// A file could not be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not text.
    #[error("{} is not UTF-8; save it as UTF-8", .0.display())]
    NotUtf8(PathBuf),
    /// A file could not be written; files before it in the list may have been.
    #[error("cannot write {}: {source}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The lock file is not one.
    #[error("{} cannot be used: {problem}; {help}", .path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
        /// What to do.
        help: &'static str,
    },
    /// The change set cannot be applied.
    #[error("{0}")]
    Refused(String),
}

pub(super) fn read(path: &Path) -> impl FnOnce(io::Error) -> WriteError {
    let path = path.to_owned();
    move |source| WriteError::Read { path, source }
}

pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> WriteError {
    let path = path.to_owned();
    move |source| WriteError::Write { path, source }
}
