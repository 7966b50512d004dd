//! Dates and times of defaults: checked against the calendar, and brought into the form of the payload.

fn digits(text: &str, length: usize) -> Option<u32> {
    (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

/// `2026-01-31`, years 0001 to 9999.
pub(super) fn date(text: &str) -> Option<String> {
    let mut parts = text.split('-');
    let year = digits(parts.next()?, 4).filter(|year| *year > 0)?;
    let month = digits(parts.next()?, 2)?;
    let day = digits(parts.next()?, 2)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (parts.next().is_none() && (1..=last).contains(&day)).then(|| text.to_owned())
}

/// `12:34:56` with up to six digits of a second, to all six.
pub(super) fn time(text: &str) -> Option<String> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let mut parts = clock.split(':');
    for limit in [24, 60, 60] {
        digits(parts.next()?, 2).filter(|part| *part < limit)?;
    }
    let whole = parts.next().is_none() && !fraction.is_empty() && fraction.len() <= 6;
    (whole && fraction.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| format!("{clock}.{fraction:0<6}"))
}

/// A date, `T`, a time and `Z`.
pub(super) fn datetime(text: &str) -> Option<String> {
    let (day, clock) = text.strip_suffix('Z')?.split_once('T')?;
    Some(format!("{}T{}Z", date(day)?, time(clock)?))
}

/// `PT1.5S`, perhaps with a `-` before it.
pub(super) fn duration(text: &str) -> Option<String> {
    let number = text
        .strip_prefix('-')
        .unwrap_or(text)
        .strip_prefix("PT")?
        .strip_suffix('S')?;
    let (seconds, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let all_digits =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (all_digits(seconds) && all_digits(fraction) && seconds.len() <= 15 && fraction.len() <= 6)
        .then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_is_kept() {
        assert_eq!(date("2024-02-29").as_deref(), Some("2024-02-29"));
        for text in [
            "2023-02-29",
            "1900-02-29",
            "2024-13-01",
            "2024-1-1",
            "24-01-01",
            "2024-01-01-01",
            "0000-01-01",
            "",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
        assert_eq!(time("23:59:59.5").as_deref(), Some("23:59:59.500000"));
        for text in [
            "24:00:00",
            "1:00:00",
            "01:00",
            "01:00:00.",
            "01:00:00.1234567",
            "01:60:00",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
        assert_eq!(
            datetime("2024-02-29T12:00:00Z").as_deref(),
            Some("2024-02-29T12:00:00.000000Z")
        );
        for text in [
            "2024-02-29",
            "2024-02-29T12:00:00",
            "2024-02-29T12:00:00+01:00",
        ] {
            assert_eq!(datetime(text), None, "{text}");
        }
        for text in ["PT0S", "-PT1.5S", "PT100S"] {
            assert_eq!(duration(text).as_deref(), Some(text));
        }
        for text in ["PT1M", "1s", "PTS", "P1D", "PT1.S"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
