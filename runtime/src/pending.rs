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
    let rows = client
        .query(
            &Sql::new(catalog.storage_schema).waiting_by_db_version(),
            &[],
        )
        .await
        .map_err(|error| Error::postgres("count the waiting notifications", error))?;
    let older = rows.iter().filter(|row| {
        let written: Option<&str> = row.get(0);
        written.is_some_and(|written| is_older(written, version))
    });
    Ok(older.map(|row| row.get::<_, i64>(1)).sum())
}

/// Number of stored notifications, one for each group.
///
/// # Errors
/// The query failed.
pub async fn waiting(client: &impl GenericClient, catalog: &Catalog) -> Result<i64, Error> {
    let rows = client
        .query(
            &Sql::new(catalog.storage_schema).waiting_by_db_version(),
            &[],
        )
        .await
        .map_err(|error| Error::postgres("count the waiting notifications", error))?;
    Ok(rows.iter().map(|row| row.get::<_, i64>(1)).sum())
}

fn is_older(written: &str, version: &str) -> bool {
    match (written.parse::<u64>(), version.parse::<u64>()) {
        (Ok(written), Ok(version)) => written < version,
        _ => written < version,
    }
}
