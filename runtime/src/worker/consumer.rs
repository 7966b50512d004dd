//! A consumer: scans, and delivers what it can claim, a batch at a time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::WorkerEvent;
use super::batch::{self, Outcome};
use super::bounds::Role;
use super::careful::{Begun, begin_attempt};
use super::delivery::{Asked, Claimed, Done, End, Ended, Ready, Statements, begin};
use super::door;
use super::failure;
use super::lane::{Claim, Lane};
use super::lease;
use super::lookout;
use super::shared::{Durable, Shared};
use super::trickle::Trickle;
use crate::Error;
use crate::batch_transaction::BatchTransaction;
use crate::error::describe;
use crate::failpoint;
use crate::listener_set::Handler;
use crate::sql::column;
use crate::vigil::Vigil;

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
    let mut session = shared.connect(Role::Consumer).await?;
    let backend = session.backend;
    // Others ring for the listening session; here nobody takes notifications.
    session.notifications.close();
    let vigil = Arc::new(Vigil::default());
    vigil.begin();
    let preparing = async {
        let statements = Statements::prepare(&session.client, shared).await?;
        let begun = begin(&mut session.client, &shared.connector).await;
        let handle = begun.map_err(|error| Error::postgres("begin a transaction", error))?;
        Ok((statements, handle))
    };
    let (statements, handle) = lookout::keep(shared, &vigil, backend, preparing).await?;
    let mut transaction = BatchTransaction::new(handle, Arc::clone(&vigil));
    transaction.abandon();
    let mut consumer = Consumer::new(shared, &statements);
    let serving = async {
        while !shared.stop.is_cancelled() {
            vigil.begin();
            let worked;
            (transaction, worked) = consumer.pass(transaction).await?;
            vigil.end();
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
    };
    let served = lookout::keep(shared, &vigil, backend, serving).await;
    consumer.let_go();
    served
}

struct Consumer<'s> {
    shared: &'s Arc<Shared>,
    statements: &'s Statements,
    lanes: Vec<Lane>,
    /// Where the next pass begins, so that a listener with a backlog does not starve the ones behind it.
    first: usize,
    /// The turn in which each listener was served last.
    served: Vec<u64>,
    turn: u64,
    asked_at: Instant,
    trickle: Trickle,
    /// Group and id of the first of the batch in hand.
    in_hand: Option<(&'static str, i64)>,
}

impl<'s> Consumer<'s> {
    fn new(shared: &'s Arc<Shared>, statements: &'s Statements) -> Self {
        Self {
            shared,
            statements,
            lanes: Lane::all(shared),
            first: 0,
            served: vec![0; shared.durable.len()],
            turn: 0,
            asked_at: Instant::now(),
            trickle: Trickle::default(),
            in_hand: None,
        }
    }

    /// The batch in hand has come to an end, if only to that of its session; a stop that cuts it off does not get here.
    fn let_go(&mut self) {
        if let Some((group, first)) = self.in_hand.take() {
            self.shared.counted.ended(group, first);
        }
    }

