//! What a schema file says, with places. A part that was not readable is absent and has been reported.

use crate::diagnostic::Span;

use super::Node;

/// A value and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub span: Span,
}

/// A whole file.
#[derive(Clone, Debug, std::default::Default)]
pub struct Document {
    /// `include:`.
    pub include: Vec<Spanned<String>>,
    /// `generate:`.
    pub generate: GenerateDecl,
    /// `defaults:` for channels.
    pub defaults: DefaultsDecl,
    /// `defaults:` for listeners.
    pub listener_defaults: AttemptsDecl,
    /// `types:`.
    pub types: Vec<TypeDecl>,
    /// `models:`.
    pub models: Vec<ModelDecl>,
    /// `channels:`.
    pub channels: Vec<ChannelDecl>,
    /// Whether there is a `channels:`, readable or not.
    pub has_channels: bool,
    /// `listeners:`.
    pub listeners: Vec<ListenerDecl>,
}

/// `generate:`.
#[derive(Clone, Debug, std::default::Default)]
pub struct GenerateDecl {
    /// `rust: none`.
    pub no_rust: bool,
    /// `rust.out`.
    pub rust_out: Option<Spanned<String>>,
    /// `rust.derive`.
    pub rust_derive: Vec<Spanned<String>>,
    /// `rust.datetime`.
    pub datetime: Option<Spanned<String>>,
    /// `migrations: none`.
    pub no_migrations: bool,
    /// `migrations.dir`.
    pub migrations_dir: Option<Spanned<String>>,
    /// `migrations.tool`.
    pub migrations_tool: Option<Spanned<String>>,
    /// `migrations.version_table`.
    pub version_table: Option<Spanned<String>>,
    /// `migrations.reversible: false`.
    pub irreversible: bool,
    /// `migrations.lock_timeout`.
    pub lock_timeout: Option<Spanned<String>>,
    /// `listeners.stubs`.
    pub stubs: Option<Spanned<String>>,
    /// `database`.
    pub database: Option<Spanned<String>>,
    /// `postgres.schema`.
    pub storage_schema: Option<Spanned<String>>,
    /// `postgres.settings`: names and values.
    pub settings: Vec<(String, String)>,
}

/// `defaults:`, and the same keys of a channel.
#[derive(Clone, Debug, std::default::Default)]
pub struct DefaultsDecl {
    /// `delivery`.
    pub delivery: Option<Spanned<String>>,
    /// `wake`.
    pub wake: Option<Spanned<String>>,
    /// `level`.
    pub level: Option<Spanned<String>>,
    /// `fire`.
    pub fire: Option<Spanned<String>>,
    /// `on_capture_error`.
    pub on_capture_error: Option<Spanned<String>>,
    /// `ignorable`.
    pub ignorable: Option<Spanned<bool>>,
    /// `allow`.
    pub allow: Vec<Spanned<String>>,
}

/// An entry of `types:`.
#[derive(Clone, Debug)]
pub struct TypeDecl {
    /// Its key.
    pub name: Spanned<String>,
    /// `doc:`.
    pub doc: Option<String>,
    /// `enum:`: labels, each perhaps with the name of its variant.
    pub labels: Option<Vec<LabelDecl>>,
    /// `composite:`: attributes with their types.
    pub attributes: Option<Vec<(Spanned<String>, Spanned<String>)>>,
    /// `domain:`.
    pub domain: Option<Spanned<String>>,
    /// `sql:`.
    pub sql: Option<Spanned<String>>,
    /// `rust:`.
    pub rust: Option<Spanned<String>>,
    /// `derive:` and `attributes:`.
    pub extra: ExtraDecl,
    /// Something of it was not readable.
    pub broken: bool,
}

/// A label of an enum.
#[derive(Clone, Debug)]
pub struct LabelDecl {
    /// The label in the database.
    pub label: Spanned<String>,
    /// Name of the variant, if it is said.
    pub variant: Option<Spanned<String>>,
}

/// `derive:` and `attributes:`.
#[derive(Clone, Debug, std::default::Default)]
pub struct ExtraDecl {
    /// `derive:`.
    pub derives: Vec<Spanned<String>>,
    /// `attributes:`.
    pub attributes: Vec<Spanned<String>>,
}

