//! A large backlog: the rate and the memory of each tenth.

use pgpubsub_bench_bed::{Result, record};
use pgpubsub_runtime::serde_json::json;
use pgpubsub_runtime::tokio_postgres::Client;
use pgpubsub_testkit::Database;

use crate::backlog;
use crate::child::{self, Ran, Task, Who};

/// Without and with a snapshot that another session holds.
pub(crate) async fn run(database: &Database, client: &Client, count: usize) -> Result<()> {
    for snapshot in [false, true] {
        for who in [Who::Raw, Who::Worker] {
            backlog::fill(client, count).await?;
            let holder = database.connect().await?;
            if snapshot {
                holder
                    .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pgpubsub.notification")
                    .await?;
            }
            let task = Task {
                who,
                batch: 100,
                insert: false,
                concurrency: 1,
                step: (count / 10).max(1),
            };
            let ran = child::drain(&database.url(), task, 1)?;
            tell("decay", task, snapshot, &ran);
        }
    }
    Ok(())
}

/// A worker as it is without a setting.
pub(crate) async fn memory(client: &Client, url: &str, count: usize) -> Result<()> {
    for batch in [100, 1000] {
        backlog::fill(client, count).await?;
        let task = Task {
            who: Who::Worker,
            batch,
            insert: false,
            concurrency: 4,
            step: (count / 10).max(1),
        };
        let ran = child::drain(url, task, 1)?;
        tell("memory", task, false, &ran);
    }
    Ok(())
}

fn tell(benchmark: &str, task: Task, snapshot: bool, ran: &Ran) {
    record(
        benchmark,
        json!({"who": task.who.name(), "batch": task.batch, "concurrency": task.concurrency, "snapshot": snapshot,
               "count": ran.done, "seconds": ran.seconds, "rates": ran.rates, "memory": ran.memory,
               "peak_memory": ran.peak_memory}),
    );
}
