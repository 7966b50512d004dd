//! The proleptic Gregorian calendar over PostgreSQL's whole range.
//!
//! Years are astronomical: 1 BC is year 0, 2 BC is year -1. Day 0 is 2000-01-01, PostgreSQL's epoch.

use super::parse::Cursor;

/// Days of 400 years.
const ERA: i64 = 146_097;
/// From 0000-03-01 to 2000-01-01.
const EPOCH: i64 = 730_425;

/// Day number of a date; `None` if there is no such date.
pub(super) fn day_number(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
        return None;
    }
    // With years that begin in March, the leap day is the last one of a year.
    let shifted = if month <= 2 {
        year.checked_sub(1)?
    } else {
        year
    };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era.checked_mul(ERA)?.checked_add(day_of_era - EPOCH)
}

/// Year, month and day of a day number.
pub(super) fn date(day_number: i64) -> (i64, i64, i64) {
    let days = day_number + EPOCH;
    let era = days.div_euclid(ERA);
    let day_of_era = days.rem_euclid(ERA);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Year (as written, without the era), month and day.
pub(super) fn parse_date(cursor: &mut Cursor<'_>) -> Option<(i64, i64, i64)> {
    let year = cursor.number()?;
    cursor.take(&['-'])?;
    let month = cursor.number()?;
    cursor.take(&['-'])?;
    Some((year, month, cursor.number()?))
}

/// The astronomical year of a written one; takes ` BC`, if it is next.
pub(super) fn parse_era(cursor: &mut Cursor<'_>, year: i64) -> Option<i64> {
    let before = cursor.tag(" BC");
    match year {
        0 => None,
        year if before => Some(1 - year),
        year => Some(year),
    }
}

/// `2026-01-31`, with the year as written, and the suffix of the era.
pub(super) fn text(day_number: i64) -> (String, &'static str) {
    let (year, month, day) = date(day_number);
    let (year, era) = if year > 0 {
        (year, "")
    } else {
        (1 - year, " BC")
    };
    (format!("{year:04}-{month:02}-{day:02}"), era)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn day_numbers_are_those_of_postgresql() {
        for (civil, number) in [
            ((2000, 1, 1), 0),
            ((2000, 2, 29), 59),
            ((2000, 3, 1), 60),
            ((1999, 12, 31), -1),
            ((1970, 1, 1), -10_957),
            ((-4712, 1, 1), -2_451_507),
            ((5_874_897, 12, 31), 2_145_031_948),
        ] {
            assert_eq!(
                day_number(civil.0, civil.1, civil.2),
                Some(number),
                "{civil:?}"
            );
            assert_eq!(date(number), civil);
        }
        for (year, month, day) in [
            (2023, 2, 29),
            (1900, 2, 29),
            (2024, 0, 1),
            (2024, 13, 1),
            (2024, 4, 31),
            (2024, 1, 0),
        ] {
            assert_eq!(day_number(year, month, day), None);
        }
    }

    #[test]
    fn every_day_of_eight_centuries_has_its_own_number() {
        let first = day_number(1600, 1, 1).expect("a date");
        for number in first..first + 2 * ERA {
            let (year, month, day) = date(number);
            assert_eq!(day_number(year, month, day), Some(number));
        }
    }
}
