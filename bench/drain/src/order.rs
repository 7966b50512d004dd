//! Key by key, next to the same worker by id, and beside what is blocked.

use std::io::Write as _;

use crate::{Result, fill, load, median, run, server};

/// What is drained, and beside what.
struct Variant {
    name: &'static str,
    who: &'static str,
    /// Order key of the g-th notification: an expression.
    key: &'static str,
    /// Keys that are blocked, and how many notifications each has.
    blocked: (i32, i32),
}

const VARIANTS: &[Variant] = &[
    Variant {
        name: "by id",
        who: "worker",
        key: "NULL",
        blocked: (0, 0),
    },
    Variant {
        name: "1,000 keys",
        who: "worker-ordered",
        key: "format('[\"%s\"]', g % 1000)",
        blocked: (0, 0),
    },
    Variant {
        name: "1,000 keys, beside 10 blocked with 10,000 each",
        who: "worker-ordered",
        key: "format('[\"%s\"]', g % 1000)",
        blocked: (10, 10_000),
    },
    Variant {
        name: "1,000 keys, beside 1,000 blocked with 100 each",
        who: "worker-ordered",
        key: "format('[\"%s\"]', g % 1000)",
        blocked: (1_000, 100),
    },
    Variant {
        name: "a key for each",
        who: "worker-ordered",
        key: "format('[\"%s\"]', g)",
        blocked: (0, 0),
    },
    Variant {
        name: "one key for all",
        who: "worker-ordered",
        key: "'[]'",
        blocked: (0, 0),
    },
    Variant {
        name: "no key in a group with order",
        who: "worker-ordered",
        key: "''",
        blocked: (0, 0),
    },
];

/// Batches of 100, a listener that does nothing, one process and two.
pub(crate) async fn run_all(count: usize, repetitions: usize) -> Result<()> {
    let (_cluster, database, client) = server().await?;
    println!("processes  what  median/s (min-max)  ratio to by id  ratio to 1,000 keys  load");
    for processes in [1, 2] {
        let mut rates = vec![Vec::new(); VARIANTS.len()];
        for _ in 0..repetitions {
            for (variant, rates) in VARIANTS.iter().zip(&mut rates) {
                let (keys, each) = variant.blocked;
                fill(&client, count).await?;
                let set = format!(
                    "INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload, order_key, attempts, not_before)
                       SELECT 'work', 'jobs', 'message', 1, '{{\"n\": 1}}', format('[\"blocked %s\"]', k), (i = 1)::integer,
                         CASE i WHEN 1 THEN now() + interval '1 day' END
                       FROM generate_series(1, {keys}) AS k, generate_series(1, {each}) AS i ORDER BY i, k;
                     WITH drained AS (DELETE FROM pgpubsub.notification WHERE order_key IS NULL RETURNING *)
                       INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload, order_key)
                       SELECT listener_group, channel, op, model_version, payload, {} FROM (SELECT *, id AS g FROM drained ORDER BY id) AS d;
                     VACUUM pgpubsub.notification; CHECKPOINT",
                    variant.key
                );
                for statement in set.split(';') {
                    client.batch_execute(statement).await?;
                }
                let ran = run(
                    variant.who,
                    &database.url(),
                    100,
                    "none",
                    usize::MAX,
                    processes,
                )?;
                if ran.done != count {
                    return Err(format!("{} did {} of {count}", variant.name, ran.done).into());
                }
                rates.push(count as f64 / ((ran.end - ran.start) as f64 / 1e6));
            }
        }
        let (by_id, keyed) = (median(rates[0].clone()), median(rates[1].clone()));
        for (variant, rates) in VARIANTS.iter().zip(&rates) {
            let least = rates.iter().copied().fold(f64::MAX, f64::min);
            let most = rates.iter().copied().fold(0.0, f64::max);
            let rate = median(rates.clone());
            println!(
                "{processes}  {:48}  {rate:.0} ({least:.0}-{most:.0})  {:.2}  {:.2}  {}",
                variant.name,
                rate / by_id,
                rate / keyed,
                load()
            );
        }
        std::io::stdout().flush()?;
    }
    Ok(())
}
