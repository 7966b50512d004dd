//! Sessions.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, CancelToken, Client, Config, Socket};

use super::bounds::{Bounds, Role, Way};
use super::sessions::Sessions;
use crate::Error;
use crate::generated::BoxFuture;

/// Opens sessions; the type of the TLS connector ends here.
#[derive(Clone)]
pub(super) struct Connector {
    open: Arc<Open>,
    cancel: Arc<Cancel>,
    bounds: Bounds,
    way: Way,
    sessions: Arc<Sessions>,
}

type Open = dyn Fn(&Connector, Role) -> BoxFuture<'static, Result<Session, tokio_postgres::Error>>
    + Send
    + Sync;

type Cancel =
    dyn Fn(CancelToken) -> BoxFuture<'static, Result<(), tokio_postgres::Error>> + Send + Sync;

/// Where a worker listens.
pub(super) enum Listen {
    /// With the configuration of the consumers.
    WhereWorkIsDone,
    On(Connector),
    Never,
}

/// A client with the task that drives its connection, which ends with it.
pub(super) struct Session {
    pub client: Client,
    /// What other sessions NOTIFY, once this one LISTENs; ends with the connection.
    pub notifications: UnboundedReceiver<tokio_postgres::Notification>,
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
        let open = move |connector: &Self, role: Role| -> BoxFuture<'static, _> {
            let (mut config, tls) = (config.clone(), tls.clone());
            let connector = connector.clone();
            Box::pin(async move {
                let bounds = connector.bounds;
                bounds.configure(&mut config, role);
                let session = open(config, tls, &connector).await?;
                if connector.way == Way::Direct {
                    bounds.announce(&session.client).await?;
                }
                Ok(session)
            })
        };
        let cancel = move |token: CancelToken| -> BoxFuture<'static, _> {
            let tls = canceller.clone();
            Box::pin(async move { token.cancel_query(tls).await })
        };
        Self {
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

    pub(super) async fn connect(&self, role: Role) -> Result<Session, Error> {
        (self.open)(self, role).await.map_err(Error::connect)
    }
}

async fn open<T>(
    config: Config,
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
        number,
        sessions,
    })
}

impl Drop for Session {
    fn drop(&mut self) {
        self.sessions.close(self.number);
    }
}
