//! One of each: reads, a deleted post, media, and a message that is not stored.

use std::collections::BTreeMap;

use anyhow::Context;
use pgpubsub_runtime::chrono::NaiveDate;

use super::Stage;
use super::workers::Workers;
use crate::pubsub::{CacheExpired, PostReads};

/// Publishes and changes, and waits for what the listeners make of it.
pub(super) async fn run(stage: &Stage, workers: &mut Workers) -> anyhow::Result<()> {
    let post = stage.count("SELECT min(id) FROM app.post").await?;
    reads(stage, post).await?;
    media(stage).await?;
    deletion(stage, post).await?;

    let everybody = workers.count();
    stage.say(&format!(
        "a transient message: all {everybody} workers drop their copy of post {post}"
    ));
    CacheExpired::new(post)
        .notify(&stage.client)
        .await
        .context("cannot publish")?;
    workers
        .wait_for_lines(everybody, |line| line.contains("dropped its copy"))
        .await
}

/// A message channel: three messages, two days.
async fn reads(stage: &Stage, post: i64) -> anyhow::Result<()> {
    stage.say(&format!(
        "post {post} was read: three messages, published in one transaction"
    ));
    let monday = NaiveDate::from_ymd_opt(2026, 1, 5).context("a day")?;
    let tuesday = monday.succ_opt().context("the next day")?;
    let per_day = BTreeMap::from([(monday, 2), (tuesday, 5)]);
    stage.client.batch_execute("BEGIN").await?;
    PostReads {
        per_day,
        ..PostReads::new(post)
    }
    .notify(&stage.client)
    .await
    .context("cannot publish")?;
    for _ in 0..2 {
        let read = PostReads {
            date: Some(monday),
            ..PostReads::new(post)
        };
        read.notify(&stage.client).await.context("cannot publish")?;
    }
    stage.client.batch_execute("COMMIT").await?;
    stage
        .wait_for("the reads", &processed("count_reads"), 3)
        .await?;
    let sql = "SELECT date::text, reads FROM app.post_reads_per_day ORDER BY date";
    for row in stage.client.query(sql, &[]).await? {
        stage.say(&format!(
            "    reads on {}: {}",
            row.get::<_, String>(0),
            row.get::<_, i64>(1)
        ));
    }
    Ok(())
}

/// A trigger channel with two events.
async fn media(stage: &Stage) -> anyhow::Result<()> {
    stage.say("a picture is uploaded, then replaced");
    let insert = "INSERT INTO app.media (name, content_type, size) VALUES ('cat.png', 'image/png', 18446744073709551615)";
    stage
        .client
        .batch_execute(insert)
        .await
        .context("cannot write media")?;
    stage
        .wait_for("the scan", &processed("scan_media"), 1)
        .await?;
    let update = "UPDATE app.media SET storage_key = gen_random_uuid(), size = 4096";
    stage
        .client
        .batch_execute(update)
        .await
        .context("cannot update media")?;
    stage
        .wait_for("the scan", &processed("scan_media"), 2)
        .await
}

/// A trigger channel that speaks before the row goes.
async fn deletion(stage: &Stage, post: i64) -> anyhow::Result<()> {
    stage.say(&format!("post {post} is deleted"));
    stage
        .client
        .execute("DELETE FROM app.post WHERE id = $1", &[&post])
        .await
        .context("cannot delete")?;
    stage
        .wait_for("the mail", &processed("mail_author"), 1)
        .await
}

/// Counts what the ledger says about a listener. The names are those above, never input.
fn processed(listener: &str) -> String {
    format!("SELECT count(*) FROM app.ledger WHERE listener = '{listener}'")
}
