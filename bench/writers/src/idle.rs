//! A worker that has nothing to do.

use std::time::{Duration, Instant};

use pgpubsub_bench_bed::{Result, Server, cpu_of, record, resident_memory};
use pgpubsub_runtime::serde_json::json;

use crate::variant::{Company, Place, generated};

/// After the start, and what it brings about.
const SETTLED: Duration = Duration::from_secs(2);

/// One of each way of waking, all at the same time.
pub(crate) async fn run(server: &Server, seconds: u64) -> Result<()> {
    let mut idle = Vec::new();
    for way in ["door", "commit", "poll"] {
        let place = Place::make(server, generated(way, way, Company::Works(way))).await?;
        let process = place.company()?.ok_or("a worker")?;
        idle.push((place, process));
    }
    tokio::time::sleep(SETTLED).await;
    let mut before = Vec::new();
    for (place, process) in &idle {
        let sessions = sessions(place).await?;
        before.push((cpu_of(process.id())?, cpu_of_all(&sessions)?, sessions));
    }
    let began = Instant::now();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    for ((place, process), (worker, server, sessions)) in idle.iter().zip(before) {
        let took = began.elapsed().as_secs_f64();
        record(
            "idle",
            json!({"wake": place.variant.name, "seconds": took, "sessions": sessions.len(),
                   "worker": (cpu_of(process.id())? - worker) / took,
                   "server": (cpu_of_all(&sessions)? - server) / took,
                   "memory": resident_memory(process.id())?}),
        );
    }
    Ok(())
}

/// Server processes of the worker.
async fn sessions(place: &Place) -> Result<Vec<u32>> {
    let sql = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let rows = place.client.query(sql, &[]).await?;
    let process = |row: &pgpubsub_runtime::tokio_postgres::Row| u32::try_from(row.get::<_, i32>(0));
    Ok(rows
        .iter()
        .map(process)
        .collect::<std::result::Result<_, _>>()?)
}

fn cpu_of_all(processes: &[u32]) -> Result<f64> {
    processes.iter().map(|process| cpu_of(*process)).sum()
}
