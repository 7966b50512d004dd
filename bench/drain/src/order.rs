//! Key by key, next to the same worker by id, and beside what is blocked.

use pgpubsub_bench_bed::{Result, record};
use pgpubsub_runtime::serde_json::json;
use pgpubsub_runtime::tokio_postgres::Client;

use crate::backlog;
use crate::child::{self, Task, Who};

/// What is drained, and beside what.
struct Variant {
    name: &'static str,
    who: Who,
    /// Order key of the g-th notification: an expression.
    key: &'static str,
    /// Keys that are blocked, and how many notifications each has.
    blocked: (i32, i32),
}

const VARIANTS: &[Variant] = &[
    Variant {
        name: "by id",
        who: Who::Worker,
        key: "NULL",
        blocked: (0, 0),
    },
    Variant {
        name: "1,000 keys",
        who: Who::WorkerOrdered,
        key: "format('[\"%s\"]', g % 1000)",
        blocked: (0, 0),
    },
    Variant {
        name: "1,000 keys, beside 10 blocked with 10,000 each",
        who: Who::WorkerOrdered,
        key: "format('[\"%s\"]', g % 1000)",
        blocked: (10, 10_000),
    },
    Variant {
        name: "1,000 keys, beside 1,000 blocked with 100 each",
        who: Who::WorkerOrdered,
        key: "format('[\"%s\"]', g % 1000)",
        blocked: (1_000, 100),
    },
    Variant {
        name: "a key for each",
        who: Who::WorkerOrdered,
        key: "format('[\"%s\"]', g)",
        blocked: (0, 0),
    },
    Variant {
        name: "one key for all",
        who: Who::WorkerOrdered,
        key: "'[]'",
        blocked: (0, 0),
    },
    Variant {
        name: "no key in a group with order",
        who: Who::WorkerOrdered,
        key: "''",
        blocked: (0, 0),
    },
];

/// Batches of 100, a listener that does nothing, one process and two.
pub(crate) async fn run(
    client: &Client,
    url: &str,
    count: usize,
    repetitions: usize,
) -> Result<()> {
    for processes in [1, 2] {
        for repetition in 0..repetitions {
            for variant in VARIANTS {
                backlog::fill(client, count).await?;
                give_keys(client, variant).await?;
                let task = Task {
                    who: variant.who,
                    batch: 100,
                    insert: false,
                    concurrency: 1,
                    step: usize::MAX,
                };
                let ran = child::drain(url, task, processes)?;
                if ran.done != count {
                    return Err(format!("{} did {} of {count}", variant.name, ran.done).into());
                }
                record(
                    "order",
                    json!({"what": variant.name, "processes": processes, "count": count, "repetition": repetition,
                           "seconds": ran.seconds, "rate": ran.done as f64 / ran.seconds}),
                );
            }
        }
    }
    Ok(())
}

/// What is blocked comes before what is drained: each blocked key has a first notification that is due tomorrow.
async fn give_keys(client: &Client, variant: &Variant) -> Result<()> {
    let (keys, each) = variant.blocked;
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
    Ok(())
}
