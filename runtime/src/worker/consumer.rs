//! A consumer: scans, and delivers what it can claim, a batch at a time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::WorkerEvent;
use super::batch::{self, Outcome};
use super::cursor::Cursor;
use super::delivery::{Asked, Claimed, End, Ended, Ready, Statements, Wanted, begin};
use super::door;
use super::failure;
use super::pace::{Pace, Seen};
use super::shared::{Durable, Shared};
use crate::Error;
use crate::batch_transaction::BatchTransaction;
use crate::error::describe;

/// While it works off a backlog, a consumer asks so often whether other groups have something too.
const ASK_AGAIN: Duration = Duration::from_millis(10);

/// Consumes until the worker stops; after a loss it connects again.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut failures = 0;
    while !shared.stop.is_cancelled() {
        match connect_and_serve(&shared, &mut failures).await {
            Ok(()) => return,
            Err(error) => {
                // What it was woken for is for another one now.
                shared.wake.notify_one();
                failures += 1;
                if !shared
                    .pause_before_reconnect(failures, &error.to_string())
                    .await
                {
                    return;
                }
            }
        }
    }
}

async fn connect_and_serve(shared: &Arc<Shared>, failures: &mut u32) -> Result<(), Error> {
    let mut session = tokio::select! {
        connected = shared.connector.connect() => connected?,
        () = shared.stop.cancelled() => return Ok(()),
    };
    // Others ring for the listening session; here nobody takes notifications.
    session.notifications.close();
    let deadline = shared.options.heartbeat;
    let statements = Statements::prepare(&session.client, &shared.sql, deadline).await?;
    let handle = begin(&mut session.client)
        .await
        .map_err(|error| Error::postgres("begin a transaction", error))?;
    let mut transaction = BatchTransaction::new(handle);
    transaction.abandon();
    let mut consumer = Consumer::new(shared, &statements);
    while !shared.stop.is_cancelled() {
        let worked;
        (transaction, worked) = consumer.pass(transaction).await?;
        // Only now: a session whose statements fail must not be tried again without a pause.
        *failures = 0;
        if worked {
            shared.rest.found();
        } else {
            shared.emit(WorkerEvent::Idle);
            door::rest(shared, consumer.unseen_until()).await;
        }
    }
    Ok(())
}

struct Consumer<'s> {
    shared: &'s Arc<Shared>,
    statements: &'s Statements,
    lanes: Vec<Lane>,
    /// Where the next pass begins, so that a listener with a backlog does not starve the ones behind it.
    first: usize,
    asked_at: Instant,
}

/// A listener, as one consumer serves it.
struct Lane {
    cursor: Cursor,
    pace: Pace,
}

/// A claim of a lane.
struct Claim {
    lane: usize,
    start: i64,
    limit: usize,
    claimed: Claimed,
}

impl<'s> Consumer<'s> {
    fn new(shared: &'s Arc<Shared>, statements: &'s Statements) -> Self {
        let now = Instant::now();
        let lane = |_: &Durable| Lane {
            cursor: Cursor::new(shared.floor, now),
            pace: Pace::new(shared.options.batch, shared.options.batch_time),
        };
        Self {
            shared,
            statements,
            lanes: shared.durable.iter().map(lane).collect(),
            first: 0,
            asked_at: now,
        }
    }

