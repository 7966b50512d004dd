//! Promises about what is processed again.

#![allow(clippy::unwrap_used)] // A test may panic.

mod support;

use std::time::Duration;

use pgpubsub_runtime::generated::{Channel, ListenerSpec, Subscription};
use pgpubsub_runtime::replay::{Filter, Ids, count, replay};
use pgpubsub_runtime::{ListenerSet, Op};
use pgpubsub_testkit::Database;
use tokio_postgres::Client;

use support::{CATALOG, EFFECTS, OTHER, Running, WAITING, WORK, Work, store, until};

const KEPT: &str = "SELECT count(*) FROM pgpubsub.processed";
const KEEPS: &[Subscription] = &[Subscription {
    channel: Channel {
        retain: Some(Duration::from_secs(7 * 86_400)),
        ..WORK.subscriptions[0].channel
    },
    ops: &[Op::Message],
}];

async fn database() -> (Database, Client) {
    let (database, client) = support::database().await;
    let table = include_str!("processed.sql");
    client.batch_execute(table).await.unwrap();
    (database, client)
}

/// Both listeners keep what they have processed.
fn start(database: &Database, work: &Work) -> Running {
    Running::start(database, work, |worker| {
        let mut set = ListenerSet::new(CATALOG);
        for spec in [WORK, OTHER] {
            let keeps = ListenerSpec {
                subscriptions: KEEPS,
                ..spec
            };
            set.durable(keeps, work.clone());
        }
        worker
            .listeners(set)
            .poll_interval(Duration::from_millis(50))
    })
}

fn of(group: &str) -> Filter {
    Filter {
        group: Some(group.to_owned()),
        ..Filter::default()
    }
}

#[tokio::test]
async fn each_is_processed_once_more_while_workers_work() {
    let (database, client) = database().await;
    store(&client, "work", &[("any", 1_200), ("fail", 20)]).await;
    store(&client, "other", &[("any", 30)]).await;
    let work = Work::default();
    let running = start(&database, &work);
    until(&client, KEPT, 1_250).await;
    let ids = "CREATE TABLE was AS SELECT * FROM pgpubsub.processed";
    client.batch_execute(ids).await.unwrap();
    assert_eq!(count(&client, &CATALOG, &of("work")).await.unwrap(), 1_220);
    let put_back = replay(&client, &CATALOG, &of("work"), Ids::New, None).await;
    assert_eq!(put_back.unwrap(), 1_220);
    until(&client, EFFECTS, 1_250 + 1_220).await;
    until(&client, WAITING, 0).await;
    until(&client, KEPT, 1_250).await;
    running.stop().await;
    // Each event once more, as it was, and under another number.
    let once_more = "SELECT count(*) FROM pgpubsub.processed AS p JOIN was USING (listener_group, channel, op, txid, created_at)
                     WHERE p.id > (SELECT max(id) FROM was) AND p.payload::text = was.payload::text";
    assert_eq!(support::count(&client, once_more).await, 1_220);
    assert_eq!(support::count(&client, EFFECTS).await, 2_470);
}

#[tokio::test]
async fn what_keeps_its_number_keeps_its_key() {
    let (database, client) = database().await;
    store(&client, "work", &[("any", 5)]).await;
    let work = Work::default();
    let running = start(&database, &work);
    until(&client, KEPT, 5).await;
    // One that was stored for later.
    let later = "UPDATE pgpubsub.processed SET id = -id WHERE id = (SELECT min(id) FROM pgpubsub.processed)";
    client.batch_execute(later).await.unwrap();
    let put_back = replay(&client, &CATALOG, &of("work"), Ids::Kept, Some(1_000)).await;
    assert_eq!(put_back.unwrap(), 5);
    until(&client, EFFECTS, 10).await;
    until(&client, KEPT, 5).await;
    let twice = "SELECT count(*) FROM (SELECT FROM effect GROUP BY replace(job, '-', '') HAVING count(*) = 2) AS twice";
    assert_eq!(support::count(&client, twice).await, 5);
    running.stop().await;
}

#[tokio::test]
async fn times_bound_it_and_a_transaction_takes_it_back() {
    let (_database, mut client) = database().await;
    let keep = "INSERT INTO pgpubsub.processed (retention, processed_at, id, listener_group, channel, op, model_version, txid, created_at, payload)
                SELECT 604800, to_timestamp(n * 10), n, 'work', 'jobs', 'message', 1, '1', to_timestamp(n * 10 - 5), '{}'
                FROM generate_series(1, 10) AS n";
    client.batch_execute(keep).await.unwrap();
    let at = |seconds| pgpubsub_runtime::chrono::DateTime::from_timestamp(seconds, 0);
    let bounds = [
        Filter {
            processed_since: at(90),
            ..Filter::default()
        },
        Filter {
            processed_until: at(20),
            ..Filter::default()
        },
        Filter {
            written_since: at(95),
            ..Filter::default()
        },
        Filter {
            written_until: at(15),
            ..Filter::default()
        },
        Filter {
            id: Some(7),
            ..Filter::default()
        },
        Filter {
            channel: Some("others".to_owned()),
            ..Filter::default()
        },
    ];
    for (filter, wanted) in bounds.iter().zip([2, 1, 1, 1, 1, 0]) {
        assert_eq!(
            count(&client, &CATALOG, filter).await.unwrap(),
            wanted,
            "{filter:?}"
        );
        let transaction = client.transaction().await.unwrap();
        let put_back = replay(&transaction, &CATALOG, filter, Ids::New, None).await;
        assert_eq!(put_back.unwrap(), wanted, "{filter:?}");
        transaction.rollback().await.unwrap();
    }
    assert_eq!(support::count(&client, KEPT).await, 10);
    assert_eq!(support::count(&client, WAITING).await, 0);
}
