//! Applies the migrations as sqlx does, so that `_sqlx_migrations` says what was applied.

use std::path::Path;

use anyhow::Context;
use sqlx::migrate::Migrator;
use sqlx::{Connection, PgConnection};

/// The migrations of this application, where it was built.
pub(crate) const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");

/// Applies what is new in `dir` and says so.
pub(crate) async fn run(url: &str, dir: &Path) -> anyhow::Result<()> {
    apply(url, dir).await?;
    println!("migrated: {}", dir.display());
    Ok(())
}

/// Applies what is new in `dir`.
pub(crate) async fn apply(url: &str, dir: &Path) -> anyhow::Result<()> {
    let migrator = Migrator::new(dir)
        .await
        .with_context(|| format!("cannot read the migrations in {}", dir.display()))?;
    let mut connection = PgConnection::connect(url)
        .await
        .context("cannot connect to the database")?;
    migrator
        .run(&mut connection)
        .await
        .context("cannot apply the migrations")?;
    connection.close().await.context("cannot close the session")
}
