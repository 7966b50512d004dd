//! The floor: one session that LISTENs and one that claims, without a runtime around them.

use std::time::SystemTime;

use futures_util::StreamExt as _;
use futures_util::future::join;
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::tokio_postgres::{AsyncMessage, Config, NoTls};
use tokio::sync::{Notify, oneshot};

use crate::{Entries, Result, micros};

/// Settings of the session, which the runtime sets for each transaction.
const WALK_THE_KEY: &str =
    "SET enable_seqscan = off; SET enable_sort = off; SET plan_cache_mode = force_generic_plan";
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
const CLAIM: &str = "SELECT id, payload::text, created_at
  FROM pgpubsub.notification
  WHERE listener_group = $1 AND (not_before IS NULL OR not_before <= clock_timestamp())
  ORDER BY id LIMIT 100 FOR UPDATE SKIP LOCKED";
const REMOVE: &str =
    "DELETE FROM pgpubsub.notification WHERE listener_group = $1 AND id = ANY ($2::bigint[])";

pub(crate) async fn listen(
    config: Config,
    entries: Entries,
    mut end: oneshot::Receiver<()>,
) -> Result<()> {
    let (listening, mut connection) = config.connect(NoTls).await?;
    let heard = std::sync::Arc::new(Notify::new());
    let bell = std::sync::Arc::clone(&heard);
    tokio::spawn(async move {
        let mut messages = futures_util::stream::poll_fn(move |cx| connection.poll_message(cx));
        while let Some(Ok(message)) = messages.next().await {
            if matches!(message, AsyncMessage::Notification(_)) {
                bell.notify_one();
            }
        }
    });
    listening.batch_execute("LISTEN pgpubsub_jobs").await?;
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    client.batch_execute(WALK_THE_KEY).await?;
    let claim = client.prepare(CLAIM).await?;
    let remove = client.prepare(REMOVE).await?;
    println!("ready");
    loop {
        tokio::select! {
            () = heard.notified() => {}
            _ = &mut end => return Ok(()),
        }
        loop {
            let (begun, rows) = join(
                client.batch_execute(BEGIN),
                client.query(&claim, &[&"work"]),
            )
            .await;
            begun?;
            let rows = rows?;
            let mut done: Vec<i64> = Vec::with_capacity(rows.len());
            for row in &rows {
                let payload: Value = pgpubsub_runtime::serde_json::from_str(row.get(1))?;
                let number = payload["number"].as_i64().ok_or("no number")?;
                entries.add(number, micros(row.get::<_, SystemTime>(2)));
                done.push(row.get(0));
            }
            let (removed, committed) = join(
                client.execute(&remove, &[&"work", &done]),
                client.batch_execute("COMMIT"),
            )
            .await;
            removed?;
            committed?;
            if done.is_empty() {
                break;
            }
        }
    }
}
