//! What a schema file says, with places. A part that was not readable is absent and has been reported.

use crate::diagnostic::Span;

use super::Node;

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub span: Span,
}

/// A whole file.
#[derive(Clone, Debug, std::default::Default)]
pub struct Document {
    /// `generate:`.
    pub generate: GenerateDecl,
    /// `defaults.delivery`.
    pub delivery: Option<Spanned<String>>,
    /// `models:`.
    pub models: Vec<ModelDecl>,
    /// `channels:`.
    pub channels: Vec<ChannelDecl>,
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
    /// `migrations: none`.
    pub no_migrations: bool,
    /// `migrations.dir`.
    pub migrations_dir: Option<Spanned<String>>,
    /// `migrations.tool`.
    pub migrations_tool: Option<Spanned<String>>,
    /// `migrations.version_table`.
    pub version_table: Option<Spanned<String>>,
    /// `migrations.lock_timeout`.
    pub lock_timeout: Option<Spanned<String>>,
    /// `listeners.stubs`.
    pub stubs: Option<Spanned<String>>,
    /// `postgres.schema`.
    pub storage_schema: Option<Spanned<String>>,
}

/// An entry of `models:`.
#[derive(Clone, Debug)]
pub struct ModelDecl {
    /// Its key.
    pub name: Spanned<String>,
    /// `doc:`.
    pub doc: Option<String>,
    /// `table:`.
    pub table: Option<Spanned<String>>,
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
    /// The type, with `?` and `pk`.
    pub ty: Option<Spanned<String>>,
    /// `column:`.
    pub column: Option<Spanned<String>>,
    /// `pk: true`.
    pub primary_key: bool,
}

/// An entry of `channels:`.
#[derive(Clone, Debug)]
pub struct ChannelDecl {
    /// Its key.
    pub name: Spanned<String>,
    /// `doc:`.
    pub doc: Option<String>,
    /// `delivery:`.
    pub delivery: Option<Spanned<String>>,
    /// `on:`.
    pub on: Option<Spanned<String>>,
    /// `before:`.
    pub before: Option<Vec<Spanned<String>>>,
    /// `after:`.
    pub after: Option<Vec<Spanned<String>>>,
    /// `message:`.
    pub message: Option<Vec<FieldDecl>>,
    /// `extends:`.
    pub extends: Option<Spanned<String>>,
    /// Something of it was not readable: what follows from its absence is not reported.
    pub broken: bool,
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
}

/// `default:` of the long form.
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
    /// `channel:`.
    pub channel: Option<Spanned<String>>,
    /// `events:`.
    pub events: Option<Vec<Spanned<String>>>,
    /// `group:`.
    pub group: Option<Spanned<String>>,
    /// `filter:`.
    pub filter: Vec<FilterDecl>,
}

/// An entry of `filter:`.
#[derive(Clone, Debug)]
pub struct FilterDecl {
    /// `context.KEY`.
    pub key: Spanned<String>,
    /// The value.
    pub value: Spanned<String>,
}
