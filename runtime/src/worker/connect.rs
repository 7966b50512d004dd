//! Sessions.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, Client, Config, Socket};

use super::sessions::Sessions;
use crate::Error;
use crate::generated::BoxFuture;

/// Opens sessions; the type of the TLS connector ends here.
#[derive(Clone)]
pub(super) struct Connector {
    open: Arc<dyn Fn() -> BoxFuture<'static, Result<Session, tokio_postgres::Error>> + Send + Sync>,
    sessions: Arc<Sessions>,
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
        let sessions = Arc::new(Sessions::default());
        let registry = Arc::clone(&sessions);
        let open = move || -> BoxFuture<'static, _> {
            let (config, tls) = (config.clone(), tls.clone());
            Box::pin(open(config, tls, Arc::clone(&registry)))
        };
        Self {
            open: Arc::new(open),
            sessions,
        }
    }

    /// Those that it has opened.
    pub(super) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    pub(super) async fn connect(&self) -> Result<Session, Error> {
        (self.open)().await.map_err(Error::connect)
    }
}

async fn open<T>(
    config: Config,
    tls: T,
    sessions: Arc<Sessions>,
) -> Result<Session, tokio_postgres::Error>
where
    T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
    T::Stream: Send,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let (client, mut connection) = config.connect(tls.clone()).await?;
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
    let token = client.cancel_token();
    let cancel = Box::new(move || -> BoxFuture<'static, _> {
        Box::pin(async move { token.cancel_query(tls).await })
    });
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
