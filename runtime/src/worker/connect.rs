//! Sessions.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::JoinHandle;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, CancelToken, Client, Config, SimpleQueryMessage, Socket};

use super::hosts;
use crate::Error;
use crate::error::Kind;
use crate::generated::BoxFuture;

/// Opens sessions; the type of the TLS connector ends here.
#[derive(Clone)]
pub(super) struct Connector {
    config: Config,
    open: Arc<dyn Fn(Config) -> BoxFuture<'static, Result<Session, Error>> + Send + Sync>,
    cancel: Arc<
        dyn Fn(CancelToken) -> BoxFuture<'static, Result<(), tokio_postgres::Error>> + Send + Sync,
    >,
}

/// A client with the task that drives its connection, which ends with it.
pub(super) struct Session {
    pub client: Client,
    /// What other sessions NOTIFY, once this one LISTENs; ends with the connection.
    pub notifications: UnboundedReceiver<tokio_postgres::Notification>,
    driver: JoinHandle<()>,
}

impl Connector {
    pub(super) fn new<T>(mut config: Config, tls: T) -> Self
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        hosts::complete(&mut config);
        let canceller = tls.clone();
        let open = move |config| -> BoxFuture<'static, _> {
            let tls = tls.clone();
            Box::pin(async move {
                let session = open(&config, tls).await.map_err(Error::connect)?;
                check_writable(&session.client).await?;
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
        }
    }

    /// Asks the server to cancel the statement that a session executes, on a connection made for that.
    pub(super) async fn cancel(&self, token: CancelToken) -> Result<(), Error> {
        (self.cancel)(token).await.map_err(Error::connect)
    }

    /// A session that may write, on the first host that gives one in time.
    pub(super) async fn connect(&self) -> Result<Session, Error> {
        let mut refused = Vec::new();
        for config in hosts::one_by_one(&self.config) {
            let (name, deadline) = (hosts::name(&config), hosts::deadline(&config));
            let error = match tokio::time::timeout(deadline, (self.open)(config)).await {
                Ok(Ok(session)) => return Ok(session),
                Ok(Err(error)) => error,
                Err(_) => Error::no_answer(deadline),
            };
            refused.push((name, error));
        }
        Err(Error::of_hosts(refused))
    }
}

/// A standby, or a primary that shall not be written to, is of no use to a worker.
async fn check_writable(client: &Client) -> Result<(), Error> {
    let sql = "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('transaction_read_only') = 'on', \
               pg_catalog.current_database()";
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
        _ => return Ok(()),
    };
    let database = text(2);
    Err(Error::new(
        Kind::ReadOnly,
        format!("cannot work on database \"{database}\": {why}"),
    ))
}

async fn open<T>(config: &Config, tls: T) -> Result<Session, tokio_postgres::Error>
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
    Ok(Session {
        client,
        notifications,
        driver,
    })
}

impl Drop for Session {
    fn drop(&mut self) {
        // Without this, the driver of a session whose listener was cancelled would wait for the answer to its last query,
        // and the claim would stay locked for as long.
        self.driver.abort();
    }
}
