//! How a listener is tried: how often, when, and for how long.

use std::time::Duration;

use super::duration;

/// The longest time that can be said: more is a mistake.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// Of a listener; what is `None` is left to the runtime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    /// Number of attempts of a durable notification, the first one included, from 1.
    pub max: Option<u32>,
    /// Pauses between them.
    pub backoff: Option<Backoff>,
    /// How long the listener may run.
    pub timeout: Option<Duration>,
}

/// Pauses between attempts: doubled from the first up to the longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Before the second attempt.
    pub first: Duration,
    /// The longest, not shorter than the first.
    pub max: Duration,
}

impl Backoff {
    /// `exp(1s, 5m)` or `fixed(10s)`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once('(')?;
        let mut times = rest.trim_end().strip_suffix(')')?.split(',').map(duration);
        let first = times.next()??;
        let max = match kind.trim() {
            "exp" => times.next()??,
            "fixed" => first,
            _ => return None,
        };
        (times.next().is_none() && first <= max).then_some(Self { first, max })
    }
}

/// `500ms`, `30s`, `5m` (or `5min`), `1h`; never nothing.
pub(super) fn duration(text: &str) -> Option<Duration> {
    duration::read(text, duration::UP_TO_HOURS, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        let seconds = |text| duration(text).map(|time| time.as_secs_f64());
        for (text, expected) in [
            ("500ms", 0.5),
            ("30s", 30.0),
            (" 5m ", 300.0),
            ("5min", 300.0),
            ("1h", 3600.0),
            ("8760h", 31_536_000.0),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for text in [
            "", "30", "s", "0s", "-1s", "1.5s", "1 s x", "8761h", "+", "5d", "5\u{e4}",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn a_backoff_doubles_or_is_fixed() {
        let parsed = |text| {
            Backoff::parse(text).map(|backoff| (backoff.first.as_secs(), backoff.max.as_secs()))
        };
        for (text, expected) in [
            ("exp(1s, 5m)", (1, 300)),
            ("exp(2s,2s)", (2, 2)),
            ("fixed(10s)", (10, 10)),
        ] {
            assert_eq!(parsed(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "exp",
            "exp()",
            "exp(1s)",
            "exp(5m, 1s)",
            "exp(1s, 2s, 3s)",
            "fixed(1s, 2s)",
            "linear(1s, 2s)",
            "fixed(10)",
            "exp(1s, 5m",
            "1s",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
