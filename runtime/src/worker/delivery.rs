//! The statements of a consumer, and which of them go out together.

use std::future::Future;
use std::time::{Duration, Instant};

use futures_util::future::{OptionFuture, join, join4, try_join};
use tokio_postgres::error::Severity;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, IsolationLevel, Row, Statement, Transaction};

use super::keys::{Walked, without_gaps};
use super::lane::Start;
use super::shared::Durable;
use crate::Error;
use crate::batch_transaction::BatchTransaction;
use crate::sql::{Part, Sql};

/// So many keys are held by one transaction at the most. The server's table of locks has room for 64 of each session, and it is
/// everybody's: a writer who finds it full fails.
const KEYS: usize = 48;

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
    /// For an answer that takes the server no time.
    deadline: Duration,
}

/// A statement without and with a filter on the context.
struct Filtered {
    plain: Statement,
    filtered: Statement,
}

/// Statements for groups that have an order.
struct Ordered {
    unordered: Filtered,
    left: Filtered,
    hold_keys: Filtered,
    take_of_keys: Filtered,
    remove_scattered: Statement,
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
        deadline: Duration,
    ) -> Result<Self, Error> {
        let prepare = async |text: String| {
            client
                .prepare(&text)
                .await
                .map_err(|error| Error::postgres("prepare the statements of the worker", error))
        };
        let both = async |plain: String, filtered: String| {
            Ok::<_, Error>(Filtered {
                plain: prepare(plain).await?,
                filtered: prepare(filtered).await?,
            })
        };
        let ordered = if is_ordered {
            Some(Ordered {
                unordered: both(
                    sql.claim(Part::Unordered, false),
                    sql.claim(Part::Unordered, true),
                )
                .await?,
                left: both(sql.claim(Part::Left, false), sql.claim(Part::Left, true)).await?,
                hold_keys: both(sql.hold_keys(false), sql.hold_keys(true)).await?,
                take_of_keys: both(sql.take_of_keys(false), sql.take_of_keys(true)).await?,
                remove_scattered: prepare(sql.remove_scattered()).await?,
            })
        } else {
            None
        };
        Ok(Self {
            ready: prepare(sql.ready()).await?,
            claim: both(sql.claim(Part::All, false), sql.claim(Part::All, true)).await?,
            remove: prepare(sql.remove()).await?,
            record_failure: prepare(sql.record_failure()).await?,
            count_attempt: prepare(sql.count_attempt()).await?,
            hold_again: prepare(sql.hold_again()).await?,
            ordered,
            deadline,
        })
    }

    /// Those for groups that have an order.
    fn ordered(&self) -> &Ordered {
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

    /// Begins a transaction with a claim.
    pub(super) async fn begin_and_claim(
        &self,
        transaction: &mut BatchTransaction<'_>,
        wanted: &Wanted<'_>,
    ) -> Result<Claimed, Error> {
        let handle = transaction.handle();
        let claiming = async {
            let claimed = self.claim_now(handle, wanted).await;
            claimed.map_err(|error| Error::postgres("claim notifications", error))
        };
        let (at, claimed) = try_join(self.begin(handle), claiming).await?;
        transaction.renew();
        let took = at.elapsed();
        Ok(Claimed { took, ..claimed })
    }

    /// Begins a transaction; when that was done.
    ///
    /// This takes no time on a server that lives, whatever else it does, so here a dead connection shows. What is sent behind
    /// it may take long, and has no deadline: who gives up a slow claim and makes it again never gets anywhere.
    async fn begin(&self, handle: &Transaction<'_>) -> Result<Instant, Error> {
        let begin = handle.batch_execute(Sql::BEGIN);
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
        transaction.settle();
        let handle = transaction.handle();
        let (lowest, highest) = (end.done.iter().min(), end.done.iter().max());
        let parameters: [&(dyn ToSql + Sync); 4] = [&end.entry.group, &end.done, &lowest, &highest];
        let remove = (!end.done.is_empty()).then(|| match end.part {
            Part::Ordered => handle.execute(&self.ordered().remove_scattered, &parameters[..2]),
            Part::All | Part::Unordered | Part::Left => handle.execute(&self.remove, &parameters),
        });
        let commit = match end.next {
            Some(_) => Sql::COMMIT_AND_BEGIN,
            None => "COMMIT",
        };
        let commit = handle.batch_execute(commit);
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
            Start::ById(part, after) => self.claim_by_id(handle, wanted, *part, *after).await,
            Start::ByKey(key, floor) => self.claim_by_key(handle, wanted, key, *floor).await,
        };
        let took = begun.elapsed();
        claimed.map(|claimed| Claimed { took, ..claimed })
    }

    async fn claim_by_id(
        &self,
        handle: &Transaction<'_>,
        wanted: &Wanted<'_>,
        part: Part,
        after: i64,
    ) -> Result<Claimed, tokio_postgres::Error> {
        let statement = match part {
            Part::Unordered => &self.ordered().unordered,
            Part::Left => &self.ordered().left,
            Part::All | Part::Ordered => &self.claim,
        };
        let limit = count(wanted.limit);
        let rows = statement
            .query(handle, wanted.entry, &[&after, &limit])
            .await?;
        Ok(Claimed {
            full: rows.len() >= wanted.limit,
            rows,
            walked: Walked::NO_KEYS,
            holds: false,
            took: Duration::ZERO,
        })
    }

    /// Takes hold of keys, and then of the first notifications of each: two statements, one round trip.
    async fn claim_by_key(
        &self,
        handle: &Transaction<'_>,
        wanted: &Wanted<'_>,
        after: &str,
        floor: i64,
    ) -> Result<Claimed, tokio_postgres::Error> {
        let Ordered {
            hold_keys,
            take_of_keys,
            ..
        } = self.ordered();
        let keys = count(wanted.limit.min(KEYS));
        let limit = count(wanted.limit);
        let (hold, take): (Parameters<'_>, Parameters<'_>) =
            (&[&floor, &keys, &after], &[&floor, &limit]);
        let (held, taken) = join(
            hold_keys.query(handle, wanted.entry, hold),
            take_of_keys.query(handle, wanted.entry, take),
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
        })
    }
}

type Parameters<'p> = &'p [&'p (dyn ToSql + Sync)];

impl Filtered {
    /// With the parameters that every claim has, and the filter behind the others if the listener has one.
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
        handle.query(statement, &parameters).await
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
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
