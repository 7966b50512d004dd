//! What a consumer serves in turns.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::batch::Outcome;
use super::careful::Careful;
use super::cursor::Cursor;
use super::delivery::{Claimed, Wanted};
use super::keys::{KeyCursor, Walked};
use super::leftovers::Leftovers;
use super::pace::{Pace, Seen};
use super::shared::Shared;
use crate::listener_set::Handler;
use crate::sql::{BEFORE_ALL, Part};

/// A part of what waits for a listener, as one consumer serves it: a walk finds what is next, the pace says how much of it.
pub(super) struct Lane {
    /// Place of the listener in [`Shared::durable`].
    pub entry: usize,
    walk: Walk,
    pace: Pace,
    pub careful: Careful,
    floor: i64,
    /// That of [`Part::Left`].
    leftovers: Option<Arc<Leftovers>>,
}

/// In which order a lane looks at what waits, and how far it has got.
enum Walk {
    /// A part of the group, by position.
    ById(Part, Cursor),
    /// What is urgent, from the most urgent on, and of those behind this id.
    Urgent(i64),
    /// Key by key, and each by id.
    ByKey(KeyCursor),
}

/// Where a claim begins.
#[derive(Clone, Debug)]
pub(super) enum Start {
    /// In a part of the group, behind this position.
    ById(Part, i64),
    /// Behind this key, in each behind this id.
    ByKey(String, i64),
}

/// A claim of a lane.
pub(super) struct Claim {
    /// Place of the lane in its consumer.
    pub lane: usize,
    pub start: Start,
    pub claimed: Claimed,
    /// Its attempt was counted when it began.
    pub counted: bool,
}

impl Lane {
    /// All lanes of a consumer. Whatever waits for a listener is in one of its lanes.
    pub(super) fn all(shared: &Shared) -> Vec<Self> {
        let now = Instant::now();
        let mut lanes = Vec::new();
        for (entry, durable) in shared.durable.iter().enumerate() {
            let by_id = |part| Walk::ById(part, Cursor::new(shared.floor, now));
            let mut walks = if durable.ordered {
                vec![
                    Walk::ByKey(KeyCursor::default()),
                    by_id(Part::Unordered),
                    by_id(Part::Left),
                ]
            } else {
                vec![by_id(Part::All)]
            };
            walks.push(Walk::ById(Part::Due, Cursor::new(BEFORE_ALL, now)));
            if durable.is_urgent() {
                walks.push(Walk::Urgent(shared.floor));
            }
            lanes.extend(walks.into_iter().map(|walk| Self {
                entry,
                pace: Pace::new(shared.options.batch, shared.options.batch_time),
                careful: Careful::new(shared.options.batch),
                floor: shared.floor,
                leftovers: match walk {
                    Walk::ById(Part::Left, _) => Some(Arc::clone(&durable.leftovers)),
                    _ => None,
                },
                walk,
            }));
        }
        lanes
    }

    /// Where the next claim begins.
    pub(super) fn start(&self, now: Instant) -> Start {
        match &self.walk {
            Walk::ById(part, cursor) => Start::ById(*part, cursor.start(now)),
            Walk::Urgent(floor) => Start::ById(Part::Urgent, *floor),
            Walk::ByKey(cursor) => Start::ByKey(cursor.start(), self.floor),
        }
    }

