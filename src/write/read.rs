//! What is on disk before a run.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::history::{History, Shapes, State};
use crate::lock::{FORMAT, Lock};
use crate::model::Generate;
use crate::pipeline::Source;

use super::error::{WriteError, read};
use super::{migrations, normalized};

/// Reads a schema file.
///
/// # Errors
/// It is not there, is no file, or is not UTF-8.
pub fn read_source(path: &Path) -> Result<Source, WriteError> {
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => WriteError::NoSchema(path.to_owned()),
        _ => read(path)(error),
    })?;
    let text = String::from_utf8(bytes).map_err(|_| WriteError::NotUtf8(path.to_owned()))?;
    // Some editors put a byte order mark first.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
    let root = match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let name = path.display().to_string();
    Ok(Source { name, text, root })
}

/// Reads a file that a schema includes; its path is relative to the folder of the schema.
///
/// # Errors
/// It is not there, is no file, is outside of that folder's tree of relative paths, or is not UTF-8.
pub fn read_include(root: &Path, path: &str) -> Result<String, String> {
    if path.is_empty() || Path::new(path).is_absolute() || path.contains('\\') {
        return Err("it is no relative path with `/`".to_owned());
    }
    let bytes = fs::read(root.join(path)).map_err(|error| match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    })?;
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}

/// Reads what earlier runs left.
///
/// # Errors
/// The lock file is none, or a file cannot be read.
pub fn read_history(root: &Path, generate: &Generate) -> Result<History, WriteError> {
    let lock = read_lock(&root.join(&generate.lock))?;
    let found = match &generate.migrations_dir {
        Some(folder) => migrations::read(root, folder, generate.database.as_deref())?,
        None => migrations::Found::default(),
    };
    Ok(History {
        others: [others(root, generate)?, found.others].concat(),
        lock,
        state: State::replay(&found.migrations),
        shapes: Shapes::of_migrations(&found.migrations),
        migration_names: found.names,
        migrations: found.migrations,
        problems: found.problems,
        again: std::collections::BTreeSet::new(),
    })
}

/// What other lock files of the folder know.
fn others(root: &Path, generate: &Generate) -> Result<Vec<String>, WriteError> {
    let mut paths = Vec::new();
    for name in names(root)? {
        if name == generate.lock || !name.starts_with("pgpubsub.") || !name.ends_with(".lock") {
            continue;
        }
        // One that cannot be read is for its own schema to say.
        let Ok(Some(lock)) = read_lock(&root.join(&name)) else {
            continue;
        };
        paths.extend(lock.generated);
        paths.extend(lock.earlier.into_iter().map(|earlier| earlier.path));
    }
    Ok(paths)
}

/// Text of a file with LF only; `None` if there is none.
pub(super) fn read_text(path: &Path) -> Result<Option<String>, WriteError> {
    match fs::read(path) {
        Ok(bytes) => {
            let text =
                String::from_utf8(bytes).map_err(|_| WriteError::NotUtf8(path.to_owned()))?;
            Ok(Some(normalized(text)))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(read(path)(error)),
    }
}

/// Names in a folder, sorted; none if there is no folder.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, WriteError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(read(folder)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(read(folder))?;
        // A name that is not UTF-8 is none of ours and has no number.
        if let Ok(name) = entry.file_name().into_string() {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

fn read_lock(path: &Path) -> Result<Option<Lock>, WriteError> {
    let Some(text) = read_text(path)? else {
        return Ok(None);
    };
    let error = |problem: String, help| WriteError::Lock {
        path: path.to_owned(),
        problem,
        help,
    };
    if text
        .lines()
        .any(|line| line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>"))
    {
        let help = "take the file of one branch, then generate again";
        return Err(error("it holds the marks of a merge conflict".into(), help));
    }
    // The format first: a newer one may have other keys.
    let format = serde_json::from_str::<serde_json::Value>(&text)
        .ok()
        .and_then(|lock| lock.get("format")?.as_u64());
    if format.is_some_and(|format| format > u64::from(FORMAT)) {
        return Err(error(
            "a newer generator wrote it".into(),
            "use at least that version",
        ));
    }
    let lock = if format == Some(1) {
        serde_json::from_str::<earlier::Lock>(&text).map(Into::into)
    } else {
        serde_json::from_str(&text)
    };
    lock.map(Some)
        .map_err(|problem| error(problem.to_string(), "restore it from version control"))
}

/// Lock format 1, which knew the migrations that a project then had.
mod earlier {
    use serde::Deserialize;

    use crate::lock::{Earlier, FORMAT};

    #[derive(Deserialize)]
    pub(super) struct Lock {
        generated: Vec<String>,
        migrations: Vec<Migration>,
    }

    #[derive(Deserialize)]
    struct Migration {
        up: String,
        up_sha256: String,
        down: String,
        down_sha256: String,
    }

    impl From<Lock> for crate::lock::Lock {
        fn from(lock: Lock) -> Self {
            let files = |migration: Migration| {
                [
                    (migration.up, migration.up_sha256),
                    (migration.down, migration.down_sha256),
                ]
            };
            Self {
                format: FORMAT,
                generated: lock.generated,
                earlier: lock
                    .migrations
                    .into_iter()
                    .flat_map(files)
                    .map(|(path, sha256)| Earlier { path, sha256 })
                    .collect(),
            }
        }
    }
}
