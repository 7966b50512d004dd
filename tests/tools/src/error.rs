//! Why a tool did not do what it was asked.

use std::error;

use crate::Tool;

/// What a tool, or PostgreSQL through it, said.
#[derive(Debug, thiserror::Error)]
#[error("{tool}: {message}")]
pub struct Error {
    tool: Tool,
    message: String,
}

impl Error {
    /// With a text of our own or of a program.
    pub(crate) fn new(tool: Tool, message: impl Into<String>) -> Self {
        Self {
            tool,
            message: message.into(),
        }
    }

    /// With an error of a library and all that caused it; some show only the outermost.
    pub(crate) fn of(tool: Tool) -> impl Fn(&(dyn error::Error + 'static)) -> Self {
        move |error| {
            let mut message = error.to_string();
            let mut cause = error.source();
            while let Some(error) = cause {
                message = format!("{message}: {error}");
                cause = error.source();
            }
            Self::new(tool, message)
        }
    }

    /// What was said.
    pub fn message(&self) -> &str {
        &self.message
    }
}
