//! sqlx.

use std::path::Path;

use ::sqlx::migrate::{MigrateError, Migrator};
use ::sqlx::{Connection, PgConnection};

use super::Tool;
use crate::{Error, session};

pub(super) async fn up(url: &str, folder: &Path) -> Result<(), Error> {
    let mut connection = connect(url).await?;
    let migrator = Migrator::new(folder).await.map_err(failed)?;
    migrator.run_direct(&mut connection).await.map_err(failed)
}

pub(super) async fn down(url: &str, folder: &Path, steps: usize) -> Result<(), Error> {
    let applied = applied(url).await?;
    // sqlx asks for the version to go back to; below all of them is -1.
    let target = match applied.len().checked_sub(steps + 1) {
        Some(last) => applied[last].parse().expect("the column is a bigint"),
        None => -1,
    };
    let mut connection = connect(url).await?;
    let migrator = Migrator::new(folder).await.map_err(failed)?;
    migrator.undo(&mut connection, target).await.map_err(failed)
}

pub(super) async fn applied(url: &str) -> Result<Vec<String>, Error> {
    let query = "SELECT version::text FROM _sqlx_migrations WHERE success ORDER BY _sqlx_migrations.version";
    session::column(Tool::Sqlx, url, "_sqlx_migrations", query).await
}

async fn connect(url: &str) -> Result<PgConnection, Error> {
    let connected = PgConnection::connect(url).await;
    connected.map_err(|error| Error::of(Tool::Sqlx)(&error))
}

fn failed(error: MigrateError) -> Error {
    Error::of(Tool::Sqlx)(&error)
}
