//! The one error of this crate.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use tokio_postgres::error::SqlState;

/// What went wrong, and what to do; ask it with its predicates.
pub struct Error {
    kind: Kind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Kinds that an application may want to tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    Connect,
    ReadOnly,
    StorageMissing,
    StorageVersion,
    NotInstalled,
    Options,
    Listener,
    BrokenDown,
}

impl Error {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// PostgreSQL or the connection to it failed while doing something.
    pub(crate) fn postgres(doing: &str, source: tokio_postgres::Error) -> Self {
        let prepared = [
            SqlState::INVALID_SQL_STATEMENT_NAME,
            SqlState::DUPLICATE_PSTATEMENT,
        ];
        let hint = if source.code().is_some_and(|code| prepared.contains(code)) {
            "; where a pooler in transaction mode is in between, give the worker a way around it with `.session(...)`, or let it poll with `.polling()`"
        } else {
            ""
        };
        let message = format!("could not {doing}: {}{hint}", describe(&source));
        Self {
            kind: Kind::Postgres,
            message,
            source: Some(Box::new(source)),
        }
    }

    /// The function of a message channel could not be called.
    pub(crate) fn publish(source: tokio_postgres::Error) -> Self {
        let missing = [SqlState::UNDEFINED_FUNCTION, SqlState::INVALID_SCHEMA_NAME];
        if !source.code().is_some_and(|code| missing.contains(code)) {
            return Self::postgres("publish the message", source);
        }
        let message = format!(
            "could not publish the message: {}; apply the migrations that pgpubsub-gen wrote",
            describe(&source)
        );
        Self {
            kind: Kind::NotInstalled,
            message,
            source: Some(Box::new(source)),
        }
    }

    pub(crate) fn connect(source: tokio_postgres::Error) -> Self {
        let message = format!(
            "could not connect to PostgreSQL: {}; is the server up, and are host, port, database and user right?",
            describe(&source)
        );
        Self {
            kind: Kind::Connect,
            message,
            source: Some(Box::new(source)),
        }
    }

    /// Whoever does not answer in time is as good as gone.
    pub(crate) fn no_answer(deadline: Duration) -> Self {
        let message = format!("PostgreSQL did not answer within {deadline:?}");
        Self::new(Kind::Connect, message)
    }

    /// None of several hosts has given a session: the most telling refusal, with what the others said.
    pub(crate) fn of_hosts(mut refused: Vec<(String, Self)>) -> Self {
        // A server that is full is more to the point than the standby beside it.
        let telling = refused
            .iter()
            .position(|(_, error)| error.is_not_now())
            .or_else(|| refused.iter().position(|(_, error)| !error.is_read_only()))
            .unwrap_or_default();
        if refused.len() < 2 {
            return refused.swap_remove(telling).1;
        }
        let messages: Vec<String> = refused
            .iter()
            .map(|(host, error)| format!("{host}: {error}"))
            .collect();
        Self {
            message: messages.join(" | "),
            ..refused.swap_remove(telling).1
        }
    }

    /// The server is there, but has no room or is not ready yet.
    pub(crate) fn is_not_now(&self) -> bool {
        let not_now = [
            SqlState::TOO_MANY_CONNECTIONS,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
        ];
        self.code().is_some_and(|code| not_now.contains(code))
    }

    /// The connection was closed or could not be made.
    pub fn is_closed(&self) -> bool {
        self.kind == Kind::Connect
            || self
                .postgres_source()
                .is_some_and(tokio_postgres::Error::is_closed)
    }

    /// The server or the session accepts no writes.
    pub fn is_read_only(&self) -> bool {
        self.kind == Kind::ReadOnly || self.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION)
    }

    /// The storage schema is not in the database: the migrations have not been applied there.
    pub fn is_storage_missing(&self) -> bool {
        self.kind == Kind::StorageMissing
    }

    /// The storage schema has a format that this runtime does not know.
    pub fn is_storage_version(&self) -> bool {
        self.kind == Kind::StorageVersion
    }

    /// A listener is not installed as the code expects it: a migration is missing, or the code is older than the database.
    pub fn is_not_installed(&self) -> bool {
        self.kind == Kind::NotInstalled
    }

    /// A listener failed, and the worker was told to exit then.
    pub fn is_listener(&self) -> bool {
        self.kind == Kind::Listener
    }

    /// The worker was set up with something that cannot work, for instance an unknown name.
    pub fn is_options(&self) -> bool {
        self.kind == Kind::Options
    }

    /// The code of an error that the server sent.
    pub fn code(&self) -> Option<&SqlState> {
        self.postgres_source()?.code()
    }

    fn postgres_source(&self) -> Option<&tokio_postgres::Error> {
        self.source.as_deref()?.downcast_ref()
    }
}

/// What the server said; tokio-postgres itself only says "db error".
pub(crate) fn describe(error: &tokio_postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        let mut text = format!("{} ({})", error.message(), error.code().code());
        for more in [error.detail(), error.hint()].into_iter().flatten() {
            text += &format!("; {more}");
        }
        return text;
    }
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
