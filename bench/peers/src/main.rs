//! Drains a backlog with other systems of the same language: `pgpubsub-bench-peers PEER COUNT SETTING`, with `DATABASE_URL`.
//!
//! Writes how many were drained, and in how many seconds.

mod graphile;
mod queue;

use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [peer, count, setting] = words.as_slice() else {
        return Err("usage: pgpubsub-bench-peers PEER COUNT SETTING".into());
    };
    let url = std::env::var("DATABASE_URL")?;
    let pool = sqlx::postgres::PgPoolOptions::new()
        .max_connections(28)
        .connect(&url)
        .await?;
    let count = count.parse()?;
    let seconds = match peer.as_str() {
        "pgmq" => queue::drain(pool, count, setting.parse()?).await?,
        "graphile_worker" => graphile::drain(pool, &url, count, setting.parse()?).await?,
        _ => return Err(format!("no such peer: {peer}").into()),
    };
    println!("{}", json!({"count": count, "seconds": seconds}));
    // Some of their tasks never end.
    std::process::exit(0);
}

/// What each message holds, about 600 bytes.
fn payload() -> Value {
    json!({"new": {"id": 1, "name": "item name 1", "qty": 1, "created_at": "2026-01-01T00:00:00+00:00", "price": 12.34,
                   "attrs": {"colour": "red", "size": 42, "tags": ["a", "b", "c"]}, "ref": "3f0e7c1a-0000-4000-8000-000000000000",
                   "active": true, "note": "x".repeat(300)}})
}
