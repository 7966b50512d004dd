//! Sessions.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::JoinHandle;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, CancelToken, Client, Config, Socket};

use crate::Error;
use crate::generated::BoxFuture;

/// Opens sessions; the type of the TLS connector ends here.
#[derive(Clone)]
pub(super) struct Connector {
    open: Arc<dyn Fn() -> BoxFuture<'static, Result<Session, tokio_postgres::Error>> + Send + Sync>,
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
        if config.get_application_name().is_none() {
            config.application_name("pgpubsub");
        }
        let canceller = tls.clone();
        let open = move || -> BoxFuture<'static, _> {
            let (config, tls) = (config.clone(), tls.clone());
            Box::pin(open(config, tls))
        };
        let cancel = move |token: CancelToken| -> BoxFuture<'static, _> {
            let tls = canceller.clone();
            Box::pin(async move { token.cancel_query(tls).await })
        };
        Self {
            open: Arc::new(open),
            cancel: Arc::new(cancel),
        }
    }

    /// Asks the server to cancel the statement that a session executes, on a connection made for that.
    pub(super) async fn cancel(&self, token: CancelToken) -> Result<(), Error> {
        (self.cancel)(token).await.map_err(Error::connect)
    }

    pub(super) async fn connect(&self) -> Result<Session, Error> {
        (self.open)().await.map_err(Error::connect)
    }
}

async fn open<T>(config: Config, tls: T) -> Result<Session, tokio_postgres::Error>
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
