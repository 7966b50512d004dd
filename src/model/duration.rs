//! Times of the schema file: a number and a unit.

use std::time::Duration;

/// Milliseconds of each unit.
pub(super) const UP_TO_HOURS: &[(&str, u64)] = &[
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("min", 60_000),
    ("h", 3_600_000),
];
pub(super) const DAYS: &[(&str, u64)] = &[("d", 86_400_000)];

/// `500ms`, `30s`: in one of the units, never nothing, and no longer than the longest.
pub(super) fn read<'u>(
    text: &str,
    units: impl IntoIterator<Item = &'u (&'static str, u64)>,
    longest: Duration,
) -> Option<Duration> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u32 = digits.parse().ok()?;
    let unit = &text[digits.len()..];
    let (_, milliseconds) = units.into_iter().find(|(name, _)| *name == unit)?;
    let duration = Duration::from_millis(u64::from(number) * milliseconds);
    (!duration.is_zero() && duration <= longest).then_some(duration)
}
