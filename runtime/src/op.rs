//! What happened, and how it is delivered.

use std::fmt;

/// What a notification tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Op {
    /// A row was inserted.
    Insert,
    /// A row was updated.
    Update,
    /// A row was deleted.
    Delete,
    /// A table was truncated.
    Truncate,
    /// A message was published.
    Message,
}

/// How a channel delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// Stored in the writer's transaction; one consumer of each group processes it.
    Durable,
    /// LISTEN/NOTIFY only: every connected worker gets it, nobody gets it later.
    Transient,
}

impl Op {
    /// The word in the database: `insert`, `update`, `delete`, `truncate`, `message`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Truncate => "truncate",
            Self::Message => "message",
        }
    }

    /// The operation of a word in the database.
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::Insert,
            Self::Update,
            Self::Delete,
            Self::Truncate,
            Self::Message,
        ]
        .into_iter()
        .find(|op| op.as_str() == word)
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