    /// The next claim.
    pub(super) fn wanted<'s>(&self, shared: &'s Shared) -> Wanted<'s> {
        Wanted {
            entry: &shared.durable[self.entry],
            start: self.start(Instant::now()),
            limit: match shared.durable[self.entry].handler {
                Handler::Lease(_) => 1,
                Handler::Transaction(_) | Handler::Lazy(_) | Handler::Batch(_) => {
                    self.pace.limit().min(self.careful.most())
                }
            },
        }
    }

    /// What was claimed is done or tried, as far as the outcome goes.
    pub(super) fn worked(&mut self, claim: &Claim, outcome: &Outcome) {
        let Claimed {
            rows, full, took, ..
        } = &claim.claimed;
        let last = outcome.last.map(|place| &rows[place]);
        if let Some(leftovers) = &self.leftovers {
            leftovers.found_something();
        }
        match &mut self.walk {
            Walk::ById(_, cursor) => {
                let more = *full || outcome.cut;
                let last = last.map(|row| row.get("position"));
                cursor.scanned(claim.start.after(), *took, last, more, Instant::now());
            }
            Walk::Urgent(_) => {}
            Walk::ByKey(cursor) => {
                cursor.walked(&claim.claimed.walked, true);
                // The keys that it did not get to are next.
                if let (true, Some(row)) = (outcome.cut, last) {
                    cursor.back_to(row.get("key"));
                }
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
        if outcome.alone > 0 {
            self.pace.redo_alone(outcome.alone);
        }
        self.careful
            .delivered(outcome.ran() + outcome.expired.len());
    }

    /// What was claimed is leased.
    pub(super) fn leased(&mut self, claim: &Claim) {
        let Claimed {
            rows, took, walked, ..
        } = &claim.claimed;
        let last = rows.last().map(|row| row.get("position"));
        match &mut self.walk {
            Walk::ById(_, cursor) => {
                cursor.scanned(claim.start.after(), *took, last, true, Instant::now());
            }
            Walk::Urgent(_) => {}
            Walk::ByKey(cursor) => {
                cursor.walked(walked, true);
            }
        }
    }

    /// A claim has found nothing: whether it did not see everything, and another one may be made at once.
    pub(super) fn found_nothing(&mut self, claim: &Claim) -> bool {
        let now = Instant::now();
        let again = match &mut self.walk {
            Walk::ById(_, cursor) => {
                let start = claim.start.after();
                cursor.scanned(start, claim.claimed.took, None, false, now);
                !cursor.is_floor(start) && cursor.is_floor(cursor.start(now))
            }
            Walk::Urgent(_) => false,
            Walk::ByKey(cursor) => !cursor.walked(&claim.claimed.walked, false),
        };
        if let (false, Some(leftovers)) = (again, &self.leftovers) {
            leftovers.found_nothing(claim.claimed.took, now);
        }
        again
    }

    /// A look that began there has found nothing to claim.
    pub(super) fn passed(&mut self, start: &Start, took: Duration, now: Instant) {
        match (&mut self.walk, start) {
            (Walk::ById(_, cursor), Start::ById(_, start)) => {
                cursor.scanned(*start, took, None, false, now);
            }
            // It went from the first to the last.
            (Walk::ByKey(_) | Walk::Urgent(_), _) | (_, Start::ByKey(..)) => {}
        }
        if let Some(leftovers) = &self.leftovers {
            leftovers.found_nothing(took, now);
        }
    }

    /// A claim has come to nothing: it is made again, one notification at a time.
    pub(super) fn redo_alone(&mut self, claim: &Claim) {
        match (&mut self.walk, &claim.start) {
            (Walk::ById(_, cursor), Start::ById(_, start)) => cursor.back_to(*start),
            (Walk::ByKey(cursor), Start::ByKey(after, _)) => cursor.back_to(after),
            _ => {}
        }
        self.pace.redo_alone(claim.claimed.rows.len());
        self.careful.begin_anew();
    }

    /// If something may be there that was not seen: when to look for it, even if nobody rings.
    pub(super) fn unseen_until(&self) -> Option<Instant> {
        match &self.walk {
            Walk::ById(Part::Left, _) | Walk::Urgent(_) | Walk::ByKey(_) => None,
            Walk::ById(_, cursor) => cursor.unseen_until(),
        }
    }

    /// Whether it is served before others that are ready, too.
    pub(super) fn is_urgent(&self) -> bool {
        matches!(self.walk, Walk::Urgent(_))
    }

    /// Whether it is worth while to look at it now; the caller does, if so.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.leftovers
            .as_ref()
            .is_none_or(|leftovers| leftovers.is_due(now))
    }

    /// Whether only a claim tells if something is there: a look goes from the first key to the last.
    pub(super) fn is_under_way(&self) -> bool {
        matches!(&self.walk, Walk::ByKey(cursor) if !cursor.is_at_start())
    }
}

impl Claim {
    pub(super) fn new(lane: usize, start: Start, claimed: Claimed) -> Self {
        Self {
            lane,
            start,
            claimed,
            counted: false,
        }
    }
}

impl Start {
    /// The part of the group that is looked at.
    pub(super) fn part(&self) -> Part {
        match self {
            Self::ById(part, _) => *part,
            Self::ByKey(..) => Part::Ordered,
        }
    }

    /// Behind which position; of a walk by key, behind which id.
    pub(super) fn after(&self) -> i64 {
        match self {
            Self::ById(_, id) | Self::ByKey(_, id) => *id,
        }
    }
}

impl Walked {
    /// A claim that did not go by key.
    pub(super) const NO_KEYS: Self = Self { last: None };
}
