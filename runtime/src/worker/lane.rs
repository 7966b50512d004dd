//! What a consumer serves in turns.

use std::time::{Duration, Instant};

use super::batch::Outcome;
use super::cursor::Cursor;
use super::delivery::{Claimed, Wanted};
use super::options::Options;
use super::pace::{Pace, Seen};
use super::shared::Shared;
use crate::walk::BEFORE_ALL;

/// A part of what waits for a listener, as one consumer serves it: a walk finds what is next, the pace says how much of it.
pub(super) struct Lane {
    /// Place of the listener in [`Shared::durable`].
    pub entry: usize,
    walk: Walk,
    pace: Pace,
}

/// In which order a lane looks at what waits, and how far it has got.
enum Walk {
    /// What is due at once, by id.
    ById(Cursor),
    /// What is due later, by its time.
    Due(Cursor),
    /// What is urgent, behind this id.
    Urgent(i64),
}

/// Where a claim begins.
#[derive(Clone, Debug)]
pub(super) enum Start {
    /// Behind this id.
    ById(i64),
    /// At this time, see [`crate::walk::Walk::Due`].
    Due(i64),
    /// At the most urgent one behind this id.
    Urgent(i64),
}

impl Start {
    /// The walk, and its position.
    pub(super) fn of(&self) -> (crate::walk::Walk, i64) {
        match self {
            Self::ById(after) => (crate::walk::Walk::ById, *after),
            Self::Due(time) => (crate::walk::Walk::Due, *time),
            Self::Urgent(after) => (crate::walk::Walk::Urgent, *after),
        }
    }
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
        let mut lanes = Vec::new();
        for (entry, durable) in shared.durable.iter().enumerate() {
            let mut walks = vec![
                Walk::ById(Cursor::new(shared.floor, now)),
                Walk::Due(Cursor::new(BEFORE_ALL, now)),
            ];
            if durable.is_urgent() {
                walks.push(Walk::Urgent(shared.floor));
            }
            lanes.extend(walks.into_iter().map(|walk| Self {
                entry,
                walk,
                pace: pace(&shared.options),
            }));
        }
        lanes
    }

    /// Whether it is served before others that are ready, too.
    pub(super) fn is_urgent(&self) -> bool {
        matches!(self.walk, Walk::Urgent(_))
    }

    /// Where the next claim begins.
    pub(super) fn start(&self, now: Instant) -> Start {
        match &self.walk {
            Walk::ById(cursor) => Start::ById(cursor.start(now)),
            Walk::Due(cursor) => Start::Due(cursor.start(now)),
            Walk::Urgent(floor) => Start::Urgent(*floor),
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
        let more = *full || outcome.cut;
        self.scanned(&claim.start, *took, outcome.last, more, Instant::now());
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
        self.scanned(&claim.start, claim.claimed.took, None, false, now);
        match (&self.walk, claim.start.of()) {
            (Walk::ById(cursor) | Walk::Due(cursor), (_, position)) => {
                !cursor.is_floor(position) && cursor.is_floor(cursor.start(now))
            }
            (Walk::Urgent(_), _) => false,
        }
    }

    /// A look that began there has found nothing to claim.
    pub(super) fn passed(&mut self, start: &Start, took: Duration, now: Instant) {
        self.scanned(start, took, None, false, now);
    }

    fn scanned(
        &mut self,
        start: &Start,
        took: Duration,
        last: Option<i64>,
        more: bool,
        now: Instant,
    ) {
        match (&mut self.walk, start.of()) {
            (Walk::ById(cursor) | Walk::Due(cursor), (_, position)) => {
                cursor.scanned(position, took, last, more, now);
            }
            (Walk::Urgent(_), _) => {}
        }
    }

    /// A claim has come to nothing: it is made again, one notification at a time.
    pub(super) fn redo_alone(&mut self, claim: &Claim) {
        match (&mut self.walk, claim.start.of()) {
            (Walk::ById(cursor) | Walk::Due(cursor), (_, position)) => cursor.back_to(position),
            (Walk::Urgent(_), _) => {}
        }
        self.pace.redo_alone(claim.claimed.rows.len());
    }

    /// If something may be there that was not seen: when to look for it, even if nobody rings.
    pub(super) fn unseen_until(&self) -> Option<Instant> {
        match &self.walk {
            Walk::ById(cursor) | Walk::Due(cursor) => cursor.unseen_until(),
            Walk::Urgent(_) => None,
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
