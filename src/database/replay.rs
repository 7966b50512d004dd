//! Reads what is kept of processed notifications, and puts it back.

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, IsolationLevel, Transaction};

use super::quarantine::pace;
use super::session::chain;
use crate::plan::ident::sql_ident;

/// What a notification is beside its number, as long as it waits and after that.
const KEPT: &str = "\"listener_group\", \"channel\", \"op\", \"model_version\", \"db_version\", \"txid\", \"created_at\", \"payload\", \"context\", \"order_key\"";

/// `$1` to `$8`, each perhaps null.
const FILTER: &str = "($1::bigint IS NULL OR \"id\" = $1) AND ($2::text IS NULL OR \"channel\" = $2) \
     AND ($3::text IS NULL OR \"listener_group\" = $3) \
     AND ($4::text IS NULL OR \"processed_at\" >= $4::text::timestamptz) AND ($5::text IS NULL OR \"processed_at\" < $5::text::timestamptz) \
     AND ($6::text IS NULL OR \"created_at\" >= $6::text::timestamptz) AND ($7::text IS NULL OR \"created_at\" < $7::text::timestamptz)";

/// Which notifications are meant: those that fit everything that is said. Times are as PostgreSQL reads them, in UTC if they do not
/// say otherwise.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub id: Option<i64>,
    pub channel: Option<String>,
    pub group: Option<String>,
    pub processed_since: Option<String>,
    pub processed_until: Option<String>,
    pub written_since: Option<String>,
    pub written_until: Option<String>,
}

/// Notifications that are kept, of one group, channel and version.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub channel: String,
    pub group: String,
    pub model_version: i32,
    pub count: i64,
    /// When the first was processed (or written, of a late group), in ISO 8601, UTC.
    pub first: String,
    /// When the last was.
    pub last: String,
}

impl Filter {
    fn parameters(&self) -> [&(dyn ToSql + Sync); 7] {
        [
            &self.id,
            &self.channel,
            &self.group,
            &self.processed_since,
            &self.processed_until,
            &self.written_since,
            &self.written_until,
        ]
    }
}

/// How many they are.
pub(crate) async fn count(
    client: &mut Client,
    schema: &str,
    filter: &Filter,
) -> anyhow::Result<Vec<Kept>> {
    let transaction = begin(client, schema, true).await?;
    let time = |of: &str| {
        format!(
            "pg_catalog.to_char({of}(\"processed_at\") AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
        )
    };
    let sql = format!(
        "SELECT \"channel\", \"listener_group\", \"model_version\", pg_catalog.count(*), {}, {} \
         FROM {} WHERE {FILTER} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        time("pg_catalog.min"),
        time("pg_catalog.max"),
        table(schema, "processed")
    );
    let rows = transaction
        .query(&sql, &filter.parameters())
        .await
        .map_err(failed)?;
    transaction.rollback().await.map_err(failed)?;
    Ok(rows
        .iter()
        .map(|row| Kept {
            channel: row.get(0),
            group: row.get(1),
            model_version: row.get(2),
            count: row.get(3),
            first: row.get(4),
            last: row.get(5),
        })
        .collect())
}

/// Puts them back as new notifications, or under their numbers, at most `rate` in a second, and returns their number. What is
/// processed meanwhile, even one that has just been put back, stays.
pub(crate) async fn replay(
    client: &mut Client,
    schema: &str,
    filter: &Filter,
    keep_ids: bool,
    rate: Option<u32>,
) -> anyhow::Result<u64> {
    let sql = statement(schema, keep_ids);
    let now = "SELECT pg_catalog.to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')";
    let begun: String = client.query_one(now, &[]).await.map_err(failed)?.get(0);
    let (batch, pause) = pace(rate);
    let batch = i64::from(batch);
    // Group and number of the last one.
    let mut after: (String, i64) = (String::new(), i64::MIN);
    let mut total = 0;
    loop {
        let transaction = begin(client, schema, false).await?;
        let mut parameters = filter.parameters().to_vec();
        parameters.extend([&begun as &(dyn ToSql + Sync), &after.0, &after.1, &batch]);
        let row = transaction
            .query_one(&sql, &parameters)
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        total += u64::try_from(row.get::<_, i64>(0)).unwrap_or_default();
        let (taken, group, id): (i64, Option<String>, Option<i64>) =
            (row.get(1), row.get(2), row.get(3));
        match group.zip(id) {
            Some(last) if taken == batch => after = last,
            _ => return Ok(total),
        }
        tokio::time::sleep(pause).await;
    }
}

