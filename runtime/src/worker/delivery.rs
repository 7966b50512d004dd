//! The statements of a consumer, and which of them go out together.

use std::future::Future;
use std::time::{Duration, Instant};

use futures_util::future::{OptionFuture, join4, try_join};
use tokio_postgres::error::Severity;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, IsolationLevel, Row, Statement, Transaction};

use super::shared::Durable;
use crate::Error;
use crate::batch_transaction::BatchTransaction;
use crate::sql::Sql;

/// Prepared statements of a consumer.
pub(super) struct Statements {
    ready: Statement,
    claim: Statement,
    claim_filtered: Statement,
    remove: Statement,
    pub(super) record_failure: Statement,
    /// For an answer that takes the server no time.
    deadline: Duration,
}

/// What to claim.
pub(super) struct Wanted<'s> {
    pub entry: &'s Durable,
    /// The id behind which to look.
    pub start: i64,
    pub limit: usize,
}

/// What a claim found, in the order of the ids.
pub(super) struct Claimed {
    pub rows: Vec<Row>,
    pub took: Duration,
}

/// Groups to ask for, by name, and for each the id behind which to look.
#[derive(Default)]
pub(super) struct Asked {
    pub groups: Vec<&'static str>,
    pub starts: Vec<i64>,
}

/// The places in [`Asked`] of the groups for which something is due.
#[derive(Default)]
pub(super) struct Ready {
    pub places: Vec<usize>,
    pub took: Duration,
}

/// What ends a batch, with what begins the next one, all in one round trip.
pub(super) struct End<'s> {
    pub entry: &'s Durable,
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
        deadline: Duration,
    ) -> Result<Self, Error> {
        let prepare = async |text: String| {
            client
                .prepare(&text)
                .await
                .map_err(|error| Error::postgres("prepare the statements of the worker", error))
        };
        Ok(Self {
            ready: prepare(sql.ready()).await?,
            claim: prepare(sql.claim(false)).await?,
            claim_filtered: prepare(sql.claim(true)).await?,
            remove: prepare(sql.remove()).await?,
            record_failure: prepare(sql.record_failure()).await?,
            deadline,
        })
    }

    /// Asks for which groups something is due; begins a transaction for the claim.
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
        // In the order of the ids, as they were claimed.
        let (lowest, highest) = (end.done.first(), end.done.last());
        let parameters: [&(dyn ToSql + Sync); 4] = [&end.entry.group, &end.done, &lowest, &highest];
        let remove = (!end.done.is_empty()).then(|| handle.execute(&self.remove, &parameters));
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
        let rows = handle
            .query(&self.ready, &[&asked.groups, &asked.starts])
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
        let Wanted {
            entry,
            start,
            limit,
        } = wanted;
        let limit = i64::try_from(*limit).unwrap_or(i64::MAX);
        let mut parameters: Vec<&(dyn ToSql + Sync)> =
            vec![&entry.group, &entry.wanted, &entry.versions, start, &limit];
        let statement = match &entry.filter {
            None => &self.claim,
            Some(filter) => {
                parameters.push(filter);
                &self.claim_filtered
            }
        };
        let rows = handle.query(statement, &parameters).await?;
        let took = begun.elapsed();
        Ok(Claimed { rows, took })
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
