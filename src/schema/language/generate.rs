//! `generate`: what is made, and where it goes.

use super::words::{DATETIMES, TOOLS};
use super::{Mapping, SETTINGS, Shape, TEXTS, key, later};

/// `generate`.
pub static GENERATE: Mapping = Mapping {
    keys: &[
        key(
            "rust",
            Shape::Either(&[Shape::Word(&["none"]), Shape::Mapping(&RUST)]),
            "The Rust file, or `none` if a build script makes it.",
        ),
        key(
            "migrations",
            Shape::Either(&[Shape::Word(&["none"]), Shape::Mapping(&MIGRATIONS)]),
            "The SQL migrations, or `none`.",
        ),
        key("listeners", Shape::Mapping(&STUBS), "Listener skeletons."),
        key(
            "postgres",
            Shape::Mapping(&POSTGRES),
            "Our objects in the database.",
        ),
        key(
            "database",
            Shape::Text,
            "Name of the database, where several schema files in one folder are for several: the lock file is pgpubsub.NAME.lock.",
        ),
    ],
};

/// `generate.rust`.
pub static RUST: Mapping = Mapping {
    keys: &[
        key(
            "out",
            Shape::Text,
            "Path of the Rust file, relative to the schema file. Default: src/pubsub.rs.",
        ),
        key(
            "derive",
            TEXTS,
            "More derives for all models, events and messages.",
        ),
        key(
            "datetime",
            Shape::Word(DATETIMES),
            "Types of date and time columns: `exact` (default) holds all of PostgreSQL's values, `chrono` those that chrono has.",
        ),
    ],
};

/// `generate.migrations`.
pub static MIGRATIONS: Mapping = Mapping {
    keys: &[
        key(
            "dir",
            Shape::Text,
            "Folder of the migrations, relative to the schema file. Default: migrations.",
        ),
        key(
            "tool",
            Shape::Word(TOOLS),
            "Migration tool whose layout is written. Default: sqlx.",
        ),
        key(
            "version_table",
            Shape::Text,
            "Table whose newest version is the db version of a notification, or `none`. Default: that of the tool.",
        ),
        key(
            "lock_timeout",
            Shape::Text,
            "How long a migration waits for a lock. Default: 3s.",
        ),
        key(
            "reversible",
            Shape::Bool,
            "Whether migrations have a way down. Default: true.",
        ),
    ],
};

/// `generate.listeners`.
pub static STUBS: Mapping = Mapping {
    keys: &[key(
        "stubs",
        Shape::Text,
        "File with listener skeletons, written once.",
    )],
};

/// `generate.postgres`.
pub static POSTGRES: Mapping = Mapping {
    keys: &[
        key(
            "schema",
            Shape::Text,
            "Schema of our tables and functions. Default: pgpubsub.",
        ),
        key(
            "settings",
            Shape::Mapping(&SETTINGS),
            "Storage parameters of the notification table.",
        ),
        later("min"),
        later("owner"),
    ],
};