/// `$8` time at which they were there, `$9` group and `$10` number behind which to go on, `$11` how many at most. Gives how many were
/// put back, how many were looked at, and the last of those.
///
/// One statement, so that a notification is never in both tables and never in none.
fn statement(schema: &str, keep_ids: bool) -> String {
    let (waiting, processed) = (table(schema, "notification"), table(schema, "processed"));
    let (insert, conflict, moved) = match keep_ids {
        false => (
            format!("({KEPT}) SELECT {KEPT}"),
            "RETURNING true",
            "\"picked\"",
        ),
        true => (
            // What was stored for later is found by its time.
            format!(
                "(\"id\", {KEPT}, \"not_before\") OVERRIDING SYSTEM VALUE \
                 SELECT \"id\", {KEPT}, CASE WHEN \"id\" < 0 THEN '-infinity'::timestamptz END"
            ),
            "ON CONFLICT DO NOTHING RETURNING \"listener_group\", \"id\"",
            "\"put\" JOIN \"picked\" USING (\"listener_group\", \"id\")",
        ),
    };
    format!(
        "WITH \"picked\" AS (\
           SELECT \"id\", \"processed_at\", {KEPT} FROM {processed} \
           WHERE {FILTER} AND \"processed_at\" <= $8::text::timestamptz AND (\"listener_group\", \"id\") > ($9::text, $10::bigint) \
           ORDER BY \"listener_group\", \"id\" LIMIT $11::bigint FOR UPDATE SKIP LOCKED), \
         \"put\" AS (\
           INSERT INTO {waiting} {insert} FROM \"picked\" ORDER BY \"listener_group\", \"id\" {conflict}), \
         \"moved\" AS (SELECT \"listener_group\", \"id\", \"processed_at\" FROM {moved}), \
         \"gone\" AS (\
           DELETE FROM {processed} AS \"p\" USING \"moved\" \
           WHERE \"p\".\"listener_group\" = \"moved\".\"listener_group\" AND \"p\".\"id\" = \"moved\".\"id\" \
             AND \"p\".\"processed_at\" = \"moved\".\"processed_at\") \
         SELECT (SELECT pg_catalog.count(*) FROM \"put\"), (SELECT pg_catalog.count(*) FROM \"picked\"), \
           \"last\".\"listener_group\", \"last\".\"id\" \
         FROM (SELECT) AS \"one\" LEFT JOIN LATERAL (\
           SELECT \"listener_group\", \"id\" FROM \"picked\" ORDER BY \"listener_group\" DESC, \"id\" DESC LIMIT 1) AS \"last\" ON true"
    )
}

/// Times without a zone are in UTC.
pub(super) async fn begin<'c>(
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
    transaction
        .batch_execute("SET LOCAL timezone = 'UTC'")
        .await
        .map_err(failed)?;
    if !has(&transaction, schema, "processed").await? {
        anyhow::bail!(
            "there is no table {schema}.processed in this database: no channel keeps what was processed (`retain`), or the migrations are not applied"
        );
    }
    Ok(transaction)
}

async fn has(transaction: &Transaction<'_>, schema: &str, name: &str) -> anyhow::Result<bool> {
    let sql = "SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = $2";
    let there = transaction.query_opt(sql, &[&schema, &name]).await;
    Ok(there.map_err(failed)?.is_some())
}

pub(super) fn table(schema: &str, name: &str) -> String {
    format!("{}.\"{name}\"", sql_ident(schema))
}

pub(super) fn failed(error: tokio_postgres::Error) -> anyhow::Error {
    anyhow::anyhow!("the database refuses: {}", chain(&error))
}
