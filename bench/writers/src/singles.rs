//! Clients that insert single rows as fast as they can.

use std::io::Write as _;
use std::process::Command;

use pgpubsub_bench_bed::{Result, Server, record};
use pgpubsub_runtime::serde_json::json;

use crate::variant::{Company, EQUAL_WORK, NO_TRIGGER, Place, STORE_ONLY, generated};

/// About 200 bytes of a document.
pub(crate) const ATTRS: &str = r#"{"color": "blue", "size": "XL", "tags": ["a", "bb", "ccc"], "dims": {"w": 12.5, "h": 30, "d": 4}, "note": "a small document of about two hundred bytes", "supplier": {"id": 4711, "name": "ACME"}}"#;

pub(crate) async fn run(server: &Server, seconds: u32, repetitions: usize) -> Result<()> {
    let variants = [
        NO_TRIGGER,
        EQUAL_WORK,
        STORE_ONLY,
        generated("door, no worker", "door", Company::Nobody),
        generated("door", "door", Company::Works("door")),
        generated("commit", "commit", Company::Works("commit")),
        generated("poll", "poll", Company::Works("poll")),
    ];
    let mut places = Vec::new();
    for variant in variants {
        places.push(Place::make(server, variant).await?);
    }
    let script = Script::write()?;
    for slow_flush in [false, true] {
        server.slow_flush(&places[0].client, slow_flush).await?;
        for clients in [1, 8, 32] {
            for repetition in 0..repetitions {
                for place in &places {
                    place.clean().await?;
                    let company = place.company()?;
                    let rate = script.run(&place.database.url(), clients, seconds)?;
                    let works = matches!(place.variant.company, Company::Works(_));
                    let delivered = match company {
                        Some(worker) if works => worker.finish()?.pop(),
                        _ => None,
                    };
                    record(
                        "singles",
                        json!({"variant": place.variant.name, "slow_flush": slow_flush, "clients": clients,
                               "seconds": seconds, "repetition": repetition, "rate": rate,
                               "delivered": delivered.and_then(|count| count.parse::<u64>().ok()),
                               "waiting": place.waiting().await?}),
                    );
                }
            }
        }
    }
    Ok(())
}

/// What each client does, for pgbench, which takes little of the processors from the server.
struct Script(tempfile::NamedTempFile);

impl Script {
    fn write() -> Result<Self> {
        let mut file = tempfile::NamedTempFile::new()?;
        writeln!(
            file,
            "\\set number random(1, 1000000)\n\
             INSERT INTO item (name, qty, created_at, price, attrs, ref, active) \
             VALUES ('item name ' || (:number)::integer, :number, now(), 12.34, '{ATTRS}', gen_random_uuid(), true);"
        )?;
        Ok(Self(file))
    }

    /// Transactions a second.
    fn run(&self, url: &str, clients: usize, seconds: u32) -> Result<f64> {
        let program = match std::env::var("PGPUBSUB_PG_BIN") {
            Ok(folder) => format!("{folder}/pgbench"),
            Err(_) => "pgbench".to_owned(),
        };
        let output = Command::new(program)
            .args(["--no-vacuum", "--protocol=prepared"])
            .arg(format!("--client={clients}"))
            .arg(format!("--jobs={}", clients.min(2)))
            .arg(format!("--time={seconds}"))
            .arg(format!("--file={}", self.0.path().display()))
            .arg(url)
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let rate = text
            .lines()
            .find_map(|line| line.strip_prefix("tps = "))
            .and_then(|line| line.split(' ').next())
            .and_then(|rate| rate.parse().ok());
        rate.ok_or_else(|| format!("{text}{}", String::from_utf8_lossy(&output.stderr)).into())
    }
}
