//! Connecting, asking, and going away again.

use std::time::Duration;

use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls};

/// How long a server may take to answer the call.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs something with a session on the database of a URL.
pub(crate) fn with_session<T>(
    url: &str,
    run: impl AsyncFnOnce(&mut Client) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut config: Config = url
        .parse()
        .map_err(|error| anyhow::anyhow!("the database URL cannot be read: {error}; write for instance postgres://user@localhost/app"))?;
    if config.get_ssl_mode() == SslMode::Require {
        anyhow::bail!(
            "this command connects without TLS: use a socket, a tunnel, or `sslmode=disable`"
        );
    }
    config
        .ssl_mode(SslMode::Disable)
        .application_name("pgpubsub-gen")
        .connect_timeout(PATIENCE);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| anyhow::anyhow!("cannot start: {error}"))?;
    runtime.block_on(async {
        let (mut client, connection) = config.connect(NoTls).await.map_err(|error| {
            anyhow::anyhow!("cannot connect to {}: {}", address(&config), chain(&error))
        })?;
        let connection = tokio::spawn(connection);
        let result = run(&mut client).await;
        drop(client);
        // The session has ended when the server knows it.
        drop(connection.await);
        result
    })
}

/// Where, without the password.
fn address(config: &Config) -> String {
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .map(|host| match host {
            tokio_postgres::config::Host::Tcp(host) => host.clone(),
            #[cfg(unix)]
            tokio_postgres::config::Host::Unix(path) => path.display().to_string(),
        })
        .collect();
    let ports: Vec<String> = config.get_ports().iter().map(u16::to_string).collect();
    let port = if ports.is_empty() {
        "5432".to_owned()
    } else {
        ports.join(",")
    };
    format!(
        "{}:{port}, database {}",
        hosts.join(","),
        config.get_dbname().unwrap_or("(that of the user)")
    )
}

/// An error with its causes.
pub(super) fn chain(error: &tokio_postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return error.message().to_owned();
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