    /// Serves every listener for which something is due, in turns of a batch each, until nothing is found for any.
    ///
    /// Returns whether anything was found.
    async fn pass<'a>(
        &mut self,
        mut transaction: BatchTransaction<'a>,
    ) -> Result<(BatchTransaction<'a>, bool), Error> {
        let count = self.lanes.len();
        let all: Vec<usize> = (0..count)
            .map(|place| (self.first + place) % count)
            .collect();
        self.first = (self.first + 1) % count;
        let mut claim;
        let mut queue: VecDeque<usize>;
        if count == 1 {
            queue = VecDeque::new();
            let wanted = self.wanted(0);
            let claimed = self.statements.begin_and_claim(&mut transaction, &wanted);
            claim = Some(Claim::new(0, &wanted, claimed.await?));
        } else {
            let asked = self.ask(&all);
            let ready = self
                .statements
                .begin_and_ask(&mut transaction, &asked)
                .await?;
            queue = self.found(&all, &asked, &ready).into();
            claim = self.claim_first(&transaction, &mut queue).await?;
        }
        let mut worked = false;
        while let Some(found) = claim {
            if self.shared.stop.is_cancelled() {
                break;
            }
            if found.claimed.rows.is_empty() {
                self.nothing(&found, &mut queue);
                claim = self.claim_first(&transaction, &mut queue).await?;
                continue;
            }
            worked = true;
            (transaction, claim) = self.work_off(transaction, found, &mut queue).await?;
            if claim.is_none() {
                // Stopped, or to be looked at anew.
                return Ok((transaction, worked));
            }
        }
        transaction.abandon();
        Ok((transaction, worked))
    }

    /// Runs the listeners of what is claimed, ends the transaction, and claims for the one whose turn is next.
    async fn work_off<'a>(
        &mut self,
        transaction: BatchTransaction<'a>,
        claim: Claim,
        queue: &mut VecDeque<usize>,
    ) -> Result<(BatchTransaction<'a>, Option<Claim>), Error> {
        let (shared, statements) = (self.shared, self.statements);
        let (entry, rows) = (&shared.durable[claim.lane], &claim.claimed.rows);
        let full = rows.len() >= claim.limit;
        if full {
            // There may be more: let another consumer look while this one works.
            shared.wake.notify_one();
        }
        let (mut transaction, outcome) =
            batch::run(shared, entry, statements, transaction, rows).await?;
        if let Some(error) = &outcome.spoilt {
            transaction.abandon();
            self.redo(&transaction, &claim, error).await?;
            return Ok((transaction, None));
        }
        self.learn(&claim, &outcome, full);
        if outcome.cut {
            shared.wake.notify_one();
        }

        queue.push_back(claim.lane);
        let mut end = End {
            entry,
            done: &outcome.done,
            next: None,
            ask: None,
        };
        let mut next = claim.lane;
        let mut others = Vec::new();
        if !shared.stop.is_cancelled() {
            next = queue.pop_front().expect("this listener was put in");
            end.next = Some(self.wanted(next));
            if self.asked_at.elapsed() >= ASK_AGAIN {
                others = (0..self.lanes.len())
                    .filter(|lane| *lane != next && !queue.contains(lane))
                    .collect();
                end.ask = (!others.is_empty()).then(|| self.ask(&others));
            }
        }
        match statements.end(&mut transaction, &end).await? {
            Ended::Committed {
                next: claimed,
                ready,
            } => {
                if let Some(asked) = &end.ask {
                    queue.extend(self.found(&others, asked, &ready));
                }
                tell(shared, entry, &outcome);
                let wanted = end.next.as_ref().zip(claimed);
                let claim = wanted.map(|(wanted, claimed)| Claim::new(next, wanted, claimed));
                Ok((transaction, claim))
            }
            Ended::Undone(error) => {
                transaction.abandon();
                self.redo(&transaction, &claim, &error).await?;
                Ok((transaction, None))
            }
        }
    }

    /// Nothing of a batch has happened, because of one that cannot be committed. If it was alone, its failure is recorded;
    /// else they are all done again, each alone.
    async fn redo(
        &mut self,
        transaction: &BatchTransaction<'_>,
        claim: &Claim,
        error: &tokio_postgres::Error,
    ) -> Result<(), Error> {
        let (shared, statements) = (self.shared, self.statements);
        let (entry, rows) = (&shared.durable[claim.lane], &claim.claimed.rows);
        let lane = &mut self.lanes[claim.lane];
        let [row] = rows.as_slice() else {
            tracing::debug!(
                listener = entry.spec.name,
                "a batch is done again one by one: {}",
                describe(error)
            );
            lane.cursor.back_to(claim.start);
            lane.pace.redo_alone(rows.len());
            return Ok(());
        };
        let message = describe(error);
        let message = match error.code() {
            Some(&tokio_postgres::error::SqlState::IN_FAILED_SQL_TRANSACTION) => {
                format!("the listener went on after one of its statements had failed: {message}")
            }
            _ => format!("the commit failed: {message}"),
        };
        let handle = transaction.handle();
        let failure = failure::record_anew(shared, entry, handle, statements, row, message).await?;
        if let Some(failure) = failure {
            failure::tell(shared, entry, &failure);
        }
        Ok(())
    }

    fn learn(&mut self, claim: &Claim, outcome: &Outcome, full: bool) {
        let (rows, lane) = (&claim.claimed.rows, &mut self.lanes[claim.lane]);
        let took = claim.claimed.took;
        let more = full || outcome.cut;
        lane.cursor
            .scanned(claim.start, took, outcome.last, more, Instant::now());
        lane.pace.learn(&Seen {
            full,
            done: outcome.ran(),
            took: outcome.took,
            bytes: rows.iter().map(|row| row.raw_size_bytes()).sum(),
            claimed: rows.len(),
            savepoints: outcome.savepoints,
        });
    }

    /// A claim has found nothing. If it did not see everything, the same listener is looked at once more, if it may be.
    fn nothing(&mut self, claim: &Claim, queue: &mut VecDeque<usize>) {
        let now = Instant::now();
        let cursor = &mut self.lanes[claim.lane].cursor;
        cursor.scanned(claim.start, claim.claimed.took, None, false, now);
        if !cursor.is_floor(claim.start) && cursor.is_floor(cursor.start(now)) {
            queue.push_front(claim.lane);
        }
    }

    async fn claim_first(
        &self,
        transaction: &BatchTransaction<'_>,
        queue: &mut VecDeque<usize>,
    ) -> Result<Option<Claim>, Error> {
        let Some(lane) = queue.pop_front() else {
            return Ok(None);
        };
        let wanted = self.wanted(lane);
        let claimed = self.statements.claim(transaction, &wanted).await?;
        Ok(Some(Claim::new(lane, &wanted, claimed)))
    }

    fn wanted(&self, lane: usize) -> Wanted<'s> {
        Wanted {
            entry: &self.shared.durable[lane],
            start: self.lanes[lane].cursor.start(Instant::now()),
            limit: self.lanes[lane].pace.limit(),
        }
    }

    fn ask(&mut self, lanes: &[usize]) -> Asked {
        let now = Instant::now();
        self.asked_at = now;
        let group = |lane: &usize| self.shared.durable[*lane].group;
        let start = |lane: &usize| self.lanes[*lane].cursor.start(now);
        Asked {
            groups: lanes.iter().map(group).collect(),
            starts: lanes.iter().map(start).collect(),
        }
    }

    /// The lanes that are ready; of the others, that there is nothing.
    fn found(&mut self, lanes: &[usize], asked: &Asked, ready: &Ready) -> Vec<usize> {
        let now = Instant::now();
        for (place, lane) in lanes.iter().enumerate() {
            if !ready.places.contains(&place) {
                let start = asked.starts[place];
                self.lanes[*lane]
                    .cursor
                    .scanned(start, ready.took, None, false, now);
            }
        }
        ready.places.iter().map(|place| lanes[*place]).collect()
    }

    /// Something may lie behind a cursor whose scan from the floor is not due yet: look then, even if nobody rings.
    fn unseen_until(&self) -> Option<Instant> {
        self.lanes
            .iter()
            .filter_map(|lane| lane.cursor.unseen_until())
            .min()
    }
}

impl Claim {
    fn new(lane: usize, wanted: &Wanted<'_>, claimed: Claimed) -> Self {
        Self {
            lane,
            start: wanted.start,
            limit: wanted.limit,
            claimed,
        }
    }
}

/// What is committed.
fn tell(shared: &Arc<Shared>, entry: &Durable, outcome: &Outcome) {
    for id in &outcome.done {
        shared.emit(WorkerEvent::Delivered {
            listener: entry.spec.name,
            id: Some(*id),
        });
    }
    for failed in &outcome.failed {
        failure::tell(shared, entry, failed);
    }
}
