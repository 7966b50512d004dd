//! The listeners of `schema.yaml`; each writes into the ledger.

use std::sync::Arc;
use std::time::Duration;

use pgpubsub_kills::pubsub::{
    Afterwards, FailsAtFirst, InSlices, ItemWritten, Ledger, Outside, Tick, Ticks,
};
use pgpubsub_runtime::tokio_postgres::{self, Client, Config, NoTls};
use pgpubsub_runtime::{BatchCx, Cx, ListenerError, Received, failpoint};

const EFFECT: &str = "INSERT INTO app.ledger (effect, item) VALUES ($1, $2)";

/// How long after its return a listener does what it should have done before.
const AFTERWARDS: Duration = Duration::from_millis(20);

pub(crate) struct App {
    /// For effects that are not in the transaction of a notification.
    own_session: Arc<Client>,
}

impl App {
    pub(crate) async fn connect(config: Config) -> Result<Self, tokio_postgres::Error> {
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(Self {
            own_session: Arc::new(client),
        })
    }
}

impl Ledger for App {
    async fn ledger(&self, event: ItemWritten, cx: &mut Cx<'_>) -> Result<(), ListenerError> {
        let item = event.new.id;
        cx.transaction().execute(EFFECT, &[&"first", &item]).await?;
        failpoint::reach(failpoint::IN_THE_LISTENER);
        cx.transaction()
            .execute(EFFECT, &[&"second", &item])
            .await?;
        Ok(())
    }
}

impl FailsAtFirst for App {
    async fn fails_at_first(
        &self,
        event: ItemWritten,
        cx: &mut Cx<'_>,
    ) -> Result<(), ListenerError> {
        let item = event.new.id;
        cx.transaction()
            .execute(EFFECT, &[&"retried", &item])
            .await?;
        if item % 20 == 0 && cx.notification().attempt == 1 {
            return Err("told to fail".into());
        }
        Ok(())
    }
}

impl InSlices for App {
    async fn in_slices(
        &self,
        events: &[Received<ItemWritten>],
        cx: &mut BatchCx<'_>,
    ) -> Result<(), ListenerError> {
        let items: Vec<i64> = events
            .iter()
            .map(|received| received.event.new.id)
            .collect();
        let effects = "INSERT INTO app.ledger (effect, item) SELECT 'slice', unnest($1::bigint[])";
        cx.transaction().execute(effects, &[&items]).await?;
        failpoint::reach(failpoint::IN_THE_LISTENER);
        let fails = |received: &Received<ItemWritten>| {
            received.event.new.id % 20 == 0 && received.notification.attempt == 1
        };
        if events.iter().any(fails) {
            return Err("told to fail".into());
        }
        Ok(())
    }
}

impl Outside for App {
    async fn outside(&self, event: ItemWritten, _: &mut Cx<'_>) -> Result<(), ListenerError> {
        self.own_session
            .execute(EFFECT, &[&"outside", &event.new.id])
            .await?;
        Ok(())
    }
}

impl Afterwards for App {
    async fn afterwards(&self, event: ItemWritten, _: &mut Cx<'_>) -> Result<(), ListenerError> {
        let session = Arc::clone(&self.own_session);
        tokio::spawn(async move {
            tokio::time::sleep(AFTERWARDS).await;
            session
                .execute(EFFECT, &[&"afterwards", &event.new.id])
                .await
        });
        Ok(())
    }
}

impl Ticks for App {
    async fn ticks(&self, _: Tick, cx: &mut Cx<'_>) -> Result<(), ListenerError> {
        let context = &cx.notification().context;
        let planned = context.get("scheduled_at").ok_or("no planned time")?;
        let sql = "INSERT INTO app.tick VALUES ($1::text::timestamptz)";
        cx.transaction().execute(sql, &[&planned]).await?;
        Ok(())
    }
}
