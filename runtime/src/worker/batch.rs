//! The listeners of a batch, one after the other, in the transaction that has claimed it.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio_postgres::Row;

use super::OnFailure;
use super::delivery::{Claimed, Statements, refused};
use super::failure::{self, Failure, Recorded};
use super::keys::Waiting;
use super::panic::guard;
use super::shared::{Durable, Shared};
use super::slices;
use super::timeout::{free, limited};
use crate::batch_transaction::BatchTransaction;
use crate::listener_set::Handler;
use crate::pulse::Pulse;
use crate::sql::{Json, Place, TransactionId, column};
use crate::{Context, Cx, Error, Notification, Op, PgTimestampTz, failpoint};

/// So many listeners may use a transaction. The server keeps 64 savepoints of a transaction at hand for the snapshots of
/// everybody; with more it has to look them up, which slows down all sessions.
pub(super) const SAVEPOINTS: usize = 60;

/// What the listeners of a batch have left behind; nothing of it counts before the commit.
#[derive(Default)]
pub(super) struct Outcome {
    /// Ids whose listener has succeeded.
    pub done: Vec<i64>,
    /// Ids of those that were not worth delivering any more.
    pub expired: Vec<i64>,
    /// Where the rows of both are.
    pub at: Vec<Place>,
    pub failed: Vec<Recorded>,
    /// Place of the last one that ran or had expired.
    pub last: Option<usize>,
    /// How long the listeners took, as far as it depends on how many there are.
    pub took: Duration,
    /// The batch ended before its end.
    pub cut: bool,
    /// How many listeners have used the transaction.
    pub savepoints: usize,
    /// A listener has left the transaction in failure: why it cannot be committed.
    pub spoilt: Option<tokio_postgres::Error>,
    /// So many that it did not get to are to be done one at a time.
    pub alone: usize,
}

impl Outcome {
    /// Of a notification that somebody else has taken.
    pub(super) fn passed_over() -> Self {
        Self {
            last: Some(0),
            ..Self::default()
        }
    }

    pub(super) fn ran(&self) -> usize {
        self.done.len() + self.failed.len()
    }

    /// One has failed, and that was to be written. False: nothing can be committed.
    pub(super) fn put(
        &mut self,
        recorded: Result<Recorded, tokio_postgres::Error>,
    ) -> Result<bool, Error> {
        match recorded {
            Ok(recorded) => {
                self.failed.push(recorded);
                Ok(true)
            }
            Err(error) if refused(&error) => {
                self.spoilt = Some(error);
                Ok(false)
            }
            Err(error) => Err(Error::postgres("record the failure of a listener", error)),
        }
    }

    /// Whether the batch ends after a call, which it does after so much time at the latest.
    pub(super) fn is_enough(
        &mut self,
        shared: &Shared,
        transaction: &mut BatchTransaction<'_>,
        time: Duration,
    ) -> bool {
        self.savepoints = transaction.savepoints();
        let exit = !self.failed.is_empty() && shared.options.on_failure == OnFailure::Exit;
        time >= shared.options.batch_time
            || self.savepoints >= SAVEPOINTS
            || exit
            || shared.stop.is_cancelled()
    }

    /// The listener of this one has succeeded.
    pub(super) fn did(&mut self, row: &Row) {
        self.done.push(row.get(column::ID));
        self.at.push(row.get(column::AT));
    }

    /// This one was not worth delivering any more.
    pub(super) fn had_expired(&mut self, row: &Row) {
        self.expired.push(row.get(column::ID));
        self.at.push(row.get(column::AT));
    }

    /// Ids to remove.
    pub(super) fn removed(&self) -> Vec<i64> {
        [self.done.as_slice(), &self.expired].concat()
    }
}

/// Runs them until the end, the worker stops, or the batch has taken its time.
///
/// An error is one of the connection: the transaction is gone, the notifications are not.
pub(super) async fn run<'a>(
    shared: &Shared,
    entry: &Durable,
    statements: &Statements,
    mut transaction: BatchTransaction<'a>,
    claimed: &Claimed,
) -> Result<(BatchTransaction<'a>, Outcome), Error> {
    transaction.serve(entry.group);
    if let Handler::Batch(listener) = &entry.handler {
        let listener = listener.as_ref();
        return slices::run(shared, entry, listener, statements, transaction, claimed).await;
    }
    let mut outcome = Outcome::default();
    let mut waiting = Waiting::default();
    let started = Instant::now();
    let rows = &claimed.rows;
    for (place, row) in rows.iter().enumerate() {
        if waiting.has(row) {
            continue;
        }
        if claimed.has_expired(row) {
            outcome.had_expired(row);
            outcome.last = Some(place);
            continue;
        }
        outcome.last = Some(place);
        let recorded;
        (transaction, recorded) = one(shared, entry, statements, transaction, row).await?;
        match recorded.transpose() {
            None => {
                failpoint::reach(failpoint::AFTER_ITS_EFFECT);
                outcome.did(row);
            }
            Some(recorded) => {
                if !outcome.put(recorded)? {
                    return Ok((transaction, outcome));
                }
                waiting.behind(row);
            }
        }
        outcome.took = started.elapsed();
        if outcome.is_enough(shared, &mut transaction, outcome.took) {
            outcome.cut = place + 1 < rows.len();
            break;
        }
    }
    Ok((transaction, outcome))
}

