//! Texts of chrono types in a payload.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

pub(super) fn date(value: NaiveDate) -> String {
    value.format("%Y-%m-%d").to_string()
}

pub(super) fn time(value: NaiveTime) -> String {
    value.format("%H:%M:%S%.6f").to_string()
}

pub(super) fn datetime(value: DateTime<Utc>) -> String {
    value.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// ISO 8601 in seconds and microseconds: `PT1.5S`, `-PT0.000001S`.
pub(super) fn duration(value: TimeDelta) -> String {
    let sign = if value < TimeDelta::zero() { "-" } else { "" };
    let value = value.abs();
    let (seconds, micros) = (value.num_seconds(), value.subsec_nanos() / 1_000);
    let text = format!("{sign}PT{seconds}.{micros:06}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}S")
}

/// Reads what [`duration`] writes; nothing else of ISO 8601, as hours and days have no fixed text.
pub(super) fn parse_duration(text: &str) -> Option<TimeDelta> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let number = rest.strip_prefix("PT")?.strip_suffix('S')?;
    let (seconds, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if seconds.is_empty() || !digits(seconds) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let nanos: u32 = format!("{fraction:0<9}").parse().ok()?;
    let value = TimeDelta::new(seconds.parse().ok()?, nanos)?;
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_reads_back_from_its_text() {
        for (value, text) in [
            (TimeDelta::zero(), "PT0S"),
            (TimeDelta::milliseconds(1500), "PT1.5S"),
            (TimeDelta::microseconds(-1), "-PT0.000001S"),
            (TimeDelta::microseconds(-1_500_000), "-PT1.5S"),
            (TimeDelta::seconds(100), "PT100S"),
            (TimeDelta::days(40_000), "PT3456000000S"),
        ] {
            assert_eq!(duration(value), text);
            assert_eq!(parse_duration(text), Some(value));
        }
        for text in ["", "PT", "PTS", "1s", "PT1.S5", "PT-1S", "PT1M"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
