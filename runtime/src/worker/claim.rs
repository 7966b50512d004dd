//! Claims: by id, and key by key.

use std::time::{Duration, Instant};

use futures_util::future::join;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Transaction};

use super::bounds::Way;
use super::delivery::{Claimed, Wanted};
use super::keys::{Walked, without_gaps};
use super::shared::Durable;
use super::statement::Statement;
use crate::Error;
use crate::sql::{Part, Sql};

/// So many keys are held by one transaction at the most. The server's table of locks has room for 64 of each session, and it is
/// everybody's: a writer who finds it full fails.
const KEYS: usize = 48;

/// A statement without and with a filter on the context.
pub(super) struct Filtered {
    plain: Statement,
    filtered: Statement,
}

/// Statements for groups that have an order.
pub(super) struct Ordered {
    pub unordered: Filtered,
    pub left: Filtered,
    hold_keys: Filtered,
    take_of_keys: Filtered,
    pub hold_key: Statement,
}

/// Parameters behind those that every claim has.
type Parameters<'p> = &'p [&'p (dyn ToSql + Sync)];

pub(super) async fn prepare(client: &Client, text: String, way: Way) -> Result<Statement, Error> {
    Statement::prepare(client, text, way)
        .await
        .map_err(|error| Error::postgres("prepare the statements of the worker", error))
}

impl Filtered {
    pub(super) async fn prepare(
        client: &Client,
        way: Way,
        text: impl Fn(bool) -> String,
    ) -> Result<Self, Error> {
        let (plain, filtered) = (text(false), text(true));
        Ok(Self {
            plain: prepare(client, plain, way).await?,
            filtered: prepare(client, filtered, way).await?,
        })
    }

    /// The filter is the last parameter, if the listener has one.
    async fn query(
        &self,
        handle: &Transaction<'_>,
        entry: &Durable,
        own: Parameters<'_>,
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let mut parameters: Vec<&(dyn ToSql + Sync)> =
            vec![&entry.group, &entry.wanted, &entry.versions];
        parameters.extend(own);
        let statement = match &entry.filter {
            None => &self.plain,
            Some(filter) => {
                parameters.push(filter);
                &self.filtered
            }
        };
        statement.query(handle, &parameters).await
    }

    /// By id, behind one.
    pub(super) async fn claim(
        &self,
        handle: &Transaction<'_>,
        wanted: &Wanted<'_>,
        after: i64,
    ) -> Result<Claimed, tokio_postgres::Error> {
        let limit = count(wanted.limit);
        let loaded = wanted.entry.handler.takes_payload();
        let own: Parameters<'_> = &[&after, &limit, &loaded];
        let rows = self.query(handle, wanted.entry, own).await?;
        Ok(Claimed {
            full: rows.len() >= wanted.limit,
            rows,
            walked: Walked::NO_KEYS,
            holds: false,
            took: Duration::ZERO,
            begun: Instant::now(),
        })
    }
}

impl Ordered {
    pub(super) async fn prepare(
        client: &Client,
        sql: &Sql,
        floor: i64,
        way: Way,
    ) -> Result<Self, Error> {
        let by_id = async |part| {
            Filtered::prepare(client, way, |filtered| sql.claim(part, filtered, floor)).await
        };
        Ok(Self {
            unordered: by_id(Part::Unordered).await?,
            left: by_id(Part::Left).await?,
            hold_keys: Filtered::prepare(client, way, |filtered| sql.hold_keys(filtered)).await?,
            take_of_keys: Filtered::prepare(client, way, |filtered| sql.take_of_keys(filtered))
                .await?,
            hold_key: prepare(client, sql.hold_key(), way).await?,
        })
    }

    /// Takes hold of keys, and then of the first notifications of each: two statements, one round trip.
    pub(super) async fn claim(
        &self,
        handle: &Transaction<'_>,
        wanted: &Wanted<'_>,
        after: &str,
        floor: i64,
    ) -> Result<Claimed, tokio_postgres::Error> {
        let keys = count(wanted.limit.min(KEYS));
        let limit = count(wanted.limit);
        let loaded = wanted.entry.handler.takes_payload();
        let (hold, take): (Parameters<'_>, Parameters<'_>) =
            (&[&floor, &keys, &after], &[&floor, &limit, &loaded]);
        let (held, taken) = join(
            self.hold_keys.query(handle, wanted.entry, hold),
            self.take_of_keys.query(handle, wanted.entry, take),
        )
        .await;
        let held = held?;
        let held = held.first().expect("an aggregate has one row");
        let rows = without_gaps(taken?);
        let looked_at: Option<i32> = held.get("looked_at");
        let more_keys = held.get::<_, i64>("rows") == keys || looked_at == Some(Sql::HEADS);
        let holds: i64 = held.get("holds");
        // As the statement shares them out.
        let share = (limit / holds.max(1)).max(1);
        let more_of_a_key = rows.iter().any(|row| row.get::<_, i64>("place") == share);
        Ok(Claimed {
            full: more_keys || more_of_a_key,
            rows,
            walked: Walked {
                last: held.get::<_, Option<String>>("last").filter(|_| more_keys),
            },
            holds: holds > 0,
            took: Duration::ZERO,
            begun: Instant::now(),
        })
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