/// Calls the listener, if it may be tried; a failure is recorded.
async fn one<'a>(
    shared: &Shared,
    entry: &Durable,
    statements: &Statements,
    mut transaction: BatchTransaction<'a>,
    row: &Row,
) -> Result<
    (
        BatchTransaction<'a>,
        Result<Option<Recorded>, tokio_postgres::Error>,
    ),
    Error,
> {
    if failure::is_used_up(entry, row) {
        let recorded = give_up(shared, entry, statements, &mut transaction, row).await;
        return Ok((transaction, recorded.map(Some)));
    }
    let called;
    (transaction, called) = call(shared, transaction, entry, row).await;
    let Err(failure) = called else {
        return Ok((transaction, Ok(None)));
    };
    undo(shared, &mut transaction, &failure).await?;
    let handle = transaction.handle();
    let recorded = failure::record(shared, entry, handle, statements, row, failure).await;
    Ok((transaction, recorded.map(Some)))
}

/// One has no attempts left.
pub(super) async fn give_up(
    shared: &Shared,
    entry: &Durable,
    statements: &Statements,
    transaction: &mut BatchTransaction<'_>,
    row: &Row,
) -> Result<Recorded, tokio_postgres::Error> {
    transaction.settle();
    failure::used_up(shared, entry, transaction.handle(), statements, row).await
}

/// Undoes what a listener did that has failed, so that our own statements can follow.
pub(super) async fn undo(
    shared: &Shared,
    transaction: &mut BatchTransaction<'_>,
    failure: &Failure,
) -> Result<(), Error> {
    transaction.undo();
    transaction.settle();
    if failure.timed_out.is_some() {
        free(shared, transaction.handle()).await?;
    }
    Ok(())
}

/// Calls the listener; the result is its own.
async fn call<'a>(
    shared: &Shared,
    mut transaction: BatchTransaction<'a>,
    entry: &Durable,
    row: &Row,
) -> (BatchTransaction<'a>, Result<(), Failure>) {
    transaction.advance();
    let notification = notification(entry, row);
    let op = notification.op;
    let payload: Option<Json<'_>> = row.get(column::PAYLOAD);
    let payload = payload.map(|Json(text)| serde_json::from_str(text));
    let payload = match payload.transpose() {
        Ok(payload) => payload.unwrap_or_default(),
        Err(error) => {
            let error = format!("the payload does not decode: {error}");
            return (transaction, Err(error.into()));
        }
    };
    let pulse = transaction.pulse();
    let mut cx = Cx::new(notification, transaction);
    let called = match &entry.handler {
        Handler::Transaction(handler) => handler.call(op, &payload, &mut cx),
        Handler::Lazy(handler) => handler.call(&mut cx),
        Handler::Lease(_) | Handler::Batch(_) => {
            unreachable!("what is leased has no batch, and what takes slices another one")
        }
    };
    let result = supervised(shared, entry, &pulse, guard(called)).await;
    (cx.into_transaction(), result)
}

/// The result of a listener that has the transaction, which shows signs of life meanwhile.
pub(super) async fn supervised(
    shared: &Shared,
    entry: &Durable,
    pulse: &Pulse<'_>,
    listener: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let listener = limited(entry.spec.timeout, listener);
    let beat = shared.connector.bounds().beat();
    pulse.during(beat, listener).await.unwrap_or_else(|| {
        // Recording it fails of the same, and what was claimed is delivered again.
        Err("the connection was lost while the listener ran"
            .to_owned()
            .into())
    })
}

/// What a row says, beside the payload.
pub(super) fn notification(entry: &Durable, row: &Row) -> Notification {
    let attempts: i32 = row.get(column::ATTEMPTS);
    let created_at: PgTimestampTz = row.get(column::CREATED_AT);
    let op: &str = row.get(column::OP);
    let TransactionId(txid) = row.get(column::TXID);
    Notification {
        id: row.get(column::ID),
        group: entry.group,
        channel: row.get(column::CHANNEL),
        listener: entry.spec.name,
        op: Op::from_word(op).expect("the claim asks for these operations only"),
        model_version: u32::try_from(row.get::<_, i32>(column::MODEL_VERSION)).unwrap_or_default(),
        db_version: row.get(column::DB_VERSION),
        txid,
        created_at: created_at.to_chrono().unwrap_or_default(),
        attempt: u32::try_from(attempts)
            .unwrap_or_default()
            .saturating_add(1),
        context: Context::from_raw(row.get(column::CONTEXT)),
    }
}
