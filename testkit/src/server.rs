//! The one server of this process: that of `DATABASE_URL`, or a cluster of our own.

use std::env;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::{Cluster, Error, Options};

/// The server on which [`crate::Database::create`] creates.
#[derive(Debug)]
pub(crate) struct Server {
    /// A database that exists, from which others are created and dropped.
    pub(crate) url: String,
    /// Kept for the life of the process; its end stops the server.
    _cluster: Option<Cluster>,
}

impl Server {
    /// Finds or starts it. Blocks while the cluster starts; later calls return at once.
    pub(crate) fn of_this_process() -> Result<&'static Self, Error> {
        static SERVER: OnceLock<Server> = OnceLock::new();
        static STARTING: Mutex<()> = Mutex::new(());
        // The lock guards nothing but the start: a panic in another thread left no broken value behind.
        let _starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = SERVER.get() {
            return Ok(server);
        }
        let server = Self::find_or_start()?;
        Ok(SERVER.get_or_init(|| server))
    }

    fn find_or_start() -> Result<Self, Error> {
        if let Some(url) = env::var("DATABASE_URL").ok().filter(|url| !url.is_empty()) {
            return Ok(Self {
                url,
                _cluster: None,
            });
        }
        let cluster = Cluster::start(&Options::default())?;
        Ok(Self {
            url: cluster.url(),
            _cluster: Some(cluster),
        })
    }
}
