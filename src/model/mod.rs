//! The valid schema: every name resolved, every type known, every combination possible.
//!
//! A [`Schema`] exists only if no error was found, so the stages behind this one never check
//! anything again. Everything is in the order of the YAML file.

mod calendar;
mod check;
mod column_type;
mod default;
mod field_type;
mod identifier;
mod types;

pub(crate) use check::check;
pub use types::{FieldType, PgType};

/// A whole, valid schema file.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// File name as it was given, with `/` separators; only for headers and messages.
    pub source: String,
    /// What to emit, and where.
    pub generate: Generate,
    /// Tables.
    pub models: Vec<Model>,
    /// Channels on models and message channels.
    pub channels: Vec<Channel>,
    /// Listeners: the declared ones, and one implicit listener for each channel that has none.
    pub listeners: Vec<Listener>,
}

/// Output settings; paths are relative to the folder of the schema file, with `/` separators.
#[derive(Clone, Debug, PartialEq)]
pub struct Generate {
    /// The Rust file (`generate.rust.out`), default `src/pubsub.rs`.
    pub rust_out: String,
    /// Whether the Rust file is written into the project; not with `rust: none`, where a build script makes it.
    pub rust_in_project: bool,
    /// Extra derives for models, events and messages, beside `Clone, Debug, PartialEq`.
    pub rust_derive: Vec<String>,
    /// Folder of the migrations (`generate.migrations.dir`), default `migrations`; `None` if `migrations: none`.
    pub migrations_dir: Option<String>,
    /// Value of `SET LOCAL lock_timeout` in each migration, default `3s`.
    pub lock_timeout: String,
    /// Table of the migration tool whose last applied version is the db version,
    /// default `public._sqlx_migrations`; `None` if `version_table: none`.
    pub version_table: Option<QualifiedName>,
    /// File with listener skeletons (`generate.listeners.stubs`), written once; `None` = no stubs (default).
    pub stubs: Option<String>,
    /// Schema of our own objects (`generate.postgres.schema`), default `pgpubsub`.
    pub storage_schema: String,
}

/// A table name; `schema` defaults to `public`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct QualifiedName {
    /// Schema, unquoted.
    pub schema: String,
    /// Name within the schema, unquoted.
    pub name: String,
}

/// A table and its columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Key in the YAML, a Rust-compatible identifier in snake_case or any case.
    pub name: String,
    /// Documentation.
    pub doc: Option<String>,
    /// The table; `table:` or the model's name.
    pub table: QualifiedName,
    /// At least one.
    pub columns: Vec<Column>,
}

/// A column of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Key in the YAML: the name of the Rust field (before raw-identifier escaping).
    pub field: String,
    /// Name in the table, unquoted; any PostgreSQL identifier.
    pub column: String,
    /// Documentation.
    pub doc: Option<String>,
    /// Type in the table.
    pub ty: PgType,
    /// `?` in the YAML.
    pub nullable: bool,
    /// Part of the primary key, in column order.
    pub primary_key: bool,
}

/// A channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// Key in the YAML.
    pub name: String,
    /// Documentation.
    pub doc: Option<String>,
    /// Durable or transient.
    pub delivery: Delivery,
    /// What it carries.
    pub kind: ChannelKind,
}

/// What a channel carries.
#[derive(Clone, Debug, PartialEq)]
pub enum ChannelKind {
    /// Bound to a model.
    Trigger {
        /// Index into [`Schema::models`].
        model: usize,
        /// Sorted, distinct, never empty; `save` is already expanded.
        events: Vec<TriggerEvent>,
    },
    /// Fields of its own; those of the base channel first (`extends`), overridden defaults applied.
    Message {
        /// In order.
        fields: Vec<MessageField>,
        /// Index into [`Schema::channels`] of the channel it extends.
        extends: Option<usize>,
    },
}

/// One trigger: when, and on what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TriggerEvent {
    /// Before or after the row operation.
    pub timing: Timing,
    /// The row operation.
    pub op: Op,
}

/// Timing of a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timing {
    /// `BEFORE`.
    Before,
    /// `AFTER`.
    After,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// A row was inserted: `new`.
    Insert,
    /// A row was updated: `old` and `new`.
    Update,
    /// A row was deleted: `old`.
    Delete,
    /// A message was published.
    Message,
}

/// How a channel delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Stored in the writer's transaction; one consumer of each group processes it.
    Durable,
    /// LISTEN/NOTIFY only.
    Transient,
}

/// A field of a message channel.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageField {
    /// Key in the YAML, also the key in the JSON payload.
    pub name: String,
    /// Documentation.
    pub doc: Option<String>,
    /// Type; `T?` is [`FieldType::Optional`].
    pub ty: FieldType,
    /// Checked against `ty`. An optional field without a default has `Some(Null)`.
    pub default: Option<Literal>,
}

/// A default value, already checked against the type of its field.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `null` of an optional field.
    Null,
    /// `bool`.
    Bool(bool),
    /// `int`.
    Int(i64),
    /// `float`, finite.
    Float(f64),
    /// Text of a `decimal`, `date`, `time`, `datetime`, `duration`, `uuid` (in the form the payload has, see
    /// ARCHITECTURE.md "Payload format") or of a `string`, verbatim.
    Text(String),
    /// `bytes`, from base64.
    Bytes(Vec<u8>),
    /// `json`.
    Json(serde_json::Value),
    /// `list`, `set` (sorted, distinct) or `tuple`.
    Sequence(Vec<Literal>),
    /// `map`, sorted by key, distinct keys.
    Map(Vec<(Literal, Literal)>),
}

/// A listener on a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    /// Key in the YAML; `on_<channel>` for the implicit listener of a channel without one.
    pub name: String,
    /// Documentation.
    pub doc: Option<String>,
    /// Index into [`Schema::channels`].
    pub channel: usize,
    /// Sorted, distinct, never empty, a subset of what the channel can carry.
    pub ops: Vec<Op>,
    /// Listeners of one group share one copy of each durable notification. Default: the listener's name.
    pub group: String,
    /// All must match the notification's context.
    pub filter: Vec<ContextFilter>,
}

/// `filter: {context.KEY: VALUE}`.
#[derive(Clone, Debug, PartialEq)]
pub struct ContextFilter {
    /// Key in the context.
    pub key: String,
    /// Value to equal.
    pub value: FilterValue,
}

/// Where the value of a filter comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum FilterValue {
    /// Written in the YAML.
    Literal(String),
    /// `$NAME`: environment variable of the worker, read when the worker starts.
    Environment(String),
}

impl Channel {
    /// Row operations that this channel can carry, sorted and distinct; `[Message]` for a message channel.
    pub fn ops(&self) -> Vec<Op> {
        match &self.kind {
            ChannelKind::Message { .. } => vec![Op::Message],
            ChannelKind::Trigger { events, .. } => {
                let mut ops: Vec<Op> = events.iter().map(|event| event.op).collect();
                ops.sort_unstable();
                ops.dedup();
                ops
            }
        }
    }
}

impl Op {
    /// Word of the YAML and of the `op` column: `insert`, `update`, `delete`, `message`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Message => "message",
        }
    }
}
