//! A proxy whose connections can be made half-open: both ends stay connected, and nothing gets through.

use std::io;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// What a session sends tells what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Listening,
    Consumer,
}

pub(crate) struct Proxy {
    port: u16,
    connections: Arc<Mutex<Vec<Connection>>>,
    /// For all of them, those to come, too.
    holed: Arc<watch::Sender<bool>>,
    garbled: Garbled,
}

/// What to put in place of something, once.
type Garbled = Arc<Mutex<Option<(&'static str, &'static str)>>>;

#[derive(Clone)]
struct Connection {
    garbled: Garbled,
    role: Arc<Mutex<Option<Role>>>,
    holed: Arc<watch::Sender<bool>>,
}

impl Proxy {
    pub(crate) async fn start(server: &Config) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(Mutex::new(Vec::new()));
        let holed = Arc::new(watch::channel(false).0);
        let garbled = Garbled::default();
        let garble = Arc::clone(&garbled);
        let (server, all, everything) =
            (server.clone(), Arc::clone(&connections), Arc::clone(&holed));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let connection = Connection {
                    garbled: Arc::clone(&garble),
                    role: Arc::default(),
                    holed: Arc::new(watch::channel(false).0),
                };
                all.lock().unwrap().push(connection.clone());
                let everything = Arc::clone(&everything);
                tokio::spawn(relay(client, server.clone(), connection, everything));
            }
        });
        Self {
            port,
            connections,
            holed,
            garbled,
        }
    }

    /// Replaces the next mention of something by something of the same length, as if a pooler had sent it elsewhere.
    pub(crate) fn garble(&self, from: &'static str, to: &'static str) {
        assert_eq!(from.len(), to.len());
        *self.garbled.lock().unwrap() = Some((from, to));
    }

    /// The same database, through this proxy.
    pub(crate) fn config(&self, database: &Config) -> Config {
        let mut config = Config::new();
        config
            .host("127.0.0.1")
            .port(self.port)
            .user(database.get_user().unwrap())
            .dbname(database.get_dbname().unwrap());
        if let Some(password) = database.get_password() {
            config.password(password);
        }
        config
    }

    /// Makes the connections of a role half-open; how many.
    pub(crate) fn hole(&self, role: Role) -> usize {
        let connections = self.connections.lock().unwrap();
        let mut count = 0;
        for connection in connections.iter() {
            if *connection.role.lock().unwrap() == Some(role) {
                connection.holed.send_replace(true);
                count += 1;
            }
        }
        count
    }

    /// Lets nothing through on any connection, or everything again.
    pub(crate) fn hole_everything(&self, holed: bool) {
        self.holed.send_replace(holed);
    }
}

impl Connection {
    fn garble(&self, bytes: &mut [u8]) {
        let mut garbled = self.garbled.lock().unwrap();
        let Some((from, to)) = *garbled else { return };
        let mut windows = bytes.windows(from.len());
        if let Some(place) = windows.position(|window| window == from.as_bytes()) {
            bytes[place..place + to.len()].copy_from_slice(to.as_bytes());
            *garbled = None;
        }
    }
}

async fn relay(
    client: TcpStream,
    server: Config,
    connection: Connection,
    everything: Arc<watch::Sender<bool>>,
) -> io::Result<()> {
    let port = server.get_ports().first().copied().unwrap_or(5432);
    let (up, down) = client.into_split();
    match &server.get_hosts()[0] {
        Host::Unix(folder) => {
            let path = folder.join(format!(".s.PGSQL.{port}"));
            let (read, write) = UnixStream::connect(path).await?.into_split();
            both(up, write, read, down, connection, everything).await
        }
        Host::Tcp(name) => {
            let (read, write) = TcpStream::connect((name.as_str(), port))
                .await?
                .into_split();
            both(up, write, read, down, connection, everything).await
        }
    }
}

/// Until one direction ends.
async fn both(
    from_client: impl AsyncRead + Unpin,
    to_server: impl AsyncWrite + Unpin,
    from_server: impl AsyncRead + Unpin,
    to_client: impl AsyncWrite + Unpin,
    connection: Connection,
    everything: Arc<watch::Sender<bool>>,
) -> io::Result<()> {
    tokio::select! {
        ended = pump(from_client, to_server, &connection, &everything) => ended,
        ended = pump(from_server, to_client, &connection, &everything) => ended,
    }
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    connection: &Connection,
    everything: &watch::Sender<bool>,
) -> io::Result<()> {
    let (mut one, mut all) = (connection.holed.subscribe(), everything.subscribe());
    let mut buffer = vec![0; 16_384];
    loop {
        let length = from.read(&mut buffer).await.unwrap_or_default();
        let text = String::from_utf8_lossy(&buffer[..length]);
        if text.contains("LISTEN \"") {
            *connection.role.lock().unwrap() = Some(Role::Listening);
        } else if text.contains("SKIP LOCKED") {
            *connection.role.lock().unwrap() = Some(Role::Consumer);
        }
        connection.garble(&mut buffer[..length]);
        let open = |holed: &bool| !holed;
        // Not even that the other one has hung up gets through.
        let is_over = one.wait_for(open).await.is_err() || all.wait_for(open).await.is_err();
        if is_over || length == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..length]).await?;
    }
}
