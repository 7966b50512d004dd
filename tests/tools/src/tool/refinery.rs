//! refinery, with its default versions of four bytes.

use std::fs;
use std::path::{Path, PathBuf};

use ::refinery::{Runner, load_sql_migrations};

use super::Tool;
use crate::{Error, session};

const TOOL: Tool = Tool::Refinery;

pub(super) async fn up(url: &str, folder: &Path) -> Result<(), Error> {
    let migrations = load_sql_migrations(folder).map_err(failed)?;
    let mut client = session::connect(TOOL, url).await?;
    let report = Runner::new(&migrations).run_async(&mut client).await;
    report.map(drop).map_err(failed)
}

/// What somebody does by hand: execute the file that lies beside, and forget the version, in one transaction.
pub(super) async fn down(url: &str, folder: &Path, steps: usize) -> Result<(), Error> {
    let applied = applied(url).await?;
    for version in applied.iter().rev().take(steps) {
        let file = down_file(folder, version)
            .ok_or_else(|| Error::new(TOOL, format!("version {version} has no down file")))?;
        let sql = fs::read_to_string(file).map_err(|error| Error::of(TOOL)(&error))?;
        let forget = format!("DELETE FROM refinery_schema_history WHERE version = {version}");
        let client = session::connect(TOOL, url).await?;
        let both = format!("BEGIN;\n{sql}\n;{forget};\nCOMMIT;");
        let done = client.batch_execute(&both).await;
        done.map_err(|error| Error::of(TOOL)(&error))?;
    }
    Ok(())
}

pub(super) async fn applied(url: &str) -> Result<Vec<String>, Error> {
    let query = "SELECT version::text FROM refinery_schema_history ORDER BY refinery_schema_history.version";
    session::column(TOOL, url, "refinery_schema_history", query).await
}

/// `V<version>__….down.sql`.
fn down_file(folder: &Path, version: &str) -> Option<PathBuf> {
    let start = format!("V{version}__");
    let files = fs::read_dir(folder).ok()?.flatten();
    files.map(|entry| entry.path()).find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(&start) && name.ends_with(".down.sql")
    })
}

fn failed(error: ::refinery::Error) -> Error {
    Error::of(TOOL)(&error)
}
