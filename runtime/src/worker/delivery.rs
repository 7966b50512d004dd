//! The statements of a consumer, and which of them go out together.

use std::future::Future;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::{OptionFuture, join, join4, try_join, try_join3};
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, IsolationLevel, Row, Transaction};

use super::bounds::Way;
use super::claim::{Filtered, Ordered, prepare};
use super::connect::Connector;
use super::keys::Walked;
use super::lane::Start;
use super::retention::{self, Keeps};
use super::shared::{Durable, Shared};
use super::statement::Statement;
use crate::Error;
use crate::batch_transaction::BatchTransaction;
use crate::failpoint;
use crate::sql::{Part, Place, Sql, column};

/// Statements of a consumer.
pub(super) struct Statements {
    pub(super) begin: String,
    pub(super) commit_and_begin: String,
    ready: Statement,
    claim: Filtered,
    due: Filtered,
    urgent: Filtered,
    remove: Statement,
    pub(super) remove_written: Statement,
    /// If the worker keeps some of what was processed, and there is a table for it.
    keep: Option<Keep>,
    pub(super) record_failure: Statement,
    pub(super) count_attempt: Statement,
    pub(super) hold_again: Statement,
    /// If one of the listeners has an order.
    ordered: Option<Ordered>,
    /// For an answer that takes the server no time.
    deadline: Duration,
}

/// Statements that remove and keep.
struct Keep {
    claimed: Statement,
    written: Statement,
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
    /// When it was asked for. The server has counted from later on, so nothing is delivered after its time.
    pub begun: Instant,
}

impl Claimed {
    /// Whether one of its notifications is not worth delivering any more.
    pub(super) fn has_expired(&self, row: &Row) -> bool {
        let left: Option<f64> = row.get(column::EXPIRES_IN);
        left.is_some_and(|left| left <= self.begun.elapsed().as_secs_f64())
    }
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
    /// When the next one is due that is not due yet.
    pub next: Option<Instant>,
    pub took: Duration,
}

