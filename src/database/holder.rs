//! Asks who holds a notification.

use tokio_postgres::Client;

use super::session::chain;
use crate::plan::ident::sql_ident;

/// A notification, and the session that holds it.
pub(crate) struct Held {
    /// The channel.
    pub channel: String,
    /// The group.
    pub group: String,
    /// `None`: it waits.
    pub holder: Option<Holder>,
}

/// A session of the server; what this role may not see of it is `None`.
pub(crate) struct Holder {
    pub pid: i32,
    pub application_name: Option<String>,
    pub client: Option<String>,
    /// Begin of its transaction, in ISO 8601, UTC, as all times.
    pub since: Option<String>,
    pub state: Option<String>,
    pub state_since: Option<String>,
}

/// `None`: there is no such notification. Waits for nobody.
pub(crate) async fn read(
    client: &mut Client,
    schema: &str,
    id: i64,
) -> anyhow::Result<Option<Held>> {
    let time = |column: &str| {
        format!("pg_catalog.to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")
    };
    // The lock of a row is kept in the row, as the number of the transaction in xmax, and stays there when that has ended. A
    // transaction that has not ended holds a lock on its own number.
    let sql = format!(
        "SELECT n.\"channel\"::text, n.\"listener_group\"::text, l.pid, a.application_name, pg_catalog.host(a.client_addr), {}, a.state, {}
        FROM {}.\"notification\" AS n
        LEFT JOIN pg_catalog.pg_locks AS l ON l.locktype = 'transactionid' AND l.transactionid = n.xmax
            AND l.mode = 'ExclusiveLock' AND l.granted AND l.pid IS NOT NULL
        LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
        WHERE n.\"id\" = $1 LIMIT 1",
        time("a.xact_start"),
        time("a.state_change"),
        sql_ident(schema)
    );
    let row = client
        .query_opt(&sql, &[&id])
        .await
        .map_err(|error| anyhow::anyhow!("cannot look for the notification: {}", chain(&error)))?;
    Ok(row.map(|row| Held {
        channel: row.get(0),
        group: row.get(1),
        holder: row.get::<_, Option<i32>>(2).map(|pid| Holder {
            pid,
            application_name: row.get(3),
            client: row.get(4),
            since: row.get(5),
            state: row.get(6),
            state_since: row.get(7),
        }),
    }))
}
