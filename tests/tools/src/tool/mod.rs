//! The tools, behind one interface.

mod dbmate;
mod diesel;
mod golang_migrate;
mod plain;
mod refinery;
mod sqlx;

use std::fmt;
use std::path::Path;

use crate::{Error, program};

/// A migration tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tool {
    /// sqlx's library, which its command line calls.
    Sqlx,
    /// refinery's library. It has no way down: we execute the file ourselves and delete the row of the version.
    Refinery,
    /// Diesel's library, which its command line calls.
    Diesel,
    /// The program dbmate.
    Dbmate,
    /// Somebody with psql, who writes down in the table `applied_by_hand` what was applied.
    Plain,
    /// The program migrate of golang-migrate.
    GolangMigrate,
}

impl Tool {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Sqlx,
        Self::Refinery,
        Self::Diesel,
        Self::Dbmate,
        Self::Plain,
        Self::GolangMigrate,
    ];

    /// The word for it in `generate.migrations.tool`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sqlx => "sqlx",
            Self::Refinery => "refinery",
            Self::Diesel => "diesel",
            Self::Dbmate => "dbmate",
            Self::Plain => "plain",
            Self::GolangMigrate => "golang-migrate",
        }
    }

    /// Whether it can be run on this machine.
    ///
    /// # Errors
    /// What is missing, and how to get it.
    pub fn installed(self) -> Result<(), Error> {
        match self {
            Self::Dbmate => program::fetched(self, dbmate::PROGRAM).map(drop),
            Self::GolangMigrate => program::fetched(self, golang_migrate::PROGRAM).map(drop),
            Self::Sqlx | Self::Refinery | Self::Diesel | Self::Plain => Ok(()),
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

/// Applies what the folder has and the database has not.
///
/// # Errors
/// What the tool says. What was applied before the mistake stays applied.
pub async fn up(tool: Tool, url: &str, folder: &Path) -> Result<(), Error> {
    match tool {
        Tool::Sqlx => sqlx::up(url, folder).await,
        Tool::Refinery => refinery::up(url, folder).await,
        Tool::Diesel => diesel::up(url, folder).await,
        Tool::Dbmate => dbmate::up(url, folder).await,
        Tool::Plain => plain::up(url, folder).await,
        Tool::GolangMigrate => golang_migrate::up(url, folder).await,
    }
}

/// Takes back the last `steps` migrations, the newest first.
///
/// # Errors
/// What the tool says.
pub async fn down(tool: Tool, url: &str, folder: &Path, steps: usize) -> Result<(), Error> {
    match tool {
        Tool::Sqlx => sqlx::down(url, folder, steps).await,
        Tool::Refinery => refinery::down(url, folder, steps).await,
        Tool::Diesel => diesel::down(url, folder, steps).await,
        Tool::Dbmate => dbmate::down(url, folder, steps).await,
        Tool::Plain => plain::down(url, folder, steps).await,
        Tool::GolangMigrate => golang_migrate::down(url, folder, steps).await,
    }
}

/// Versions that the tool's table says are applied, in the tool's order. (golang-migrate keeps the last one only; for psql: file names.)
///
/// # Errors
/// What PostgreSQL says.
pub async fn applied(tool: Tool, url: &str) -> Result<Vec<String>, Error> {
    match tool {
        Tool::Sqlx => sqlx::applied(url).await,
        Tool::Refinery => refinery::applied(url).await,
        Tool::Diesel => diesel::applied(url).await,
        Tool::Dbmate => dbmate::applied(url).await,
        Tool::Plain => plain::applied(url).await,
        Tool::GolangMigrate => golang_migrate::applied(url).await,
    }
}
