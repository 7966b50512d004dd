//! What a consumer serves in turns.

use std::time::{Duration, Instant};

use super::batch::Outcome;
use super::cursor::Cursor;
use super::delivery::{Claimed, Wanted};
use super::options::Options;
use super::pace::{Pace, Seen};
use super::shared::Shared;

/// A part of what waits for a listener, as one consumer serves it: a walk finds what is next, the pace says how much of it.
pub(super) struct Lane {
    /// Place of the listener in [`Shared::durable`].
    pub entry: usize,
    walk: Walk,
    pace: Pace,
}

/// In which order a lane looks at what waits, and how far it has got.
enum Walk {
    /// All of the group, by id.
    ById(Cursor),
}

/// Where a claim begins.
#[derive(Clone, Debug)]
pub(super) enum Start {
    /// Behind this id.
    ById(i64),
}

/// A claim of a lane.
pub(super) struct Claim {
    /// Place of the lane in its consumer.
    pub lane: usize,
    pub start: Start,
    pub claimed: Claimed,
}

impl Lane {
    /// All lanes of a consumer.
    pub(super) fn all(shared: &Shared) -> Vec<Self> {
        let now = Instant::now();
        let lane = |entry| Self {
            entry,
            walk: Walk::ById(Cursor::new(shared.floor, now)),
            pace: pace(&shared.options),
        };
        (0..shared.durable.len()).map(lane).collect()
    }

    /// Where the next claim begins.
    pub(super) fn start(&self, now: Instant) -> Start {
        match &self.walk {
            Walk::ById(cursor) => Start::ById(cursor.start(now)),
        }
    }

    /// The next claim.
    pub(super) fn wanted<'s>(&self, shared: &'s Shared) -> Wanted<'s> {
        Wanted {
            entry: &shared.durable[self.entry],
            start: self.start(Instant::now()),
            limit: self.pace.limit(),
        }
    }

    /// What was claimed is done or tried, as far as the outcome goes.
    pub(super) fn worked(&mut self, claim: &Claim, outcome: &Outcome) {
        let Claimed {
            rows, full, took, ..
        } = &claim.claimed;
        let now = Instant::now();
        match (&mut self.walk, &claim.start) {
            (Walk::ById(cursor), Start::ById(start)) => {
                let more = *full || outcome.cut;
                cursor.scanned(*start, *took, outcome.last, more, now);
            }
        }
        self.pace.learn(&Seen {
            full: *full,
            done: outcome.ran(),
            took: outcome.took,
            bytes: rows.iter().map(|row| row.raw_size_bytes()).sum(),
            claimed: rows.len(),
            savepoints: outcome.savepoints,
        });
    }

    /// A claim has found nothing: whether it did not see everything, and another one may be made at once.
    pub(super) fn found_nothing(&mut self, claim: &Claim) -> bool {
        let now = Instant::now();
        match (&mut self.walk, &claim.start) {
            (Walk::ById(cursor), Start::ById(start)) => {
                cursor.scanned(*start, claim.claimed.took, None, false, now);
                !cursor.is_floor(*start) && cursor.is_floor(cursor.start(now))
            }
        }
    }

    /// A look that began there has found nothing to claim.
    pub(super) fn passed(&mut self, start: &Start, took: Duration, now: Instant) {
        match (&mut self.walk, start) {
            (Walk::ById(cursor), Start::ById(start)) => {
                cursor.scanned(*start, took, None, false, now);
            }
        }
    }

    /// A claim has come to nothing: it is made again, one notification at a time.
    pub(super) fn redo_alone(&mut self, claim: &Claim) {
        match (&mut self.walk, &claim.start) {
            (Walk::ById(cursor), Start::ById(start)) => cursor.back_to(*start),
        }
        self.pace.redo_alone(claim.claimed.rows.len());
    }

    /// If something may be there that was not seen: when to look for it, even if nobody rings.
    pub(super) fn unseen_until(&self) -> Option<Instant> {
        match &self.walk {
            Walk::ById(cursor) => cursor.unseen_until(),
        }
    }
}

fn pace(options: &Options) -> Pace {
    Pace::new(options.batch, options.batch_time)
}

impl Claim {
    pub(super) fn new(lane: usize, start: Start, claimed: Claimed) -> Self {
        Self {
            lane,
            start,
            claimed,
        }
    }
}
