//! Types of columns and of message fields.

/// PostgreSQL type of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PgType {
    /// `smallint`, `int2`.
    SmallInt,
    /// `integer`, `int`, `int4`.
    Integer,
    /// `bigint`, `int8`.
    BigInt,
    /// `numeric`, `decimal`, optionally `(precision, scale)`.
    Numeric(Option<(u16, i16)>),
    /// `real`, `float4`.
    Real,
    /// `double precision`, `float8`.
    DoublePrecision,
    /// `boolean`, `bool`.
    Boolean,
    /// `text`.
    Text,
    /// `varchar`, `character varying`, optionally `(n)`.
    VarChar(Option<u32>),
    /// `char`, `character`, optionally `(n)`.
    Char(Option<u32>),
    /// `uuid`.
    Uuid,
    /// `bytea`.
    Bytea,
    /// `date`.
    Date,
    /// `time`, `time without time zone`.
    Time,
    /// `timestamp`, `timestamp without time zone`.
    Timestamp,
    /// `timestamptz`, `timestamp with time zone`.
    TimestampTz,
    /// `interval`.
    Interval,
    /// `json`.
    Json,
    /// `jsonb`.
    Jsonb,
    /// `T[]`, one dimension; T is never an array.
    Array(Box<PgType>),
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
    /// `list<T>`.
    List(Box<FieldType>),
    /// `set<T>`; T can be a key.
    Set(Box<FieldType>),
    /// `map<K,V>`; K is one of int, decimal, bool, string, date, time, datetime, uuid.
    Map(Box<FieldType>, Box<FieldType>),
    /// `tuple<A,B,...>`, 1 to 12 members.
    Tuple(Vec<FieldType>),
    /// `T?`; never nested in itself.
    Optional(Box<FieldType>),
}
