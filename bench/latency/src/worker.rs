//! The worker of the runtime, as it is by default.

use pgpubsub_runtime::generated::{
    BoxFuture, Catalog, Channel, DurableHandler, ListenerSpec, Subscription, Wake,
};
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::tokio_postgres::Config;
use pgpubsub_runtime::{Cx, Delivery, ListenerError, ListenerSet, Op, Worker, WorkerEvent};
use tokio::sync::oneshot;

use crate::{Entries, Result, micros};

const CATALOG: Catalog = Catalog {
    storage_schema: "pgpubsub",
    channels: &[],
    listeners: &[],
    models: &[],
    scheduled: &[],
};

const fn channel(wake: Wake) -> Channel {
    Channel {
        name: "jobs",
        wire: "pgpubsub_jobs",
        delivery: Delivery::Durable,
        wake,
        function: "notify_jobs",
        version: 1,
        ordered: false,
        urgent: false,
        retain: None,
        was: &[],
    }
}

const fn listener(subscriptions: &'static [Subscription]) -> ListenerSpec {
    ListenerSpec {
        name: "work",
        group: "work",
        was: &[],
        subscriptions,
        filter: &[],
        retry: pgpubsub_runtime::Retry::DEFAULT,
        timeout: None,
    }
}

const COMMIT: ListenerSpec = listener(&[Subscription {
    channel: channel(Wake::Commit),
    ops: &[Op::Message],
}]);
const DOOR: ListenerSpec = listener(&[Subscription {
    channel: channel(Wake::Door),
    ops: &[Op::Message],
}]);

struct Listener(Entries);

impl DurableHandler for Listener {
    fn call<'a>(
        &'a self,
        _: Op,
        payload: &'a Value,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, std::result::Result<(), ListenerError>> {
        Box::pin(async move {
            let number = payload["number"].as_i64().ok_or("no number")?;
            self.0
                .add(number, micros(cx.notification().created_at.into()));
            Ok(())
        })
    }
}

pub(crate) async fn listen(
    config: Config,
    door: bool,
    entries: Entries,
    end: oneshot::Receiver<()>,
) -> Result<()> {
    let mut set = ListenerSet::new(CATALOG);
    set.durable(if door { DOOR } else { COMMIT }, Listener(entries));
    let worker = Worker::new(config).listeners(set).on_event(|event| {
        if matches!(event, WorkerEvent::Listening) {
            println!("ready");
        }
    });
    worker.run_until(async { drop(end.await) }).await?;
    Ok(())
}
