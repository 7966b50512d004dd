//! Gives a group that was added later what another group has got: what it has processed, and what still waits for it.
//!
//! Which notifications the late group has a copy of cannot be told by a time or a number: a transaction that ran while the migration
//! was applied may have stored some for the other group only, and then some for both. But the copies of an event are of one
//! transaction and have one time. So each is looked up, after all transactions have ended that may use the functions of before.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Transaction};

use super::replay::{Kept, begin, failed, table};

/// Between two looks at the transactions that are under way.
const PAUSE: Duration = Duration::from_millis(100);
/// After this time, who is waited for is told, and then as often.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a notification is beside its number and group.
const KEPT: &str = "\"channel\", \"op\", \"model_version\", \"db_version\", \"txid\", \"created_at\", \"payload\", \"context\"";

/// What to give to whom.
#[derive(Clone, Debug)]
pub(crate) struct LateGroup {
    pub from: String,
    pub to: String,
    /// Its listeners and their channels, as the registry has them.
    pub installed: Vec<(String, String)>,
    /// Channels, under all their names, with an operation each.
    pub takes: Vec<(String, &'static str)>,
    /// Whether it gets some of its notifications one after the other.
    pub ordered: bool,
    pub written_since: Option<String>,
    pub written_until: Option<String>,
}

/// Those that it lacks, by channel and version.
pub(crate) async fn count(
    client: &mut Client,
    schema: &str,
    late: &LateGroup,
) -> anyhow::Result<Vec<Kept>> {
    let transaction = begin(client, schema, true).await?;
    check_installed(&transaction, schema, late).await?;
    let lacking = lacking(&transaction, schema, late).await?;
    transaction.rollback().await.map_err(failed)?;
    Ok(lacking)
}

/// Gives it what it lacks, all of it or nothing, and returns the number. `refuse` looks at it before.
pub(crate) async fn give(
    client: &mut Client,
    schema: &str,
    late: &LateGroup,
    refuse: impl Fn(&[Kept]) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    let transaction = begin(client, schema, true).await?;
    check_installed(&transaction, schema, late).await?;
    transaction.rollback().await.map_err(failed)?;
    // The second time for those that began while the migration had ended and not yet told the others of it.
    for _ in 0..2 {
        wait_for_others(client).await?;
    }
    let transaction = begin(client, schema, false).await?;
    refuse(&lacking(&transaction, schema, late).await?)?;
    // Under the same numbers: they come before what has been stored for the group itself, as they were written before. What was
    // stored for later is found by its time.
    let sql = format!(
        "{} INSERT INTO {} (\"id\", \"listener_group\", {KEPT}, \"order_key\", \"not_before\", \"expires_at\", \"priority\") \
         OVERRIDING SYSTEM VALUE \
         SELECT \"id\", $2, {KEPT}, CASE WHEN $5::boolean THEN coalesce(\"order_key\", '') END, \
           CASE WHEN \"id\" < 0 THEN coalesce(\"not_before\", '-infinity') END, \"expires_at\", \"priority\" \
         FROM \"lacking\" ON CONFLICT DO NOTHING",
        with_lacking(schema),
        table(schema, "notification")
    );
    let (channels, ops) = takes(late);
    let given = transaction
        .execute(
            &sql,
            &[
                &late.from,
                &late.to,
                &channels,
                &ops,
                &late.ordered,
                &late.written_since,
                &late.written_until,
            ],
        )
        .await
        .map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    Ok(given)
}

/// The tables grow and shrink faster than their statistics are made, and a planner who takes them for empty would compare each with each.
const JOIN_BY_HASH: &str = "SET LOCAL enable_nestloop = off";

async fn lacking(
    transaction: &Transaction<'_>,
    schema: &str,
    late: &LateGroup,
) -> anyhow::Result<Vec<Kept>> {
    let time = |of: &str| {
        format!(
            "pg_catalog.to_char({of}(\"created_at\") AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
        )
    };
    let sql = format!(
        "{} SELECT \"channel\", \"model_version\", pg_catalog.count(*), {}, {} FROM \"lacking\" \
         WHERE $5::boolean IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2",
        with_lacking(schema),
        time("pg_catalog.min"),
        time("pg_catalog.max")
    );
    transaction
        .batch_execute(JOIN_BY_HASH)
        .await
        .map_err(failed)?;
    let (channels, ops) = takes(late);
    let parameters: [&(dyn ToSql + Sync); 7] = [
        &late.from,
        &late.to,
        &channels,
        &ops,
        &late.ordered,
        &late.written_since,
        &late.written_until,
    ];
    let rows = transaction.query(&sql, &parameters).await.map_err(failed)?;
    Ok(rows
        .iter()
        .map(|row| Kept {
            channel: row.get(0),
            group: late.to.clone(),
            model_version: row.get(1),
            count: row.get(2),
            first: row.get(3),
            last: row.get(4),
        })
        .collect())
}

fn takes(late: &LateGroup) -> (Vec<&str>, Vec<&str>) {
    let takes = late.takes.iter();
    takes.map(|(channel, op)| (channel.as_str(), *op)).unzip()
}

/// `$1` group that has them, `$2` group that lacks them, `$3` channels, `$4` an operation of each, `$6` and `$7` when they were
/// written.
///
/// One snapshot sees each in one of the tables, whatever workers do.
fn with_lacking(schema: &str) -> String {
    let [waiting, processed, quarantine] =
        ["notification", "processed", "quarantine"].map(|name| table(schema, name));
    format!(
        "WITH \"takes\" AS (\
           SELECT DISTINCT \"channel\", \"op\" FROM ROWS FROM (pg_catalog.unnest($3::text[]), pg_catalog.unnest($4::text[])) AS \"t\" (\"channel\", \"op\")), \
         \"had\" AS (\
           SELECT \"id\", {KEPT}, \"order_key\", NULL::timestamptz AS \"not_before\", NULL::timestamptz AS \"expires_at\", NULL::smallint AS \"priority\" \
             FROM {processed} WHERE \"listener_group\" = $1 \
           UNION ALL \
           SELECT \"id\", {KEPT}, \"order_key\", CASE WHEN \"id\" < 0 AND \"attempts\" = 0 THEN \"not_before\" END, \"expires_at\", \"priority\" \
             FROM {waiting} WHERE \"listener_group\" = $1 AND (\"expires_at\" IS NULL OR \"expires_at\" > pg_catalog.clock_timestamp()) \
           UNION ALL \
           SELECT \"id\", {KEPT}, \"order_key\", NULL, NULL, \"priority\" FROM {quarantine} WHERE \"listener_group\" = $1), \
         \"has\" AS (\
           SELECT \"channel\", \"op\", \"txid\", \"created_at\" FROM {processed} WHERE \"listener_group\" = $2 \
           UNION ALL SELECT \"channel\", \"op\", \"txid\", \"created_at\" FROM {waiting} WHERE \"listener_group\" = $2 \
           UNION ALL SELECT \"channel\", \"op\", \"txid\", \"created_at\" FROM {quarantine} WHERE \"listener_group\" = $2), \
         \"lacking\" AS (\
           SELECT \"had\".* FROM \"had\" JOIN \"takes\" USING (\"channel\", \"op\") \
           WHERE ($6::text IS NULL OR \"created_at\" >= $6::text::timestamptz) AND ($7::text IS NULL OR \"created_at\" < $7::text::timestamptz) \
             AND NOT EXISTS (\
               SELECT FROM \"has\" WHERE \"has\".\"txid\" = \"had\".\"txid\" AND \"has\".\"created_at\" = \"had\".\"created_at\" \
                 AND \"has\".\"channel\" = \"had\".\"channel\" AND \"has\".\"op\" = \"had\".\"op\"))"
    )
}

/// What is written from its migration on is stored for it; without that, everything would be lacking again and again.
async fn check_installed(
    transaction: &Transaction<'_>,
    schema: &str,
    late: &LateGroup,
) -> anyhow::Result<()> {
    let sql = format!(
        "SELECT \"name\", \"channel\" FROM {} WHERE \"listener_group\" = $1",
        table(schema, "listener")
    );
    let rows = transaction.query(&sql, &[&late.to]).await.map_err(failed)?;
    let there: BTreeSet<(String, String)> =
        rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    if let Some((listener, channel)) = late.installed.iter().find(|pair| !there.contains(pair)) {
        anyhow::bail!(
            "the listener {listener} of the group {} is not installed for the channel {channel}: apply the migrations first",
            late.to
        );
    }
    Ok(())
}

/// Waits until every transaction of this database has ended that is under way now.
async fn wait_for_others(client: &Client) -> anyhow::Result<()> {
    let mut awaited = under_way(client).await?;
    let mut told = Instant::now();
    while !awaited.is_empty() {
        if told.elapsed() >= PATIENCE {
            let who: BTreeSet<String> = awaited
                .iter()
                .map(|(_, pid)| match pid {
                    Some(pid) => format!("that of the backend {pid}"),
                    None => "a prepared one".to_owned(),
                })
                .collect();
            let who: Vec<String> = who.into_iter().collect();
            eprintln!(
                "waiting for transactions that began before: {}",
                who.join(", ")
            );
            told = Instant::now();
        }
        tokio::time::sleep(PAUSE).await;
        let now = under_way(client).await?;
        awaited.retain(|transaction| now.contains(transaction));
    }
    Ok(())
}

/// Transactions of this database, with the session of each; a prepared one has none.
async fn under_way(client: &Client) -> anyhow::Result<BTreeSet<(String, Option<i32>)>> {
    let sql = "SELECT l.virtualxid, l.pid FROM pg_catalog.pg_locks AS l \
         JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid \
         JOIN pg_catalog.pg_database AS d ON d.oid = a.datid AND d.datname = pg_catalog.current_database() \
         WHERE l.locktype = 'virtualxid' AND l.mode = 'ExclusiveLock' AND l.pid <> pg_catalog.pg_backend_pid() \
           AND a.backend_type IS DISTINCT FROM 'autovacuum worker' \
         UNION ALL \
         SELECT 'prepared ' || p.transaction::text, NULL FROM pg_catalog.pg_prepared_xacts AS p \
         WHERE p.database = pg_catalog.current_database()";
    let rows = client.query(sql, &[]).await.map_err(failed)?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}
