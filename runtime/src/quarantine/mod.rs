//! Notifications that are not tried any more: look at them, put them back, or give them up.
//!
//! A notification goes to quarantine after the last attempt that the `retry` of its listener allows, or when the listener says
//! so ([`ListenerError::quarantine`](crate::ListenerError::quarantine)). It stays there until one of the functions here, or
//! `pgpubsub-gen quarantine`, takes it out.

mod sql;

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_postgres::types::ToSql;
use tokio_postgres::{GenericClient, Row};

use crate::generated::Catalog;
use crate::sql::Sql;
use crate::{Context, Error, Op, PgTimestampTz};

/// How many are moved by one statement.
const BATCH: u32 = 1_000;

/// Which notifications are meant: those that fit everything that is said. The default: all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The one of this number.
    pub id: Option<i64>,
    /// Those of this channel.
    pub channel: Option<String>,
    /// Those of this group of listeners.
    pub group: Option<String>,
}

/// A notification in quarantine, without what it carries.
#[derive(Clone, Debug, PartialEq)]
pub struct Quarantined {
    /// Number in the notification table, which it keeps.
    pub id: i64,
    /// Group of listeners that it was for.
    pub group: String,
    /// Channel.
    pub channel: String,
    /// What happened.
    pub op: Op,
    /// Version of the model's or message's shape when it was written.
    pub model_version: u32,
    /// Last applied migration when it was written, if that could be told.
    pub db_version: Option<String>,
    /// Transaction that wrote it.
    pub txid: u64,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// How often it was tried.
    pub attempts: u32,
    /// Error of the last attempt.
    pub last_error: Option<String>,
    /// Why it is here.
    pub reason: String,
    /// Since when.
    pub quarantined_at: DateTime<Utc>,
    /// Until when it was worth delivering, if that was said.
    pub expires_at: Option<PgTimestampTz>,
    /// How urgent it is, from 1 to 9, if it is.
    pub priority: Option<i16>,
    /// Equal in messages that are folded into one.
    pub dedup_key: Option<String>,
    /// Equal in notifications of a group that come one after the other; empty: this one has no order.
    pub order_key: Option<String>,
}

/// A notification in quarantine, whole.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// What [`list`] tells of it.
    pub quarantined: Quarantined,
    /// What it carries, as JSON text.
    pub payload: String,
    /// Context of the writer's transaction.
    pub context: Context,
}

/// The first so many of them, by number.
///
/// # Errors
/// The query failed.
pub async fn list(
    client: &impl GenericClient,
    catalog: &Catalog,
    filter: &Filter,
    limit: u32,
) -> Result<Vec<Quarantined>, Error> {
    let sql = Sql::new(catalog.storage_schema).quarantined();
    let limit = i64::from(limit);
    let [id, channel, group] = filter.parameters();
    let rows = client
        .query(&sql, &[id, channel, group, &limit])
        .await
        .map_err(|error| Error::postgres("read the quarantine", error))?;
    Ok(rows.iter().map(quarantined).collect())
}

/// One of them with its payload and context; `None`: it is not there.
///
/// # Errors
/// The query failed.
pub async fn inspect(
    client: &impl GenericClient,
    catalog: &Catalog,
    id: i64,
) -> Result<Option<Inspected>, Error> {
    let sql = Sql::new(catalog.storage_schema).quarantined_whole();
    let filter = Filter {
        id: Some(id),
        ..Filter::default()
    };
    let [id, channel, group] = filter.parameters();
    let row = client
        .query_opt(&sql, &[id, channel, group, &1_i64])
        .await
        .map_err(|error| Error::postgres("read the quarantine", error))?;
    Ok(row.map(|row| Inspected {
        quarantined: quarantined(&row),
        payload: row.get("payload"),
        context: Context::from_raw(row.get("context")),
    }))
}

