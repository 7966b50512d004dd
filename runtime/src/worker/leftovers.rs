//! When to look for what was stored before a group had an order.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The first rest, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// A look may take this part of the time.
const SHARE: u32 = 20;

/// The time in which nobody of this worker looks.
///
/// To see that nothing is left, all that waits in order has to be passed over. And once that was seen, no more comes but from
/// transactions that were under way when the migration was applied.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    until: Option<Instant>,
    pause: Duration,
}

impl Leftovers {
    /// Whether a look is due. If so, the caller looks, and nobody else does at the same time.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        let mut state = self.state();
        let over = state.until.is_none_or(|until| until <= now);
        if over {
            // Until it says what it has found, or for this long if it never does.
            state.until = Some(now + PAUSES.1);
        }
        over
    }

    /// A look has taken so long, and found nothing: the next rest is longer than the last one.
    pub(super) fn found_nothing(&self, took: Duration, now: Instant) {
        let mut state = self.state();
        let (first, longest) = PAUSES;
        state.pause = (state.pause * 2).max(took * SHARE).clamp(first, longest);
        state.until = Some(now + state.pause);
    }

    pub(super) fn found_something(&self) {
        *self.state() = State::default();
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_grow_while_nothing_is_left() {
        let (leftovers, now) = (Leftovers::default(), Instant::now());
        assert!(leftovers.is_due(now));
        assert!(!leftovers.is_due(now), "somebody looks");
        let mut now = now;
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            leftovers.found_nothing(Duration::ZERO, now);
            let end = now + Duration::from_secs(seconds);
            assert!(!leftovers.is_due(end - Duration::from_millis(1)) && leftovers.is_due(end));
            now = end;
        }
        leftovers.found_something();
        assert!(leftovers.is_due(now));
        leftovers.found_nothing(Duration::from_millis(500), now);
        assert!(
            !leftovers.is_due(now + Duration::from_secs(9)),
            "it was dear"
        );
    }
}