    /// Serves every lane for which something is due, in turns of a batch each, until nothing is found for any.
    ///
    /// Returns whether anything was found.
    async fn pass<'a>(
        &mut self,
        mut transaction: BatchTransaction<'a>,
    ) -> Result<(BatchTransaction<'a>, bool), Error> {
        let (count, now) = (self.lanes.len(), Instant::now());
        let all: Vec<usize> = (0..count)
            .map(|place| (self.first + place) % count)
            .filter(|lane| self.lanes[*lane].is_due(now))
            .collect();
        let listeners = self.shared.durable.len();
        if listeners > 1 {
            self.first = (self.first + 1) % count;
        }
        let mut claim;
        let mut queue: VecDeque<usize>;
        if let (1, Some((only, others))) = (listeners, all.split_first()) {
            let asked = self.ask(others);
            let wanted = self.lanes[*only].wanted(self.shared);
            let (claimed, ready) = self
                .statements
                .begin_and_claim(&mut transaction, &wanted, Some(&asked))
                .await?;
            queue = self.found(others, &asked, &ready).into();
            claim = Some(Claim::new(*only, wanted.start, claimed));
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
                self.trickle.found_nothing();
                if self.lanes[found.lane].found_nothing(&found) {
                    queue.push_back(found.lane);
                }
                if found.claimed.holds && !queue.is_empty() {
                    // Nothing to do, but keys are held: not to the end of what comes next, and not more and more of them.
                    transaction.abandon();
                    claim = self.begin_first(&mut transaction, &mut queue).await?;
                } else {
                    claim = self.claim_first(&transaction, &mut queue).await?;
                }
                continue;
            }
            worked = true;
            let first: i64 = found.claimed.rows[0].get(column::ID);
            let group = self.shared.durable[self.lanes[found.lane].entry].group;
            self.in_hand = Some((group, first));
            let worked_off = self.work_off(transaction, found, &mut queue).await;
            self.let_go();
            (transaction, claim) = worked_off?;
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
        mut transaction: BatchTransaction<'a>,
        mut claim: Claim,
        queue: &mut VecDeque<usize>,
    ) -> Result<(BatchTransaction<'a>, Option<Claim>), Error> {
        let (shared, statements) = (self.shared, self.statements);
        let entry = &shared.durable[self.lanes[claim.lane].entry];
        if claim.claimed.full {
            // There may be more: let another consumer look while this one works.
            shared.wake.notify_one();
        }
        failpoint::reach(failpoint::AFTER_CLAIM);
        let mut gone = false;
        if let Handler::Lease(handler) = &entry.handler {
            if let [row] = claim.claimed.rows.as_slice()
                && !failure::is_used_up(entry, row)
            {
                self.lanes[claim.lane].leased(&claim);
                let handler = handler.as_ref();
                lease::serve(shared, entry, handler, statements, &mut transaction, row).await?;
                return Ok((transaction, None));
            }
        } else if self.lanes[claim.lane].careful.next()
            && let [row] = claim.claimed.rows.as_slice()
        {
            let begun = begin_attempt(shared, entry, statements, &mut transaction, row).await?;
            failpoint::reach(failpoint::AFTER_COUNTING);
            (claim.counted, gone) = (begun == Begun::Counted, begun == Begun::Gone);
        }
        let outcome;
        (transaction, outcome) = if gone {
            (transaction, Outcome::passed_over())
        } else {
            batch::run(shared, entry, statements, transaction, &claim.claimed).await?
        };
        if let Some(error) = &outcome.spoilt {
            transaction.abandon();
            self.redo(&transaction, &claim, error).await?;
            return Ok((transaction, None));
        }
        self.lanes[claim.lane].worked(&claim, &outcome);
        if outcome.cut {
            shared.wake.notify_one();
        }

        queue.push_back(claim.lane);
        let Claimed { rows, full, .. } = &claim.claimed;
        let pause = self.trickle.found(rows.len(), *full || outcome.cut);
        // Nobody else has to wait for it.
        let pause = pause.filter(|_| queue.len() == 1);
        let removed = outcome.removed();
        let mut end = End {
            entry,
            // To count the attempt was to write the row.
            done: match claim.counted {
                true => Done::Written(&removed),
                false => Done::At(&outcome.at),
            },
            expired: &outcome.expired,
            next: None,
            ask: None,
        };
        let mut next = claim.lane;
        let mut others = Vec::new();
        if !shared.stop.is_cancelled() && pause.is_none() {
            next = self.turn(queue).expect("this lane was put in");
            end.next = Some(self.lanes[next].wanted(shared));
            if self.asked_at.elapsed() >= ASK_AGAIN {
                let now = Instant::now();
                others = (0..self.lanes.len())
                    .filter(|lane| *lane != next && !queue.contains(lane))
                    .filter(|lane| self.lanes[*lane].is_due(now))
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
                    for lane in self.found(&others, asked, &ready) {
                        if self.lanes[lane].is_urgent() {
                            queue.push_front(lane);
                        } else {
                            queue.push_back(lane);
                        }
                    }
                }
                tell(shared, entry, &outcome);
                if let Some(pause) = pause {
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = shared.stop.cancelled() => {}
                    }
                }
                let wanted = end.next.zip(claimed);
                let claim = wanted.map(|(wanted, claimed)| Claim::new(next, wanted.start, claimed));
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
        let lane = &mut self.lanes[claim.lane];
        let entry = &shared.durable[lane.entry];
        let [row] = claim.claimed.rows.as_slice() else {
            tracing::debug!(
                listener = entry.spec.name,
                "a batch is done again one by one: {}",
                describe(error)
            );
            lane.redo_alone(claim);
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
        let counted = claim.counted;
        let failure = message.into();
        let recorded =
            failure::record_anew(shared, entry, handle, statements, row, counted, failure).await?;
        if let Some(recorded) = recorded {
            failure::tell(shared, entry, &recorded);
        }
        Ok(())
    }

    /// Begins a transaction with a claim for the first of the queue; without one, there is none.
    async fn begin_first(
        &mut self,
        transaction: &mut BatchTransaction<'_>,
        queue: &mut VecDeque<usize>,
    ) -> Result<Option<Claim>, Error> {
        let Some(lane) = self.turn(queue) else {
            return Ok(None);
        };
        let wanted = self.lanes[lane].wanted(self.shared);
        let (claimed, _) = self
            .statements
            .begin_and_claim(transaction, &wanted, None)
            .await?;
        Ok(Some(Claim::new(lane, wanted.start, claimed)))
    }

    /// Whose turn is next: a listener has its turn after the others that have something to do, however many lanes it has.
    fn turn(&mut self, queue: &mut VecDeque<usize>) -> Option<usize> {
        let served = |lane: &usize| self.served[self.lanes[*lane].entry];
        let (place, _) = queue
            .iter()
            .enumerate()
            .min_by_key(|(_, lane)| served(lane))?;
        let lane = queue.remove(place)?;
        self.turn += 1;
        self.served[self.lanes[lane].entry] = self.turn;
        Some(lane)
    }

    async fn claim_first(
        &mut self,
        transaction: &BatchTransaction<'_>,
        queue: &mut VecDeque<usize>,
    ) -> Result<Option<Claim>, Error> {
        let Some(lane) = self.turn(queue) else {
            return Ok(None);
        };
        let wanted = self.lanes[lane].wanted(self.shared);
        let claimed = self.statements.claim(transaction, &wanted).await?;
        Ok(Some(Claim::new(lane, wanted.start, claimed)))
    }

    fn ask(&mut self, lanes: &[usize]) -> Asked {
        let now = Instant::now();
        self.asked_at = now;
        let mut asked = Asked::default();
        for lane in lanes.iter().map(|lane| &self.lanes[*lane]) {
            asked.add(self.shared.durable[lane.entry].group, lane.start(now));
        }
        asked
    }

    /// The lanes that are ready; of the others, that there is nothing.
    fn found(&mut self, lanes: &[usize], asked: &Asked, ready: &Ready) -> Vec<usize> {
        let now = Instant::now();
        let mut found = Vec::new();
        for (place, (lane, start)) in lanes.iter().zip(&asked.starts).enumerate() {
            if ready.places.contains(&place) || self.lanes[*lane].is_under_way() {
                found.push(*lane);
            } else {
                self.lanes[*lane].passed(start, ready.took, now);
            }
        }
        if let Some(next) = ready.next {
            self.shared.alarm.set(next);
        }
        found.sort_by_key(|lane| !self.lanes[*lane].is_urgent());
        found
    }

    /// Something may lie where a lane may not look yet: look then, even if nobody rings.
    fn unseen_until(&self) -> Option<Instant> {
        self.lanes.iter().filter_map(Lane::unseen_until).min()
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
    for id in &outcome.expired {
        shared.emit(WorkerEvent::Expired {
            listener: entry.spec.name,
            id: *id,
        });
    }
    for failed in &outcome.failed {
        failure::tell(shared, entry, failed);
    }
}
