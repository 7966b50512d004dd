//! Writers that publish at random times, so many a second on average.

use std::time::{Duration, Instant};

use pgpubsub_runtime::tokio_postgres::{Config, NoTls};
use tokio::time::sleep_until;

use crate::{Result, now};

/// A notification that is committed.
pub(crate) struct Written {
    pub(crate) number: i64,
    /// Right after the server said so.
    pub(crate) committed: i64,
    /// Whether its writer sent a NOTIFY.
    pub(crate) rang: bool,
}

/// As many sessions, so that a flush to disk delays only its own writer.
const WRITERS: u32 = 8;

pub(crate) async fn write(
    config: &Config,
    function: &str,
    rate: u32,
    time: Duration,
) -> Result<Vec<Written>> {
    let mean = Duration::from_secs(1) * WRITERS / rate;
    let mut tasks = Vec::new();
    for writer in 0..WRITERS {
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        let publish = client.prepare(&format!("SELECT {function}($1)")).await?;
        tasks.push(tokio::spawn(async move {
            let mut written = Vec::new();
            let mut chance = Chance(u64::from(writer) * 7_919 + 1);
            let start = Instant::now();
            // Exponential gaps: what comes does not know of what came before.
            let mut due = mean.mul_f64(-chance.next().ln());
            while due < time {
                sleep_until((start + due).into()).await;
                let number =
                    i64::from(writer) * 10_000_000 + i64::try_from(written.len()).unwrap_or(0);
                let row = client.query_one(&publish, &[&number]).await?;
                written.push(Written {
                    number,
                    committed: now(),
                    rang: row.get(0),
                });
                due += mean.mul_f64(-chance.next().ln());
            }
            Result::Ok(written)
        }));
    }
    let mut written = Vec::new();
    for task in tasks {
        written.extend(task.await??);
    }
    Ok(written)
}

/// The same run again each time.
struct Chance(u64);

impl Chance {
    /// Above 0, up to 1.
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        ((self.0 >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }
}
