//! pgmq: read, and delete, one after the other on one connection.

use std::time::Instant;

use pgmq::{Message, PGMQueueExt};
use serde_json::Value;
use sqlx::{Pool, Postgres};

use crate::{Result, payload};

const QUEUE: &str = "bench";

pub(crate) async fn drain(pool: Pool<Postgres>, count: usize, batch: i32) -> Result<f64> {
    let queue = PGMQueueExt::new_with_pool(pool.clone()).await;
    queue.install_sql_from_embedded().await?;
    queue.create(QUEUE).await?;
    queue.purge_queue(QUEUE).await?;
    let message = payload();
    for sent in (0..count).step_by(1000) {
        let some = vec![message.clone(); (count - sent).min(1000)];
        queue.send_batch(QUEUE, &some).await?;
    }
    for sql in ["VACUUM ANALYZE pgmq.q_bench", "CHECKPOINT"] {
        sqlx::query(sql).execute(&pool).await?;
    }
    let began = Instant::now();
    let mut done = 0;
    while done < count {
        let read: Vec<Message<Value>> = queue.read_batch(QUEUE, 60, batch).await?;
        let ids: Vec<i64> = read.iter().map(|message| message.msg_id).collect();
        if ids.is_empty() {
            return Err(format!("{done} of {count}").into());
        }
        queue.delete_batch(QUEUE, &ids).await?;
        done += ids.len();
    }
    Ok(began.elapsed().as_secs_f64())
}
