//! Reads the quarantine, and takes notifications out of it.

use std::time::Duration;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, IsolationLevel, Row, Transaction};

use super::session::chain;
use crate::plan::ident::sql_ident;

/// How many are moved by one statement.
const BATCH: u32 = 1_000;

/// What a notification is, there and here.
const KEPT: &str = "\"id\", \"listener_group\", \"channel\", \"op\", \"model_version\", \"db_version\", \"txid\", \"created_at\", \"payload\", \"context\"";

/// And how it is delivered.
const MANNER: &str = "\"priority\", \"order_key\", \"expires_at\", \"dedup_key\"";

/// The same for one that is put back, as the runtime does it: what has expired is delivered nevertheless, and nothing is folded
/// into it.
const MANNER_AGAIN: &str = "\"priority\", \"order_key\", \
     CASE WHEN \"expires_at\" > pg_catalog.statement_timestamp() THEN \"expires_at\" END, \
     CASE WHEN \"expires_at\" <= pg_catalog.statement_timestamp() THEN NULL ELSE \"dedup_key\" END";

/// `$1` id, `$2` channel, `$3` group, each perhaps null.
const FILTER: &str = "($1::bigint IS NULL OR \"id\" = $1) AND ($2::text IS NULL OR \"channel\" = $2) \
     AND ($3::text IS NULL OR \"listener_group\" = $3)";

const THERE: &str = "SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = 'quarantine'";

/// Which notifications are meant: those that fit everything that is said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub id: Option<i64>,
    pub channel: Option<String>,
    pub group: Option<String>,
}

/// A notification in quarantine. Times are in ISO 8601, UTC.
#[derive(Clone, Debug)]
pub(crate) struct Quarantined {
    pub id: i64,
    pub group: String,
    pub channel: String,
    pub op: String,
    pub model_version: i32,
    pub db_version: Option<String>,
    pub txid: String,
    pub created_at: String,
    pub attempts: i32,
    pub last_error: Option<String>,
    pub reason: String,
    pub quarantined_at: String,
    pub expires_at: Option<String>,
    pub priority: Option<i16>,
    pub dedup_key: Option<String>,
    pub order_key: Option<String>,
    pub payload: String,
    pub context: Option<String>,
}

impl Filter {
    fn parameters(&self) -> [&(dyn ToSql + Sync); 3] {
        [&self.id, &self.channel, &self.group]
    }
}

/// The first so many of them, by number, and the number of all of them.
pub(crate) async fn read(
    client: &mut Client,
    schema: &str,
    filter: &Filter,
    limit: i64,
) -> anyhow::Result<(Vec<Quarantined>, i64)> {
    let transaction = begin(client, schema, true).await?;
    let table = table(schema, "quarantine");
    let count = format!("SELECT pg_catalog.count(*) FROM {table} WHERE {FILTER}");
    let total = transaction
        .query_one(&count, &filter.parameters())
        .await
        .map_err(failed)?
        .get(0);
    let time = |column: &str| {
        format!(
            "pg_catalog.to_char(\"{column}\" AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
        )
    };
    let sql = format!(
        "SELECT \"id\", \"listener_group\", \"channel\", \"op\", \"model_version\", \"db_version\", \"txid\"::text, {}, \
           \"attempts\", \"last_error\", \"reason\", {}, {}, \"priority\", \"dedup_key\", \"order_key\", \"payload\"::text, \"context\" \
         FROM {table} WHERE {FILTER} ORDER BY \"id\" LIMIT $4::bigint",
        time("created_at"),
        time("quarantined_at"),
        time("expires_at")
    );
    let [id, channel, group] = filter.parameters();
    let rows = transaction
        .query(&sql, &[id, channel, group, &limit])
        .await
        .map_err(failed)?;
    transaction.rollback().await.map_err(failed)?;
    Ok((rows.iter().map(quarantined).collect(), total))
}

