//! What differs between a database and its schema.

use std::fmt;

use crate::history::Key;

/// How an object of the database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// As the schema says.
    Ok,
    /// Another one than the schema says.
    Outdated,
    /// Not there.
    Missing,
    /// There, and switched off.
    Disabled,
    /// Ours, but not of the schema.
    Orphan,
    /// Of the user's, and not what the schema says.
    ColumnChanged,
    /// PostgreSQL would not have it.
    Refused,
    /// Nothing is wrong, but somebody should know.
    Note,
}

impl State {
    /// In one word, for programs; it never changes.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Outdated => "outdated",
            Self::Missing => "missing",
            Self::Disabled => "disabled",
            Self::Orphan => "orphan",
            Self::ColumnChanged => "column_changed",
            Self::Refused => "refused",
            Self::Note => "note",
        }
    }

    /// For people.
    pub(crate) fn title(self) -> String {
        self.word().replace('_', " ").to_uppercase()
    }
}

/// How bad that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// The check fails.
    Error,
    /// It fails if warnings are denied.
    Warning,
    /// It does not fail.
    Note,
}

impl Severity {
    /// In one word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// What something is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// An object of ours.
    Object(Key),
    /// A function in the storage schema with the types of its arguments.
    Function(String, String),
    /// A table of the user's.
    Table(String),
    /// A column of a table.
    Column(String, String),
    /// A declared type.
    Type(String),
    /// The database.
    Database,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(key) => match key {
                Key::Storage { schema } => write!(f, "storage {schema}"),
                Key::Processed { schema } => write!(f, "table {schema}.processed"),
                Key::DbVersion { schema } => write!(f, "function {schema}.db_version"),
                Key::Index { schema, index } => write!(f, "index {schema}.{index}"),
                Key::Notify { schema, function } | Key::Capture { schema, function } => {
                    write!(f, "function {schema}.{function}")
                }
                Key::Trigger {
                    schema,
                    table,
                    trigger,
                } => write!(f, "trigger {trigger} on {schema}.{table}"),
                Key::Listener {
                    listener, channel, ..
                } => write!(f, "listener {listener} on channel {channel}"),
                Key::Schedules { schema } => write!(f, "table {schema}.schedule"),
                Key::Schedule { channel, .. } => write!(f, "schedule of channel {channel}"),
            },
            Self::Function(name, arguments) => write!(f, "function {name}({arguments})"),
            Self::Table(table) => write!(f, "table {table}"),
            Self::Column(table, column) => write!(f, "column {table}.{column}"),
            Self::Type(name) => write!(f, "type {name}"),
            Self::Database => write!(f, "database"),
        }
    }
}

/// Where the SQL of a repair belongs: nothing that locks a table of the user's shares a transaction with another one's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// Functions, registry, storage.
    Ours,
    /// A table (quoted, with its schema).
    Table(String),
    /// When nothing calls it any more.
    Last,
}

/// Something that differs.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    /// How it is.
    pub state: State,
    /// How bad that is.
    pub severity: Severity,
    /// What it is about.
    pub subject: Subject,
    /// What is wrong, on one line.
    pub message: String,
    /// A diff, or nothing.
    pub detail: String,
    /// What repairs it, if SQL can.
    pub repair: Option<(Place, String)>,
}

impl Finding {
    pub(crate) fn new(state: State, subject: Subject, message: impl Into<String>) -> Self {
        Self {
            state,
            severity: match state {
                State::Ok | State::Note => Severity::Note,
                _ => Severity::Error,
            },
            subject,
            message: message.into(),
            detail: String::new(),
            repair: None,
        }
    }

    pub(super) fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    pub(super) fn repair(mut self, place: Place, sql: impl Into<String>) -> Self {
        self.repair = Some((place, sql.into()));
        self
    }
}
