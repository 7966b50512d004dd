//! How what should be on disk differs from what is.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::history::{History, ProblemKind};
use crate::model::Generate;
use crate::plan::sha256_hex;
use crate::render::{File, FileKind, Files};

use super::error::WriteError;
use super::read::{names, read_text};
use super::{RUST_MARK, migrations};

/// What there is to do, in order of the paths.
#[derive(Clone, Debug)]
pub struct ChangeSet {
    pub(super) root: PathBuf,
    entries: Vec<Entry>,
}

/// One path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the folder of the schema file.
    pub path: String,
    /// What is with it.
    pub change: Change,
}

/// What is with a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Not there yet.
    New {
        /// The text to write.
        text: String,
    },
    /// There, with another text.
    Changed {
        /// What is there.
        before: String,
        /// The text to write.
        text: String,
    },
    /// As it should be.
    Same,
    /// Ours, from an earlier run, and no longer wanted: removed.
    Stale,
    /// It carries our mark, but no run that the lock file knows wrote it: left alone, for somebody to look at.
    Stray,
    /// Something is wrong with an emitted migration.
    Migration(ProblemKind),
    /// A new migration's path is taken by another file.
    MigrationTaken,
}

impl ChangeSet {
    /// Compares.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn compute(
        root: &Path,
        generate: &Generate,
        files: &Files,
        history: &History,
    ) -> Result<Self, WriteError> {
        let mut entries = Vec::new();
        for (path, file) in files.iter() {
            let change = compare(file, read_text(&root.join(path))?);
            entries.push(Entry {
                path: path.to_owned(),
                change,
            });
        }
        let lock = history.lock.clone().unwrap_or_default();
        for path in &lock.generated {
            if files.get(path).is_none()
                && read_text(&root.join(path))?.is_some_and(|text| is_ours(&text))
            {
                entries.push(Entry {
                    path: path.clone(),
                    change: Change::Stale,
                });
            }
        }
        for placed in &history.migrations {
            entries.extend(placed.paths.iter().map(|path| Entry {
                path: path.clone(),
                change: Change::Same,
            }));
        }
        for problem in &history.problems {
            entries.retain(|entry| entry.path != problem.path);
        }
        entries.extend(history.problems.iter().map(|problem| Entry {
            path: problem.path.clone(),
            change: Change::Migration(problem.kind.clone()),
        }));
        for earlier in &lock.earlier {
            let change = match read_text(&root.join(&earlier.path))? {
                None => Change::Migration(ProblemKind::Missing {
                    needed_by: generate.lock.clone(),
                }),
                Some(text) if sha256_hex(&text) != earlier.sha256 => {
                    Change::Migration(ProblemKind::Edited)
                }
                Some(_) => Change::Same,
            };
            entries.push(Entry {
                path: earlier.path.clone(),
                change,
            });
        }
        for path in strays(root, generate, &entries, &history.others)? {
            entries.push(Entry {
                path,
                change: Change::Stray,
            });
        }
        entries.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(Self {
            root: root.to_owned(),
            entries,
        })
    }

    /// All paths, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether everything is as it should be.
    pub fn is_clean(&self) -> bool {
        self.entries
            .iter()
            .all(|entry| entry.change == Change::Same)
    }

    /// The paths that differ.
    pub fn differences(&self) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(|entry| entry.change != Change::Same)
    }
}

fn compare(file: &File, there: Option<String>) -> Change {
    match (file.kind, there) {
        (_, None) => Change::New {
            text: file.text.clone(),
        },
        // The user's from the day it was written.
        (FileKind::Stub, Some(_)) => Change::Same,
        (_, Some(before)) if before == file.text => Change::Same,
        (FileKind::Migration, Some(_)) => Change::MigrationTaken,
        (FileKind::Generated, Some(before)) => Change::Changed {
            before,
            text: file.text.clone(),
        },
    }
}

fn is_ours(text: &str) -> bool {
    text.starts_with(RUST_MARK) || migrations::is_ours(text)
}

/// Files with our mark in the folders that we write to, which are none of ours.
fn strays(
    root: &Path,
    generate: &Generate,
    known: &[Entry],
    others: &[String],
) -> Result<Vec<String>, WriteError> {
    let folder_of = |path: &str| {
        path.rsplit_once('/')
            .map_or(String::new(), |(folder, _)| folder.to_owned())
    };
    let mut folders = vec![folder_of(&generate.rust_out)];
    folders.extend(generate.migrations_dir.clone());
    folders.sort_unstable();
    folders.dedup();
    let known: HashSet<&str> = known
        .iter()
        .map(|entry| entry.path.as_str())
        .chain(others.iter().map(String::as_str))
        .collect();
    let mut strays = Vec::new();
    for folder in folders {
        for name in names(&root.join(&folder))? {
            let path = if folder.is_empty() {
                name
            } else {
                format!("{folder}/{name}")
            };
            let candidate = path.ends_with(".rs") || path.ends_with(".sql");
            if !candidate || known.contains(path.as_str()) {
                continue;
            }
            let absolute = root.join(&path);
            // What is not readable as text is not ours.
            if absolute.is_file()
                && matches!(read_text(&absolute), Ok(Some(text)) if is_ours(&text))
            {
                strays.push(path);
            }
        }
    }
    Ok(strays)
}
