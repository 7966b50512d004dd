//! Where the server binaries are.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;

const DEBIAN: &str = "/usr/lib/postgresql";

/// The folder that holds `initdb`, `pg_ctl` and `postgres`.
pub(crate) fn folder() -> Result<PathBuf, Error> {
    if let Some(chosen) = env::var_os("PGPUBSUB_PG_BIN").filter(|value| !value.is_empty()) {
        let chosen = PathBuf::from(chosen);
        return complete(&chosen).ok_or(Error::NotABinFolder(chosen));
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let in_path = env::split_paths(&path).find_map(|folder| complete(&folder));
    in_path
        .or_else(|| {
            newest_first(Path::new(DEBIAN))
                .iter()
                .find_map(|bin| complete(bin))
        })
        .ok_or(Error::NoServer)
}

/// The real folder behind `folder`, if all three are there: links in PATH lead to it, and `initdb` looks beside itself.
fn complete(folder: &Path) -> Option<PathBuf> {
    let real = fs::canonicalize(folder.join("initdb")).ok()?;
    let real = real.parent()?;
    ["initdb", "pg_ctl", "postgres"]
        .iter()
        .all(|name| real.join(name).is_file())
        .then(|| real.to_path_buf())
}

/// `<root>/<version>/bin`, highest version first.
fn newest_first(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root) else {
        return Vec::new();
    };
    let mut versions: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .collect();
    versions.sort();
    versions.into_iter().rev().map(|(_, bin)| bin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let root = tempfile::tempdir().expect("a folder");
        for version in ["9", "15", "100", "notes"] {
            fs::create_dir(root.path().join(version)).expect("a folder");
        }
        let found: Vec<_> = newest_first(root.path());
        let expected: Vec<_> = ["100/bin", "15/bin", "9/bin"]
            .iter()
            .map(|bin| root.path().join(bin))
            .collect();
        assert_eq!(found, expected);
    }
}
