//! Sessions.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, CancelToken, Client, Config, SimpleQueryMessage, Socket};

use super::bounds::{Bounds, Role, Way};
use super::hosts;
use super::sessions::Sessions;
use crate::Error;
use crate::error::Kind;
use crate::generated::BoxFuture;

/// Opens sessions; the type of the TLS connector ends here.
#[derive(Clone)]
pub(super) struct Connector {
    config: Config,
    open: Arc<Open>,
    cancel: Arc<Cancel>,
    bounds: Bounds,
    way: Way,
    sessions: Arc<Sessions>,
}

type Open = dyn Fn(Config, &Connector) -> BoxFuture<'static, Result<Session, Error>> + Send + Sync;

type Cancel =
    dyn Fn(CancelToken) -> BoxFuture<'static, Result<(), tokio_postgres::Error>> + Send + Sync;

/// Where a worker listens.
pub(super) enum Listen {
    /// With the configuration of the consumers.
    WhereWorkIsDone,
    On(Box<Connector>),
    Never,
}

/// A client with the task that drives its connection, which ends with it.
pub(super) struct Session {
    pub client: Client,
    /// What other sessions NOTIFY, once this one LISTENs; ends with the connection.
    pub notifications: UnboundedReceiver<tokio_postgres::Notification>,
    /// The process of the server, as far as there is no pooler in between.
    pub backend: i32,
    number: u64,
    sessions: Arc<Sessions>,
}

impl Connector {
    pub(super) fn new<T>(config: Config, tls: T) -> Self
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let canceller = tls.clone();
        let open = move |config: Config, connector: &Self| -> BoxFuture<'static, _> {
            let (tls, connector) = (tls.clone(), connector.clone());
            Box::pin(async move {
                let mut session = open(&config, tls, &connector)
                    .await
                    .map_err(Error::connect)?;
                session.backend = check_writable(&session.client).await?;
                if connector.way == Way::Direct {
                    let announced = connector.bounds.announce(&session.client).await;
                    announced.map_err(|error| Error::postgres("set up a session", error))?;
                }
                Ok(session)
            })
        };
        let cancel = move |token: CancelToken| -> BoxFuture<'static, _> {
            let tls = canceller.clone();
            Box::pin(async move { token.cancel_query(tls).await })
        };
        Self {
            config,
            open: Arc::new(open),
            cancel: Arc::new(cancel),
            bounds: Bounds::new(Duration::ZERO),
            way: Way::Direct,
            sessions: Arc::default(),
        }
    }

    /// Asks the server to cancel the statement that a session executes, on a connection made for that.
    pub(super) async fn cancel(&self, token: CancelToken) -> Result<(), Error> {
        (self.cancel)(token).await.map_err(Error::connect)
    }

    /// The same through a pooler, or not.
    pub(super) fn by(self, way: Way) -> Self {
        Self { way, ..self }
    }

    /// The same, with sessions that the server ends when they are silent.
    pub(super) fn bounded(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// The same, with sessions that end together with those of another.
    pub(super) fn together_with(self, other: &Self) -> Self {
        let sessions = Arc::clone(&other.sessions);
        Self { sessions, ..self }
    }

    /// The same, with sessions that do not end together with the others.
    pub(super) fn apart(&self) -> Self {
        Self {
            sessions: Arc::default(),
            ..self.clone()
        }
    }

    pub(super) fn way(&self) -> Way {
        self.way
    }

    pub(super) fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Those that it has opened.
    pub(super) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// A session that may write, on the first host that gives one in time.
    pub(super) async fn connect(&self, role: Role) -> Result<Session, Error> {
        let mut config = self.config.clone();
        self.bounds.configure(&mut config, role);
        hosts::complete(&mut config);
        let mut refused = Vec::new();
        for config in hosts::one_by_one(&config) {
            let (name, deadline) = (hosts::name(&config), hosts::deadline(&config));
            let error = match tokio::time::timeout(deadline, (self.open)(config, self)).await {
                Ok(Ok(session)) => return Ok(session),
                Ok(Err(error)) => error,
                Err(_) => Error::no_answer(deadline),
            };
            refused.push((name, error));
        }
        Err(Error::of_hosts(refused))
    }
}

/// A standby, or a primary that shall not be written to, is of no use to a worker. Returns the number of the backend.
async fn check_writable(client: &Client) -> Result<i32, Error> {
    let sql = "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('transaction_read_only') = 'on', \
               pg_catalog.current_database(), pg_catalog.pg_backend_pid()";
    let messages = client
        .simple_query(sql)
        .await
        .map_err(|error| Error::postgres("ask whether the server accepts writes", error))?;
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let text = |place| row.and_then(|row| row.get(place)).unwrap_or_default();
    let why = match (text(0), text(1)) {
        ("t", _) => {
            "the server is a standby: name the primary too (`host=a,b`), the worker takes the one that accepts writes"
        }
        (_, "t") => {
            "sessions are read-only: a worker has to remove what it has processed; see default_transaction_read_only"
        }
        _ => return Ok(text(3).parse().unwrap_or_default()),
    };
    let database = text(2);
    Err(Error::new(
        Kind::ReadOnly,
        format!("cannot work on database \"{database}\": {why}"),
    ))
}

async fn open<T>(
    config: &Config,
    tls: T,
    connector: &Connector,
) -> Result<Session, tokio_postgres::Error>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, mut connection) = config.connect(tls).await?;
    let (sender, notifications) = mpsc::unbounded_channel();
    let driver = tokio::spawn(async move {
        let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
        while let Some(message) = messages.next().await {
            match message {
                // A session that takes no notifications has dropped the receiver's end; it gets none either.
                Ok(AsyncMessage::Notification(notification)) => drop(sender.send(notification)),
                Ok(AsyncMessage::Notice(notice)) => {
                    tracing::debug!("{}: {}", notice.severity(), notice.message())
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!("a connection has ended: {error}");
                    break;
                }
            }
        }
    });
    let (cancel, token) = (Arc::clone(&connector.cancel), client.cancel_token());
    let cancel = Box::new(move || cancel(token));
    let sessions = Arc::clone(&connector.sessions);
    let number = sessions.add(cancel, driver.abort_handle());
    Ok(Session {
        client,
        notifications,
        backend: 0,
        number,
        sessions,
    })
}

impl Drop for Session {
    fn drop(&mut self) {
        self.sessions.close(self.number);
    }
}
