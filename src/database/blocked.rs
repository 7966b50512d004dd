//! Reads which keys wait for their first notification.

use tokio_postgres::Client;

use super::pending::begin;
use super::session::chain;
use crate::plan::ident::sql_ident;

/// A key whose first notification has failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BlockedKey {
    /// The group.
    pub group: String,
    /// The key, as it is stored.
    pub key: String,
    /// Channel of the first notification.
    pub channel: String,
    /// Its number.
    pub id: i64,
    /// How often it was tried.
    pub attempts: i32,
    /// What happened the last time.
    pub last_error: Option<String>,
    /// Time of the next attempt, in ISO 8601, UTC; `None`: at once.
    pub next_attempt: Option<String>,
    /// How many wait behind it.
    pub behind: i64,
}

/// All of them, as of one moment, by group and key.
pub(crate) async fn read(client: &mut Client, schema: &str) -> anyhow::Result<Vec<BlockedKey>> {
    let failed = |error: tokio_postgres::Error| {
        anyhow::anyhow!("cannot read which keys are blocked: {}", chain(&error))
    };
    let transaction = begin(client, schema).await?;
    let sql = format!(
        "SELECT n.\"listener_group\"::text, n.\"order_key\"::text, n.\"channel\"::text, n.\"id\", n.\"attempts\", n.\"last_error\"::text,
            pg_catalog.to_char(n.\"not_before\" AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
            (SELECT pg_catalog.count(*) FROM {0}.\"notification\" AS b
                WHERE b.\"listener_group\" = n.\"listener_group\" AND b.\"order_key\" = n.\"order_key\" AND b.\"id\" > n.\"id\")
        FROM {0}.\"notification\" AS n
        WHERE n.\"order_key\" <> '' AND n.\"attempts\" > 0 AND NOT EXISTS (SELECT FROM {0}.\"notification\" AS f
            WHERE f.\"listener_group\" = n.\"listener_group\" AND f.\"order_key\" = n.\"order_key\" AND f.\"id\" < n.\"id\")
        ORDER BY n.\"listener_group\", n.\"order_key\"",
        sql_ident(schema)
    );
    let rows = transaction.query(&sql, &[]).await.map_err(failed)?;
    transaction.rollback().await.map_err(failed)?;
    Ok(rows
        .iter()
        .map(|row| BlockedKey {
            group: row.get(0),
            key: row.get(1),
            channel: row.get(2),
            id: row.get(3),
            attempts: row.get(4),
            last_error: row.get(5),
            next_attempt: row.get(6),
            behind: row.get(7),
        })
        .collect())
}
