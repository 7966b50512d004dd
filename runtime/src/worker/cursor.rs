//! Where a claim begins.

use std::time::{Duration, Instant};

/// Scans from the floor that are quicker than this cost nothing worth saving.
const CHEAP: Duration = Duration::from_millis(10);
/// Else they may take this part of the time.
const SHARE: u32 = 10;
/// A scan from the floor is due after this time, however long the backlog goes on.
const REGULAR: Duration = Duration::from_secs(3);
/// It waits no longer than this, whatever it costs.
const LONGEST: Duration = Duration::from_secs(10);

/// The place of a consumer in the notifications of a group.
///
/// What is removed leaves dead entries in the index until a vacuum, which a long snapshot anywhere in the database holds up.
/// A claim from the floor walks all of them, so draining a backlog would slow down with what is done already. A claim that
/// follows a full one begins behind it instead.
///
/// That can never be the only scan, because things to do lie behind it as well: ids commit out of order, claims skip what
/// others hold, which may come free, and failures wait for their next attempt. So it goes back to the floor after each claim
/// that was not full and every few seconds; only where that has become expensive, it is done more rarely.
pub(super) struct Cursor {
    floor: i64,
    after: i64,
    /// The last claim was full: there is probably more behind it.
    full: bool,
    /// The last scan was from the floor and found nothing.
    seen_all: bool,
    /// The earliest time for the next scan from the floor, as far as its cost goes.
    affordable: Instant,
    /// The time at which it is done even though claims come back full.
    regular: Instant,
}

impl Cursor {
    pub(super) fn new(floor: i64, now: Instant) -> Self {
        Self {
            floor,
            after: floor,
            full: false,
            seen_all: false,
            affordable: now,
            regular: now + REGULAR,
        }
    }

    /// The id behind which the next claim looks.
    pub(super) fn start(&self, now: Instant) -> i64 {
        let wanted = !self.full || now >= self.regular;
        if wanted && now >= self.affordable {
            self.floor
        } else {
            self.after
        }
    }

    /// Whether a scan that began there saw everything.
    pub(super) fn is_floor(&self, start: i64) -> bool {
        start <= self.floor
    }

    /// If something may lie behind it that no scan has seen: when the next scan from the floor may be made.
    pub(super) fn unseen_until(&self) -> Option<Instant> {
        (!self.seen_all).then_some(self.affordable)
    }

    /// A scan began behind `start` and took so long; `last` is the last id that is done or tried; if `full`, there is probably
    /// more behind it.
    pub(super) fn scanned(
        &mut self,
        start: i64,
        took: Duration,
        last: Option<i64>,
        full: bool,
        now: Instant,
    ) {
        self.full = full;
        self.seen_all = last.is_none() && self.is_floor(start);
        self.after = match last {
            Some(last) if full => last,
            last => self.after.max(last.unwrap_or(start)),
        };
        if self.is_floor(start) {
            let pause = if took < CHEAP {
                Duration::ZERO
            } else {
                (took * SHARE).min(LONGEST)
            };
            self.affordable = now + pause;
            self.regular = now + REGULAR.max(pause * 2).min(LONGEST);
        }
    }

    /// What was claimed behind `start` is to be claimed again.
    pub(super) fn back_to(&mut self, start: i64) {
        self.after = start;
        self.full = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_millis(1);

    #[test]
    fn it_follows_full_claims_and_goes_back_after_the_others() {
        let now = Instant::now();
        let mut cursor = Cursor::new(7, now);
        assert_eq!(cursor.start(now), 7);
        cursor.scanned(7, QUICK, Some(20), true, now);
        assert_eq!(cursor.start(now), 20);
        cursor.scanned(20, QUICK, Some(30), false, now);
        assert_eq!(cursor.start(now), 7);
        cursor.scanned(7, QUICK, None, false, now);
        assert_eq!(cursor.start(now), 7);
    }

    #[test]
    fn it_goes_back_every_few_seconds_while_claims_are_full() {
        let now = Instant::now();
        let mut cursor = Cursor::new(0, now);
        cursor.scanned(0, QUICK, Some(100), true, now);
        assert_eq!(cursor.start(now + REGULAR - QUICK), 100);
        assert_eq!(cursor.start(now + REGULAR), 0);
        cursor.scanned(100, QUICK, Some(200), true, now + REGULAR);
        assert_eq!(cursor.start(now + REGULAR), 0, "still due");
    }

    #[test]
    fn an_expensive_scan_from_the_floor_is_made_more_rarely_but_always_again() {
        let now = Instant::now();
        let mut cursor = Cursor::new(0, now);
        let cost = Duration::from_millis(100);
        cursor.scanned(0, cost, Some(100), false, now);
        assert_eq!(cursor.start(now), 100);
        cursor.scanned(100, QUICK, Some(101), false, now);
        assert_eq!(cursor.start(now), 101);
        cursor.scanned(101, QUICK, None, false, now);
        assert_eq!(cursor.unseen_until(), Some(now + cost * SHARE));
        assert_eq!(cursor.start(now + cost * SHARE - QUICK), 101);
        assert_eq!(cursor.start(now + cost * SHARE), 0);
        cursor.scanned(0, Duration::from_secs(60), Some(5), false, now);
        assert_eq!(
            cursor.start(now),
            101,
            "an old one was late, the rest is done"
        );
        assert_eq!(cursor.start(now + LONGEST), 0);
        cursor.scanned(0, cost, None, false, now);
        assert_eq!(cursor.unseen_until(), None);
    }

    #[test]
    fn what_is_to_be_done_again_is_claimed_again() {
        let now = Instant::now();
        let mut cursor = Cursor::new(0, now);
        cursor.scanned(50, QUICK, Some(100), true, now);
        cursor.back_to(50);
        assert_eq!(cursor.start(now), 50);
    }
}
