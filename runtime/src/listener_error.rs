//! What a listener returns when it fails.

use std::error::Error as StdError;
use std::fmt;

use crate::payload::DecodeError;

/// Failure of a listener: any error, so that `?` works on all of them.
///
/// Like `anyhow::Error`, it is not a [`std::error::Error`] itself.
pub struct ListenerError(Box<dyn StdError + Send + Sync>);

impl ListenerError {
    /// The payload does not fit the type of the event.
    pub fn decode(error: DecodeError) -> Self {
        Self(Box::new(error))
    }

    /// The error with the errors behind it, on one line.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.0.to_string();
        let mut source = self.0.source();
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
        Self(error.into())
    }
}

impl fmt::Debug for ListenerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for ListenerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.chain())
    }
}
