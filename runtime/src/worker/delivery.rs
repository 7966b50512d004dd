//! The statements of a consumer, and which of them go out together.

use std::future::Future;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::{OptionFuture, join, join4};
use tokio_postgres::error::Severity;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, IsolationLevel, Row, Statement, Transaction};

use super::claim::{Filtered, Ordered, prepare};
use super::keys::Walked;
use super::lane::Start;
use super::shared::Durable;
use crate::Error;
use crate::batch_transaction::BatchTransaction;
use crate::failpoint;
use crate::sql::{Part, Sql};

/// Prepared statements of a consumer.
pub(super) struct Statements {
    ready: Statement,
    claim: Filtered,
    remove: Statement,
    pub(super) record_failure: Statement,
    pub(super) count_attempt: Statement,
    pub(super) hold_again: Statement,
    /// If one of the listeners has an order.
    ordered: Option<Ordered>,
}

/// What to claim.
pub(super) struct Wanted<'s> {
    pub entry: &'s Durable,
    pub start: Start,
    pub limit: usize,
}

/// What a claim found, in the order in which it is worked off.
pub(super) struct Claimed {
    pub rows: Vec<Row>,
    /// There is probably more behind it.
    pub full: bool,
    /// How far a claim by key has got.
    pub walked: Walked,
    /// It holds keys, whether there are rows or not.
    pub holds: bool,
    pub took: Duration,
}

/// Lanes to ask for: the group of each, and where to begin to look.
#[derive(Default)]
pub(super) struct Asked {
    groups: Vec<&'static str>,
    pub starts: Vec<Start>,
}

impl Asked {
    pub(super) fn add(&mut self, group: &'static str, start: Start) {
        self.groups.push(group);
        self.starts.push(start);
    }
}

/// The places in [`Asked`] of the lanes for which something is due.
#[derive(Default)]
pub(super) struct Ready {
    pub places: Vec<usize>,
    pub took: Duration,
}

/// What ends a batch, with what begins the next one, all in one round trip.
pub(super) struct End<'s> {
    pub entry: &'s Durable,
    /// The part of the group that it was claimed from.
    pub part: Part,
    /// Ids to remove.
    pub done: &'s [i64],
    pub next: Option<Wanted<'s>>,
    pub ask: Option<Asked>,
}

/// What came of it.
pub(super) enum Ended {
    Committed {
        next: Option<Claimed>,
        ready: Ready,
    },
    /// The server refused it: nothing of the batch has happened.
    Undone(tokio_postgres::Error),
}

impl Statements {
    pub(super) async fn prepare(
        client: &Client,
        sql: &Sql,
        is_ordered: bool,
    ) -> Result<Self, Error> {
        let prepare = async |text: String| prepare(client, text).await;
        let ordered = if is_ordered {
            Some(Ordered::prepare(client, sql).await?)
        } else {
            None
        };
        Ok(Self {
            ready: prepare(sql.ready()).await?,
            claim: Filtered::prepare(client, |filtered| sql.claim(Part::All, filtered)).await?,
            remove: prepare(sql.remove()).await?,
            record_failure: prepare(sql.record_failure()).await?,
            count_attempt: prepare(sql.count_attempt()).await?,
            hold_again: prepare(sql.hold_again()).await?,
            ordered,
        })
    }

    /// Those for groups that have an order.
    pub(super) fn ordered(&self) -> &Ordered {
        let ordered = self.ordered.as_ref();
        ordered.expect("they are prepared if there is such a group")
    }

    /// Asks for which lanes something is due; begins a transaction for the claim.
    pub(super) async fn begin_and_ask(
        &self,
        transaction: &mut BatchTransaction<'_>,
        asked: &Asked,
    ) -> Result<Ready, Error> {
        let handle = transaction.handle();
        let (begun, ready) = join(
            timed(handle.batch_execute(Sql::BEGIN)),
            self.ask(handle, asked),
        )
        .await;
        transaction.renew();
        let (begun, at) = begun;
        let ready = begun
            .and(ready)
            .map_err(|error| Error::postgres("scan", error))?;
        // Without the way to the server and back.
        let took = at.elapsed();
        Ok(Ready { took, ..ready })
    }

    /// Begins a transaction with a claim.
    pub(super) async fn begin_and_claim(
        &self,
        transaction: &mut BatchTransaction<'_>,
        wanted: &Wanted<'_>,
    ) -> Result<Claimed, Error> {
        let handle = transaction.handle();
        let (begun, claimed) = join(
            timed(handle.batch_execute(Sql::BEGIN)),
            self.claim_now(handle, wanted),
        )
        .await;
        transaction.renew();
        let (begun, at) = begun;
        let claimed = begun
            .and(claimed)
            .map_err(|error| Error::postgres("claim notifications", error))?;
        let took = at.elapsed();
        Ok(Claimed { took, ..claimed })
    }

    /// Claims in the transaction as it is, in which no listener has run yet.
    pub(super) async fn claim(
        &self,
        transaction: &BatchTransaction<'_>,
        wanted: &Wanted<'_>,
    ) -> Result<Claimed, Error> {
        self.claim_now(transaction.handle(), wanted)
            .await
            .map_err(|error| Error::postgres("claim notifications", error))
    }

