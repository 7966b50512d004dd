//! A network between worker and server that can swallow everything, as when a machine is gone or a cable is cut.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// Hands on what comes, until it is a black hole: then nobody hears of the other, not even that it has hung up.
pub(crate) struct Proxy {
    address: SocketAddr,
    hole: watch::Sender<bool>,
}

impl Proxy {
    pub(crate) async fn start(server: &Config) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (hole, watch) = watch::channel(false);
        let server = server.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connect(client, server.clone(), watch.clone()));
            }
        });
        Self { address, hole }
    }

    /// How to connect through it.
    pub(crate) fn config(&self, server: &Config) -> Config {
        let mut config = Config::new();
        config
            .host(self.address.ip().to_string())
            .port(self.address.port())
            .user(server.get_user().unwrap())
            .dbname(server.get_dbname().unwrap());
        if let Some(password) = server.get_password() {
            config.password(password);
        }
        config
    }

    /// From now on nothing passes, or everything that was held up and all that follows.
    pub(crate) fn swallow(&self, everything: bool) {
        self.hole.send(everything).unwrap();
    }
}

async fn connect(client: TcpStream, server: Config, hole: watch::Receiver<bool>) {
    let port = server.get_ports().first().copied().unwrap_or(5432);
    match &server.get_hosts()[0] {
        Host::Unix(folder) => {
            let socket = folder.join(format!(".s.PGSQL.{port}"));
            both(client, UnixStream::connect(socket).await.unwrap(), hole).await;
        }
        Host::Tcp(host) => {
            let server = TcpStream::connect((host.as_str(), port)).await.unwrap();
            both(client, server, hole).await;
        }
    }
}

async fn both<S>(client: TcpStream, server: S, hole: watch::Receiver<bool>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = tokio::io::split(server);
    tokio::join!(
        one_way(from_client, to_server, hole.clone()),
        one_way(from_server, to_client, hole)
    );
}

async fn one_way(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut hole: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 8_192];
    loop {
        let length = from.read(&mut buffer).await.unwrap_or(0);
        if hole.wait_for(|hole| !hole).await.is_err()
            || length == 0
            || to.write_all(&buffer[..length]).await.is_err()
        {
            break;
        }
    }
    drop(to.shutdown().await);
}
