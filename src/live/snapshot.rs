//! What is in a database: the catalogs, as values.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::QualifiedName;

/// What a look at a database found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    /// The storage schema; `None`: there is none.
    pub storage: Option<Storage>,
    /// Functions in the storage schema.
    pub functions: Vec<Function>,
    /// Triggers that call one of those, or have a name of ours.
    pub triggers: Vec<Trigger>,
    /// Tables of the models that are there.
    pub tables: BTreeMap<QualifiedName, Table>,
    /// Declared types that are there.
    pub types: BTreeMap<QualifiedName, Type>,
    /// What was tried, beside reading.
    pub trials: Trials,
    /// What the one who reads should know.
    pub notes: Vec<String>,
}

/// The storage schema.
#[derive(Clone, Debug, Default)]
pub(crate) struct Storage {
    /// Whether everybody may reach what is in it.
    pub usage_public: bool,
    /// Its tables with their columns and the types of those.
    pub tables: BTreeMap<String, BTreeMap<String, String>>,
    /// Names of its indexes, of those that can be used.
    pub indexes: BTreeSet<String>,
    /// Storage parameters of the table of notifications that are set; those of its long values begin with `toast.`.
    pub settings: BTreeMap<String, String>,
    /// Owner of the table of notifications.
    pub owner: String,
    /// What could be read of its tables; `None`: this role may not.
    pub content: Option<Content>,
}

/// What the tables of the storage hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    /// Format of the storage.
    pub version: Option<i32>,
    /// The registry: listener and channel, with group and operations.
    pub listeners: BTreeMap<(String, String), (String, Vec<String>)>,
    /// Schedules: by channel, the columns that say what it is, as text.
    pub schedules: BTreeMap<String, BTreeMap<&'static str, Option<String>>>,
    /// Notifications that wait: channel, version, number.
    pub waiting: Vec<(String, i32, i64)>,
}

/// A function.
#[derive(Clone, Debug, Default)]
pub(crate) struct Function {
    /// Name.
    pub name: String,
    /// Types of its arguments, without schema.
    pub arguments: Vec<String>,
    /// Names of its arguments.
    pub argument_names: Vec<String>,
    /// Defaults of its last arguments, as PostgreSQL prints them.
    pub defaults: String,
    /// Type of its result, without schema.
    pub returns: String,
    /// Its language.
    pub language: String,
    /// `i`, `s` or `v`.
    pub volatility: String,
    /// SECURITY DEFINER.
    pub definer: bool,
    /// `name=value`.
    pub settings: Vec<String>,
    /// Its body.
    pub body: String,
    /// Whether everybody may call it.
    pub public: bool,
    /// `COMMENT ON`.
    pub comment: Option<String>,
    /// Its owner, quoted.
    pub owner: String,
    /// Whether that one may store notifications.
    pub owner_may_store: bool,
}

/// A trigger.
#[derive(Clone, Debug)]
pub(crate) struct Trigger {
    /// The table.
    pub table: QualifiedName,
    /// Name.
    pub name: String,
    /// Schema and name of its function.
    pub function: (String, String),
    /// `O`, `D`, `A` or `R`.
    pub enabled: String,
    /// Its definition, without table and function; `None`: the table is locked.
    pub definition: Option<String>,
    /// Whether it is a constraint trigger.
    pub constraint: bool,
    /// `COMMENT ON`.
    pub comment: Option<String>,
    /// Partitions (quoted) on which it is switched off.
    pub disabled_partitions: Vec<String>,
}

/// A relation that a model is of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// `relkind`.
    pub kind: String,
    /// Its columns.
    pub columns: BTreeMap<String, Column>,
    /// Columns of the primary key.
    pub primary_key: BTreeSet<String>,
}

/// A type that is none of PostgreSQL's own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Type {
    /// `typtype`.
    pub kind: String,
    /// Of an enum, in order.
    pub labels: Vec<String>,
    /// Of a composite type: names, in order.
    pub attributes: Vec<String>,
    /// Their types, as PostgreSQL prints them.
    pub attribute_types: Vec<String>,
    /// What a domain is over, as PostgreSQL prints it.
    pub base: Option<String>,
}

/// A column.
#[derive(Clone, Debug, Default)]
pub(crate) struct Column {
    /// As PostgreSQL prints it.
    pub type_text: String,
    /// Whether it cannot be null.
    pub not_null: bool,
}

/// What was tried in a transaction that was rolled back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trials {
    /// For each trigger of the plan: what its definition looks like, or what PostgreSQL says to it. Empty or `None`: not tried.
    pub triggers: Vec<Option<Result<String, String>>>,
    /// Functions of the plan that would fail, with what PostgreSQL says.
    pub functions: Vec<(usize, String)>,
    /// Functions of the plan whose owner lacks rights, with which.
    pub rights: Vec<(usize, String)>,
}
