//! Many rows in one statement.

use std::time::Instant;

use pgpubsub_bench_bed::{Result, Server, record};
use pgpubsub_runtime::serde_json::json;

use crate::singles::ATTRS;
use crate::variant::{
    Company, EQUAL_WORK, NO_TRIGGER, Place, STORE_ONLY, STORE_ONLY_STATEMENT, generated,
};

pub(crate) async fn run(server: &Server, rows: usize, repetitions: usize) -> Result<()> {
    let variants = [
        NO_TRIGGER,
        EQUAL_WORK,
        STORE_ONLY,
        STORE_ONLY_STATEMENT,
        generated("row level", "door", Company::Nobody),
        generated("statement level", "statement", Company::Nobody),
    ];
    let mut places = Vec::new();
    for variant in variants {
        places.push(Place::make(server, variant).await?);
    }
    let insert = format!(
        "INSERT INTO item (name, qty, created_at, price, attrs, ref, active)
         SELECT 'item name ' || n, n, now(), 12.34, '{ATTRS}', gen_random_uuid(), true FROM generate_series(1, {rows}) AS n"
    );
    for slow_flush in [false, true] {
        server.slow_flush(&places[0].client, slow_flush).await?;
        for repetition in 0..repetitions {
            for place in &places {
                place.clean().await?;
                // A listening session, whom the NOTIFYs reach; a worker would compete for the processors.
                let company = place.company()?;
                let began = Instant::now();
                place.client.batch_execute(&insert).await?;
                let seconds = began.elapsed().as_secs_f64();
                drop(company);
                record(
                    "bulk",
                    json!({"variant": place.variant.name, "slow_flush": slow_flush, "rows": rows,
                           "repetition": repetition, "seconds": seconds}),
                );
            }
        }
    }
    Ok(())
}
