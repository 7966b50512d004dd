//! The valid schema: every name resolved, every type known, every combination possible.
//!
//! A [`Schema`] exists only if no error was found, so the stages behind this one never check
//! anything again. Everything is in the order of the YAML file.

mod attempts;
pub mod builtin;
mod calendar;
mod check;
mod column_default;
mod column_type;
mod condition;
mod default;
mod field_type;
pub(crate) mod identifier;
mod message_options;
mod past;
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
pub(crate) use check::check;
pub use message_options::{Dedup, Expires, Keep, MessageOptions};
pub use past::{Conversion, Past};
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

/// A channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// Key in the YAML.
    pub name: String,
    /// Documentation.
    pub doc: Option<String>,
    /// Where it is declared.
    pub span: Span,
    /// Former names; `None`: nothing is said, empty: it is new, and no renaming.
    pub was: Option<Vec<String>>,
    /// Oldest version that is still decoded, of a message channel; `None`: the first.
    pub oldest: Option<Spanned<u32>>,
    /// Durable or transient.
    pub delivery: Delivery,
    /// How a durable one wakes workers.
    pub wake: Wake,
    /// Which of its notifications a group gets one after the other; `None`: any may come beside any other.
    pub order: Option<Order>,
    /// What it carries.
    pub kind: ChannelKind,
    /// More derives and attributes for its Rust types.
    pub extra: Extra,
}

/// Which notifications of a durable channel come one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Those with equal values in these columns of the model, or fields of the message (indexes), in the order of the YAML.
    Key(Vec<usize>),
    /// All.
    Total,
}

/// What a channel carries.
#[derive(Clone, Debug, PartialEq)]
pub enum ChannelKind {
    /// Bound to a model.
    Trigger(TriggerChannel),
    /// Fields of its own; those of the base channel first (`extends`), overridden defaults applied.
    Message {
        /// In order.
        fields: Vec<MessageField>,
        /// Index into [`Schema::channels`] of the channel it extends.
        extends: Option<usize>,
        /// What senders may say, and which messages are folded; of durable channels only.
        options: MessageOptions,
    },
}

/// A channel on a model.
#[derive(Clone, Debug, PartialEq)]
pub struct TriggerChannel {
    /// Index into [`Schema::models`].
    pub model: usize,
    /// Sorted, distinct, never empty; `save` is already expanded.
    pub events: Vec<TriggerEvent>,
    /// Columns (indexes) of `update_of`; empty: any update.
    pub update_of: Vec<usize>,
    /// Which updates count.
    pub changed: Option<Changed>,
    /// SQL conditions by operation, sorted; an operation without one always fires.
    pub when: Vec<(Op, String)>,
    /// Columns (indexes) of the row before that are sent; `None`: all that are captured.
    pub old: Option<Vec<usize>>,
    /// Columns (indexes) of the row after that are sent; `None`: all that are captured.
    pub new: Option<Vec<usize>>,
    /// For each row or for each statement.
    pub level: Level,
    /// At the end of the transaction.
    pub deferred: bool,
    /// When in replication.
    pub fire: Fire,
    /// Whether an error in the capture function loses the event and not the write.
    pub skip_errors: bool,
    /// Whether a transaction may switch the channel off.
    pub ignorable: bool,
    /// Whether conditions are checked in the function, so that their columns can be altered.
    pub condition_in_function: bool,
    /// Whether the triggers are the user's own.
    pub own_triggers: bool,
}

/// Which updates count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// One of these columns (indexes) has another value.
    Any(Vec<usize>),
    /// Each of these has.
    All(Vec<usize>),
    /// None of these has.
    None(Vec<usize>),
    /// Anything in the row differs, byte by byte.
    WholeRow,
}

/// Level of a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// `FOR EACH ROW`.
    Row,
    /// `FOR EACH STATEMENT`, with transition tables.
    Statement,
}

