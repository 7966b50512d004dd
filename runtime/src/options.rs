//! What a sender may say of one message.

use std::time::Duration;

use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use serde_json::{Map, Value};

/// A time, or a pause from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At this time.
    At(DateTime<Utc>),
    /// So long after the message was published, by the clock of the database.
    After(Duration),
}

/// How urgent a message is, from 0 (as usual) to 9.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(u8);

/// What was said of one message; generated code has a type for each channel that can be said something of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MessageOptions {
    notify_at: Option<When>,
    expires: Option<When>,
    priority: Option<Priority>,
}

impl From<DateTime<Utc>> for When {
    fn from(time: DateTime<Utc>) -> Self {
        Self::At(time)
    }
}

impl From<Duration> for When {
    fn from(pause: Duration) -> Self {
        Self::After(pause)
    }
}

impl Priority {
    /// In its turn, as every message that says nothing.
    pub const NORMAL: Self = Self(0);
    /// Before every other one.
    pub const HIGHEST: Self = Self(9);

    /// From 0 to 9; more counts as 9.
    #[must_use]
    pub const fn new(level: u8) -> Self {
        if level > Self::HIGHEST.0 {
            Self::HIGHEST
        } else {
            Self(level)
        }
    }

    /// From 0 to 9.
    #[must_use]
    pub const fn level(self) -> u8 {
        self.0
    }
}

impl MessageOptions {
    /// When it is due.
    pub fn notify_at(&mut self, when: impl Into<When>) {
        self.notify_at = Some(when.into());
    }

    /// Until when it is worth delivering.
    pub fn expires(&mut self, when: impl Into<When>) {
        self.expires = Some(when.into());
    }

    /// How urgent it is.
    pub fn priority(&mut self, priority: Priority) {
        self.priority = Some(priority);
    }

    /// The argument of the channel's function; none if nothing was said.
    pub(crate) fn argument(&self) -> Option<String> {
        let mut said = Map::new();
        let mut say = |when: Option<When>, at: &str, after: &str| match when {
            Some(When::At(time)) => said.insert(at.to_owned(), Value::from(text(time))),
            Some(When::After(pause)) => {
                said.insert(after.to_owned(), Value::from(pause.as_secs_f64()))
            }
            None => None,
        };
        say(self.notify_at, "not_before", "after");
        say(self.expires, "expires_at", "expires_after");
        if let Some(priority) = self.priority {
            said.insert("priority".to_owned(), Value::from(priority.level()));
        }
        (!said.is_empty()).then(|| Value::Object(said).to_string())
    }
}

/// As PostgreSQL reads it; years that it writes in another way than chrono are as good as never.
fn text(time: DateTime<Utc>) -> String {
    match time.year() {
        10_000.. => "infinity".to_owned(),
        ..=0 => "-infinity".to_owned(),
        _ => time.to_rfc3339_opts(SecondsFormat::Micros, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_said_is_in_the_argument() {
        let mut options = MessageOptions::default();
        assert_eq!(options.argument(), None);
        options.notify_at(Duration::from_millis(1_500));
        options.expires(DateTime::<Utc>::UNIX_EPOCH);
        options.priority(Priority::new(200));
        assert_eq!(
            options.argument().as_deref(),
            Some(r#"{"after":1.5,"expires_at":"1970-01-01T00:00:00.000000Z","priority":9}"#)
        );
        options.notify_at(DateTime::<Utc>::MAX_UTC);
        options.expires(DateTime::<Utc>::MIN_UTC);
        assert_eq!(
            options.argument().as_deref(),
            Some(r#"{"expires_at":"-infinity","not_before":"infinity","priority":9}"#)
        );
    }
}
