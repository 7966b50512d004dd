//! golang-migrate.

use std::path::Path;

use super::Tool;
use crate::{Error, address, program, session};

pub(super) const PROGRAM: &str = "migrate";
const TOOL: Tool = Tool::GolangMigrate;

pub(super) async fn up(url: &str, folder: &Path) -> Result<(), Error> {
    run(url, folder, &["up"]).await
}

pub(super) async fn down(url: &str, folder: &Path, steps: usize) -> Result<(), Error> {
    run(url, folder, &["down", &steps.to_string()]).await
}

pub(super) async fn applied(url: &str) -> Result<Vec<String>, Error> {
    let query = "SELECT version::text FROM schema_migrations WHERE NOT dirty";
    session::column(TOOL, url, "schema_migrations", query).await
}

async fn run(url: &str, folder: &Path, command: &[&str]) -> Result<(), Error> {
    let url = address::for_go(url).map_err(|error| Error::of(TOOL)(&error))?;
    let folder = folder.to_string_lossy();
    let place = ["-path", folder.as_ref(), "-database", &url];
    let arguments = [&place, command].concat();
    program::run(TOOL, program::fetched(TOOL, PROGRAM)?, &arguments).await
}