/// An entry of `models:`.
#[derive(Clone, Debug)]
pub struct ModelDecl {
    /// Its key.
    pub name: Spanned<String>,
    /// `doc:`.
    pub doc: Option<String>,
    /// `was:`.
    pub was: Option<Vec<Spanned<String>>>,
    /// `oldest:`.
    pub oldest: Option<Spanned<u32>>,
    /// `table:`, or its `name`.
    pub table: Option<Spanned<String>>,
    /// `was` of `table:`.
    pub table_was: Option<Vec<Spanned<String>>>,
    /// `abstract: true`.
    pub is_abstract: bool,
    /// `mixin:`.
    pub mixin: Vec<Spanned<String>>,
    /// `extends:`.
    pub extends: Option<Spanned<String>>,
    /// `partitioned: true`.
    pub partitioned: bool,
    /// `derive:` and `attributes:`.
    pub extra: ExtraDecl,
    /// `columns:`; `None` if it was not readable.
    pub columns: Option<Vec<ColumnDecl>>,
}

/// An entry of `columns:`.
#[derive(Clone, Debug)]
pub struct ColumnDecl {
    /// Its key.
    pub name: Spanned<String>,
    /// `doc:`.
    pub doc: Option<String>,
    /// The type, with `?`, `pk` and `parent`.
    pub ty: Option<Spanned<String>>,
    /// `column:`.
    pub column: Option<Spanned<String>>,
    /// `pk: true`.
    pub primary_key: bool,
    /// `parent: true`.
    pub parent: bool,
    /// `capture: never`.
    pub never_captured: bool,
    /// `rust:`.
    pub rust: Option<Spanned<String>>,
    /// `default:`.
    pub default: Option<Default>,
    /// What it was before.
    pub past: PastDecl,
}

/// What a column or field was before.
#[derive(Clone, Debug, std::default::Default)]
pub struct PastDecl {
    /// `was:`.
    pub was: Option<Vec<Spanned<String>>>,
    /// `until:`.
    pub until: Option<Spanned<u32>>,
    /// `from:`: types with the functions that convert them.
    pub from: Vec<(Spanned<String>, Spanned<String>)>,
}

/// An entry of `channels:`.
#[derive(Clone, Debug)]
pub struct ChannelDecl {
    /// Its key.
    pub name: Spanned<String>,
    /// `doc:`.
    pub doc: Option<String>,
    /// What `defaults` can say, too.
    pub settings: DefaultsDecl,
    /// `was:`.
    pub was: Option<Vec<Spanned<String>>>,
    /// `oldest:`.
    pub oldest: Option<Spanned<u32>>,
    /// `on:`.
    pub on: Option<Spanned<String>>,
    /// `key:`.
    pub key: Option<Vec<Spanned<String>>>,
    /// `order:`.
    pub order: Option<Spanned<String>>,
    /// `retain:`.
    pub retain: Option<Spanned<String>>,
    /// `before:`.
    pub before: Option<Vec<EventDecl>>,
    /// `after:`.
    pub after: Option<Vec<EventDecl>>,
    /// `changed:`.
    pub changed: Option<ChangedDecl>,
    /// `when:`: conditions with the event that they are for; `None`: all.
    pub when: Vec<(Option<Spanned<String>>, Spanned<String>)>,
    /// `payload:`.
    pub payload: Option<PayloadDecl>,
    /// `deferred:`.
    pub deferred: Option<Spanned<bool>>,
    /// `trigger:`.
    pub trigger: Option<Spanned<String>>,
    /// `condition_in:`.
    pub condition_in: Option<Spanned<String>>,
    /// `message:`.
    pub message: Option<Vec<FieldDecl>>,
    /// `extends:`.
    pub extends: Option<Spanned<String>>,
    /// `notify_at`, `expires`, `priority` and `dedup`.
    pub options: MessageOptionsDecl,
    /// `schedule:`.
    pub schedule: Option<ScheduleDecl>,
    /// `derive:` and `attributes:`.
    pub extra: ExtraDecl,
    /// The keys that are there, with their places.
    pub keys: Vec<Spanned<String>>,
    /// Something of it was not readable: what follows from its absence is not reported.
    pub broken: bool,
}

/// What senders may say of a message, and what becomes of equal ones.
#[derive(Clone, Debug, std::default::Default)]
pub struct MessageOptionsDecl {
    /// `notify_at: true`.
    pub notify_at: bool,
    /// `expires: true`, or a time.
    pub expires: bool,
    /// The time of `expires`.
    pub expires_after: Option<Spanned<String>>,
    /// `priority: true`.
    pub priority: bool,
    /// `dedup:`.
    pub dedup: Option<DedupDecl>,
}