    /// Removes what is done, commits, and goes on. An error is one of the connection: perhaps it was committed.
    pub(super) async fn end(
        &self,
        transaction: &mut BatchTransaction<'_>,
        end: &End<'_>,
    ) -> Result<Ended, Error> {
        failpoint::reach(failpoint::BEFORE_DELETE);
        transaction.settle();
        let handle = transaction.handle();
        let (lowest, highest) = (end.done.iter().min(), end.done.iter().max());
        let parameters: [&(dyn ToSql + Sync); 4] = [&end.entry.group, &end.done, &lowest, &highest];
        let remove = (!end.done.is_empty()).then(|| match end.part {
            Part::Ordered => handle.execute(&self.ordered().remove_scattered, &parameters[..2]),
            Part::All | Part::Unordered | Part::Left => handle.execute(&self.remove, &parameters),
        });
        if failpoint::drawn(failpoint::BEFORE_COMMIT) {
            drop(OptionFuture::from(remove).await);
            failpoint::die(failpoint::BEFORE_COMMIT);
        }
        let commit = match end.next {
            Some(_) => Sql::COMMIT_AND_BEGIN,
            None => "COMMIT",
        };
        let commit = handle.batch_execute(commit);
        if failpoint::drawn(failpoint::DURING_COMMIT) {
            // Sent at the first poll, written by the task of the connection; whether the server comes to it is open.
            drop(join(OptionFuture::from(remove), commit).now_or_never());
            tokio::task::yield_now().await;
            failpoint::die(failpoint::DURING_COMMIT);
        }
        let ask = end.ask.as_ref().map(|asked| self.ask(handle, asked));
        let next = end
            .next
            .as_ref()
            .map(|wanted| self.claim_now(handle, wanted));
        let (removed, (committed, at), (ready, asked_at), next) = join4(
            OptionFuture::from(remove),
            timed(commit),
            timed(OptionFuture::from(ask)),
            OptionFuture::from(next),
        )
        .await;
        let failed = |error| Error::postgres("end a batch", error);
        // A listener that left the transaction in failure shows in the removal; COMMIT then rolls back and calls it success.
        if let Err(error) = removed.transpose().and(committed) {
            return if refused(&error) {
                Ok(Ended::Undone(error))
            } else {
                Err(failed(error))
            };
        }
        failpoint::reach(failpoint::AFTER_COMMIT);
        transaction.renew();
        // The server answers one after the other.
        let mut ready = ready.transpose().map_err(failed)?.unwrap_or_default();
        ready.took = asked_at.saturating_duration_since(at);
        let mut next = next.transpose().map_err(failed)?;
        if let Some(claimed) = &mut next {
            claimed.took = asked_at.max(at).elapsed();
        }
        Ok(Ended::Committed { next, ready })
    }

    async fn ask(
        &self,
        handle: &Transaction<'_>,
        asked: &Asked,
    ) -> Result<Ready, tokio_postgres::Error> {
        let begun = Instant::now();
        let starts: Vec<i64> = asked.starts.iter().map(Start::after).collect();
        let parts: Vec<&str> = asked
            .starts
            .iter()
            .map(|start| start.part().word())
            .collect();
        let rows = handle
            .query(&self.ready, &[&asked.groups, &starts, &parts])
            .await?;
        let place = |row: &Row| usize::try_from(row.get::<_, i64>(0) - 1).ok();
        Ok(Ready {
            places: rows.iter().filter_map(place).collect(),
            took: begun.elapsed(),
        })
    }

    async fn claim_now(
        &self,
        handle: &Transaction<'_>,
        wanted: &Wanted<'_>,
    ) -> Result<Claimed, tokio_postgres::Error> {
        let begun = Instant::now();
        let claimed = match &wanted.start {
            Start::ById(part, after) => {
                let statement = match part {
                    Part::Unordered => &self.ordered().unordered,
                    Part::Left => &self.ordered().left,
                    Part::All | Part::Ordered => &self.claim,
                };
                statement.claim(handle, wanted, *after).await
            }
            Start::ByKey(after, floor) => self.ordered().claim(handle, wanted, after, *floor).await,
        };
        let took = begun.elapsed();
        claimed.map(|claimed| Claimed { took, ..claimed })
    }
}

/// With the time at which it was done.
async fn timed<T>(future: impl Future<Output = T>) -> (T, Instant) {
    let output = future.await;
    (output, Instant::now())
}

/// The server refused a statement and lives on, as opposed to: the connection is lost.
pub(super) fn refused(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|error| {
        !matches!(
            error.parsed_severity(),
            Some(Severity::Fatal | Severity::Panic)
        )
    })
}

/// Whatever the defaults of the database are, see [`Sql::BEGIN`].
pub(super) async fn begin(client: &mut Client) -> Result<Transaction<'_>, tokio_postgres::Error> {
    let level = IsolationLevel::ReadCommitted;
    client
        .build_transaction()
        .isolation_level(level)
        .read_only(false)
        .start()
        .await
}
