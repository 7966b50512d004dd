//! A channel with a key, from the trigger to the generated listener: the changes of a row in the order of their commits.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

mod support;

use std::time::Duration;

use pgpubsub_roundtrip::pubsub::{Listeners, Several, SeveralEvent, SeveralItemLog};
use pgpubsub_runtime::{Backoff, Cx, ListenerError, Worker};
use support::Fixture;

/// Counts the changes of each row, in its transaction; a change that does not follow the one before is written down. Each fourth
/// one fails at first.
struct Follows;

impl Several for Follows {
    async fn several(&self, event: SeveralEvent, cx: &mut Cx<'_>) -> Result<(), ListenerError> {
        let SeveralEvent::ItemLog(SeveralItemLog::Update { old, new }) = event else {
            return Ok(());
        };
        let first = cx.notification().attempt == 1;
        let follow = "INSERT INTO app.seen VALUES ($1, $2, coalesce((SELECT name FROM app.seen WHERE id = $1 ORDER BY at DESC LIMIT 1), '0') = $3)";
        let parameters: [&(dyn pgpubsub_runtime::tokio_postgres::types::ToSql + Sync); 3] =
            [&new.id, &new.name, &old.name];
        cx.transaction().execute(follow, &parameters).await?;
        if first && new.name.ends_with(['0', '4', '8']) {
            return Err("told to".into());
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_changes_of_a_row_come_in_the_order_of_their_commits() {
    const ROWS: i64 = 5;
    const CHANGES: i64 = 20;
    let fixture = Fixture::migrated().await;
    fixture
        .sql("CREATE TABLE app.seen (id bigint, name text, follows boolean, at bigint GENERATED ALWAYS AS IDENTITY)")
        .await;
    fixture
        .sql(&format!(
            "INSERT INTO app.item SELECT g, '0' FROM generate_series(1, {ROWS}) AS g"
        ))
        .await;
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..2 {
        let writer = fixture.database.connect().await.unwrap();
        writers.spawn(async move {
            for change in 0..ROWS * CHANGES {
                let raise = format!(
                    "UPDATE app.item SET name = (name::integer + 1)::text WHERE id = {}",
                    change % ROWS + 1
                );
                writer.batch_execute(&raise).await.unwrap();
            }
        });
    }
    let pause = Duration::from_millis(5);
    let workers: Vec<_> = (0..2)
        .map(|_| {
            let worker = Worker::new(fixture.database.config())
                .listeners(Listeners::new().several(Follows))
                .concurrency(2)
                .backoff(Backoff {
                    first: pause,
                    max: pause,
                });
            tokio::spawn(worker.run_until(std::future::pending()))
        })
        .collect();
    writers.join_all().await;
    fixture
        .until("SELECT count(*) FROM app.seen", 2 * ROWS * CHANGES)
        .await;
    for worker in workers {
        worker.abort();
    }
    let wrong = "SELECT count(*) FROM app.seen WHERE NOT follows";
    assert_eq!(fixture.count(wrong).await, 0);
}
