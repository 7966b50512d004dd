//! A listener that receives batches: one call for what was claimed together.
//!
//! All of a call happens or nothing of it. One that fails says nothing about which notification is to blame, so each of them is done
//! again by itself, in the same transaction, and only what fails then has failed. What has failed before comes by itself from the start, or
//! it would spoil the calls of others again with each attempt.

use std::ops::Range;
use std::time::Instant;

use tokio_postgres::Row;

use super::batch::{Outcome, give_up, notification, supervised, undo};
use super::delivery::{Claimed, Statements};
use super::failure::{self, Failure};
use super::keys::Waiting;
use super::panic::{guard, guard_decoding};
use super::shared::{Durable, Shared};
use crate::batch_transaction::BatchTransaction;
use crate::error::Kind;
use crate::slice::{Gather, Slice};
use crate::sql::{Json, column};
use crate::{BatchCx, Error, failpoint};

/// The calls for a claim.
struct Calls<'s> {
    shared: &'s Shared,
    entry: &'s Durable,
    statements: &'s Statements,
    claimed: &'s Claimed,
    /// Of the next row to look at.
    place: usize,
    waiting: Waiting,
    outcome: Outcome,
}

/// What one call gets.
struct Gathered<'s> {
    events: Box<dyn Slice>,
    /// Theirs, with the place of each in the claim.
    rows: Vec<(usize, &'s Row)>,
}

/// Works off a claim, as [`super::batch::run`] does.
pub(super) async fn run<'a>(
    shared: &Shared,
    entry: &Durable,
    listener: &dyn Gather,
    statements: &Statements,
    mut transaction: BatchTransaction<'a>,
    claimed: &Claimed,
) -> Result<(BatchTransaction<'a>, Outcome), Error> {
    let mut calls = Calls {
        shared,
        entry,
        statements,
        claimed,
        place: 0,
        waiting: Waiting::default(),
        outcome: Outcome::default(),
    };
    let started = Instant::now();
    while let Some(gathered) = calls.gather(listener, &mut transaction).await? {
        if !gathered.rows.is_empty() {
            transaction = calls.work_off(transaction, &gathered).await?;
        }
        let time = started.elapsed();
        let outcome = &mut calls.outcome;
        if outcome.spoilt.is_some() || outcome.is_enough(shared, &mut transaction, time) {
            outcome.cut |= calls.place < claimed.rows.len();
            break;
        }
    }
    Ok((transaction, calls.outcome))
}

