//! What a message channel lets its senders say of a single message, and which messages it folds into one.

use std::time::Duration;

use super::duration;

/// The longest time that can be said: more is a mistake.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Of a durable message channel; other channels have none of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageOptions {
    /// Senders may say when a message is due.
    pub notify_at: bool,
    /// Senders may say until when it is worth delivering.
    pub expires: Option<Expires>,
    /// Senders may say how urgent it is.
    pub priority: bool,
    /// Messages that are folded into one.
    pub dedup: Option<Dedup>,
}

/// `expires:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expires {
    /// For senders who do not say.
    pub default: Option<Duration>,
}

/// `dedup:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dedup {
    /// Names of fields, distinct, at least one.
    pub key: Vec<String>,
    /// What becomes of a message while one with the same values waits.
    pub keep: Keep,
}

/// What becomes of a message while an equal one waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// It is dropped.
    First,
    /// The one that waits gets its payload.
    Last,
    /// The same, and the one that waits is put off.
    Debounce {
        /// For this time.
        quiet: Duration,
        /// No longer than this in all, not shorter than `quiet`.
        at_most: Duration,
    },
}

impl MessageOptions {
    /// Whether senders may say anything.
    pub fn are_said(&self) -> bool {
        self.notify_at || self.expires.is_some() || self.priority
    }

    /// The keys of the function's argument that the channel takes, sorted.
    pub fn keys(&self) -> Vec<&'static str> {
        let groups: [(bool, &[&str]); 3] = [
            (self.notify_at, &["after", "not_before"]),
            (self.expires.is_some(), &["expires_after", "expires_at"]),
            (self.priority, &["priority"]),
        ];
        let mut keys: Vec<&str> = groups
            .into_iter()
            .filter(|(declared, _)| *declared)
            .flat_map(|(_, keys)| keys.iter().copied())
            .collect();
        keys.sort_unstable();
        keys
    }
}

/// `500ms`, `30s`, `5m` (or `5min`), `1h`, `7d`; never nothing.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let units = duration::UP_TO_HOURS.iter().chain(duration::DAYS);
    duration::read(text, units, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_number_and_a_unit() {
        for (text, seconds) in [
            ("500ms", 0.5),
            ("30s", 30.0),
            ("5m", 300.0),
            ("5min", 300.0),
            ("1h", 3_600.0),
            ("7d", 604_800.0),
        ] {
            let read = duration(text).map(|time| time.as_secs_f64());
            assert_eq!(read, Some(seconds), "{text}");
        }
        for text in ["", "5", "s", "-1s", "0s", "1.5s", "1 week", "4294967295d"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
