//! One drain in a database of somebody else's choice, for the comparison with peers.

use pgpubsub_bench_bed::Result;
use pgpubsub_runtime::serde_json::json;
use pgpubsub_runtime::tokio_postgres::{Config, NoTls};

use crate::backlog;
use crate::child::{self, Task, Who};

/// Writes how many were drained, and in how many seconds.
pub(crate) async fn run(who: &str, url: &str, batch: usize, count: usize) -> Result<()> {
    let (client, connection) = url.parse::<Config>()?.connect(NoTls).await?;
    tokio::spawn(connection);
    let there = "SELECT to_regclass('pgpubsub.notification') IS NOT NULL";
    if !client.query_one(there, &[]).await?.get::<_, bool>(0) {
        backlog::create(&client).await?;
    }
    backlog::fill(&client, count).await?;
    let task = Task {
        who: Who::from_name(who)?,
        batch,
        insert: false,
        concurrency: 1,
        step: usize::MAX,
    };
    let ran = child::drain(url, task, 1)?;
    println!("{}", json!({"count": ran.done, "seconds": ran.seconds}));
    Ok(())
}
