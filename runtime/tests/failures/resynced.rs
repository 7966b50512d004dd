//! What the users of transient notifications are told.

use std::sync::Arc;
use std::time::Duration;

use pgpubsub_runtime::generated::{
    BoxFuture, Channel, ListenerSpec, Subscription, TransientHandler, Wake,
};
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::{
    Delivery, ListenerError, ListenerSet, Op, Retry, SessionState, TransientCx,
};
use tokio::sync::{Semaphore, mpsc};
use tokio_postgres::Client;

use crate::ledger::{CATALOG, Running, count, database};

const NEWS: &str = "pgpubsub_news";
const HEAR: ListenerSpec = listener("hear", &[channel("news", NEWS)]);
const LAST: ListenerSpec = listener("last", &[channel("last", "pgpubsub_last")]);

const fn channel(name: &'static str, wire: &'static str) -> Subscription {
    Subscription {
        channel: Channel {
            name,
            wire,
            delivery: Delivery::Transient,
            wake: Wake::Commit,
            function: "",
            version: 1,
            was: &[],
            ordered: false,
            urgent: false,
            retain: None,
        },
        ops: &[Op::Message],
    }
}

const fn listener(name: &'static str, subscriptions: &'static [Subscription]) -> ListenerSpec {
    ListenerSpec {
        name,
        group: name,
        was: &[],
        subscriptions,
        filter: &[],
        retry: Retry::DEFAULT,
        timeout: None,
    }
}

/// What was heard and told, in one order.
#[derive(Debug, PartialEq)]
enum Told {
    Heard(i64),
    State(SessionState),
}

/// Hears one for each permit.
struct Hear {
    told: mpsc::UnboundedSender<Told>,
    permits: Arc<Semaphore>,
}

impl TransientHandler for Hear {
    fn call<'a>(
        &'a self,
        _: Op,
        payload: &'a Value,
        _: &'a mut TransientCx,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        Box::pin(async move {
            self.permits.acquire().await?.forget();
            let number = payload.as_i64().ok_or("no number")?;
            self.told.send(Told::Heard(number))?;
            Ok(())
        })
    }
}

struct Heard {
    client: Client,
    worker: Running,
    permits: Arc<Semaphore>,
    told: mpsc::UnboundedReceiver<Told>,
    _database: pgpubsub_testkit::Database,
}

impl Heard {
    async fn start() -> Self {
        let (database, client) = database().await;
        let install = "INSERT INTO pgpubsub.listener VALUES
                         ('hear', 'news', 'hear', '{message}'), ('last', 'last', 'last', '{message}')";
        client.batch_execute(install).await.unwrap();
        let (sender, told) = mpsc::unbounded_channel();
        let permits = Arc::new(Semaphore::new(0));
        let mut set = ListenerSet::new(CATALOG);
        let hear = Hear {
            told: sender.clone(),
            permits: Arc::clone(&permits),
        };
        set.transient(HEAR, hear);
        let last = Hear {
            told: sender.clone(),
            permits: Arc::new(Semaphore::new(1_000)),
        };
        set.transient(LAST, last);
        let worker = Running::with(database.config(), set, |worker| {
            // No loss but the one that is made.
            let worker = worker.heartbeat(Duration::from_secs(60));
            worker.on_session(move |state| drop(sender.send(Told::State(state))))
        });
        let mut heard = Self {
            client,
            worker,
            permits,
            told,
            _database: database,
        };
        assert_eq!(heard.next().await, Told::State(SessionState::Connected));
        heard
    }

    async fn next(&mut self) -> Told {
        let next = tokio::time::timeout(Duration::from_secs(60), self.told.recv()).await;
        next.expect("no hang").unwrap()
    }

    async fn send(&self, wire: &str, numbers: std::ops::Range<i64>) {
        let send = "SELECT pg_notify($3, json_build_object('id', '00000000-0000-0000-0000-000000000001',
                      'created_at', '2026-01-01T00:00:00+00:00', 'op', 'message', 'payload', n)::text)
                    FROM generate_series($1::bigint, $2::bigint - 1) AS n";
        let (first, end) = (numbers.start, numbers.end);
        self.client
            .query(send, &[&first, &end, &wire])
            .await
            .unwrap();
    }
}

const LISTENING: &str = "application_name LIKE 'pgpubsub %' AND datname = current_database() AND query LIKE '%pg_listening_channels%'";

#[tokio::test(flavor = "multi_thread")]
async fn a_loss_is_told_and_what_is_sent_after_the_resync_is_heard() {
    let mut heard = Heard::start().await;
    heard.permits.add_permits(1_000);
    heard.send(NEWS, 0..2).await;
    assert_eq!(heard.next().await, Told::Heard(0));
    assert_eq!(heard.next().await, Told::Heard(1));
    let terminate =
        format!("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {LISTENING}");
    assert_eq!(count(&heard.client, &terminate).await, 1);
    assert_eq!(heard.next().await, Told::State(SessionState::Lost));
    assert_eq!(heard.next().await, Told::State(SessionState::Resynced));
    heard.send(NEWS, 2..3).await;
    assert_eq!(heard.next().await, Told::Heard(2));
    heard.worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_listener_is_told_how_many_it_missed_after_what_it_has_got() {
    let mut heard = Heard::start().await;
    heard.send(NEWS, 0..3_000).await;
    // The worker takes them in the order of the server, so it has taken all when the other listener hears this.
    heard.send("pgpubsub_last", -1..0).await;
    assert_eq!(heard.next().await, Told::Heard(-1));
    heard.permits.add_permits(10_000);
    let mut got = 0;
    let missed = loop {
        match heard.next().await {
            Told::Heard(number) => {
                assert_eq!(number, got);
                got += 1;
            }
            Told::State(SessionState::Missed { listener, count }) => {
                assert_eq!(listener, "hear");
                break count;
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(u64::try_from(got).unwrap() + missed, 3_000);
    assert!((1_024..=1_025).contains(&got), "{got}");
    heard.send(NEWS, 5_000..5_001).await;
    assert_eq!(heard.next().await, Told::Heard(5_000));
    heard.worker.stop().await;
}
