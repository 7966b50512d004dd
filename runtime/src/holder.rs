//! Who holds a notification?

use chrono::{DateTime, Utc};
use tokio_postgres::GenericClient;
use tokio_postgres::types::Type;

use crate::Error;
use crate::generated::Catalog;
use crate::sql::Sql;

/// A session of the server that holds a notification: it processes it, has claimed it together with others, or has died
/// without the server knowing.
///
/// Address, state and times are None if the role that asks may not see the sessions of the holder's role: for those it needs
/// the rights of `pg_read_all_stats`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// Of the backend: `pg_terminate_backend(pid)` takes away what it holds.
    pub pid: i32,
    /// `pgpubsub consumer`, if the application has not given it another name.
    pub application_name: Option<String>,
    /// Address of the client, or of the pooler before it; None through a unix socket, too.
    pub client: Option<String>,
    /// Begin of the transaction that holds it.
    pub since: Option<DateTime<Utc>>,
    /// What the session does: `active` if it runs a statement, `idle in transaction` if the listener does something else.
    pub state: Option<String>,
    /// Since when. While a listener runs, a worker that is alive gives a sign of life now and then, which is seen here.
    pub state_since: Option<DateTime<Utc>>,
}

/// Tells which session holds a notification; None if it waits, or is not there any more. It waits for nobody.
///
/// # Errors
/// The query failed: the role needs SELECT on the notification table.
pub async fn who_holds(
    client: &impl GenericClient,
    catalog: &Catalog,
    id: i64,
) -> Result<Option<Holder>, Error> {
    let sql = Sql::new(catalog.storage_schema).holder();
    let rows = client
        .query_typed(&sql, &[(&id, Type::INT8)])
        .await
        .map_err(|error| Error::postgres("ask who holds a notification", error))?;
    Ok(rows.first().map(|row| Holder {
        pid: row.get(0),
        application_name: row.get(1),
        client: row.get(2),
        since: row.get(3),
        state: row.get(4),
        state_since: row.get(5),
    }))
}
