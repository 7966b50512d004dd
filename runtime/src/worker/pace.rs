//! How many notifications of a group a consumer claims at once.

use std::time::Duration;

use super::batch::SAVEPOINTS;

/// What the payloads of a batch may take in memory, roughly; a single one may be larger.
const BYTES: usize = 4 << 20;

/// Grows while batches are quick, shrinks when they are slow.
///
/// It starts at one: nobody knows yet how long the listener takes, and what one consumer holds the others cannot do.
pub(super) struct Pace {
    most: usize,
    time: Duration,
    limit: usize,
    /// So many to come are claimed one at a time, because among them is one that spoils the commit of the others.
    alone: usize,
}

/// What a batch was like.
pub(super) struct Seen {
    /// How many were asked for and came.
    pub full: bool,
    /// How many listeners ran.
    pub done: usize,
    /// How long they took together.
    pub took: Duration,
    /// What the payloads of all claimed ones took, and how many those were.
    pub bytes: usize,
    pub claimed: usize,
    /// How many of the listeners used the transaction.
    pub savepoints: usize,
}

impl Pace {
    pub(super) fn new(most: usize, time: Duration) -> Self {
        Self {
            most,
            time,
            limit: 1,
            alone: 0,
        }
    }

    pub(super) fn limit(&self) -> usize {
        if self.alone > 0 { 1 } else { self.limit }
    }

    pub(super) fn learn(&mut self, seen: &Seen) {
        self.alone = self.alone.saturating_sub(seen.done);
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let each = nanos(seen.took) / seen.done.max(1) as u64;
        let by_time = nanos(self.time) / each.max(1);
        let by_size = BYTES / (seen.bytes / seen.claimed.max(1)).max(1);
        let by_savepoints = match seen.savepoints {
            0 => usize::MAX,
            used => SAVEPOINTS * seen.done / used,
        };
        let affordable = usize::try_from(by_time)
            .unwrap_or(usize::MAX)
            .min(by_size)
            .min(by_savepoints);
        let wanted = if seen.full {
            self.limit.saturating_mul(2)
        } else {
            self.limit
        };
        self.limit = wanted.min(affordable).clamp(1, self.most);
    }

    /// A batch of so many came to nothing: its notifications are done one at a time.
    pub(super) fn redo_alone(&mut self, claimed: usize) {
        self.alone = claimed;
        self.limit = 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Duration = Duration::from_millis(50);

    fn seen(done: usize, took: Duration, limit: usize) -> Seen {
        Seen {
            full: done == limit,
            done,
            took,
            bytes: 500 * done,
            claimed: done,
            savepoints: 0,
        }
    }

    #[test]
    fn it_doubles_while_batches_are_full_and_quick() {
        let mut pace = Pace::new(100, TIME);
        let mut limits = Vec::new();
        for _ in 0..9 {
            limits.push(pace.limit());
            let done = pace.limit();
            pace.learn(&seen(done, Duration::from_micros(10) * done as u32, done));
        }
        assert_eq!(limits, [1, 2, 4, 8, 16, 32, 64, 100, 100]);
        pace.learn(&seen(3, Duration::from_micros(30), 100));
        assert_eq!(pace.limit(), 100, "a short batch says nothing");
    }

    #[test]
    fn slow_listeners_claim_one_at_a_time() {
        let mut pace = Pace::new(100, TIME);
        for _ in 0..9 {
            let done = pace.limit();
            pace.learn(&seen(done, Duration::ZERO, done));
        }
        pace.learn(&seen(1, Duration::from_millis(200), 100));
        assert_eq!(pace.limit(), 1);
        for _ in 0..9 {
            let done = pace.limit();
            pace.learn(&seen(done, Duration::from_millis(10) * done as u32, done));
        }
        assert_eq!(pace.limit(), 5, "as many as fit into the time");
    }

    #[test]
    fn large_payloads_are_claimed_in_small_batches() {
        let mut pace = Pace::new(100, TIME);
        for _ in 0..9 {
            pace.learn(&Seen {
                bytes: 1 << 20,
                ..seen(1, Duration::ZERO, 1)
            });
        }
        assert_eq!(pace.limit(), 4);
    }

    #[test]
    fn no_more_than_a_transaction_may_have_savepoints() {
        let mut pace = Pace::new(1000, TIME);
        for _ in 0..9 {
            let done = pace.limit();
            pace.learn(&Seen {
                savepoints: done / 2,
                ..seen(done, Duration::ZERO, done)
            });
        }
        assert_eq!(pace.limit(), 2 * SAVEPOINTS);
    }

    #[test]
    fn a_spoilt_batch_is_redone_one_by_one() {
        let mut pace = Pace::new(100, TIME);
        for _ in 0..3 {
            let done = pace.limit();
            pace.learn(&seen(done, Duration::ZERO, done));
        }
        pace.redo_alone(8);
        for _ in 0..8 {
            assert_eq!(pace.limit(), 1);
            pace.learn(&seen(1, Duration::ZERO, 1));
        }
        assert!(pace.limit() > 1);
    }
}
