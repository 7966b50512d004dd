//! A throwaway PostgreSQL for tests: one cluster a process, one database a test.
//!
//! ```no_run
//! # async fn test() -> Result<(), Box<dyn std::error::Error>> {
//! let database = pgpubsub_testkit::Database::create().await?;
//! let client = database.connect().await?;
//! client.batch_execute("CREATE TABLE author (id bigint PRIMARY KEY)").await?;
//! # Ok(()) }
//! ```
//!
//! The first [`Database::create`] of a process starts a [`Cluster`] from the server binaries of this machine. It lives in a temporary
//! folder, listens on a unix socket there and nowhere else, and goes away with the process, even if that is killed with SIGKILL.
//!
//! | environment variable | effect |
//! |---|---|
//! | `DATABASE_URL` | no cluster is started: databases are created on that server, by a role that may create them |
//! | `PGPUBSUB_PG_BIN` | folder with `initdb`, `pg_ctl` and `postgres`; default: `PATH`, then the newest in `/usr/lib/postgresql/*/bin` |
//!
//! PostgreSQL refuses to run as root. A process of root gives the cluster to the account `postgres`, or else to `nobody`.

mod account;
mod address;
mod binaries;
mod cluster;
mod database;
mod error;
mod keeper;
mod migrations;
mod server;

pub use cluster::{Cluster, Options, Shutdown};
pub use database::Database;
pub use error::Error;
