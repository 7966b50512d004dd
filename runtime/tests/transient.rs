//! Promises of transient delivery.

#![allow(clippy::unwrap_used)] // A test may panic.

use std::time::Duration;

use pgpubsub_runtime::generated::{
    BoxFuture, Catalog, Channel, ContextFilter, FilterValue, ListenerSpec, Subscription,
    TransientHandler, Wake,
};
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::{
    Delivery, ListenerError, ListenerSet, Op, Retry, TransientCx, Worker, WorkerEvent,
};
use pgpubsub_testkit::Database;
use tokio::sync::mpsc;

const CATALOG: Catalog = Catalog {
    storage_schema: "pgpubsub",
    channels: &[],
    listeners: &[],
    models: &[],
    scheduled: &[],
};
const HEAR: ListenerSpec = ListenerSpec {
    name: "hear",
    group: "hear",
    was: &[],
    subscriptions: &[Subscription {
        channel: Channel {
            name: "news",
            wire: "pgpubsub_news",
            delivery: Delivery::Transient,
            wake: Wake::Commit,
            function: "notify_news",
            version: 1,
            was: &[],
            ordered: false,
            urgent: false,
            retain: None,
        },
        ops: &[Op::Message],
    }],
    filter: &[ContextFilter {
        key: "tenant",
        value: FilterValue::Literal("a"),
    }],
    retry: Retry::DEFAULT,
    timeout: None,
};

struct Hear(mpsc::UnboundedSender<String>);

impl TransientHandler for Hear {
    fn call<'a>(
        &'a self,
        _: Op,
        payload: &'a Value,
        _: &'a mut TransientCx,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        Box::pin(async move {
            self.0.send(payload.as_str().ok_or("no text")?.to_owned())?;
            Ok(())
        })
    }
}

#[tokio::test]
async fn one_that_matches_is_heard_by_two_workers_also_when_it_was_spilled() {
    let database = Database::create().await.unwrap();
    let client = database.connect().await.unwrap();
    client
        .batch_execute(include_str!("storage.sql"))
        .await
        .unwrap();
    let install = "INSERT INTO pgpubsub.listener VALUES ('hear', 'news', 'hear', '{message}')";
    client.batch_execute(install).await.unwrap();

    let (heard, mut texts) = mpsc::unbounded_channel();
    let (sender, mut events) = mpsc::unbounded_channel();
    for _ in 0..2 {
        let mut set = ListenerSet::new(CATALOG);
        set.transient(HEAR, Hear(heard.clone()));
        let sender = sender.clone();
        let worker = Worker::new(database.config()).listeners(set);
        let worker = worker.on_event(move |event| drop(sender.send(event)));
        tokio::spawn(worker.run_until(std::future::pending()));
    }
    let mut listening = 0;
    while listening < 2 {
        if let Some(WorkerEvent::Listening) = events.recv().await {
            listening += 1;
        }
    }
    let publish = r#"
        SELECT pg_notify('pgpubsub_news', '{"id": "00000000-0000-0000-0000-000000000001", "created_at": "2026-01-01T00:00:00+00:00", "op": "message", "context": "broken", "payload": "none"}');
        SELECT pg_notify('pgpubsub_news', '{"id": "00000000-0000-0000-0000-000000000001", "created_at": "2026-01-01T00:00:00+00:00", "op": "message", "context": "{\"tenant\":\"a\"}", "payload": "small"}');
        INSERT INTO pgpubsub.spill (body) VALUES ('{"id": "00000000-0000-0000-0000-000000000001", "created_at": "2026-01-01T00:00:00+00:00", "op": "message", "context": "{\"tenant\":\"a\"}", "payload": "large"}');
        SELECT pg_notify('pgpubsub_news', '{"spill":1}');"#;
    client.batch_execute(publish).await.unwrap();
    let mut all = Vec::new();
    while all.len() < 4 {
        let next = tokio::time::timeout(Duration::from_secs(30), texts.recv()).await;
        all.extend(next.expect("no hang"));
    }
    all.sort();
    assert_eq!(all, ["large", "large", "small", "small"]);
}
