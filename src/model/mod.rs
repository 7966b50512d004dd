//! The valid schema: every name resolved, every type known, every combination possible.
//!
//! A [`Schema`] exists only if no error was found, so the stages behind this one never check
//! anything again. Everything is in the order of the YAML file.

mod attempts;
pub mod builtin;
mod calendar;
mod channel;
mod check;
mod column_default;
mod column_type;
mod condition;
mod cron;
mod default;
mod duration;
mod field_type;
pub(crate) mod identifier;
mod listener;
mod message_options;
mod past;
mod schedule;
mod tool;
mod types;

use crate::diagnostic::Span;
use crate::schema::Spanned;

/// Whether a text is a column type of the language, without declared types.
#[cfg(feature = "cli")]
pub(crate) fn is_column_type(text: &str) -> bool {
    column_type::parse(text, &[]).is_ok()
}

/// The type that PostgreSQL prints as this text; `declared` are the names of the declared types. Extensions may be in any schema.
#[cfg(feature = "cli")]
pub(crate) fn column_type(text: &str, declared: &[QualifiedName]) -> Option<PgType> {
    // No key: what the database prints is no word of the schema file.
    let declared: Vec<(&str, QualifiedName)> =
        declared.iter().map(|name| ("", name.clone())).collect();
    let parse = |text: &str| column_type::parse(text, &declared).map(|parsed| parsed.ty);
    parse(text)
        .or_else(|problem| {
            let (_, name) = text.split_once('.').ok_or(problem)?;
            parse(name)
        })
        .ok()
}

pub use attempts::{Attempts, Backoff};
pub use channel::{
    Changed, Channel, ChannelKind, Delivery, Fire, Level, MessageField, Op, Order, Timing,
    TriggerChannel, TriggerEvent, Wake,
};
pub(crate) use check::check;
pub use cron::Cron;
pub use listener::{ContextFilter, FilterValue, Hold, Listener, Receives, Subscription};
pub use message_options::{Dedup, Expires, Keep, MessageOptions};
pub use past::{Conversion, Past};
pub use schedule::{Schedule, When};
pub use tool::Tool;
pub use types::{Attribute, DeclaredType, Extra, FieldType, Label, PgType, TypeKind};

/// A whole, valid schema file.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// File name as it was given, with `/` separators; only for headers and messages.
    pub source: String,
    /// What to emit, and where.
    pub generate: Generate,
    /// Types of the database that columns use.
    pub types: Vec<DeclaredType>,
    /// Tables.
    pub models: Vec<Model>,
    /// Channels on models and message channels.
    pub channels: Vec<Channel>,
    /// Listeners: the declared ones, and one implicit listener for each channel that has none.
    pub listeners: Vec<Listener>,
}

/// Output settings; paths are relative to the folder of the schema file, with `/` separators.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Generate {
    /// The Rust file (`generate.rust.out`), default `src/pubsub.rs`.
    pub rust_out: String,
    /// Whether the Rust file is written into the project; not with `rust: none`, where a build script makes it.
    pub rust_in_project: bool,
    /// Extra derives for models, events and messages, beside `Clone, Debug, PartialEq`.
    pub rust_derive: Vec<String>,
    /// Whether date and time columns are chrono's types (`generate.rust.datetime: chrono`).
    pub chrono: bool,
    /// Folder of the migrations (`generate.migrations.dir`), default `migrations`; `None` if `migrations: none`.
    pub migrations_dir: Option<String>,
    /// Migration tool whose layout is written (`generate.migrations.tool`), default sqlx.
    pub tool: Tool,
    /// Whether migrations have a way down (`generate.migrations.reversible`), default yes.
    pub reversible: bool,
    /// Name of the database (`generate.database`), where several schema files in a folder are for several.
    pub database: Option<String>,
    /// Value of `SET LOCAL lock_timeout` in each migration, default `3s`.
    pub lock_timeout: String,
    /// Table of the migration tool whose last applied version is the db version, default that of the tool; `None` if
    /// `version_table: none`, or if the tool has none.
    pub version_table: Option<QualifiedName>,
    /// File with listener skeletons (`generate.listeners.stubs`), written once; `None` = no stubs (default).
    pub stubs: Option<String>,
    /// The lock file: `pgpubsub.lock`, or with the name of the database.
    pub lock: String,
    /// Schema of our own objects (`generate.postgres.schema`), default `pgpubsub`.
    pub storage_schema: String,
    /// Storage parameters of the notification table (`generate.postgres.settings`) with their values.
    pub settings: Vec<(String, String)>,
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
    /// Where it is declared.
    pub span: Span,
    /// Former names; `None`: nothing is said, empty: it is new, and no renaming.
    pub was: Option<Vec<String>>,
    /// Oldest version that is still decoded; `None`: the first.
    pub oldest: Option<Spanned<u32>>,
    /// The table; `table:` or the model's name.
    pub table: QualifiedName,
    /// Former names of the table; `None`: nothing is said, empty: it is another table.
    pub table_was: Option<Vec<QualifiedName>>,
    /// Those of mixins first; at least one is captured.
    pub columns: Vec<Column>,
    /// Columns that are gone from the table, and only in notifications of earlier versions (`until`).
    pub gone: Vec<Column>,
    /// Whether the table is partitioned.
    pub partitioned: bool,
    /// The model that this one extends.
    pub parent: Option<Parent>,
    /// More derives and attributes for the struct.
    pub extra: Extra,
}

/// Multi-table inheritance: every row belongs to a row of another table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Index into [`Schema::models`].
    pub model: usize,
    /// Columns of this model (indexes) that hold the primary key of the parent's row, with the parent's column.
    pub key: Vec<(usize, usize)>,
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
    /// Whether its value may leave the table.
    pub captured: bool,
    /// The Rust type, if it is not the usual one of the type: made of that by `TryFrom`.
    pub rust: Option<String>,
    /// Value for versions that lack it or have null in it: JSON text in the form of the payload.
    pub default: Option<String>,
    /// What it was before.
    pub past: Past<PgType>,
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
