//! The worker of the runtime.

use std::time::Duration;

use pgpubsub_runtime::generated::{
    BoxFuture, Catalog, Channel, DurableHandler, ListenerSpec, Subscription,
};
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::tokio_postgres::Config;
use pgpubsub_runtime::{Cx, Delivery, ListenerError, ListenerSet, Op, Worker, WorkerEvent};

use crate::{Progress, Result};

const CATALOG: Catalog = Catalog {
    storage_schema: "pgpubsub",
    channels: &[],
    listeners: &[],
    models: &[],
};
const WORK: ListenerSpec = work(&[subscription(false)]);
const ORDERED: ListenerSpec = work(&[subscription(true)]);

const fn work(subscriptions: &'static [Subscription]) -> ListenerSpec {
    ListenerSpec {
        name: "work",
        group: "work",
        was: &[],
        subscriptions,
        filter: &[],
    }
}

const fn subscription(ordered: bool) -> Subscription {
    Subscription {
        channel: Channel {
            name: "jobs",
            wire: "pgpubsub_jobs",
            delivery: Delivery::Durable,
            function: "notify_jobs",
            version: 1,
            was: &[],
            ordered,
        },
        ops: &[Op::Message],
    }
}

struct Listener {
    insert: bool,
}

impl DurableHandler for Listener {
    fn call<'a>(
        &'a self,
        _: Op,
        payload: &'a Value,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, std::result::Result<(), ListenerError>> {
        Box::pin(async move {
            if payload.is_null() {
                return Err("no payload".into());
            }
            if self.insert {
                let id = cx.notification().id;
                cx.transaction()
                    .execute(&crate::effect(cx.transaction()).await?, &[&id])
                    .await?;
            }
            Ok(())
        })
    }
}

/// Until it finds nothing more.
pub(crate) async fn drain(
    config: Config,
    batch: usize,
    insert: bool,
    ordered: bool,
    progress: Progress,
) -> Result<()> {
    let mut set = ListenerSet::new(CATALOG);
    let spec = if ordered { ORDERED } else { WORK };
    set.durable(spec, Listener { insert });
    let (idle, mut is_idle) = tokio::sync::mpsc::unbounded_channel();
    let worker = Worker::new(config)
        .listeners(set)
        .concurrency(1)
        .batch(batch)
        .batch_time(Duration::from_secs(1))
        .on_event(move |event| match event {
            WorkerEvent::Delivered { .. } => progress.add(1),
            WorkerEvent::Idle => drop(idle.send(())),
            _ => {}
        });
    worker
        .run_until(async move {
            is_idle.recv().await;
        })
        .await?;
    Ok(())
}