/// `dedup:`.
#[derive(Clone, Debug)]
pub struct DedupDecl {
    /// Its place.
    pub span: Span,
    /// `key:`; `None` if it is not there or not readable.
    pub key: Option<Vec<Spanned<String>>>,
    /// `keep:`.
    pub keep: Option<Spanned<String>>,
    /// `debounce:`.
    pub debounce: Option<Spanned<String>>,
    /// `at_most:`.
    pub at_most: Option<Spanned<String>>,
    /// Something of it was not readable: what follows from its absence is not reported.
    pub broken: bool,
}

/// `schedule:`.
#[derive(Clone, Debug, std::default::Default)]
pub struct ScheduleDecl {
    /// Its place.
    pub span: Span,
    /// `cron:`, or the short form.
    pub cron: Option<Spanned<String>>,
    /// `every:`.
    pub every: Option<Spanned<String>>,
    /// `timezone:`.
    pub time_zone: Option<Spanned<String>>,
    /// `missed:`.
    pub missed: Option<Spanned<String>>,
    /// `with:`.
    pub with: Vec<(Spanned<String>, Node)>,
    /// Something of it was not readable: what follows from its absence is not reported.
    pub broken: bool,
}

/// An event of `before:` or `after:`.
#[derive(Clone, Debug)]
pub struct EventDecl {
    /// The word; `update` for `update_of`.
    pub word: Spanned<String>,
    /// Columns of `update_of`.
    pub columns: Option<Vec<Spanned<String>>>,
}

/// `changed:`.
#[derive(Clone, Debug)]
pub struct ChangedDecl {
    /// Its place.
    pub span: Span,
    /// `any`, `all`, `none` with their columns.
    pub columns: Vec<(Spanned<String>, Vec<Spanned<String>>)>,
    /// `whole_row`.
    pub whole_row: bool,
}

/// `payload:`; an image that is not said has all columns.
#[derive(Clone, Debug)]
pub struct PayloadDecl {
    /// Its place.
    pub span: Span,
    /// Columns of the row after.
    pub new: Option<Vec<Spanned<String>>>,
    /// Columns of the row before.
    pub old: Option<Vec<Spanned<String>>>,
    /// Whether one list stands for both images.
    pub both: bool,
}

/// An entry of `message:`.
#[derive(Clone, Debug)]
pub struct FieldDecl {
    /// Its key.
    pub name: Spanned<String>,
    /// `doc:`.
    pub doc: Option<String>,
    /// The type, in the short form with its default.
    pub ty: Option<Spanned<String>>,
    /// `default:` of the long form.
    pub default: Option<Default>,
    /// What it was before.
    pub past: PastDecl,
}

/// `default:` of a column, or of a field in its long form.
#[derive(Clone, Debug)]
pub struct Default {
    /// As it stands in the YAML.
    pub node: Node,
}

/// An entry of `listeners:`.
#[derive(Clone, Debug)]
pub struct ListenerDecl {
    /// Its key.
    pub name: Spanned<String>,
    /// `doc:`.
    pub doc: Option<String>,
    /// `was:`.
    pub was: Option<Vec<Spanned<String>>>,
    /// `channel:`.
    pub channels: Vec<Spanned<String>>,
    /// `include_subchannels: true`.
    pub include_subchannels: Option<Spanned<bool>>,
    /// `events:`.
    pub events: Option<Vec<Spanned<String>>>,
    /// `group:`.
    pub group: Option<Spanned<String>>,
    /// `hold:`.
    pub hold: Option<Spanned<String>>,
    /// `receives:`.
    pub receives: Option<Spanned<String>>,
    /// `filter:`.
    pub filter: Vec<FilterDecl>,
    /// What `defaults` can say, too.
    pub attempts: AttemptsDecl,
}

/// How a listener is tried: keys of a listener, and of `defaults:`.
#[derive(Clone, Debug, std::default::Default)]
pub struct AttemptsDecl {
    /// `retry:`.
    pub retry: Option<RetryDecl>,
    /// `timeout:`.
    pub timeout: Option<Spanned<String>>,
}

/// `retry:`.
#[derive(Clone, Debug)]
pub struct RetryDecl {
    /// Its place.
    pub span: Span,
    /// `none`.
    pub none: bool,
    /// `max`.
    pub max: Option<Spanned<u32>>,
    /// `backoff`.
    pub backoff: Option<Spanned<String>>,
}

/// An entry of `filter:`.
#[derive(Clone, Debug)]
pub struct FilterDecl {
    /// `context.KEY`.
    pub key: Spanned<String>,
    /// The value.
    pub value: Spanned<String>,
}
