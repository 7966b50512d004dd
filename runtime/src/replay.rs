//! Notifications that have been processed, of channels that keep them (`retain`): put them back, so that they are processed again.
//!
//! `pgpubsub-gen replay` does the same, and refuses what the code of the schema would not read.

use chrono::{DateTime, Utc};
use tokio_postgres::GenericClient;
use tokio_postgres::types::ToSql;

use crate::Error;
use crate::generated::Catalog;
use crate::quarantine::pace;
use crate::sql::Sql;

/// Which notifications are meant: those that fit everything that is said. The default: all that are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The one of this number.
    pub id: Option<i64>,
    /// Those of this channel.
    pub channel: Option<String>,
    /// Those that this group of listeners has processed.
    pub group: Option<String>,
    /// Those processed then or later.
    pub processed_since: Option<DateTime<Utc>>,
    /// Those processed before.
    pub processed_until: Option<DateTime<Utc>>,
    /// Those written then or later.
    pub written_since: Option<DateTime<Utc>>,
    /// Those written before.
    pub written_until: Option<DateTime<Utc>>,
}

/// What a notification is called when it is there again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ids {
    /// It has a new number, and so another idempotency key: everything that is done for it is done again.
    #[default]
    New,
    /// The same as before: what an inbox or another system has done for it is not done again.
    Kept,
}

impl Filter {
    fn parameters(&self) -> [&(dyn ToSql + Sync); 7] {
        [
            &self.id,
            &self.channel,
            &self.group,
            &self.processed_since,
            &self.processed_until,
            &self.written_since,
            &self.written_until,
        ]
    }
}

/// How many they are.
///
/// # Errors
/// The query failed: perhaps no channel keeps anything, and there is no table.
pub async fn count(
    client: &impl GenericClient,
    catalog: &Catalog,
    filter: &Filter,
) -> Result<u64, Error> {
    let sql = Sql::new(catalog.storage_schema).count_processed();
    let row = client
        .query_one(&sql, &filter.parameters())
        .await
        .map_err(|error| Error::postgres("count processed notifications", error))?;
    Ok(u64::try_from(row.get::<_, i64>(0)).unwrap_or_default())
}

/// Puts them back, at most `rate` in a second if that is said, and returns their number. Each is a notification of the group that
/// has processed it, with payload, context, transaction and time as they were, and is not kept any more until it has been processed
/// again. Workers find them at their next poll.
///
/// What is processed meanwhile, even what has just been put back, stays where it is. On a connection each statement commits what it
/// moved; on a transaction, workers see nothing before its commit.
///
/// # Errors
/// A statement failed; what the ones before it moved is back.
pub async fn replay(
    client: &impl GenericClient,
    catalog: &Catalog,
    filter: &Filter,
    ids: Ids,
    rate: Option<u32>,
) -> Result<u64, Error> {
    let failed = |error| Error::postgres("put processed notifications back", error);
    let sql = Sql::new(catalog.storage_schema).replay(ids == Ids::Kept);
    let now = "SELECT pg_catalog.clock_timestamp()";
    let begun: DateTime<Utc> = client.query_one(now, &[]).await.map_err(failed)?.get(0);
    let (batch, pause) = pace(rate);
    let batch = i64::from(batch);
    // Group and number of the last one.
    let mut after: (String, i64) = (String::new(), i64::MIN);
    let mut total = 0;
    loop {
        let mut parameters = filter.parameters().to_vec();
        parameters.extend([&begun as &(dyn ToSql + Sync), &after.0, &after.1, &batch]);
        let row = client.query_one(&sql, &parameters).await.map_err(failed)?;
        total += u64::try_from(row.get::<_, i64>("put")).unwrap_or_default();
        let picked: i64 = row.get("picked");
        let last: (Option<String>, Option<i64>) = (row.get("listener_group"), row.get("id"));
        match last.0.zip(last.1) {
            Some(last) if picked == batch => after = last,
            _ => return Ok(total),
        }
        tokio::time::sleep(pause).await;
    }
}
