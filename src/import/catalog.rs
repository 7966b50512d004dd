//! What the catalogs say, as plain values.

use std::collections::BTreeMap;

/// Tables and types of a database.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// By schema and name.
    pub tables: Vec<Table>,
    /// By number.
    pub types: BTreeMap<u32, TypeInfo>,
}

/// A relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Schema.
    pub schema: String,
    /// Name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Comment.
    pub doc: Option<String>,
    /// Whether it is a partition of another table.
    pub is_partition: bool,
    /// Whether an extension made it.
    pub of_extension: bool,
    /// In their order.
    pub columns: Vec<Column>,
}

/// What a relation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A table.
    Table,
    /// A partitioned table.
    Partitioned,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// A foreign table.
    Foreign,
}

/// A column, or an attribute of a composite type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Number of its type.
    pub ty: u32,
    /// The type as `format_type` prints it for an empty search path.
    pub type_text: String,
    /// Whether it is never null, itself or by its domain.
    pub not_null: bool,
    /// Whether it belongs to the primary key.
    pub primary_key: bool,
    /// `s` stored, `v` virtual, or a blank.
    pub generated: char,
    /// Comment.
    pub doc: Option<String>,
}

/// A type that is not PostgreSQL's own, or an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeInfo {
    /// Schema.
    pub schema: String,
    /// Name.
    pub name: String,
    /// `typtype`: base, composite, domain, enum, pseudo, range, multirange.
    pub kind: char,
    /// Comment.
    pub doc: Option<String>,
    /// Whether an extension made it.
    pub of_extension: bool,
    /// Element, if it is an array.
    pub element: Option<u32>,
    /// What a domain is over: number and text.
    pub base: Option<(u32, String)>,
    /// Labels of an enum, in order.
    pub labels: Vec<String>,
    /// Attributes of a composite type, in order.
    pub attributes: Vec<Column>,
}
