//! What waits: by the version that wrote it, before a deployment, and behind whom.

use chrono::{DateTime, Utc};
use tokio_postgres::{GenericClient, Row};

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
/// `version`, which is written as the migration tool writes it: `7`, `0007`, `20260131120001`, or Diesel's
/// `2026-01-31-120001`. Versions that are numbers are compared as numbers. What was written while no version could be told is
/// not counted; see [`waiting`] for the total.
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

/// A key whose first notification has failed: what comes behind waits for it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BlockedKey {
    /// The group of listeners.
    pub group: String,
    /// The key as it is stored: a JSON array of the values' texts, `[]` for a channel with `order: total`, or a hash of a long one.
    pub key: String,
    /// Channel of the first notification.
    pub channel: String,
    /// Its number.
    pub id: i64,
    /// How often it was tried.
    pub attempts: u32,
    /// What happened the last time.
    pub last_error: Option<String>,
    /// When it is tried next; `None`: at once.
    pub next_attempt: Option<DateTime<Utc>>,
    /// How many wait behind it.
    pub behind: i64,
}

/// The keys that are blocked, by group and key.
///
/// # Errors
/// The query failed.
pub async fn blocked(
    client: &impl GenericClient,
    catalog: &Catalog,
) -> Result<Vec<BlockedKey>, Error> {
    let sql = Sql::new(catalog.storage_schema).blocked_keys();
    let rows = client
        .query(&sql, &[])
        .await
        .map_err(|error| Error::postgres("list the blocked keys", error))?;
    let key = |row: &Row| BlockedKey {
        group: row.get("listener_group"),
        key: row.get("order_key"),
        channel: row.get("channel"),
        id: row.get("id"),
        attempts: u32::try_from(row.get::<_, i32>("attempts")).unwrap_or_default(),
        last_error: row.get("last_error"),
        next_attempt: row.get("not_before"),
        behind: row.get("behind"),
    };
    Ok(rows.iter().map(key).collect())
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

/// As numbers of any length if they are, and as texts otherwise.
fn is_older(written: &str, version: &str) -> bool {
    match (number(written), number(version)) {
        (Some(written), Some(version)) => {
            (written.len(), written.as_str()) < (version.len(), version.as_str())
        }
        _ => written < version,
    }
}

/// The digits, without zeros in front and the hyphens that Diesel's folders have and its table has not.
fn number(version: &str) -> Option<String> {
    let digits = version.replace('-', "");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.trim_start_matches('0').to_owned())
}

#[cfg(test)]
mod tests {
    use super::is_older;

    #[test]
    fn versions_of_every_tool_are_ordered() {
        // Each older than the next.
        let cases: [&[&str]; 5] = [
            &["0", "1", "9", "10", "20260131120001"],
            &["0009", "10", "0011", "2026-01-31-120001", "20260131120002"],
            &["00000000000001", "00000000000002", "20260131120001"],
            // Longer than any integer.
            &[
                "20260131120001",
                "2026013112000100000000",
                "2026013112000100000001",
            ],
            &["a1", "a2"],
        ];
        for versions in cases {
            for (index, version) in versions.iter().enumerate() {
                for older in &versions[..index] {
                    assert!(is_older(older, version), "{older} {version}");
                    assert!(!is_older(version, older), "{version} {older}");
                }
            }
        }
        for (one, same) in [("7", "0007"), ("2026-01-31-120001", "20260131120001")] {
            assert!(!is_older(one, same) && !is_older(same, one), "{one}");
        }
    }
}
