//! A database for one test.

use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio_postgres::{Client, Config, NoTls};

use crate::address::with_database;
use crate::migrations::{self, Way};
use crate::server::Server;
use crate::{Cluster, Error};

/// An empty database that nobody else uses. Dropping the value drops the database, open sessions or not.
#[derive(Debug)]
pub struct Database {
    /// Where databases are created and dropped.
    maintenance: String,
    name: String,
    config: Config,
}

impl Database {
    /// Creates a database on the server of this process: that of `DATABASE_URL`, or a cluster that the first call starts.
    ///
    /// # Errors
    /// If no server can be found or started, or it refuses to create databases.
    pub async fn create() -> Result<Self, Error> {
        let server = tokio::task::spawn_blocking(Server::of_this_process)
            .await
            .expect("starting a server does not panic")?;
        Self::create_at(&server.url).await
    }

    /// Creates a database on a cluster of one's own.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn create_on(cluster: &Cluster) -> Result<Self, Error> {
        Self::create_at(&cluster.url()).await
    }

    /// Creates a database on the server of a connection string, whose own database is only connected to.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn create_at(url: &str) -> Result<Self, Error> {
        let mut config: Config = url.parse().map_err(Error::DatabaseUrl)?;
        let client = connect(&config).await?;
        let name = fresh_name();
        // template0: nobody may be connected to a template, and people do connect to template1.
        let create = format!("CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8'");
        client
            .batch_execute(&create)
            .await
            .map_err(Error::postgres("create a database"))?;
        config.dbname(&name);
        Ok(Self {
            maintenance: url.to_owned(),
            name,
            config,
        })
    }

    /// How to connect.
    pub fn config(&self) -> Config {
        self.config.clone()
    }

    /// URL of the database, for tokio-postgres, psql and sqlx. (In key=value form if `DATABASE_URL` is; sqlx does not read that.)
    pub fn url(&self) -> String {
        with_database(&self.maintenance, &self.name)
    }

    /// A session, whose connection runs as a task of the current runtime.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn connect(&self) -> Result<Client, Error> {
        connect(&self.config).await
    }

    /// Applies all `.sql` files of a folder but `.down.sql`, in order of their numbers, each in a transaction.
    ///
    /// # Errors
    /// If the folder cannot be read, or a file fails; those before it are applied.
    pub async fn migrate(&self, folder: impl AsRef<Path>) -> Result<(), Error> {
        migrations::apply(&self.connect().await?, folder.as_ref(), Way::Up).await
    }

    /// Applies all `.down.sql` files of a folder, last number first, each in a transaction.
    ///
    /// # Errors
    /// If the folder cannot be read, or a file fails; those before it are applied.
    pub async fn migrate_back(&self, folder: impl AsRef<Path>) -> Result<(), Error> {
        migrations::apply(&self.connect().await?, folder.as_ref(), Way::Down).await
    }

    /// Executes statements in a session of their own.
    ///
    /// # Errors
    /// If one of them fails.
    pub async fn execute_sql(&self, sql: &str) -> Result<(), Error> {
        self.connect()
            .await?
            .batch_execute(sql)
            .await
            .map_err(Error::postgres("execute the statements"))
    }
}

impl Drop for Database {
    /// Best effort: on a cluster of our own whatever is left goes with the cluster.
    fn drop(&mut self) {
        let drop_it = format!("DROP DATABASE IF EXISTS \"{}\" WITH (FORCE)", self.name);
        let maintenance = self.maintenance.clone();
        // A thread with its own runtime, because this may run inside a runtime that is shutting down or has one thread only.
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .ok()?;
            let config = maintenance.parse().ok()?;
            runtime.block_on(async {
                connect(&config)
                    .await
                    .ok()?
                    .batch_execute(&drop_it)
                    .await
                    .ok()
            })
        });
        drop(dropping.join());
    }
}

async fn connect(config: &Config) -> Result<Client, Error> {
    let (client, connection) = config
        .connect(NoTls)
        .await
        .map_err(Error::postgres("connect to the database"))?;
    // How the session ends is seen by whoever uses the client.
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}

/// Differs between the databases of a process, between processes, and between machines that share a server.
fn fresh_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_nanos());
    format!(
        "pgpubsub_test_{}_{}_{nanos:x}",
        process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}
