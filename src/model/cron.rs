//! Cron expressions: five fields, read once and for all when code is generated.

use std::fmt;
use std::ops::Range;

use crate::diagnostic::nearest;

/// When a schedule fires, by the wall clock: the values of minute, hour, day of the month, month, day of the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    /// Sorted and distinct; `None`: any.
    fields: [Option<Vec<u32>>; 5],
}

/// What is wrong with an expression, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) place: Range<usize>,
    pub(super) message: String,
    pub(super) help: String,
}

struct Field {
    name: &'static str,
    first: u32,
    last: u32,
    /// From `first` on.
    names: &'static [&'static str],
}

const DAY: usize = 2;
const MONTH: usize = 3;
const WEEKDAY: usize = 4;

const FIELDS: [Field; 5] = [
    Field::numbers("minute", 0, 59),
    Field::numbers("hour", 0, 23),
    Field::numbers("day of the month", 1, 31),
    Field {
        name: "month",
        first: 1,
        last: 12,
        names: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    },
    // 7 is Sunday, too.
    Field {
        name: "day of the week",
        first: 0,
        last: 7,
        names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

/// Days of each month, in the longest year.
const LENGTHS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const MACROS: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

impl Field {
    const fn numbers(name: &'static str, first: u32, last: u32) -> Self {
        Self {
            name,
            first,
            last,
            names: &[],
        }
    }

    fn range(&self) -> String {
        match self.names {
            [] => format!("{} to {}", self.first, self.last),
            [first, .., last] => format!("{} to {}, or {first} to {last}", self.first, self.last),
            [only] => format!("{} to {}, or {only}", self.first, self.last),
        }
    }

    fn value(&self, text: &str) -> Result<u32, (String, String)> {
        let lower = text.to_ascii_lowercase();
        if let Some(place) = (self.first..)
            .zip(self.names)
            .find(|(_, name)| **name == lower)
        {
            return Ok(place.0);
        }
        let number = text.parse().ok().filter(|_| is_number(text));
        if let Some(number) = number.filter(|number| (self.first..=self.last).contains(number)) {
            return Ok(number);
        }
        let message = format!("`{text}` is no {}", self.name);
        let near = (!is_number(text)).then(|| nearest(text, self.names.iter().copied()));
        Err(match (text, near.flatten()) {
            ("?", _) => (message, "write `*` for any".to_owned()),
            ("L" | "l" | "W" | "w", _) => (
                message,
                "the last or nearest day cannot be said: fire each day that may be it, and look in the listener".to_owned(),
            ),
            (_, Some(near)) => (message, format!("did you mean `{near}`?")),
            _ => (message, format!("it is from {}", self.range())),
        })
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads an expression; all that is wrong with it otherwise.
pub(super) fn parse(text: &str) -> Result<Cron, Vec<Mistake>> {
    let whole = |message: String, help: String| {
        let place = 0..text.len();
        Err(vec![Mistake {
            place,
            message,
            help,
        }])
    };
    if text.trim_start().starts_with('@') {
        let word = text.trim().to_ascii_lowercase();
        if let Some((_, expression)) = MACROS.iter().find(|(name, _)| *name == word) {
            return parse(expression);
        }
        let message = format!("there is no `{}`", text.trim());
        let names = || MACROS.iter().map(|(name, _)| *name);
        return whole(
            message,
            match nearest(&word, names()) {
                _ if word == "@reboot" => {
                    "call it where your program starts: a schedule belongs to the database, and not to a process".to_owned()
                }
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("valid here: {}", names().collect::<Vec<_>>().join(", ")),
            },
        );
    }
    let words = words(text);
    if words.len() != FIELDS.len() {
        let message = format!(
            "a cron expression has five fields (minute, hour, day of the month, month, day of the week), and this has {}",
            words.len()
        );
        return whole(
            message,
            match words.len() {
                6 | 7 => "without seconds and years; for a time below a minute, write for instance `every: 10s`".to_owned(),
                _ => "write for instance `0 3 * * *` for three o'clock each day".to_owned(),
            },
        );
    }
    let mut mistakes = Vec::new();
    let mut fields: [Option<Vec<u32>>; 5] = Default::default();
    for ((field, word), values) in FIELDS.iter().zip(&words).zip(&mut fields) {
        *values = self::values(field, &text[word.clone()], word.start, &mut mistakes);
    }
    if mistakes.is_empty() {
        mistakes.extend(days(text, &words, &fields));
    }
    if mistakes.is_empty() {
        Ok(Cron { fields })
    } else {
        Err(mistakes)
    }
}

/// Places of the words of a text.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, char) in text.char_indices().chain([(text.len(), ' ')]) {
        match (char.is_whitespace(), start) {
            (false, None) => start = Some(at),
            (true, Some(from)) => {
                words.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    words
}

/// The values of a field; `None`: any.
fn values(
    field: &Field,
    text: &str,
    start: usize,
    mistakes: &mut Vec<Mistake>,
) -> Option<Vec<u32>> {
    let mut values = Vec::new();
    let mut at = start;
    for item in text.split(',') {
        match item_values(field, item) {
            Ok(more) => values.extend(more),
            Err((message, help)) => mistakes.push(Mistake {
                // An empty one has no place but the one behind it.
                place: at..at + item.len().max(1),
                message,
                help,
            }),
        }
        at += item.len() + 1;
    }
    let is_weekday = field.name == FIELDS[WEEKDAY].name;
    if is_weekday {
        for value in &mut values {
            *value %= 7;
        }
    }
    values.sort_unstable();
    values.dedup();
    let all = field.last - field.first + u32::from(!is_weekday);
    (values.len() != usize::try_from(all).unwrap_or_default()).then_some(values)
}

/// `*`, `5`, `1-5`, `*/2` or `1-5/2`.
fn item_values(field: &Field, item: &str) -> Result<Vec<u32>, (String, String)> {
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (item, None),
    };
    let (first, last) = match range.split_once('-') {
        _ if range == "*" && field.name == FIELDS[WEEKDAY].name => (0, 6),
        _ if range == "*" => (field.first, field.last),
        Some((first, last)) => {
            let (first, last) = (field.value(first)?, field.value(last)?);
            // Until Sunday.
            let last = match last {
                0 if field.last == 7 && first > 0 => 7,
                last => last,
            };
            if first > last {
                let message = format!("`{range}` runs backwards");
                let help = format!(
                    "write `{first}-{},{}-{last}`",
                    field.last.min(if field.last == 7 { 6 } else { field.last }),
                    field.first
                );
                return Err((message, help));
            }
            (first, last)
        }
        None => {
            let value = field.value(range)?;
            if step.is_some() {
                let message = format!("`{item}` does not say until when");
                let help = format!(
                    "write `{range}-{}/{}`",
                    field.last,
                    step.unwrap_or_default()
                );
                return Err((message, help));
            }
            (value, value)
        }
    };
    let step = match step {
        None => 1,
        Some(step) => {
            let number: Option<u32> = step.parse().ok().filter(|_| is_number(step));
            let longest = last - first;
            number
                .filter(|number| (1..=longest.max(1)).contains(number))
                .ok_or_else(|| {
                    let message = format!("`{step}` is no step of `{range}`");
                    (message, format!("it is from 1 to {}", longest.max(1)))
                })?
        }
    };
    Ok((first..=last)
        .step_by(usize::try_from(step).unwrap_or(1))
        .collect())
}

/// Whether the days are ones that come, and that every cron program would choose.
fn days(text: &str, words: &[Range<usize>], fields: &[Option<Vec<u32>>; 5]) -> Option<Mistake> {
    match (&fields[DAY], &fields[WEEKDAY]) {
        // Either of them, for all programs, unless one begins with a star.
        (Some(_), Some(_)) => {
            let stepped = [DAY, WEEKDAY]
                .into_iter()
                .map(|field| words[field].clone())
                .find(|place| text[place.clone()].starts_with('*'))?;
            let word = &text[stepped.clone()];
            Some(Mistake {
                message: format!(
                    "with `{word}`, some programs fire when both days fit, and some when either does"
                ),
                place: stepped,
                help: "write its days out for either of them; for both, fire on one and look at the other in the listener".to_owned(),
            })
        }
        (Some(days), None) => {
            let months = fields[MONTH].clone().unwrap_or_else(|| (1..=12).collect());
            let longest = months
                .iter()
                .filter_map(|month| LENGTHS.get(usize::try_from(month - 1).ok()?))
                .max()?;
            days.first()
                .filter(|day| *day > longest)
                .map(|day| Mistake {
                    place: words[DAY].clone(),
                    message: format!("no such month has a day {day}: it would never fire"),
                    help: format!("these months have {longest} days at the most"),
                })
        }
        _ => None,
    }
}

/// Each field with its numbers, or `*`: what the functions in the database go by.
impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, field) in self.fields.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            match field {
                None => f.write_str("*")?,
                Some(values) => {
                    let values: Vec<String> = values.iter().map(u32::to_string).collect();
                    f.write_str(&values.join(","))?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_become_numbers() {
        for (text, numbers) in [
            ("0 3 * * *", "0 3 * * *"),
            (" 0\t3  * * * ", "0 3 * * *"),
            ("*/15 * * * *", "0,15,30,45 * * * *"),
            (
                "0-10/5,7 9-17 * * mon-fri",
                "0,5,7,10 9,10,11,12,13,14,15,16,17 * * 1,2,3,4,5",
            ),
            ("0 0 1 JAN,Jul *", "0 0 1 1,7 *"),
            ("0 0 * * 7", "0 0 * * 0"),
            ("0 0 * * sat-sun", "0 0 * * 0,6"),
            ("0 0 * * 0-7", "0 0 * * *"),
            ("0 0 * * 1-7", "0 0 * * *"),
            ("0 0 * * */2", "0 0 * * 0,2,4,6"),
            ("0-59 0-23 1-31 1-12 *", "* * * * *"),
            ("*/1 *,5 * * *", "* * * * *"),
            ("0 0 29 2 *", "0 0 29 2 *"),
            ("0 0 31 2 mon", "0 0 31 2 1"),
            ("0 0 13 * fri", "0 0 13 * 5"),
            ("@hourly", "0 * * * *"),
            ("@Daily", "0 0 * * *"),
            ("@weekly", "0 0 * * 0"),
            ("@annually", "0 0 1 1 *"),
        ] {
            let read = parse(text).map(|cron| cron.to_string());
            assert_eq!(read.as_deref(), Ok(numbers), "{text}");
        }
    }

    #[test]
    fn a_mistake_has_its_place_and_a_way_out() {
        for (text, place, help) in [
            ("", "", "write for instance"),
            ("0 3 * *", "0 3 * *", "write for instance"),
            ("0 0 3 * * *", "0 0 3 * * *", "every: 10s"),
            ("60 3 * * *", "60", "0 to 59"),
            ("-1 3 * * *", "-1", "0 to 59"),
            ("0 24 * * *", "24", "0 to 23"),
            ("0 3 0 * *", "0", "1 to 31"),
            ("0 3 ? * *", "?", "`*`"),
            ("0 3 L * *", "L", "each day"),
            ("0 3 * jna *", "jna", "`jan`"),
            ("0 3 * * 8", "8", "sun to sat"),
            ("0 3 * * monday", "monday", "sun to sat"),
            ("0 22-2 * * *", "22-2", "`22-23,0-2`"),
            ("0 3 * * fri-mon", "fri-mon", "`5-6,0-1`"),
            ("5/10 * * * *", "5/10", "`5-59/10`"),
            ("*/0 * * * *", "*/0", "1 to 59"),
            ("*/60 * * * *", "*/60", "1 to 59"),
            ("0,,5 * * * *", ",", "0 to 59"),
            ("+5 * * * *", "+5", "0 to 59"),
            ("0 0 30 2 *", "30", "29"),
            ("0 0 31 4,6 *", "31", "30"),
            ("0 0 */2 * mon", "*/2", "write its days out"),
            ("@dialy", "@dialy", "`@daily`"),
            ("@reboot", "@reboot", "where your program starts"),
        ] {
            let mistakes = parse(text).expect_err(text);
            assert_eq!(mistakes.len(), 1, "{text}: {mistakes:?}");
            assert_eq!(&text[mistakes[0].place.clone()], place, "{text}");
            assert!(mistakes[0].help.contains(help), "{text}: {mistakes:?}");
        }
        assert_eq!(parse("60 24 32 13 8").map_err(|all| all.len()), Err(5));
    }
}
