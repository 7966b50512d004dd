//! Reads the schedules.

use tokio_postgres::Client;

use super::pending::begin;
use super::session::chain;
use crate::plan::ident::sql_ident;

/// When a channel sends by itself. Times are in ISO 8601, UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scheduled {
    /// The channel.
    pub channel: String,
    /// The times, and whose clock they mean.
    pub when: String,
    /// The next occurrence; `None`: somebody has put it off for ever.
    pub next: Option<String>,
    /// Whether that is over, and nobody has fired it.
    pub overdue: bool,
    /// The last planned time that has fired.
    pub last: Option<String>,
    /// When it did.
    pub fired: Option<String>,
}

const THERE: &str = "SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = 'schedule'";

/// All of them, in order of their channels.
pub(crate) async fn read(client: &mut Client, schema: &str) -> anyhow::Result<Vec<Scheduled>> {
    let failed = |error: tokio_postgres::Error| {
        anyhow::anyhow!("cannot read the schedules: {}", chain(&error))
    };
    let transaction = begin(client, schema).await?;
    let there = transaction.query_opt(THERE, &[&schema]).await;
    if there.map_err(failed)?.is_none() {
        return Ok(Vec::new());
    }
    let time = |column: &str| {
        format!(
            "CASE WHEN pg_catalog.isfinite(\"{column}\") THEN \
             pg_catalog.to_char(\"{column}\" AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') END"
        )
    };
    let sql = format!(
        "SELECT \"channel\", coalesce(\"cron\" || ' ' || \"timezone\", 'every ' || \"every\"::text), {}, \
           \"next_at\" < pg_catalog.clock_timestamp() - '1 minute'::interval, {}, {} FROM {}.\"schedule\" ORDER BY 1",
        time("next_at"),
        time("last_at"),
        time("fired_at"),
        sql_ident(schema)
    );
    let rows = transaction.query(&sql, &[]).await.map_err(failed)?;
    transaction.rollback().await.map_err(failed)?;
    Ok(rows
        .iter()
        .map(|row| Scheduled {
            channel: row.get(0),
            when: row.get(1),
            next: row.get(2),
            overdue: row.get(3),
            last: row.get(4),
            fired: row.get(5),
        })
        .collect())
}
