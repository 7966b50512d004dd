//! dbmate.

use std::path::Path;

use super::Tool;
use crate::{Error, address, program, session};

pub(super) const PROGRAM: &str = "dbmate";
const TOOL: Tool = Tool::Dbmate;

pub(super) async fn up(url: &str, folder: &Path) -> Result<(), Error> {
    // `up` would also create the database.
    run(url, folder, "migrate").await
}

pub(super) async fn down(url: &str, folder: &Path, steps: usize) -> Result<(), Error> {
    for _ in 0..steps {
        run(url, folder, "rollback").await?;
    }
    Ok(())
}

pub(super) async fn applied(url: &str) -> Result<Vec<String>, Error> {
    let query = "SELECT version::text FROM schema_migrations ORDER BY schema_migrations.version COLLATE \"C\"";
    session::column(TOOL, url, "schema_migrations", query).await
}

async fn run(url: &str, folder: &Path, command: &str) -> Result<(), Error> {
    let url = address::for_go(url).map_err(|error| Error::of(TOOL)(&error))?;
    let folder = folder.to_string_lossy();
    let arguments = [
        "--url",
        &url,
        "--migrations-dir",
        folder.as_ref(),
        // That would want the pg_dump of the server's version.
        "--no-dump-schema",
        command,
    ];
    program::run(TOOL, program::fetched(TOOL, PROGRAM)?, &arguments).await
}
