//! Every combination of listener, batch and processes, by hand and by the worker in turns.

use pgpubsub_bench_bed::{Result, record};
use pgpubsub_runtime::serde_json::json;
use pgpubsub_runtime::tokio_postgres::Client;

use crate::backlog;
use crate::child::{self, Task, Who};

pub(crate) async fn run(
    client: &Client,
    url: &str,
    count: usize,
    repetitions: usize,
) -> Result<()> {
    for insert in [false, true] {
        for batch in [1, 10, 100, 1000] {
            for processes in [1, 2, 4] {
                let variants: &[Who] = match (insert, processes) {
                    (true, 1) => &[
                        Who::Raw,
                        Who::RawSavepoints,
                        Who::Worker,
                        Who::RawSlices,
                        Who::WorkerSlices,
                    ],
                    _ => &[Who::Raw, Who::Worker],
                };
                // As many as make a run of about a second.
                let count = match (insert, batch) {
                    (_, 1) => count / 20,
                    (true, _) => count / 5,
                    (_, 10) => count / 3,
                    _ => count,
                };
                for repetition in 0..repetitions {
                    for who in variants {
                        backlog::fill(client, count).await?;
                        let task = Task {
                            who: *who,
                            batch,
                            insert,
                            concurrency: 1,
                            step: usize::MAX,
                        };
                        let ran = child::drain(url, task, processes)?;
                        if ran.done != count {
                            return Err(
                                format!("{} did {} of {count}", who.name(), ran.done).into()
                            );
                        }
                        record(
                            "drain",
                            json!({"who": who.name(), "listener": if insert { "insert" } else { "none" }, "batch": batch,
                                   "processes": processes, "count": count, "repetition": repetition,
                                   "seconds": ran.seconds, "rate": ran.done as f64 / ran.seconds, "steady": ran.steady}),
                        );
                    }
                }
            }
        }
    }
    Ok(())
}
