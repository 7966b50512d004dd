//! A payload that does not fit.

use std::fmt;

use serde_json::Value;

use crate::Op;
use crate::shorten::shortened;

/// A payload does not fit the type that generated code expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Outermost last.
    path: Vec<String>,
    problem: String,
}

impl DecodeError {
    /// A value of another kind.
    pub fn expected(what: &str, found: &Value) -> Self {
        let text = shortened(&found.to_string());
        Self::new(format!("expected {what}, found {text}"))
    }

    /// An operation that the listener did not ask for.
    pub fn unexpected_op(op: Op) -> Self {
        Self::new(format!("this event cannot come from the operation `{op}`"))
    }

    /// A channel that the listener does not listen to.
    pub fn unexpected_channel(channel: &str) -> Self {
        Self::new(format!(
            "this event cannot come from the channel `{channel}`"
        ))
    }

    /// A version that is not declared any more.
    pub fn too_old(version: u32, oldest: u32) -> Self {
        Self::new(format!(
            "it has version {version}, and this program reads version {oldest} and newer ones; run an older program on it"
        ))
    }

    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self {
            path: Vec::new(),
            problem: problem.into(),
        }
    }

    /// The same error, one level further out.
    #[must_use]
    pub(crate) fn within(mut self, key: impl Into<String>) -> Self {
        self.path.push(key.into());
        self
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the payload does not decode: ")?;
        let path: Vec<&str> = self.path.iter().rev().map(String::as_str).collect();
        if !path.is_empty() {
            write!(f, "{}: ", path.join("."))?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for DecodeError {}