/// Puts them back, at most `rate` in a second if that is said, and returns their number. They are what they were, with number,
/// time, payload, context, priority and keys, attempts count from the beginning, and `last_error` stays until the next one.
/// Workers find them at their next poll.
///
/// One that has expired in quarantine is delivered nevertheless, as it was asked for, and no message is folded into it any more.
/// One of a key comes before those of its key that still wait, as it has the lower number, and after those that are done.
///
/// What comes to quarantine meanwhile, even one that has just been put back, is left there. On a connection each statement
/// commits what it moved; on a transaction, workers see nothing before its commit.
///
/// # Errors
/// A statement failed; what the ones before it moved is back.
pub async fn redrive(
    client: &impl GenericClient,
    catalog: &Catalog,
    filter: &Filter,
    rate: Option<u32>,
) -> Result<u64, Error> {
    let failed = |error| Error::postgres("put notifications back", error);
    let sql = Sql::new(catalog.storage_schema).redrive();
    let now = "SELECT pg_catalog.clock_timestamp()";
    let begin: DateTime<Utc> = client.query_one(now, &[]).await.map_err(failed)?.get(0);
    let (batch, pause) = pace(rate);
    let batch_size = i64::from(batch);
    let [id, channel, group] = filter.parameters();
    let mut total = 0;
    loop {
        let moved = client
            .execute(&sql, &[id, channel, group, &batch_size, &begin])
            .await
            .map_err(failed)?;
        total += moved;
        if moved < u64::from(batch) {
            return Ok(total);
        }
        tokio::time::sleep(pause).await;
    }
}

/// Removes them for good and returns their number.
///
/// # Errors
/// The statement failed.
pub async fn purge(
    client: &impl GenericClient,
    catalog: &Catalog,
    filter: &Filter,
) -> Result<u64, Error> {
    let sql = Sql::new(catalog.storage_schema).purge();
    client
        .execute(&sql, &filter.parameters())
        .await
        .map_err(|error| Error::postgres("purge the quarantine", error))
}

/// How many at once, and how long until the next.
pub(crate) fn pace(rate: Option<u32>) -> (u32, Duration) {
    let Some(rate) = rate.map(|rate| rate.max(1)) else {
        return (BATCH, Duration::ZERO);
    };
    let batch = rate.div_ceil(10).min(BATCH);
    let pause = Duration::from_secs_f64(f64::from(batch) / f64::from(rate));
    (batch, pause)
}

impl Filter {
    fn parameters(&self) -> [&(dyn ToSql + Sync); 3] {
        [&self.id, &self.channel, &self.group]
    }
}

fn quarantined(row: &Row) -> Quarantined {
    let op: &str = row.get("op");
    Quarantined {
        id: row.get("id"),
        group: row.get("listener_group"),
        channel: row.get("channel"),
        op: Op::from_word(op).expect("a worker claimed it, so it knows the operation"),
        model_version: u32::try_from(row.get::<_, i32>("model_version")).unwrap_or_default(),
        db_version: row.get("db_version"),
        txid: row.get::<_, &str>("txid").parse().unwrap_or_default(),
        created_at: row.get("created_at"),
        attempts: u32::try_from(row.get::<_, i32>("attempts")).unwrap_or_default(),
        last_error: row.get("last_error"),
        reason: row.get("reason"),
        quarantined_at: row.get("quarantined_at"),
        expires_at: row.get("expires_at"),
        priority: row.get("priority"),
        dedup_key: row.get("dedup_key"),
        order_key: row.get("order_key"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_has_more_than_its_rate() {
        for rate in [1, 2, 9, 10, 11, 100, 9_999, 1_000_000, u32::MAX] {
            let (batch, pause) = pace(Some(rate));
            let achieved = f64::from(batch) / pause.as_secs_f64();
            assert!(achieved <= f64::from(rate) * 1.001, "{rate}: {achieved}");
            assert!(batch >= 1, "{rate}");
        }
        assert_eq!(pace(None), (BATCH, Duration::ZERO));
    }
}
