//! The ceiling: the same work by hand, without a runtime around it.

use futures_util::FutureExt as _;
use futures_util::future::join4;
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::tokio_postgres::{Client, Config, NoTls, Row, Statement};

use pgpubsub_bench_bed::Result;

use crate::child::{Progress, Task, Who};

/// Settings of the session, which the runtime sets for each transaction.
const WALK_THE_KEY: &str = "SET enable_seqscan = off; SET enable_sort = off";
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
const CLAIM: &str = "SELECT id, channel, op, model_version, db_version, txid::text, created_at, payload::text, context, attempts
  FROM pgpubsub.notification
  WHERE listener_group = $1 AND id > $4::bigint
    AND model_version <= ($3::bigint[])[array_position($2::text[], channel || ' ' || op)]
    AND (not_before IS NULL OR not_before <= clock_timestamp())
  ORDER BY id LIMIT $5::bigint FOR UPDATE SKIP LOCKED";
const REMOVE: &str = "DELETE FROM pgpubsub.notification
  WHERE listener_group = $1 AND id = ANY ($2::bigint[]) AND id >= $3::bigint AND id <= $4::bigint";

pub(crate) async fn drain(config: Config, task: Task, progress: Progress) -> Result<()> {
    let (batch, insert) = (i64::try_from(task.batch)?, task.insert);
    let savepoints = task.who == Who::RawSavepoints;
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    client.batch_execute(WALK_THE_KEY).await?;
    let claim = client.prepare(CLAIM).await?;
    let remove = client.prepare(REMOVE).await?;
    let effect = client.prepare("INSERT INTO effect VALUES ($1)").await?;
    client.batch_execute(BEGIN).await?;
    let mut last = 0;
    let mut rows = next(&client, &claim, last, batch).await?;
    loop {
        let mut done = Vec::with_capacity(rows.len());
        for (place, row) in rows.iter().enumerate() {
            let payload: Value = pgpubsub_runtime::serde_json::from_str(row.get(7))?;
            if payload.is_null() {
                return Err("no payload".into());
            }
            let id: i64 = row.get(0);
            if insert && savepoints {
                let release = if place > 0 {
                    "RELEASE SAVEPOINT listener; "
                } else {
                    ""
                };
                let savepoint = format!("{release}SAVEPOINT listener");
                // Sent ahead, nobody waits for it.
                drop(client.batch_execute(&savepoint).now_or_never());
            }
            if insert {
                client.execute(&effect, &[&id]).await?;
            }
            done.push(id);
        }
        // After a short claim once more from the start, as somebody has to.
        last = match done.last() {
            Some(id) if rows.len() as i64 == batch => *id,
            _ => 0,
        };
        let (removed, committed, begun, claimed) = join4(
            client.execute(&remove, &[&"work", &done, &done.first(), &done.last()]),
            client.batch_execute("COMMIT"),
            client.batch_execute(BEGIN),
            next(&client, &claim, last, batch),
        )
        .await;
        removed?;
        committed?;
        begun?;
        progress.add(done.len());
        let started_over = last == 0;
        rows = claimed?;
        if rows.is_empty() && started_over {
            break;
        }
    }
    client.batch_execute("COMMIT").await?;
    Ok(())
}

async fn next(client: &Client, claim: &Statement, last: i64, batch: i64) -> Result<Vec<Row>> {
    let (wanted, versions) = (vec!["jobs message"], vec![1_i64]);
    Ok(client
        .query(claim, &[&"work", &wanted, &versions, &last, &batch])
        .await?)
}
