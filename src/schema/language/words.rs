//! Words that values are made of.

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
