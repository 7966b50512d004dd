//! graphile_worker: a worker with a local queue and batched completion, which is its fastest way.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use graphile_worker::{
    IntoTaskHandlerResult, LocalQueueConfig, TaskHandler, WorkerContext, WorkerOptions,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{Pool, Postgres};

use crate::{Result, payload};

static DONE: AtomicUsize = AtomicUsize::new(0);

#[derive(Serialize, Deserialize)]
struct Nothing {
    new: Value,
}

impl TaskHandler for Nothing {
    const IDENTIFIER: &'static str = "nothing";

    async fn run(self, _: WorkerContext) -> impl IntoTaskHandlerResult {
        DONE.fetch_add(1, Ordering::Relaxed);
        Ok::<(), String>(())
    }
}

pub(crate) async fn drain(
    pool: Pool<Postgres>,
    url: &str,
    count: usize,
    concurrency: usize,
) -> Result<f64> {
    let worker = WorkerOptions::default()
        .database_url(url)
        .max_pg_conn(28)
        .schema("graphile_worker")
        .concurrency(concurrency)
        .poll_interval(Duration::from_millis(5))
        .local_queue(LocalQueueConfig::default().with_size(500))
        .complete_job_batch_delay(Duration::from_millis(1))
        .define_job::<Nothing>()
        .init()
        .await?;
    sqlx::query("TRUNCATE graphile_worker._private_jobs CASCADE")
        .execute(&pool)
        .await?;
    sqlx::query(
        "SELECT graphile_worker.add_job('nothing', $1::json) FROM generate_series(1, $2::bigint)",
    )
    .bind(payload().to_string())
    .bind(i64::try_from(count)?)
    .execute(&pool)
    .await?;
    for sql in ["VACUUM ANALYZE graphile_worker._private_jobs", "CHECKPOINT"] {
        sqlx::query(sql).execute(&pool).await?;
    }
    let began = Instant::now();
    tokio::spawn(async move { worker.run().await.map_err(|error| error.to_string()) });
    let left = "SELECT count(*) FROM graphile_worker._private_jobs";
    loop {
        tokio::time::sleep(Duration::from_millis(3)).await;
        if DONE.load(Ordering::Relaxed) < count {
            continue;
        }
        // Completed in the database, too.
        let left: i64 = sqlx::query_scalar(left).fetch_one(&pool).await?;
        if left == 0 {
            return Ok(began.elapsed().as_secs_f64());
        }
    }
}
