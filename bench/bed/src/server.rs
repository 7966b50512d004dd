//! A PostgreSQL of its own, in a temporary folder, that flushes.

use pgpubsub_runtime::tokio_postgres::Client;
use pgpubsub_testkit::{Cluster, Database, Options};

use crate::Result;

/// What differs from a server as initdb leaves it.
pub const SETTINGS: [(&str, &str); 3] = [
    ("shared_buffers", "1GB"),
    ("max_wal_size", "8GB"),
    ("checkpoint_timeout", "30min"),
];

pub struct Server {
    cluster: Cluster,
}

impl Server {
    /// Starts one.
    ///
    /// # Errors
    /// There are no server programs, or the server does not start.
    pub fn start() -> Result<Self> {
        let settings = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let cluster = Cluster::start(&Options {
            fsync: true,
            settings: settings.into(),
        })?;
        Ok(Self { cluster })
    }

    /// URL of its database `postgres`.
    pub fn url(&self) -> String {
        self.cluster.url()
    }

    /// A fresh database, and a session in it.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn database(&self) -> Result<(Database, Client)> {
        let database = Database::create_on(&self.cluster).await?;
        let client = database.connect().await?;
        Ok((database, client))
    }

    /// Lets each flush take a millisecond longer, as that of a disk in a cloud does, or not. Whoever commits meanwhile is
    /// flushed with it.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn slow_flush(&self, client: &Client, slow: bool) -> Result<()> {
        let delay = if slow { 1000 } else { 0 };
        for sql in [
            &format!("ALTER SYSTEM SET commit_delay = {delay}"),
            "ALTER SYSTEM SET commit_siblings = 0",
            "SELECT pg_reload_conf()",
        ] {
            client.batch_execute(sql).await?;
        }
        // Sessions take it over when they are idle next, which this one shows by having done so.
        loop {
            let row = client
                .query_one("SELECT current_setting('commit_delay')::integer", &[])
                .await?;
            if row.get::<_, i32>(0) == delay {
                return Ok(());
            }
        }
    }
}
