//! Reads what waits.

use tokio_postgres::{Client, Transaction};

use super::session::chain;
use crate::plan::ident::sql_ident;

/// Notifications that wait, of one group, channel and version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// The channel.
    pub channel: String,
    /// The group.
    pub group: String,
    /// Version of the model; 0 for messages.
    pub model_version: i32,
    /// Last migration when it was written; `None`: not known.
    pub db_version: Option<String>,
    /// How many.
    pub count: i64,
    /// Time of the oldest, in ISO 8601, UTC.
    pub oldest: String,
}

const THERE: &str = "SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = 'notification'";

/// Everything that waits, as of one moment.
pub(crate) async fn read(client: &mut Client, schema: &str) -> anyhow::Result<Vec<Waiting>> {
    let failed =
        |error: tokio_postgres::Error| anyhow::anyhow!("cannot read what waits: {}", chain(&error));
    let transaction = begin(client, schema).await?;
    let sql = format!(
        "SELECT \"channel\"::text, \"listener_group\"::text, \"model_version\"::integer, \"db_version\"::text, pg_catalog.count(*),
            pg_catalog.to_char(pg_catalog.min(\"created_at\") AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')
        FROM {}.\"notification\" GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
        sql_ident(schema)
    );
    let rows = transaction.query(&sql, &[]).await.map_err(failed)?;
    transaction.rollback().await.map_err(failed)?;
    Ok(rows
        .iter()
        .map(|row| Waiting {
            channel: row.get(0),
            group: row.get(1),
            model_version: row.get(2),
            db_version: row.get(3),
            count: row.get(4),
            oldest: row.get(5),
        })
        .collect())
}

/// A transaction that reads the table of notifications, which is there.
pub(super) async fn begin<'c>(
    client: &'c mut Client,
    schema: &str,
) -> anyhow::Result<Transaction<'c>> {
    let failed =
        |error: tokio_postgres::Error| anyhow::anyhow!("cannot read what waits: {}", chain(&error));
    let transaction = client
        .build_transaction()
        .isolation_level(tokio_postgres::IsolationLevel::ReadCommitted)
        .read_only(true)
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
            "there is no table {schema}.notification in this database: is it another one, or are the migrations not applied?"
        );
    }
    Ok(transaction)
}
