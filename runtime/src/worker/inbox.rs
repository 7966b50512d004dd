//! What waits for a transient listener: bounded, and honest about what did not fit.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// A bounded queue between one who never waits and one who works it off.
///
/// What comes while it is full is counted. So is all that follows, until the one who works it off has done what it has and knows
/// the count: what it gets after that was sent after that.
pub(super) struct Inbox<T> {
    bound: usize,
    state: Mutex<State<T>>,
    arrived: Notify,
}

struct State<T> {
    waiting: VecDeque<T>,
    missed: u64,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<T> {
    One(T),
    /// So many were sent that are not here.
    Missed(u64),
}

impl<T> Inbox<T> {
    pub(super) fn new(bound: usize) -> Self {
        let state = State {
            waiting: VecDeque::new(),
            missed: 0,
        };
        Self {
            bound,
            state: Mutex::new(state),
            arrived: Notify::new(),
        }
    }

    pub(super) fn put(&self, one: T) {
        let mut state = self.state();
        if state.missed > 0 || state.waiting.len() >= self.bound {
            state.missed += 1;
        } else {
            state.waiting.push_back(one);
        }
        drop(state);
        self.arrived.notify_one();
    }

    /// For one task. May be dropped at any time.
    pub(super) async fn next(&self) -> Next<T> {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            self.arrived.notified().await;
        }
    }

    fn take(&self) -> Option<Next<T>> {
        let mut state = self.state();
        if let Some(one) = state.waiting.pop_front() {
            return Some(Next::One(one));
        }
        match std::mem::take(&mut state.missed) {
            0 => None,
            count => Some(Next::Missed(count)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        // Nothing between taking and giving back the lock can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_does_not_fit_is_counted_at_its_place_and_nothing_after_it_is_lost() {
        let inbox = Inbox::new(2);
        for n in 0..5 {
            inbox.put(n);
        }
        assert_eq!(inbox.next().await, Next::One(0));
        // There is room, but it comes after what was missed.
        inbox.put(5);
        assert_eq!(inbox.next().await, Next::One(1));
        assert_eq!(inbox.next().await, Next::Missed(4));
        inbox.put(6);
        assert_eq!(inbox.next().await, Next::One(6));
    }

    #[tokio::test]
    async fn who_waits_is_woken() {
        let inbox = std::sync::Arc::new(Inbox::new(1));
        let waiting = tokio::spawn({
            let inbox = std::sync::Arc::clone(&inbox);
            async move { inbox.next().await }
        });
        tokio::task::yield_now().await;
        inbox.put(1);
        assert_eq!(waiting.await.expect("no panic"), Next::One(1));
    }
}
