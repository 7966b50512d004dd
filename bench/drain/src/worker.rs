//! The worker of the runtime.

use std::sync::OnceLock;
use std::time::Duration;

use pgpubsub_bench_bed::Result;
use pgpubsub_runtime::generated::{
    BatchHandler, BoxFuture, Catalog, Channel, DurableHandler, ListenerSpec, Subscription, Wake,
};
use pgpubsub_runtime::payload::DecodeError;
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::tokio_postgres::{Config, Error, Statement, Transaction};
use pgpubsub_runtime::{
    BatchCx, Cx, Delivery, ListenerError, ListenerSet, Notification, Op, Received, Retry, Worker,
    WorkerEvent,
};

use crate::child::{Progress, Task, Who};
use crate::raw::EFFECTS;

const EFFECT: &str = "INSERT INTO effect VALUES ($1)";

const CATALOG: Catalog = Catalog {
    storage_schema: "pgpubsub",
    channels: &[],
    listeners: &[],
    models: &[],
    scheduled: &[],
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
        retry: Retry::DEFAULT,
        timeout: None,
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
            wake: Wake::Door,
            ordered,
            urgent: false,
            retain: None,
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
                    .execute(&prepared(cx.transaction(), EFFECT).await?, &[&id])
                    .await?;
            }
            Ok(())
        })
    }
}

impl BatchHandler for Listener {
    type Event = bool;

    fn decode(_: &Notification, payload: &Value) -> std::result::Result<bool, DecodeError> {
        Ok(payload.is_null())
    }

    fn call<'a>(
        &'a self,
        events: &'a [Received<bool>],
        cx: &'a mut BatchCx<'_>,
    ) -> BoxFuture<'a, std::result::Result<(), ListenerError>> {
        Box::pin(async move {
            if events.iter().any(|received| received.event) {
                return Err("no payload".into());
            }
            if self.insert {
                let ids: Vec<i64> = events.iter().map(|event| event.notification.id).collect();
                cx.transaction()
                    .execute(&prepared(cx.transaction(), EFFECTS).await?, &[&ids])
                    .await?;
            }
            Ok(())
        })
    }
}

/// The prepared INSERT of this process, which has one session that works.
async fn prepared(
    transaction: &Transaction<'_>,
    text: &str,
) -> std::result::Result<Statement, Error> {
    static EFFECT: OnceLock<Statement> = OnceLock::new();
    if let Some(statement) = EFFECT.get() {
        return Ok(statement.clone());
    }
    let statement = transaction.prepare(text).await?;
    Ok(EFFECT.get_or_init(|| statement).clone())
}

/// Until it finds nothing more.
pub(crate) async fn drain(config: Config, task: Task, progress: Progress) -> Result<()> {
    let mut set = ListenerSet::new(CATALOG);
    let insert = task.insert;
    let spec = match task.who {
        Who::WorkerOrdered => ORDERED,
        _ => WORK,
    };
    match task.who {
        Who::WorkerSlices => set.batch(spec, Listener { insert }),
        _ => set.durable(spec, Listener { insert }),
    }
    let (idle, mut is_idle) = tokio::sync::mpsc::unbounded_channel();
    let worker = Worker::new(config)
        .listeners(set)
        .concurrency(task.concurrency)
        .batch(task.batch)
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
