//! Writing.

use std::collections::HashSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use super::changes::{Change, ChangeSet};
use super::error::{WriteError, write};

impl ChangeSet {
    /// Writes what is new or changed and removes what is stale; everything else is not touched. Nothing is written if
    /// something must be refused.
    ///
    /// # Errors
    /// An emitted migration was edited or is gone, a path is taken, or writing failed.
    pub fn apply(&self) -> Result<(), WriteError> {
        self.refuse()?;
        // A missing right is found before the first file is replaced, as far as that can be seen.
        let mut folders = HashSet::new();
        for entry in self.differences() {
            if matches!(entry.change, Change::New { .. } | Change::Changed { .. }) {
                let path = self.root.join(&entry.path);
                let folder = path.parent().unwrap_or(&self.root);
                // A long history is many files in one folder.
                if folders.insert(folder.to_owned()) {
                    fs::create_dir_all(folder).map_err(write(folder))?;
                }
            }
        }
        for entry in self.differences() {
            let path = self.root.join(&entry.path);
            match &entry.change {
                Change::New { text } | Change::Changed { text, .. } => replace(&path, text)?,
                Change::Stale => fs::remove_file(&path).map_err(write(&path))?,
                _ => {}
            }
        }
        Ok(())
    }

    fn refuse(&self) -> Result<(), WriteError> {
        let problems: Vec<String> = self
            .differences()
            .filter_map(|entry| {
                let path = &entry.path;
                match &entry.change {
                    Change::Migration(problem) => Some(format!("{path} {}", problem.description())),
                    Change::MigrationTaken => {
                        Some(format!("a new migration would be {path}, but another file is there; rename that file"))
                    }
                    _ => None,
                }
            })
            .collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(WriteError::Refused(problems.join("\nerror: ")))
        }
    }
}

/// All or nothing: a reader never sees half a file, and a full disk leaves the old one.
fn replace(path: &Path, text: &str) -> Result<(), WriteError> {
    // A link stays a link: what it points to is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = target.parent().unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".pgpubsub-gen")
        .tempfile_in(folder)
        .map_err(write(path))?;
    file.write_all(text.as_bytes()).map_err(write(path))?;
    set_permissions(&file, &target).map_err(write(path))?;
    file.persist(&target)
        .map_err(|error| write(path)(error.error))?;
    Ok(())
}

/// A temporary file is readable by its owner only; a source file has the rights of the one it replaces, or the usual ones.
fn set_permissions(file: &tempfile::NamedTempFile, target: &Path) -> std::io::Result<()> {
    if let Ok(metadata) = fs::metadata(target) {
        return file.as_file().set_permissions(metadata.permissions());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.as_file()
            .set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    Ok(())
}
