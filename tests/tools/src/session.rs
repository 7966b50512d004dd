//! A session of our own, to see and to do what a tool cannot.

use tokio_postgres::{Client, NoTls};

use crate::{Error, Tool};

/// A session, whose connection runs as a task of the current runtime.
pub(crate) async fn connect(tool: Tool, url: &str) -> Result<Client, Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .map_err(|error| Error::of(tool)(&error))?;
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}

/// The one column of a query on `table`, empty while there is no such table.
pub(crate) async fn column(
    tool: Tool,
    url: &str,
    table: &str,
    query: &str,
) -> Result<Vec<String>, Error> {
    let client = connect(tool, url).await?;
    let failed = |error: tokio_postgres::Error| Error::of(tool)(&error);
    let there = "SELECT to_regclass($1) IS NOT NULL";
    let there = client.query_one(there, &[&table]).await.map_err(failed)?;
    if !there.get::<_, bool>(0) {
        return Ok(Vec::new());
    }
    let rows = client.query(query, &[]).await.map_err(failed)?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
