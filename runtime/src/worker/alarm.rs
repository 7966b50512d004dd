//! Wakes a consumer when the next notification is due.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::sleep_until;

use super::shared::Shared;

/// What the clocks of two machines may run apart until then.
const LATER: Duration = Duration::from_millis(1);

/// The time at which something is due next, as far as the consumers of a worker have seen.
///
/// One for all of them: whoever has seen it may be busy when the time has come.
#[derive(Default)]
pub(super) struct Alarm {
    next: Mutex<Option<Instant>>,
    earlier: Notify,
}

impl Alarm {
    /// Something is due at that time. What is due after that, whoever is woken then will see.
    pub(super) fn set(&self, at: Instant) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if next.is_none_or(|next| at < next) {
            *next = Some(at);
            self.earlier.notify_one();
        }
    }

    fn next(&self) -> Option<Instant> {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clear(&self) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Until the worker stops.
pub(super) async fn run(shared: Arc<Shared>) {
    let alarm = &shared.alarm;
    loop {
        let next = alarm.next();
        let at = next.map_or_else(Instant::now, |at| at + LATER);
        tokio::select! {
            () = sleep_until(at.into()), if next.is_some() => {
                alarm.clear();
                shared.wake.notify_one();
            }
            () = alarm.earlier.notified() => {}
            () = shared.stop.cancelled() => return,
        }
    }
}
