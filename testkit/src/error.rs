//! Why there is no database for a test, and what to do about it.

use std::io;
use std::path::PathBuf;

/// Why there is no cluster or no database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No folder with `initdb`, `pg_ctl` and `postgres`.
    #[error(
        "no PostgreSQL server on this machine: `initdb`, `pg_ctl` and `postgres` are neither in PATH nor in {DEBIAN}\n\
         on Debian or Ubuntu: apt-get install postgresql\n\
         elsewhere: set PGPUBSUB_PG_BIN to the folder that holds them, or DATABASE_URL to a server where databases may be created",
        DEBIAN = "/usr/lib/postgresql/*/bin"
    )]
    NoServer,
    /// `PGPUBSUB_PG_BIN` names a folder without them.
    #[error("PGPUBSUB_PG_BIN is {}, but `initdb`, `pg_ctl` and `postgres` are not all there", .0.display())]
    NotABinFolder(PathBuf),
    /// Running as root, and no account to give the server to.
    #[error(
        "PostgreSQL does not run as root, and /etc/passwd has neither `postgres` nor `nobody`: add one, or set DATABASE_URL"
    )]
    NoAccount,
    /// The cluster was not made or did not start.
    #[error("the PostgreSQL cluster did not start; its log:\n{log}")]
    NotStarted {
        /// What `initdb`, `pg_ctl` and the server wrote.
        log: String,
    },
    /// A server did not stop, start or become a primary.
    #[error("the PostgreSQL server does not do this now: {what}")]
    NotDone {
        /// What it was told.
        what: &'static str,
    },
    /// The operating system refused.
    #[error("cannot {action}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The refusal.
        source: io::Error,
    },
    /// `DATABASE_URL`, or the given URL, is no connection string.
    #[error("not a PostgreSQL connection string: see DATABASE_URL")]
    DatabaseUrl(#[source] tokio_postgres::Error),
    /// A file of a folder of migrations failed.
    #[error("cannot apply {}", .path.display())]
    Migration {
        /// The file.
        path: PathBuf,
        /// The refusal.
        source: tokio_postgres::Error,
    },
    /// The server refused.
    #[error("cannot {action}")]
    Postgres {
        /// What was tried.
        action: &'static str,
        /// The refusal.
        source: tokio_postgres::Error,
    },
}

impl Error {
    pub(crate) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, source }
    }

    pub(crate) fn postgres(action: &'static str) -> impl FnOnce(tokio_postgres::Error) -> Self {
        move |source| Self::Postgres { action, source }
    }
}
