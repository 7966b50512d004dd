//! Is it safe to deploy? What still waits, by the version that wrote it.

use tokio_postgres::GenericClient;

use crate::Error;
use crate::generated::{Catalog, Model};
use crate::sql::Sql;

/// Number of stored notifications, one for each group, whose row has a shape of the model older than a version.
///
/// # Errors
/// The query failed.
pub async fn older_than_model(
    client: &impl GenericClient,
    catalog: &Catalog,
    model: &Model,
    version: u32,
) -> Result<i64, Error> {
    let version = i32::try_from(version).unwrap_or(i32::MAX);
    let row = client
        .query_one(
            &Sql::new(catalog.storage_schema).older_than_model(),
            &[&model.channels, &version],
        )
        .await
        .map_err(|error| Error::postgres("count the waiting notifications", error))?;
    Ok(row.get(0))
}

/// Number of stored notifications, one for each group, that were written when the last applied migration was older than
/// `version`. Versions that are numbers are compared as numbers. What was written while no version could be told is not
/// counted; see [`waiting`] for the total.
///
/// # Errors
/// The query failed.
pub async fn older_than_db(
    client: &impl GenericClient,
    catalog: &Catalog,
    version: &str,
) -> Result<i64, Error> {
    let counts = by_db_version(client, catalog).await?;
    let older = counts.into_iter().filter(|(written, _)| {
        written
            .as_deref()
            .is_some_and(|written| is_older(written, version))
    });
    Ok(older.map(|(_, count)| count).sum())
}

/// Number of stored notifications, one for each group.
///
/// # Errors
/// The query failed.
pub async fn waiting(client: &impl GenericClient, catalog: &Catalog) -> Result<i64, Error> {
    let counts = by_db_version(client, catalog).await?;
    Ok(counts.into_iter().map(|(_, count)| count).sum())
}

async fn by_db_version(
    client: &impl GenericClient,
    catalog: &Catalog,
) -> Result<Vec<(Option<String>, i64)>, Error> {
    let sql = Sql::new(catalog.storage_schema).waiting_by_db_version();
    let rows = client
        .query(&sql, &[])
        .await
        .map_err(|error| Error::postgres("count the waiting notifications", error))?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

fn is_older(written: &str, version: &str) -> bool {
    match (written.parse::<u64>(), version.parse::<u64>()) {
        (Ok(written), Ok(version)) => written < version,
        _ => written < version,
    }
}
