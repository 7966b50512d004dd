//! The language, as data: every mapping of a schema file with its keys. The reader accepts these keys and no others, and the
//! JSON Schema for editors is made of the same tables.

pub use super::storage_parameters::SETTINGS;

/// A mapping with known keys.
#[derive(Debug)]
pub struct Mapping {
    /// In the order of the documentation.
    pub keys: &'static [Key],
}

/// A key of a mapping.
#[derive(Debug)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What its value can be; `None`: the language will have it, this generator does not.
    pub value: Option<Shape>,
    /// One line for editors.
    pub doc: &'static str,
}

/// What a value can be.
#[derive(Debug)]
pub enum Shape {
    /// The number 1.
    Version,
    /// Any text.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Bool,
    /// A whole number from 1 on.
    Number,
    /// A whole number between two.
    Whole(i64, i64),
    /// A number between two.
    Decimal(f64, f64),
    /// A list.
    List(&'static Shape),
    /// A mapping with names of the user's.
    Named(&'static Shape),
    /// A mapping with known keys.
    Mapping(&'static Mapping),
    /// One of several.
    Either(&'static [Shape]),
    /// Anything.
    Any,
}

/// A text, or a list of texts.
const TEXTS: Shape = Shape::Either(&[Shape::Text, Shape::List(&Shape::Text)]);

const WAS: Key = key(
    "was",
    TEXTS,
    "Former name or names, so that what was stored under them is still read. `[]`: it is new, and no renaming.",
);
const OLDEST: Key = key(
    "oldest",
    Shape::Number,
    "Oldest version whose notifications are still decoded. Default: 1.",
);
const UNTIL: Key = key(
    "until",
    Shape::Number,
    "Last version that had it: it is gone, and optional in Rust, filled from older notifications.",
);
const FROM: Key = key(
    "from",
    Shape::Named(&Shape::Text),
    "Types that it had before, each with the path of a Rust function that converts them.",
);

const RETRY_OR_NONE: Shape = Shape::Either(&[Shape::Word(&["none"]), Shape::Mapping(&RETRY)]);
const RETRIES: Key = key(
    "retry",
    RETRY_OR_NONE,
    "How often a failing notification of a durable channel is tried, and when; then it goes to quarantine. `none`: once.",
);
const TIMEOUT: Key = key(
    "timeout",
    Shape::Text,
    "How long a listener may run, like 30s, 500ms, 5m or 1h; then it is cancelled, and that is a failure. Default: for ever.",
);

pub(super) const fn key(name: &'static str, value: Shape, doc: &'static str) -> Key {
    Key {
        name,
        value: Some(value),
        doc,
    }
}

const fn later(name: &'static str) -> Key {
    Key {
        name,
        value: None,
        doc: "",
    }
}

/// Words of `delivery`.
pub const DELIVERIES: &[&str] = &["durable", "transient"];
/// Words of `wake`.
pub const WAKES: &[&str] = &["door", "commit", "poll", "none"];
/// Words of `hold`.
pub const HOLDS: &[&str] = &["transaction", "lease"];
/// Words of `receives`.
pub const RECEIVES: &[&str] = &["one", "batch", "lazy"];
/// Words of `order`.
pub const ORDERS: &[&str] = &["total"];
/// Words of `level`.
pub const LEVELS: &[&str] = &["row", "statement"];
/// Words of `fire`.
pub const FIRES: &[&str] = &["origin", "always", "replica"];
/// Words of `on_capture_error`.
pub const ON_CAPTURE_ERROR: &[&str] = &["fail", "skip"];
/// Words of `capture`.
pub const CAPTURES: &[&str] = &["always", "never"];
/// Words of `condition_in`.
pub const CONDITION_IN: &[&str] = &["trigger", "function"];
/// Words of `trigger`.
pub const TRIGGERS: &[&str] = &["generated", "own"];
/// Words of `datetime`.
pub const DATETIMES: &[&str] = &["exact", "chrono"];
/// Words of `keep`.
pub const KEEPS: &[&str] = &["first", "last"];
/// Words of `missed`.
pub const MISSED: &[&str] = &["once", "skip"];
/// Words of `tool`.
pub const TOOLS: &[&str] = &[
    "sqlx",
    "plain",
    "refinery",
    "diesel",
    "dbmate",
    "golang-migrate",
    "atlas",
];
/// Events of a trigger channel.
pub const EVENTS: &[&str] = &["insert", "update", "delete", "save", "truncate"];
/// Events that a `when` can be said for.
pub const ROW_EVENTS: &[&str] = &["insert", "update", "delete"];

const DOC: Key = key(
    "doc",
    Shape::Text,
    "Documentation: goes into Rust docs and SQL comments.",
);
const ALLOW: Key = key(
    "allow",
    TEXTS,
    "Codes of warnings that are known and accepted here.",
);
const DERIVE: Key = key(
    "derive",
    TEXTS,
    "More derives for the Rust types made of this, beside Clone, Debug and PartialEq.",
);
const ATTRIBUTES: Key = key(
    "attributes",
    TEXTS,
    "Attributes for the Rust types made of this, without `#[` and `]`.",
);

/// The file.
pub static FILE: Mapping = Mapping {
    keys: &[
        key("version", Shape::Version, "Version of the language: 1."),
        key(
            "include",
            TEXTS,
            "Other files whose types, models, channels and listeners belong to this schema; paths relative to this file.",
        ),
        key(
            "generate",
            Shape::Mapping(&GENERATE),
            "What is generated, and where.",
        ),
        key(
            "defaults",
            Shape::Mapping(&DEFAULTS),
            "What channels are when they do not say.",
        ),
        key(
            "types",
            Shape::Named(&Shape::Mapping(&TYPE)),
            "Types of the database: enums, composites, domains, others.",
        ),
        key(
            "models",
            Shape::Named(&Shape::Mapping(&MODEL)),
            "Tables and their columns.",
        ),
        key(
            "channels",
            Shape::Named(&Shape::Mapping(&CHANNEL)),
            "Channels: on a model, or with fields of their own.",
        ),
        key(
            "listeners",
            Shape::Named(&Shape::Mapping(&LISTENER)),
            "Your functions that process what channels carry.",
        ),
    ],
};

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

/// `defaults`.
pub static DEFAULTS: Mapping = Mapping {
    keys: &[
        key(
            "delivery",
            Shape::Word(DELIVERIES),
            "Delivery of channels that do not say. Default: durable.",
        ),
        key(
            "level",
            Shape::Word(LEVELS),
            "Level of trigger channels that do not say. Default: row.",
        ),
        key(
            "fire",
            Shape::Word(FIRES),
            "When triggers fire in replication. Default: origin.",
        ),
        key(
            "on_capture_error",
            Shape::Word(ON_CAPTURE_ERROR),
            "What an error in a capture function does to the write. Default: fail.",
        ),
        key(
            "ignorable",
            Shape::Bool,
            "Whether a transaction may switch channels off for itself. Default: false.",
        ),
        key(
            "wake",
            Shape::Word(WAKES),
            "How durable channels wake workers that do not say. Default: door.",
        ),
        ALLOW,
        RETRIES,
        TIMEOUT,
    ],
};

/// An entry of `types`.
pub static TYPE: Mapping = Mapping {
    keys: &[
        DOC,
        key(
            "enum",
            Shape::Either(&[Shape::List(&Shape::Text), Shape::Named(&Shape::Text)]),
            "Labels of an enum, in order; or Rust names with their labels.",
        ),
        key(
            "composite",
            Shape::Named(&Shape::Text),
            "Attributes of a composite type, in order, with their types.",
        ),
        key("domain", Shape::Text, "Type that a domain is over."),
        key(
            "sql",
            Shape::Text,
            "Name in the database. Default: the key, in the schema public.",
        ),
        key(
            "rust",
            Shape::Text,
            "Your Rust type for it: a path like `crate::Cents` that is TryFrom of the usual type.",
        ),
        DERIVE,
        ATTRIBUTES,
    ],
};

/// An entry of `models`.
pub static MODEL: Mapping = Mapping {
    keys: &[
        DOC,
        key(
            "table",
            Shape::Either(&[Shape::Text, Shape::Mapping(&TABLE)]),
            "Table, as in SQL: author, app.author, app.\"Author Table\". Default: the key.",
        ),
        key(
            "abstract",
            Shape::Bool,
            "No table of its own: columns for others to mix in.",
        ),
        key("mixin", TEXTS, "Abstract models whose columns come first."),
        key(
            "extends",
            Shape::Text,
            "Model whose row every row of this one belongs to (multi-table inheritance).",
        ),
        key(
            "partitioned",
            Shape::Bool,
            "Whether the table is partitioned.",
        ),
        key(
            "columns",
            Shape::Named(&Shape::Either(&[Shape::Text, Shape::Mapping(&COLUMN)])),
            "Columns with their types; `?` may be null, `pk` belongs to the primary key.",
        ),
        DERIVE,
        ATTRIBUTES,
        WAS,
        OLDEST,
    ],
};

/// A table in its long form.
pub static TABLE: Mapping = Mapping {
    keys: &[
        key("name", Shape::Text, "The table, as in SQL."),
        key(
            "was",
            TEXTS,
            "Former name or names of the table, which another migration of yours renames.",
        ),
    ],
};

/// A column in its long form.
pub static COLUMN: Mapping = Mapping {
    keys: &[
        DOC,
        key(
            "type",
            Shape::Text,
            "Type as in SQL; `?` behind it: may be null, `pk`: part of the primary key.",
        ),
        key(
            "column",
            Shape::Text,
            "Name in the table. Default: the key.",
        ),
        key("pk", Shape::Bool, "Part of the primary key."),
        key(
            "parent",
            Shape::Bool,
            "Holds the primary key of the row that this one extends.",
        ),
        key(
            "capture",
            Shape::Word(CAPTURES),
            "`never`: its value never leaves the table.",
        ),
        key(
            "rust",
            Shape::Text,
            "Another Rust type: a word like `chrono`, or a path that is TryFrom of the usual type.",
        ),
        key(
            "default",
            Shape::Any,
            "Value for notifications of versions that lack the column, or have null in it.",
        ),
        WAS,
        UNTIL,
        FROM,
    ],
};

/// An entry of `channels`.
pub static CHANNEL: Mapping = Mapping {
    keys: &[
        DOC,
        key(
            "on",
            Shape::Text,
            "Model whose changes the channel carries.",
        ),
        key("after", EVENT, "Events that it fires after."),
        key("before", EVENT, "Events that it fires before."),
        key(
            "delivery",
            Shape::Word(DELIVERIES),
            "`durable`: stored, processed once. `transient`: to whoever is connected.",
        ),
        key(
            "wake",
            Shape::Word(WAKES),
            "How a durable channel wakes workers. `door`: only one that sleeps. `commit`: at each commit. `poll`, `none`: not at all.",
        ),
        key(
            "key",
            TEXTS,
            "Columns (fields of a message): notifications with equal values in them come one after the other. Durable only.",
        ),
        key(
            "order",
            Shape::Word(ORDERS),
            "`total`: all notifications of the channel come one after the other. Durable only.",
        ),
        key(
            "retain",
            Shape::Text,
            "How long notifications are kept after they were processed, for replay: a time like `7d`. Durable only. Default: not at all.",
        ),
        key(
            "changed",
            Shape::Either(&[Shape::Word(&["whole_row"]), Shape::Mapping(&CHANGED)]),
            "Which updates count: by columns whose values really differ, or by the whole row.",
        ),
        key(
            "when",
            Shape::Either(&[Shape::Text, Shape::Mapping(&WHEN)]),
            "SQL condition on `new` and `old`, for all events or by event.",
        ),
        key(
            "payload",
            Shape::Either(&[TEXTS, Shape::Mapping(&PAYLOAD)]),
            "Columns that are sent, of both row images or by image. Default: all of the model.",
        ),
        key(
            "level",
            Shape::Word(LEVELS),
            "`statement`: one call for all rows of a statement, for bulk loads.",
        ),
        key(
            "deferred",
            Shape::Bool,
            "Fires at the end of the transaction.",
        ),
        key(
            "fire",
            Shape::Word(FIRES),
            "`always`: also for replicated changes. `replica`: only for them.",
        ),
        key(
            "on_capture_error",
            Shape::Word(ON_CAPTURE_ERROR),
            "`skip`: an error in the capture function loses the event and not the write.",
        ),
        key(
            "ignorable",
            Shape::Bool,
            "Whether a transaction may switch the channel off for itself.",
        ),
        ALLOW,
        key(
            "condition_in",
            Shape::Word(CONDITION_IN),
            "Where conditions are checked. `trigger` (default) is fastest; `function` lets their columns be altered.",
        ),
        key(
            "trigger",
            Shape::Word(TRIGGERS),
            "`own`: you create the triggers; the function is generated.",
        ),
        key(
            "message",
            Shape::Named(&Shape::Either(&[Shape::Text, Shape::Mapping(&FIELD)])),
            "Fields of a message channel with their types and defaults.",
        ),
        key(
            "extends",
            Shape::Text,
            "Message channel whose fields come first.",
        ),
        key(
            "notify_at",
            Shape::Bool,
            "Whether senders may say when a message is due.",
        ),
        key(
            "expires",
            Shape::Either(&[Shape::Bool, Shape::Text]),
            "Whether senders may say until when a message is worth delivering; a time like `1h` is for those who do not say.",
        ),
        key(
            "priority",
            Shape::Bool,
            "Whether senders may say how urgent a message is, from 1 to 9.",
        ),
        key(
            "dedup",
            Shape::Mapping(&DEDUP),
            "Which messages are folded into one that still waits.",
        ),
        key(
            "schedule",
            Shape::Either(&[Shape::Text, Shape::Mapping(&SCHEDULE)]),
            "When the channel sends by itself: a cron expression in UTC like `0 3 * * *`, or a mapping.",
        ),
        DERIVE,
        ATTRIBUTES,
        WAS,
        OLDEST,
    ],
};

/// `dedup`.
pub static DEDUP: Mapping = Mapping {
    keys: &[
        key(
            "key",
            TEXTS,
            "Fields that are equal in messages which are folded.",
        ),
        key(
            "keep",
            Shape::Word(KEEPS),
            "`first`: a message is dropped while one waits. `last`: the one that waits gets its payload.",
        ),
        key(
            "debounce",
            Shape::Text,
            "Like `last`, and due only when no other has come for this time.",
        ),
        key(
            "at_most",
            Shape::Text,
            "How long `debounce` may put it off, counted from the first.",
        ),
    ],
};

/// `schedule`.
pub static SCHEDULE: Mapping = Mapping {
    keys: &[
        key(
            "cron",
            Shape::Text,
            "Minute, hour, day of the month, month, day of the week: `0 3 * * *`; or @hourly, @daily, @weekly, @monthly, @yearly.",
        ),
        key(
            "every",
            Shape::Text,
            "Instead of `cron`: at all multiples of a time, like 10s, 15m, 1h or 7d.",
        ),
        key(
            "timezone",
            Shape::Text,
            "Whose wall clock `cron` means, like Europe/Berlin. Default: UTC.",
        ),
        key(
            "missed",
            Shape::Word(MISSED),
            "What nobody fired in time, as no worker ran: `once` (default) fires one for all of it, `skip` none.",
        ),
        key(
            "with",
            Shape::Named(&Shape::Any),
            "Fields of the message that do not have their defaults.",
        ),
    ],
};

/// An event with columns.
pub static UPDATE_OF: Mapping = Mapping {
    keys: &[key(
        "update_of",
        TEXTS,
        "An update that sets one of these columns, whether it changes them or not.",
    )],
};

const EVENT: Shape = Shape::Either(&[
    Shape::Word(EVENTS),
    Shape::Mapping(&UPDATE_OF),
    Shape::List(&Shape::Either(&[
        Shape::Word(EVENTS),
        Shape::Mapping(&UPDATE_OF),
    ])),
]);

/// `changed`.
pub static CHANGED: Mapping = Mapping {
    keys: &[
        key(
            "any",
            TEXTS,
            "At least one of these columns has another value.",
        ),
        key("all", TEXTS, "Each of these columns has another value."),
        key("none", TEXTS, "None of these columns has another value."),
    ],
};

/// `when` by event.
pub static WHEN: Mapping = Mapping {
    keys: &[
        key("insert", Shape::Text, "SQL condition on `new`."),
        key("update", Shape::Text, "SQL condition on `old` and `new`."),
        key("delete", Shape::Text, "SQL condition on `old`."),
    ],
};

/// `payload` by row image.
pub static PAYLOAD: Mapping = Mapping {
    keys: &[
        key("new", TEXTS, "Columns of the row after."),
        key("old", TEXTS, "Columns of the row before."),
    ],
};

/// A field in its long form.
pub static FIELD: Mapping = Mapping {
    keys: &[
        DOC,
        key("type", Shape::Text, "Type; `?` behind it: may be null."),
        key("default", Shape::Any, "Value when it is not given."),
        WAS,
        UNTIL,
        FROM,
    ],
};

/// `retry`.
pub static RETRY: Mapping = Mapping {
    keys: &[
        key(
            "max",
            Shape::Number,
            "Number of attempts, the first one included. Default: 20.",
        ),
        key(
            "backoff",
            Shape::Text,
            "Pauses between the attempts: exp(FIRST, LONGEST) doubles, fixed(PAUSE) does not. Default: exp(1s, 5m), or the worker's.",
        ),
    ],
};

/// An entry of `listeners`.
pub static LISTENER: Mapping = Mapping {
    keys: &[
        DOC,
        key("channel", TEXTS, "Channel or channels that it listens to."),
        key(
            "events",
            Shape::Either(&[Shape::Word(EVENTS), Shape::List(&Shape::Word(EVENTS))]),
            "Events that it asks for. Default: all.",
        ),
        key(
            "group",
            Shape::Text,
            "Listeners of a group share one copy of each notification. Default: the key.",
        ),
        key(
            "hold",
            Shape::Word(HOLDS),
            "How it holds a notification. `transaction`: in the one that removes it, exactly once. `lease`: for minutes, without one, at least once.",
        ),
        key(
            "receives",
            Shape::Word(RECEIVES),
            "What a call gets: `one` event; a `batch` of what was claimed together, as a slice; or a `lazy` one, whose payload it loads itself.",
        ),
        key(
            "filter",
            Shape::Named(&Shape::Text),
            "context.KEY: VALUE or $VARIABLE; what does not match is left to others.",
        ),
        key(
            "include_subchannels",
            Shape::Bool,
            "Whether it gets what every channel carries that extends its channel.",
        ),
        WAS,
        RETRIES,
        TIMEOUT,
        later("batch"),
        later("concurrency"),
    ],
};

impl Mapping {
    /// The key of this name.
    pub fn get(&self, name: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// Names of the keys that can be used.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.keys
            .iter()
            .filter(|key| key.value.is_some())
            .map(|key| key.name)
    }
}
