//! What a listener returns when it fails.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::payload::DecodeError;

/// Failure of a listener: any error, so that `?` works on all of them.
///
/// What the listener wrote through [`Cx::transaction`](crate::Cx::transaction) is undone. The notification is tried again, as
/// `retry` of the listener says, and goes to quarantine after its last attempt; [`ListenerError::retry_after`],
/// [`ListenerError::discard`] and [`ListenerError::quarantine`] decide otherwise.
///
/// Like `anyhow::Error`, it is not a [`std::error::Error`] itself.
pub struct ListenerError {
    error: Box<dyn StdError + Send + Sync>,
    verdict: Verdict,
}

/// What is to become of the notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As the listener's retries say.
    Retry,
    RetryAfter(Duration),
    Discard,
    Quarantine,
}

impl ListenerError {
    /// The payload does not fit the type of the event.
    pub fn decode(error: DecodeError) -> Self {
        error.into()
    }

    /// Not now: the notification comes back after the pause. That is no failure: it counts as no attempt, and `last_error`
    /// stays as it is. A listener that always says so keeps its notification for ever.
    pub fn retry_after(pause: Duration) -> Self {
        Self {
            error: format!("not now, again in {pause:?}").into(),
            verdict: Verdict::RetryAfter(pause),
        }
    }

    /// Never: the notification is removed, as if it had been processed. The reason, a text or an error, goes into the log and
    /// to [`WorkerEvent::Discarded`](crate::WorkerEvent::Discarded), and nowhere else.
    pub fn discard(reason: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            error: reason.into(),
            verdict: Verdict::Discard,
        }
    }

    /// Not without somebody's help: the notification goes to quarantine at once, with the reason, a text or an error, as its
    /// `last_error`.
    pub fn quarantine(reason: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            error: reason.into(),
            verdict: Verdict::Quarantine,
        }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The error with the errors behind it, on one line.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.error.to_string();
        let mut source = self.error.source();
        while let Some(error) = source {
            let cause = error.to_string();
            // Many errors already print what is behind them.
            if !text.contains(&cause) {
                text = format!("{text}: {cause}");
            }
            source = error.source();
        }
        text
    }
}

impl<E: Into<Box<dyn StdError + Send + Sync>>> From<E> for ListenerError {
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            verdict: Verdict::Retry,
        }
    }
}

impl fmt::Debug for ListenerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.error, f)
    }
}

impl fmt::Display for ListenerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.chain())
    }
}
