//! How often a worker waits for the server: counted by a proxy between the two.

#![allow(clippy::unwrap_used)] // A test may panic.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use pgpubsub_runtime::generated::{
    BoxFuture, Catalog, Channel, DurableHandler, ListenerSpec, Subscription, Wake,
};
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::{Cx, Delivery, ListenerError, ListenerSet, Op, Worker, WorkerEvent};
use pgpubsub_testkit::Database;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio_postgres::Config;
use tokio_postgres::config::Host;

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
        retry: pgpubsub_runtime::Retry::DEFAULT,
        timeout: None,
    }
}

const fn subscription(ordered: bool) -> Subscription {
    Subscription {
        channel: Channel {
            name: "jobs",
            wire: "pgpubsub_jobs",
            delivery: Delivery::Durable,
            wake: Wake::Commit,
            function: "notify_jobs",
            version: 1,
            was: &[],
            ordered,
            urgent: false,
            retain: None,
        },
        ops: &[Op::Message],
    }
}

/// Writes so many rows.
struct Writes(usize);

impl DurableHandler for Writes {
    fn call<'a>(
        &'a self,
        _: Op,
        _: &'a Value,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        Box::pin(async move {
            for _ in 0..self.0 {
                let insert = "INSERT INTO effect VALUES ('written')";
                cx.transaction().batch_execute(insert).await?;
            }
            Ok(())
        })
    }
}

/// Counts how often the client speaks after the server has.
#[derive(Default)]
struct Turns {
    server_spoke: AtomicBool,
    count: AtomicUsize,
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    spoke: impl Fn(),
) -> std::io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        spoke();
        to.write_all(&buffer[..read]).await?;
    }
}

async fn connect_through(socket: PathBuf, client: TcpStream, turns: Arc<AtomicUsize>) {
    let server = UnixStream::connect(socket).await.unwrap();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let here = Turns::default();
    let up = copy(from_client, to_server, || {
        if here.server_spoke.swap(false, Ordering::SeqCst) {
            here.count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let down = copy(from_server, to_client, || {
        here.server_spoke.store(true, Ordering::SeqCst)
    });
    // A connection that is cut off is none of our business.
    drop(tokio::join!(up, down));
    turns.fetch_add(here.count.into_inner(), Ordering::SeqCst);
}

/// Round trips of a worker with one consumer, from its start to its end. None where the server has no socket to count at.
async fn round_trips(listener: Writes, notifications: usize) -> Option<usize> {
    round_trips_of(WORK, listener, notifications).await
}

async fn round_trips_of(
    spec: ListenerSpec,
    listener: Writes,
    notifications: usize,
) -> Option<usize> {
    let database = Database::create().await.unwrap();
    let client = database.connect().await.unwrap();
    client
        .batch_execute(include_str!("storage.sql"))
        .await
        .unwrap();
    let publish =
        format!("SELECT pgpubsub.notify_jobs('{{}}') FROM generate_series(1, {notifications})");
    client.batch_execute(&publish).await.unwrap();
    if spec.subscriptions[0].channel.ordered {
        let keys = "UPDATE pgpubsub.notification SET order_key = format('[\"%s\"]', id % 10)";
        client.batch_execute(keys).await.unwrap();
    }

    let config = database.config();
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let Some(Host::Unix(folder)) = config.get_hosts().first() else {
        return None;
    };
    let socket = folder.join(format!(".s.PGSQL.{port}"));
    let listening = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut through = Config::new();
    through
        .host("127.0.0.1")
        .port(listening.local_addr().unwrap().port())
        .user(config.get_user().unwrap_or("postgres"))
        .dbname(config.get_dbname().unwrap());
    let turns = Arc::new(AtomicUsize::new(0));
    let proxy = tokio::spawn({
        let turns = Arc::clone(&turns);
        async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listening.accept().await {
                client.set_nodelay(true).unwrap();
                connections.spawn(connect_through(socket.clone(), client, Arc::clone(&turns)));
            }
        }
    });

    let mut set = ListenerSet::new(CATALOG);
    set.durable(spec, listener);
    let (idle, mut is_idle) = tokio::sync::mpsc::unbounded_channel();
    let worker = Worker::new(through)
        .listeners(set)
        .concurrency(1)
        .batch_time(Duration::from_secs(60))
        .on_event(move |event| {
            if let WorkerEvent::Idle = event {
                let _ = idle.send(());
            }
        });
    let shutdown = async move {
        is_idle.recv().await;
    };
    tokio::time::timeout(Duration::from_secs(60), worker.run_until(shutdown))
        .await
        .expect("no hang")
        .unwrap();
    let waiting = "SELECT count(*) FROM pgpubsub.notification";
    let left: i64 = client.query_one(waiting, &[]).await.unwrap().get(0);
    assert_eq!(left, 0);
    // The proxy's connections end after the worker's.
    tokio::time::sleep(Duration::from_millis(200)).await;
    proxy.abort();
    Some(turns.load(Ordering::SeqCst))
}

#[tokio::test]
async fn a_batch_takes_one_round_trip_whatever_its_size() {
    let (Some(few), Some(many)) = (
        round_trips(Writes(0), 127).await,
        round_trips(Writes(0), 127 + 2_000).await,
    ) else {
        return;
    };
    // 2,000 more in batches of 64, then 100; and the sessions beside the consumer's may have got further meanwhile.
    assert!(many <= few + 60, "{few}, then {many}");
}

#[tokio::test]
async fn a_batch_of_several_keys_takes_one_too() {
    let (Some(few), Some(many)) = (
        round_trips_of(ORDERED, Writes(0), 127).await,
        round_trips_of(ORDERED, Writes(0), 127 + 2_000).await,
    ) else {
        return;
    };
    assert!(many <= few + 24, "{few}, then {many}");
}

#[tokio::test]
async fn a_savepoint_takes_none() {
    let (Some(one), Some(two)) = (
        round_trips(Writes(1), 200).await,
        round_trips(Writes(2), 200).await,
    ) else {
        return;
    };
    // Each statement waits for its answer, and nothing else does.
    assert!((195..=205).contains(&(two - one)), "{one}, then {two}");
    // The first hundred are claimed and counted one by one.
    assert!(one < 200 + 2 * 100 + 60, "{one}");
}
