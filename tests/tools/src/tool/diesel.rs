//! Diesel.

use std::path::Path;

use ::diesel::{Connection, PgConnection};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
// Named here because it decides how libpq is built; Diesel calls it.
use pq_sys as _;

use super::Tool;
use crate::{Error, session};

const TOOL: Tool = Tool::Diesel;

pub(super) async fn up(url: &str, folder: &Path) -> Result<(), Error> {
    blocking(url, folder, |connection, source| {
        connection
            .run_pending_migrations(source)
            .map(drop)
            .map_err(|error| Error::of(TOOL)(&*error))
    })
    .await
}

pub(super) async fn down(url: &str, folder: &Path, steps: usize) -> Result<(), Error> {
    blocking(url, folder, move |connection, source| {
        for _ in 0..steps {
            let reverted = connection.revert_last_migration(source.clone());
            reverted.map_err(|error| Error::of(TOOL)(&*error))?;
        }
        Ok(())
    })
    .await
}

pub(super) async fn applied(url: &str) -> Result<Vec<String>, Error> {
    let query = "SELECT version::text FROM __diesel_schema_migrations ORDER BY __diesel_schema_migrations.version COLLATE \"C\"";
    session::column(TOOL, url, "__diesel_schema_migrations", query).await
}

/// Diesel's connection blocks, so it gets a thread where it may.
async fn blocking(
    url: &str,
    folder: &Path,
    work: impl FnOnce(&mut PgConnection, FileBasedMigrations) -> Result<(), Error> + Send + 'static,
) -> Result<(), Error> {
    let (url, folder) = (url.to_owned(), folder.to_owned());
    let done = tokio::task::spawn_blocking(move || {
        let source =
            FileBasedMigrations::from_path(&folder).map_err(|error| Error::of(TOOL)(&error))?;
        let mut connection =
            PgConnection::establish(&url).map_err(|error| Error::of(TOOL)(&error))?;
        work(&mut connection, source)
    });
    done.await.map_err(|error| Error::of(TOOL)(&error))?
}
