//! What a worker makes of notifications of other versions, and of former names.

#![allow(clippy::unwrap_used)] // A test may panic.

use std::time::Duration;

use pgpubsub_runtime::generated::{
    BoxFuture, Catalog, Channel, DurableHandler, ListenerSpec, Subscription, TransientHandler, Wake,
};
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::{
    Cx, Delivery, ListenerError, ListenerSet, Op, Retry, TransientCx, Worker, WorkerEvent,
};
use pgpubsub_testkit::Database;
use tokio::sync::mpsc;
use tokio_postgres::Client;

const CATALOG: Catalog = Catalog {
    storage_schema: "pgpubsub",
    channels: &[],
    listeners: &[],
    models: &[],
    scheduled: &[],
};

const fn channel(name: &'static str, wire: &'static str, delivery: Delivery) -> Channel {
    Channel {
        name,
        wire,
        delivery,
        wake: Wake::Commit,
        function: "notify_jobs",
        version: 3,
        was: &["tasks"],
        ordered: false,
        urgent: false,
        retain: None,
    }
}

const WORK: ListenerSpec = ListenerSpec {
    name: "work",
    group: "work",
    was: &["toil"],
    subscriptions: &[Subscription {
        channel: channel("jobs", "pgpubsub_jobs", Delivery::Durable),
        ops: &[Op::Message],
    }],
    filter: &[],
    retry: Retry::DEFAULT,
    timeout: None,
};
const HEAR: ListenerSpec = ListenerSpec {
    name: "hear",
    group: "hear",
    was: &[],
    subscriptions: &[Subscription {
        channel: channel("news", "pgpubsub_news", Delivery::Transient),
        ops: &[Op::Message],
    }],
    filter: &[],
    retry: Retry::DEFAULT,
    timeout: None,
};

/// Sends on what it gets: channel and version.
struct Tell(mpsc::UnboundedSender<(String, u32)>);

impl DurableHandler for Tell {
    fn call<'a>(
        &'a self,
        _: Op,
        _: &'a Value,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        Box::pin(async move {
            let notification = cx.notification();
            self.0
                .send((notification.channel.clone(), notification.model_version))?;
            Ok(())
        })
    }
}

impl TransientHandler for Tell {
    fn call<'a>(
        &'a self,
        _: Op,
        _: &'a Value,
        cx: &'a mut TransientCx,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        Box::pin(async move {
            let notification = cx.notification();
            self.0
                .send((notification.channel.clone(), notification.model_version))?;
            Ok(())
        })
    }
}

async fn database() -> (Database, Client) {
    let database = Database::create().await.unwrap();
    let client = database.connect().await.unwrap();
    let storage = include_str!("storage.sql");
    client.batch_execute(storage).await.unwrap();
    let more = "INSERT INTO pgpubsub.listener VALUES ('hear', 'news', 'hear', '{message}')";
    client.batch_execute(more).await.unwrap();
    (database, client)
}

async fn store(client: &Client, group: &str, channel: &str, version: i32) {
    let insert =
        "INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload)
                  VALUES ($1, $2, 'message', $3, '{}')";
    client
        .execute(insert, &[&group, &channel, &version])
        .await
        .unwrap();
}

/// Runs a worker until so many were delivered and it told of something newer.
async fn deliver(database: &Database, count: usize) -> (Vec<(String, u32)>, (&'static str, u32)) {
    let (sender, mut told) = mpsc::unbounded_channel();
    let (observe, mut events) = mpsc::unbounded_channel();
    let mut set = ListenerSet::new(CATALOG);
    set.durable(WORK, Tell(sender));
    let worker = Worker::new(database.config())
        .listeners(set)
        .on_event(move |event| drop(observe.send(event)));
    let mut newer = None;
    let shutdown = async {
        let mut delivered = 0;
        while delivered < count || newer.is_none() {
            match events.recv().await.unwrap() {
                WorkerEvent::Delivered { .. } => delivered += 1,
                WorkerEvent::TooNew { listener, version } => newer = Some((listener, version)),
                _ => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), worker.run_until(shutdown))
        .await
        .expect("no hang")
        .unwrap();
    let mut seen = Vec::new();
    while let Ok(one) = told.try_recv() {
        seen.push(one);
    }
    seen.sort();
    (seen, newer.unwrap())
}

#[tokio::test]
async fn a_newer_version_is_left_alone_and_told_of_while_older_ones_are_delivered() {
    let (database, client) = database().await;
    for version in [1, 4, 3, 7, 2] {
        store(&client, "work", "jobs", version).await;
    }
    let (seen, newer) = deliver(&database, 3).await;
    let jobs = |version| ("jobs".to_owned(), version);
    assert_eq!(seen, [jobs(1), jobs(2), jobs(3)]);
    assert_eq!(newer, ("work", 7));
    let rows = client
        .query(
            "SELECT model_version FROM pgpubsub.notification WHERE attempts = 0 AND last_error IS NULL ORDER BY 1",
            &[],
        )
        .await
        .unwrap();
    let left: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(left, [4, 7]);
}

#[tokio::test]
async fn what_waits_under_former_names_of_the_channel_and_of_the_group_is_delivered() {
    let (database, client) = database().await;
    store(&client, "toil", "jobs", 1).await;
    store(&client, "toil", "tasks", 1).await;
    store(&client, "work", "tasks", 2).await;
    // Neither of these is for it.
    store(&client, "work", "others", 1).await;
    store(&client, "others", "tasks", 1).await;
    // So that it tells of something.
    store(&client, "toil", "tasks", 4).await;
    let (seen, newer) = deliver(&database, 3).await;
    let of = |channel: &str, version| (channel.to_owned(), version);
    assert_eq!(seen, [of("jobs", 1), of("tasks", 1), of("tasks", 2)]);
    assert_eq!(newer, ("work", 4));
    let left = client
        .query_one("SELECT count(*) FROM pgpubsub.notification", &[])
        .await
        .unwrap();
    assert_eq!(left.get::<_, i64>(0), 3);
}

#[tokio::test]
async fn a_transient_one_of_a_newer_version_is_not_handed_on() {
    let (database, client) = database().await;
    let (sender, mut told) = mpsc::unbounded_channel();
    let (observe, mut events) = mpsc::unbounded_channel();
    let mut set = ListenerSet::new(CATALOG);
    set.transient(HEAR, Tell(sender));
    let worker = Worker::new(database.config())
        .listeners(set)
        .on_event(move |event| drop(observe.send(event)));
    let shutdown = async {
        let mut newer = 0;
        loop {
            match events.recv().await.unwrap() {
                WorkerEvent::Listening => {
                    // Said once for each version, whatever their number.
                    for version in [4, 4, 5, 3] {
                        let news = format!(
                            r#"{{"id": "00000000-0000-0000-0000-000000000000", "op": "message", "model_version": {version},
                                "created_at": "2024-01-01T00:00:00Z", "payload": {{}}}}"#
                        );
                        let notify = "SELECT pg_notify('pgpubsub_news', $1)";
                        client.execute(notify, &[&news]).await.unwrap();
                    }
                }
                WorkerEvent::TooNew { listener, .. } => {
                    assert_eq!(listener, "hear");
                    newer += 1;
                }
                WorkerEvent::Delivered { .. } => break,
                _ => {}
            }
        }
        assert_eq!(newer, 2);
    };
    tokio::time::timeout(Duration::from_secs(60), worker.run_until(shutdown))
        .await
        .expect("no hang")
        .unwrap();
    assert_eq!(told.try_recv().unwrap(), ("news".to_owned(), 3));
}