/// What is to be removed.
pub(super) enum Done<'s> {
    /// Rows that are as they were claimed.
    At(&'s [Place]),
    /// Ids of rows that have been written since then.
    Written(&'s [i64]),
}

/// What ends a batch, with what begins the next one, all in one round trip.
pub(super) struct End<'s> {
    pub entry: &'s Durable,
    /// What to remove.
    pub done: Done<'s>,
    /// Those among them that were not processed.
    pub expired: &'s [i64],
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
    pub(super) async fn prepare(client: &Client, shared: &Shared) -> Result<Self, Error> {
        let failed = |error| Error::postgres("prepare the statements of the worker", error);
        let (sql, floor, connector) = (&shared.sql, shared.floor, &shared.connector);
        let (way, bounds) = (connector.way(), connector.bounds());
        let is_ordered = shared.durable.iter().any(|entry| entry.ordered);
        let prepare = async |text: String| prepare(client, text, way).await;
        let claim = async |part| {
            Filtered::prepare(client, way, |filtered| sql.claim(part, filtered, floor)).await
        };
        let locally = match way {
            Way::Direct => String::new(),
            Way::Pooled => {
                let locally = bounds.of_transaction();
                let begin = format!("BEGIN{locally}");
                client.batch_execute(&begin).await.map_err(failed)?;
                locally
            }
        };
        let ordered = if is_ordered {
            Some(Ordered::prepare(client, sql, floor, way).await?)
        } else {
            None
        };
        let keep = if retention::can_keep(client, sql, &shared.durable).await? {
            Some(Keep {
                claimed: prepare(sql.keep()).await?,
                written: prepare(sql.keep_written()).await?,
            })
        } else {
            None
        };
        let statements = Self {
            begin: format!("{}{locally}", Sql::BEGIN),
            commit_and_begin: format!("{}{locally}", Sql::COMMIT_AND_BEGIN),
            ready: prepare(sql.ready(floor)).await?,
            claim: claim(Part::All).await?,
            due: claim(Part::Due).await?,
            urgent: claim(Part::Urgent).await?,
            remove: prepare(sql.remove()).await?,
            remove_written: prepare(sql.remove_written()).await?,
            keep,
            record_failure: prepare(sql.record_failure()).await?,
            count_attempt: prepare(sql.count_attempt()).await?,
            hold_again: prepare(sql.hold_again()).await?,
            ordered,
            deadline: shared.options.heartbeat,
        };
        if way == Way::Pooled {
            client.batch_execute("ROLLBACK").await.map_err(failed)?;
        }
        Ok(statements)
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
        let asking = async {
            let ready = self.ask(handle, asked).await;
            ready.map_err(|error| Error::postgres("scan", error))
        };
        let (at, ready) = try_join(self.begin(handle), asking).await?;
        transaction.renew();
        // Without the way to the server and back.
        let took = at.elapsed();
        Ok(Ready { took, ..ready })
    }

    /// Begins a transaction with a claim for one lane, and asks for which of the others something is due.
    pub(super) async fn begin_and_claim(
        &self,
        transaction: &mut BatchTransaction<'_>,
        wanted: &Wanted<'_>,
        asked: Option<&Asked>,
    ) -> Result<(Claimed, Ready), Error> {
        let handle = transaction.handle();
        let failed = |error| Error::postgres("claim notifications", error);
        let claiming = async {
            let (claimed, at) = timed(self.claim_now(handle, wanted)).await;
            claimed.map(|claimed| (claimed, at)).map_err(failed)
        };
        let asking = async {
            match asked {
                Some(asked) => self.ask(handle, asked).await.map_err(failed),
                None => Ok(Ready::default()),
            }
        };
        let (at, (mut claimed, claimed_at), mut ready) =
            try_join3(self.begin(handle), claiming, asking).await?;
        transaction.renew();
        // The server answers one after the other.
        claimed.took = claimed_at.saturating_duration_since(at);
        ready.took = claimed_at.elapsed();
        Ok((claimed, ready))
    }

    /// Begins a transaction; when that was done.
    ///
    /// This takes no time on a server that lives, whatever else it does, so here a dead connection shows. What is sent behind
    /// it may take long, and has no deadline: who gives up a slow claim and makes it again never gets anywhere.
    async fn begin(&self, handle: &Transaction<'_>) -> Result<Instant, Error> {
        let begin = handle.batch_execute(&self.begin);
        match tokio::time::timeout(self.deadline, begin).await {
            Ok(Ok(())) => Ok(Instant::now()),
            Ok(Err(error)) => Err(Error::postgres("begin a transaction", error)),
            Err(_) => Err(Error::no_answer(self.deadline)),
        }
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
        let is_anything = match end.done {
            Done::At(places) => !places.is_empty(),
            Done::Written(ids) => !ids.is_empty(),
        };
        let remove = is_anything.then(|| self.remove(handle, end));
        if failpoint::drawn(failpoint::BEFORE_COMMIT) {
            drop(OptionFuture::from(remove).await);
            failpoint::die(failpoint::BEFORE_COMMIT);
        }
        let commit = match end.next {
            Some(_) => self.commit_and_begin.as_str(),
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
            // The table of what was processed is gone: that is no failure of a listener, and the next session does without it.
            let is_ours = error.code() == Some(&SqlState::UNDEFINED_TABLE);
            return if refused(&error) && !is_ours {
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

    /// Whether what its listeners process can be kept.
    pub(super) fn keeps<'e>(&self, entry: &'e Durable) -> Option<&'e Keeps> {
        self.keep.as_ref().and(entry.keeps.as_ref())
    }

    /// Removes what is done, and keeps what is to be kept of it.
    async fn remove(
        &self,
        handle: &Transaction<'_>,
        end: &End<'_>,
    ) -> Result<u64, tokio_postgres::Error> {
        let (group, expired) = (&end.entry.group, &end.expired);
        if let (Some(keep), Some(Keeps { channels, seconds })) = (&self.keep, &end.entry.keeps) {
            return match &end.done {
                Done::At(places) => {
                    let claimed = &keep.claimed;
                    let parameters: [&(dyn ToSql + Sync); 4] = [places, channels, seconds, expired];
                    claimed.execute(handle, &parameters).await
                }
                Done::Written(ids) => {
                    let parameters: [&(dyn ToSql + Sync); 5] =
                        [group, ids, channels, seconds, expired];
                    keep.written.execute(handle, &parameters).await
                }
            };
        }
        match &end.done {
            Done::At(places) => self.remove.execute(handle, &[places]).await,
            Done::Written(ids) => self.remove_written.execute(handle, &[group, ids]).await,
        }
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
        let parameters: [&(dyn ToSql + Sync); 3] = [&asked.groups, &starts, &parts];
        let rows = self.ready.query(handle, &parameters).await?;
        let place = |row: &Row| usize::try_from(row.get::<_, i64>("place") - 1).ok();
        let ready = rows.iter().filter(|row| row.get("ready"));
        let next = rows
            .iter()
            .filter_map(|row| row.get::<_, Option<f64>>("next"))
            .filter_map(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .min();
        Ok(Ready {
            places: ready.filter_map(place).collect(),
            next: next.map(|pause| Instant::now() + pause),
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
                    Part::Due => &self.due,
                    Part::Urgent => &self.urgent,
                    Part::All | Part::Ordered => &self.claim,
                };
                statement.claim(handle, wanted, *after).await
            }
            Start::ByKey(after, floor) => self.ordered().claim(handle, wanted, after, *floor).await,
        };
        let took = begun.elapsed();
        claimed.map(|claimed| Claimed {
            took,
            begun,
            ..claimed
        })
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
pub(super) async fn begin<'c>(
    client: &'c mut Client,
    connector: &Connector,
) -> Result<Transaction<'c>, tokio_postgres::Error> {
    let level = IsolationLevel::ReadCommitted;
    let transaction = client
        .build_transaction()
        .isolation_level(level)
        .read_only(false)
        .start()
        .await?;
    if connector.way() == Way::Pooled {
        // A transaction that nobody ends would hold a session of the pool.
        let locally = connector.bounds().of_transaction();
        transaction.batch_execute(&locally).await?;
    }
    Ok(transaction)
}