/// When a trigger fires in replication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fire {
    /// Where the change was made.
    Origin,
    /// Also where it is applied.
    Always,
    /// Only where it is applied.
    Replica,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Op {
    /// A row was inserted: `new`.
    Insert,
    /// A row was updated: `old` and `new`.
    Update,
    /// A row was deleted: `old`.
    Delete,
    /// The table was truncated: no row.
    Truncate,
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

/// How a durable channel wakes workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// NOTIFY, if a worker sleeps.
    Door,
    /// NOTIFY at each commit.
    Commit,
    /// Workers look often.
    Poll,
    /// Workers look as seldom as they do anyway.
    None,
}

/// How a listener of a durable channel holds a notification while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// In the transaction that removes it.
    Transaction,
    /// By a time that is written into it, and renewed.
    Lease,
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
    /// What it was before. A field with `until` is optional, and never published again.
    pub past: Past<FieldType>,
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
    /// Where it is declared; an implicit one: where its channel is.
    pub span: Span,
    /// Documentation.
    pub doc: Option<String>,
    /// At least one, distinct, all with the same delivery.
    pub channels: Vec<Subscription>,
    /// Listeners of one group share one copy of each durable notification. Default: the listener's name.
    pub group: String,
    /// Former groups, for which notifications may still wait.
    pub was: Vec<String>,
    /// Whether that is said; without a word, a group that is gone may have been this one.
    pub says_was: bool,
    /// How it holds a notification while it runs.
    pub hold: Hold,
    /// All must match the notification's context.
    pub filter: Vec<ContextFilter>,
    /// How often it is tried, when, and for how long.
    pub attempts: Attempts,
}

/// What a listener takes of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Index into [`Schema::channels`].
    pub channel: usize,
    /// Sorted, distinct, never empty, a subset of what the channel can carry.
    pub ops: Vec<Op>,
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
    /// Operations that this channel can carry, sorted and distinct; `[Message]` for a message channel.
    pub fn ops(&self) -> Vec<Op> {
        match &self.kind {
            ChannelKind::Message { .. } => vec![Op::Message],
            ChannelKind::Trigger(trigger) => trigger.ops(),
        }
    }
}

impl TriggerChannel {
    /// Operations that it carries, sorted and distinct.
    pub fn ops(&self) -> Vec<Op> {
        let mut ops: Vec<Op> = self.events.iter().map(|event| event.op).collect();
        ops.sort_unstable();
        ops.dedup();
        ops
    }
}

impl TriggerChannel {
    /// Ends of the names of its own row types: `Old` and `New`, or `Row` for both; none if it sends whole rows.
    pub fn image_suffixes(&self) -> Vec<&'static str> {
        let has = |op| self.events.iter().any(|event| event.op == op);
        let old = has(Op::Update) || has(Op::Delete);
        let new = has(Op::Update) || has(Op::Insert);
        let part = |list: &Option<Vec<usize>>| list.as_ref().is_some_and(|list| !list.is_empty());
        let (old, new) = (old && part(&self.old), new && part(&self.new));
        match (old, new) {
            (true, true) if self.old == self.new => vec!["Row"],
            (true, true) => vec!["Old", "New"],
            (true, false) if self.old == self.new => vec!["Row"],
            (false, true) if self.old == self.new => vec!["Row"],
            (true, false) => vec!["Old"],
            (false, true) => vec!["New"],
            (false, false) => Vec::new(),
        }
    }
}

impl Listener {
    /// Whether it gets its event as one of several channels' types.
    pub fn is_several(&self) -> bool {
        self.channels.len() > 1
    }

    /// Names of the types that are made for it: an event of its own, and parts of the events of channels.
    pub fn own_types(&self, channels: &[Channel]) -> Vec<String> {
        let mut types = Vec::new();
        if self.is_several() {
            types.push(format!("{}_event", self.name));
        }
        for subscription in &self.channels {
            let channel = &channels[subscription.channel];
            if subscription.ops != channel.ops() {
                types.push(self.part_name(channel));
            }
        }
        types
    }

    /// Name of the type for a part of a channel's events.
    pub fn part_name(&self, channel: &Channel) -> String {
        if self.is_several() {
            format!("{}_{}", self.name, channel.name)
        } else {
            format!("{}_event", self.name)
        }
    }
}

impl Op {
    /// Word of the YAML and of the `op` column: `insert`, `update`, `delete`, `truncate`, `message`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Truncate => "truncate",
            Self::Message => "message",
        }
    }
}