/// Puts them back, at most `rate` in a second, and returns their number. What comes to quarantine meanwhile stays there.
pub(crate) async fn redrive(
    client: &mut Client,
    schema: &str,
    filter: &Filter,
    rate: Option<u32>,
) -> anyhow::Result<u64> {
    let (waiting, quarantine) = (table(schema, "notification"), table(schema, "quarantine"));
    // One statement, so that a notification is never in both tables and never in none.
    let sql = format!(
        "WITH \"picked\" AS (\
           SELECT {KEPT}, {MANNER}, \"last_error\" FROM {quarantine} \
           WHERE {FILTER} AND \"quarantined_at\" <= $5::text::timestamptz ORDER BY \"id\" LIMIT $4::bigint FOR UPDATE SKIP LOCKED), \
         \"moved\" AS (\
           INSERT INTO {waiting} ({KEPT}, {MANNER}, \"last_error\", \"not_before\") OVERRIDING SYSTEM VALUE \
           SELECT {KEPT}, {MANNER_AGAIN}, \"last_error\", CASE WHEN \"id\" < 0 THEN '-infinity'::timestamptz END FROM \"picked\" ON CONFLICT DO NOTHING RETURNING \"listener_group\", \"id\") \
         DELETE FROM {quarantine} AS \"q\" USING \"moved\" \
         WHERE \"q\".\"listener_group\" = \"moved\".\"listener_group\" AND \"q\".\"id\" = \"moved\".\"id\""
    );
    let now = "SELECT pg_catalog.to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')";
    let begun: String = client.query_one(now, &[]).await.map_err(failed)?.get(0);
    let (batch, pause) = pace(rate);
    let batch_size = i64::from(batch);
    let mut total = 0;
    loop {
        let transaction = begin(client, schema, false).await?;
        let [id, channel, group] = filter.parameters();
        let moved = transaction
            .execute(&sql, &[id, channel, group, &batch_size, &begun])
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        total += moved;
        if moved < u64::from(batch) {
            return Ok(total);
        }
        tokio::time::sleep(pause).await;
    }
}

/// Removes them for good, and returns their number.
pub(crate) async fn purge(
    client: &mut Client,
    schema: &str,
    filter: &Filter,
) -> anyhow::Result<u64> {
    let transaction = begin(client, schema, false).await?;
    let sql = format!("DELETE FROM {} WHERE {FILTER}", table(schema, "quarantine"));
    let removed = transaction
        .execute(&sql, &filter.parameters())
        .await
        .map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    Ok(removed)
}

async fn begin<'c>(
    client: &'c mut Client,
    schema: &str,
    read_only: bool,
) -> anyhow::Result<Transaction<'c>> {
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::ReadCommitted)
        .read_only(read_only)
        .start()
        .await
        .map_err(failed)?;
    if transaction
        .query_opt(THERE, &[&schema])
        .await
        .map_err(failed)?
        .is_none()
    {
        anyhow::bail!(
            "there is no table {schema}.quarantine in this database: is it another one, or are the migrations not applied?"
        );
    }
    Ok(transaction)
}

/// How many at once, and how long until the next.
pub(super) fn pace(rate: Option<u32>) -> (u32, Duration) {
    let Some(rate) = rate else {
        return (BATCH, Duration::ZERO);
    };
    let batch = rate.div_ceil(10).clamp(1, BATCH);
    let pause = Duration::from_secs_f64(f64::from(batch) / f64::from(rate.max(1)));
    (batch, pause)
}

fn table(schema: &str, name: &str) -> String {
    format!("{}.\"{name}\"", sql_ident(schema))
}

fn failed(error: tokio_postgres::Error) -> anyhow::Error {
    anyhow::anyhow!("the database refuses: {}", chain(&error))
}

fn quarantined(row: &Row) -> Quarantined {
    Quarantined {
        id: row.get(0),
        group: row.get(1),
        channel: row.get(2),
        op: row.get(3),
        model_version: row.get(4),
        db_version: row.get(5),
        txid: row.get(6),
        created_at: row.get(7),
        attempts: row.get(8),
        last_error: row.get(9),
        reason: row.get(10),
        quarantined_at: row.get(11),
        expires_at: row.get(12),
        priority: row.get(13),
        dedup_key: row.get(14),
        order_key: row.get(15),
        payload: row.get(16),
        context: row.get(17),
    }
}
