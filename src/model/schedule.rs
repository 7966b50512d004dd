//! Schedules: when a message channel sends by itself.

use std::time::Duration;

use super::{Cron, Literal, duration};

/// The shortest time between two occurrences: more often, workers would do little else.
pub(super) const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Time zones with a place in their name. PostgreSQL takes short ones like CET for an offset without daylight saving.
const TIME_ZONES: &str = include_str!("time_zones.txt");

/// `schedule:` of a durable message channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// When.
    pub when: When,
    /// Whether an occurrence that nobody fired in its minute is given up.
    pub skips_missed: bool,
    /// Fields that do not have their default, with their values.
    pub with: Vec<(String, Literal)>,
}

/// When a schedule fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// By the wall clock of a time zone.
    Cron {
        /// The times.
        cron: Cron,
        /// Name in the IANA database.
        time_zone: String,
    },
    /// At all multiples of a time since 1970-01-01 00:00 UTC.
    Every(Duration),
}

pub(super) fn time_zones() -> impl Iterator<Item = &'static str> {
    TIME_ZONES.lines()
}

/// `10s`, `15m`, `1h`, `7d`.
pub(super) fn every(text: &str) -> Option<Duration> {
    let units = duration::UP_TO_HOURS.iter().chain(duration::DAYS);
    duration::read(text, units, LONGEST).filter(|time| *time >= SHORTEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_not_too_frequent() {
        assert_eq!(every("1s"), Some(Duration::from_secs(1)));
        assert_eq!(every("7d"), Some(Duration::from_secs(7 * 86_400)));
        for text in ["999ms", "0s", "400d", "15", "* * * * *"] {
            assert_eq!(every(text), None, "{text}");
        }
    }

    #[test]
    fn time_zones_are_sorted_and_have_no_short_names_beside_utc() {
        let zones: Vec<&str> = time_zones().collect();
        assert!(zones.len() > 400 && zones.contains(&"Europe/Berlin"));
        assert!(
            zones
                .iter()
                .all(|zone| *zone == "UTC" || zone.contains('/'))
        );
        assert!(zones[1..].is_sorted());
    }
}
