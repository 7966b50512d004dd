//! What an object of ours in a database is called, in plans and in emitted migrations.

use std::fmt;

/// An object of ours in a database; names are not quoted. In order of creation: an object may need those before it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The storage schema with its tables.
    Storage {
        /// The schema.
        schema: String,
    },
    /// Table and functions of the schedules.
    Schedules {
        /// Storage schema.
        schema: String,
    },
    /// What keeps processed notifications, for channels that retain them.
    Processed {
        /// Storage schema.
        schema: String,
    },
    /// The function that tells the last applied migration.
    DbVersion {
        /// Storage schema.
        schema: String,
    },
    /// An index of the storage that only some schemas need.
    Index {
        /// Storage schema.
        schema: String,
        /// The index.
        index: String,
    },
    /// Function that publishes on a message channel.
    Notify {
        /// Storage schema.
        schema: String,
        /// The function.
        function: String,
    },
    /// Function that triggers call.
    Capture {
        /// Storage schema.
        schema: String,
        /// The function.
        function: String,
    },
    /// A trigger.
    Trigger {
        /// Schema of the table.
        schema: String,
        /// The table.
        table: String,
        /// The trigger.
        trigger: String,
    },
    /// What a listener takes of a channel: a row of the registry.
    Listener {
        /// Storage schema.
        schema: String,
        /// The listener.
        listener: String,
        /// The channel.
        channel: String,
    },
    /// When a channel sends by itself: a row of the table of schedules.
    Schedule {
        /// Storage schema.
        schema: String,
        /// The channel.
        channel: String,
    },
}

impl Key {
    /// Its word in a migration.
    fn kind(&self) -> &'static str {
        match self {
            Self::Storage { .. } => "storage",
            Self::Processed { .. } => "processed",
            Self::DbVersion { .. } => "db_version",
            Self::Index { .. } => "index",
            Self::Notify { .. } => "notify",
            Self::Capture { .. } => "capture",
            Self::Trigger { .. } => "trigger",
            Self::Listener { .. } => "listener",
            Self::Schedules { .. } => "schedules",
            Self::Schedule { .. } => "schedule",
        }
    }

    fn names(&self) -> Vec<&str> {
        match self {
            Self::Index { schema, index } => vec![schema, index],
            Self::Storage { schema }
            | Self::Processed { schema }
            | Self::DbVersion { schema }
            | Self::Schedules { schema } => vec![schema],
            Self::Schedule { schema, channel } => vec![schema, channel],
            Self::Notify { schema, function } | Self::Capture { schema, function } => {
                vec![schema, function]
            }
            Self::Trigger {
                schema,
                table,
                trigger,
            } => vec![schema, table, trigger],
            Self::Listener {
                schema,
                listener,
                channel,
            } => vec![schema, listener, channel],
        }
    }

    /// What [`Key`]'s `Display` writes.
    pub(crate) fn parse(kind: &str, names: &str) -> Option<Self> {
        let names: Vec<String> = serde_json::from_str(names).ok()?;
        match (kind, names.as_slice()) {
            ("storage", [schema]) => Some(Self::Storage {
                schema: schema.clone(),
            }),
            ("schedules", [schema]) => Some(Self::Schedules {
                schema: schema.clone(),
            }),
            ("schedule", [schema, channel]) => Some(Self::Schedule {
                schema: schema.clone(),
                channel: channel.clone(),
            }),
            ("processed", [schema]) => Some(Self::Processed {
                schema: schema.clone(),
            }),
            ("db_version", [schema]) => Some(Self::DbVersion {
                schema: schema.clone(),
            }),
            ("index", [schema, index]) => Some(Self::Index {
                schema: schema.clone(),
                index: index.clone(),
            }),
            ("notify", [schema, function]) => Some(Self::Notify {
                schema: schema.clone(),
                function: function.clone(),
            }),
            ("capture", [schema, function]) => Some(Self::Capture {
                schema: schema.clone(),
                function: function.clone(),
            }),
            ("trigger", [schema, table, trigger]) => Some(Self::Trigger {
                schema: schema.clone(),
                table: table.clone(),
                trigger: trigger.clone(),
            }),
            ("listener", [schema, listener, channel]) => Some(Self::Listener {
                schema: schema.clone(),
                listener: listener.clone(),
                channel: channel.clone(),
            }),
            _ => None,
        }
    }
}

/// `trigger ["app","author","pgpubsub_author_created_after_insert"]`: one line, whatever the names hold.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = serde_json::to_string(&self.names()).map_err(|_| fmt::Error)?;
        write!(f, "{} {names}", self.kind())
    }
}

impl serde::Serialize for Key {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
