//! How a worker works.

use std::sync::Arc;
use std::time::Duration;

use super::{SessionState, WorkerEvent};

/// Times between the attempts of a notification that fails: doubled from `first` up to `max`, each shortened by chance to
/// between a half and the whole, so that many failures do not come back together. If `max` is `first`, each is exactly that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Before the second attempt.
    pub first: Duration,
    /// The longest.
    pub max: Duration,
}

/// What a failing listener does to its worker; its notification stays stored either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The worker goes on, the notification is tried again later.
    CarryOn,
    /// The worker stops and returns the failure.
    Exit,
}

pub(super) type Observer = Arc<dyn Fn(WorkerEvent) + Send + Sync>;
pub(super) type SessionObserver = Arc<dyn Fn(SessionState) + Send + Sync>;

/// Times between the tries to connect.
const RECONNECT: Backoff = Backoff {
    first: Duration::from_millis(100),
    max: Duration::from_secs(10),
};

pub(super) struct Options {
    pub only: Vec<String>,
    pub concurrency: usize,
    pub batch: usize,
    pub batch_time: Duration,
    pub recovery: bool,
    pub poll_interval: Duration,
    pub short_poll_interval: Duration,
    pub backoff: Backoff,
    pub quarantine_limit: Option<i64>,
    pub on_failure: OnFailure,
    pub shutdown_timeout: Duration,
    pub dead_after: Duration,
    /// None: for ever.
    pub inbox_retention: Option<Duration>,
    pub heartbeat: Duration,
    pub observer: Option<Observer>,
    pub on_session: Option<SessionObserver>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            only: Vec::new(),
            concurrency: 4,
            batch: 100,
            batch_time: Duration::from_millis(50),
            recovery: true,
            poll_interval: Duration::from_secs(5),
            short_poll_interval: Duration::from_secs(1),
            backoff: Backoff::default(),
            quarantine_limit: None,
            on_failure: OnFailure::CarryOn,
            shutdown_timeout: Duration::from_secs(30),
            dead_after: Duration::from_secs(60),
            inbox_retention: Some(Duration::from_secs(30 * 24 * 3_600)),
            heartbeat: Duration::from_secs(10),
            observer: None,
            on_session: None,
        }
    }
}

impl Options {
    pub(super) fn emit(&self, event: WorkerEvent) {
        if let Some(observer) = &self.observer {
            observer(event);
        }
    }

    /// A connection was lost or could not be made: tells it; the time until the next try.
    pub(super) fn reconnecting(&self, failures: u32, error: &str) -> Duration {
        let pause = RECONNECT.pause(failures);
        tracing::warn!("no connection to PostgreSQL, next try in {pause:?}: {error}");
        self.emit(WorkerEvent::Reconnecting {
            pause,
            error: error.to_owned(),
        });
        pause
    }
}

impl Default for Backoff {
    /// One second to five minutes.
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            max: Duration::from_secs(300),
        }
    }
}

impl Backoff {
    /// The pause after the `failures`th failure, from 1.
    pub(super) fn pause(self, failures: u32) -> Duration {
        let doubled = self
            .first
            .saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1).min(31)));
        if self.first >= self.max {
            return self.max;
        }
        doubled.min(self.max).mul_f64(rand::random_range(0.5..=1.0))
    }
}

/// How often a notification of a durable channel is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Number of attempts, the first one included; after the last one the notification goes to quarantine.
    pub max: u32,
    /// Times between them; `None`: those of the worker.
    pub backoff: Option<Backoff>,
}

impl Retry {
    /// Twenty attempts, at the times of the worker.
    pub const DEFAULT: Self = Self {
        max: 20,
        backoff: None,
    };
}

impl Default for Retry {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_pause_is_exact() {
        let pause = Duration::from_secs(10);
        let backoff = Backoff {
            first: pause,
            max: pause,
        };
        assert_eq!(backoff.pause(1), pause);
        assert_eq!(backoff.pause(u32::MAX), pause);
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_are_shortened_by_at_most_a_half() {
        let backoff = Backoff {
            first: Duration::from_secs(1),
            max: Duration::from_secs(10),
        };
        for (failures, whole) in [(1, 1), (2, 2), (4, 8), (5, 10), (1000, 10), (u32::MAX, 10)] {
            let pause = backoff.pause(failures);
            let whole = Duration::from_secs(whole);
            assert!(
                whole / 2 <= pause && pause <= whole,
                "{failures}: {pause:?}"
            );
        }
    }
}
