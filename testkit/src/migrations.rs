//! Applies a folder of SQL migrations, as a migration tool does, for tests.

use std::fs;
use std::path::{Path, PathBuf};

use tokio_postgres::Client;

use crate::error::Error;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Up,
    Down,
}

/// Applies all files of a folder, each in a transaction of its own: those to go up in order of their numbers, those to go
/// down in the reverse order.
pub(crate) async fn apply(client: &Client, folder: &Path, way: Way) -> Result<(), Error> {
    for (path, text) in files(folder, way)? {
        client
            .batch_execute(&format!("BEGIN;\n{text}\nCOMMIT;"))
            .await
            .map_err(|source| Error::Migration { path, source })?;
    }
    Ok(())
}

fn files(folder: &Path, way: Way) -> Result<Vec<(PathBuf, String)>, Error> {
    let read = Error::io("read the folder of the migrations");
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(read)? {
        let path = entry
            .map_err(Error::io("read the folder of the migrations"))?
            .path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        let is_down = name.ends_with(".down.sql");
        if !name.ends_with(".sql") || is_down != (way == Way::Down) {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(Error::io("read a migration"))?;
        files.push((number(name), path, text));
    }
    files.sort();
    if way == Way::Down {
        files.reverse();
    }
    Ok(files
        .into_iter()
        .map(|(_, path, text)| (path, text))
        .collect())
}

fn number(name: &str) -> u128 {
    let digits: String = name
        .trim_start_matches('V')
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().unwrap_or(0)
}