impl<'s> Calls<'s> {
    /// The next that belong in one call; empty, if one was dealt with that cannot be called. None: there are no more.
    async fn gather(
        &mut self,
        listener: &dyn Gather,
        transaction: &mut BatchTransaction<'_>,
    ) -> Result<Option<Gathered<'s>>, Error> {
        let mut gathered = Gathered {
            events: listener.gather(),
            rows: Vec::new(),
        };
        while let Some(row) = self.claimed.rows.get(self.place) {
            let place = self.place;
            let is_first = gathered.rows.is_empty();
            let was_tried = failure::attempts(row) > 0;
            if self.waiting.has(row) {
                self.place += 1;
            } else if self.claimed.has_expired(row) {
                self.outcome.had_expired(row);
                self.pass(place);
            } else if was_tried && !is_first {
                break;
            } else if failure::is_used_up(self.entry, row) {
                let (shared, entry) = (self.shared, self.entry);
                let recorded = give_up(shared, entry, self.statements, transaction, row).await;
                if self.outcome.put(recorded)? {
                    self.waiting.behind(row);
                }
                self.pass(place);
                return Ok(Some(gathered));
            } else if let Err(failure) = self.decode(gathered.events.as_mut(), row) {
                if !is_first {
                    break;
                }
                transaction.advance();
                self.fail(transaction, row, failure).await?;
                self.pass(place);
                return Ok(Some(gathered));
            } else {
                gathered.rows.push((place, row));
                self.place += 1;
                if was_tried {
                    break;
                }
            }
        }
        Ok((!gathered.rows.is_empty()).then_some(gathered))
    }

    fn decode(&self, events: &mut dyn Slice, row: &Row) -> Result<(), Failure> {
        let payload = serde_json::from_str(row.get::<_, Json<'_>>(column::PAYLOAD).0)
            .map_err(|error| format!("the payload does not decode: {error}"))?;
        let notification = notification(self.entry, row);
        guard_decoding(|| events.push(notification, &payload))
    }

    /// Calls the listener with all of them, or if that fails with one after the other.
    async fn work_off<'a>(
        &mut self,
        mut transaction: BatchTransaction<'a>,
        gathered: &Gathered<'s>,
    ) -> Result<BatchTransaction<'a>, Error> {
        let (events, rows) = (gathered.events.as_ref(), gathered.rows.as_slice());
        let started = Instant::now();
        let called;
        (transaction, called) = self.call(transaction, events, 0..rows.len()).await;
        match (called, rows) {
            (Ok(()), _) => {
                self.done(rows);
                if rows.iter().any(|(_, row)| failure::attempts(row) > 0) {
                    self.outcome.took += started.elapsed();
                }
            }
            (Err(failure), [(_, row)]) => {
                self.fail(&mut transaction, row, failure).await?;
                self.outcome.took += started.elapsed();
            }
            (Err(failure), _) => {
                let (listener, text) = (self.entry.spec.name, &failure.text);
                tracing::warn!(
                    listener,
                    "a call with {} notifications failed, each is done again by itself: {text}",
                    rows.len()
                );
                undo(self.shared, &mut transaction, &failure).await?;
                if transaction.handle().client().is_closed() {
                    // They would all fail of the same, and are delivered again.
                    let message = "the connection was lost while the listener ran";
                    return Err(Error::new(Kind::Connect, message));
                }
                return self.one_by_one(transaction, events, rows).await;
            }
        }
        if let Some((place, _)) = rows.last() {
            self.outcome.last = self.outcome.last.max(Some(*place));
        }
        Ok(transaction)
    }

    async fn one_by_one<'a>(
        &mut self,
        mut transaction: BatchTransaction<'a>,
        events: &dyn Slice,
        rows: &[(usize, &Row)],
    ) -> Result<BatchTransaction<'a>, Error> {
        let (started, before) = (Instant::now(), self.outcome.took);
        for (number, (place, row)) in rows.iter().enumerate() {
            if self.waiting.has(row) {
                continue;
            }
            let called;
            (transaction, called) = self.call(transaction, events, number..number + 1).await;
            match called {
                Ok(()) => self.done(&rows[number..=number]),
                Err(failure) => self.fail(&mut transaction, row, failure).await?,
            }
            let time = started.elapsed();
            self.outcome.took = before + time;
            let is_last = number + 1 == rows.len();
            if self.outcome.spoilt.is_some()
                || !is_last && self.outcome.is_enough(self.shared, &mut transaction, time)
            {
                // What comes behind it in the claim is left, too.
                self.place = self.claimed.rows.len();
                self.outcome.cut = true;
                self.outcome.alone = rows.len() - number - 1;
                self.outcome.last = Some(*place);
                return Ok(transaction);
            }
        }
        if let Some((place, _)) = rows.last() {
            self.outcome.last = self.outcome.last.max(Some(*place));
        }
        Ok(transaction)
    }

    async fn call<'a>(
        &self,
        mut transaction: BatchTransaction<'a>,
        events: &dyn Slice,
        of: Range<usize>,
    ) -> (BatchTransaction<'a>, Result<(), Failure>) {
        transaction.advance();
        let pulse = transaction.pulse();
        let mut cx = BatchCx::new(transaction);
        let listener = guard(events.call(of, &mut cx));
        let result = supervised(self.shared, self.entry, &pulse, listener).await;
        (cx.into_transaction(), result)
    }

    fn done(&mut self, rows: &[(usize, &Row)]) {
        failpoint::reach(failpoint::AFTER_ITS_EFFECT);
        for (_, row) in rows {
            self.outcome.did(row);
        }
    }

    /// One has failed by itself.
    async fn fail(
        &mut self,
        transaction: &mut BatchTransaction<'_>,
        row: &Row,
        failure: Failure,
    ) -> Result<(), Error> {
        let (shared, entry, statements) = (self.shared, self.entry, self.statements);
        undo(shared, transaction, &failure).await?;
        let handle = transaction.handle();
        let recorded = failure::record(shared, entry, handle, statements, row, failure).await;
        if self.outcome.put(recorded)? {
            self.waiting.behind(row);
        }
        Ok(())
    }

    /// It is dealt with, without a call.
    fn pass(&mut self, place: usize) {
        self.outcome.last = self.outcome.last.max(Some(place));
        self.place = place + 1;
    }
}
