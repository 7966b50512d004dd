//! Types of columns and of message fields.

use super::QualifiedName;
use super::builtin::Builtin;
use crate::diagnostic::Span;

/// PostgreSQL type of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PgType {
    /// One that PostgreSQL or a well-known extension brings.
    Builtin {
        /// Its row in the table.
        builtin: &'static Builtin,
        /// What stands in parentheses, with them, or nothing.
        modifier: String,
    },
    /// Index into [`Schema::types`](super::Schema::types).
    Declared(usize),
    /// `T[]`, of any number of dimensions; T is never an array.
    Array(Box<PgType>),
}

impl PgType {
    /// The type that the values have: what a domain is over.
    pub fn behind_domains<'t>(&'t self, types: &'t [DeclaredType]) -> &'t Self {
        match self {
            Self::Declared(index) => match &types[*index].kind {
                TypeKind::Domain(base) => base.behind_domains(types),
                _ => self,
            },
            _ => self,
        }
    }
}

/// A type of the user's database.
#[derive(Clone, Debug, PartialEq)]
pub struct DeclaredType {
    /// Key in the YAML.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// Documentation.
    pub doc: Option<String>,
    /// Name in the database.
    pub sql: QualifiedName,
    /// What it is.
    pub kind: TypeKind,
    /// The user's own Rust type, made of the usual one by `TryFrom`.
    pub rust: Option<String>,
    /// More derives and attributes for the Rust type.
    pub extra: Extra,
}

/// What a declared type is.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeKind {
    /// An enum with its labels, in order.
    Enum(Vec<Label>),
    /// A composite type with its attributes, in order.
    Composite(Vec<Attribute>),
    /// A domain over another type.
    Domain(PgType),
    /// Anything else: captured as its text.
    Opaque,
}

/// A label of an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// In the database.
    pub label: String,
    /// Variant in Rust.
    pub variant: String,
}

/// An attribute of a composite type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// In the database; the Rust field is made of it.
    pub name: String,
    /// Type.
    pub ty: PgType,
    /// `?` in the YAML.
    pub nullable: bool,
}

/// More derives and attributes for a Rust type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extra {
    /// Paths of derive macros.
    pub derives: Vec<String>,
    /// Attributes without `#[` and `]`.
    pub attributes: Vec<String>,
}

/// Type of a field of a message channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// `int`: i64.
    Int,
    /// `float`: f64.
    Float,
    /// `decimal`: `rust_decimal::Decimal`.
    Decimal,
    /// `bool`.
    Bool,
    /// `string`.
    String,
    /// `bytes`.
    Bytes,
    /// `date`: `chrono::NaiveDate`.
    Date,
    /// `time`: `chrono::NaiveTime`.
    Time,
    /// `datetime`: `chrono::DateTime<Utc>`.
    DateTime,
    /// `duration`: `chrono::TimeDelta`.
    Duration,
    /// `uuid`.
    Uuid,
    /// `json`: `serde_json::Value`.
    Json,
    /// An enum of `types`: index into [`Schema::types`](super::Schema::types).
    Enum(usize),
    /// `list<T>`.
    List(Box<FieldType>),
    /// `set<T>`; T can be a key.
    Set(Box<FieldType>),
    /// `map<K,V>`; K is an enum or one of int, decimal, bool, string, date, time, datetime, uuid.
    Map(Box<FieldType>, Box<FieldType>),
    /// `tuple<A,B,...>`, 1 to 12 members.
    Tuple(Vec<FieldType>),
    /// `T?`; never nested in itself.
    Optional(Box<FieldType>),
}
