//! What is kept after it was processed: which channels, and the partitions of the table that holds it.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, GenericClient};

use super::shared::{Durable, Shared};
use crate::Error;
use crate::error::Kind;
use crate::generated::ListenerSpec;
use crate::sql::Sql;

/// The channels of a listener that keep what was processed; none: nothing is kept for it.
pub(super) struct Keeps {
    /// Under all their names.
    pub channels: Vec<&'static str>,
    /// For how many seconds each.
    pub seconds: Vec<i64>,
}

impl Keeps {
    pub(super) fn of(spec: &ListenerSpec) -> Option<Self> {
        let (mut channels, mut seconds) = (Vec::new(), Vec::new());
        for subscription in spec.subscriptions {
            let channel = &subscription.channel;
            let Some(retain) = channel.retain else {
                continue;
            };
            for name in std::iter::once(&channel.name).chain(channel.was) {
                channels.push(*name);
                seconds.push(i64::try_from(retain.as_secs()).unwrap_or(i64::MAX));
            }
        }
        (!channels.is_empty()).then_some(Self { channels, seconds })
    }
}

/// For how many seconds the listeners of a worker keep something, each time once.
fn retentions(durable: &[Durable]) -> Vec<i64> {
    let keeps = durable.iter().filter_map(|entry| entry.keeps.as_ref());
    let mut seconds: Vec<i64> = keeps
        .flat_map(|keeps| keeps.seconds.iter().copied())
        .collect();
    seconds.sort_unstable();
    seconds.dedup();
    seconds
}

/// Whether the table is there, and whether this role may look after its partitions.
async fn look(client: &impl GenericClient, sql: &Sql) -> Result<(bool, bool), Error> {
    let (table, function) = sql.processed();
    let row = client
        .query_typed(
            Sql::KEEPS_PROCESSED,
            &[(&table, Type::TEXT), (&function, Type::TEXT)],
        )
        .await
        .map_err(|error| Error::postgres("look for the table of processed notifications", error))?
        .into_iter()
        .next();
    Ok(row.map_or((false, false), |row| (row.get(0), row.get(1))))
}

/// Whether what the listeners process can be kept. Where the table is gone, as a migration was taken back, delivery goes on.
pub(super) async fn can_keep(
    client: &impl GenericClient,
    sql: &Sql,
    durable: &[Durable],
) -> Result<bool, Error> {
    if durable.iter().all(|entry| entry.keeps.is_none()) {
        return Ok(false);
    }
    let (table, _) = look(client, sql).await?;
    if !table {
        tracing::warn!(
            "what is processed is not kept: the table {} is gone",
            sql.name("processed")
        );
    }
    Ok(table)
}

/// Before the first notification: better a clear message now.
pub(super) async fn check(client: &Client, sql: &Sql, durable: &[Durable]) -> Result<(), Error> {
    let retentions = retentions(durable);
    if retentions.is_empty() {
        return Ok(());
    }
    let (table, function) = look(client, sql).await?;
    if !table {
        let message = format!(
            "some channels keep what was processed (`retain`), and the database has no table {}: apply the newest migration of pgpubsub-gen",
            sql.name("processed")
        );
        return Err(Error::new(Kind::NotInstalled, message));
    }
    if !function {
        let message = format!(
            "this role lacks rights on the storage: let the worker connect as its owner, or grant EXECUTE on {}",
            sql.processed().1
        );
        return Err(Error::new(Kind::Postgres, message));
    }
    // So that the first ones have a partition, too.
    maintain(client, sql, &retentions).await;
    Ok(())
}

/// Makes partitions and drops those whose time is over. Of what is not kept any more, too: it is kept till its time is over.
pub(super) async fn look_after(client: &Client, shared: &Shared) -> Result<(), Error> {
    if let (true, true) = look(client, &shared.sql).await? {
        maintain(client, &shared.sql, &retentions(&shared.durable)).await;
    }
    Ok(())
}

/// Nothing depends on it, except how well the history is cut into pieces.
async fn maintain(client: &Client, sql: &Sql, retentions: &[i64]) {
    let maintained = client
        .query_typed(
            &sql.maintain_processed(),
            &[(&retentions, Type::INT8_ARRAY)],
        )
        .await;
    if let Err(error) = maintained {
        let error = Error::postgres(
            "look after the partitions of processed notifications",
            error,
        );
        tracing::warn!("{error}");
    }
}
