//! Exact types of columns: every value of PostgreSQL's range has one value here.
//!
//! chrono and rust_decimal cover less (no infinities, no 24:00, fewer years, fewer digits), and a value that does not decode
//! would be a notification that is never delivered. Each type converts to the usual one and says `None` where that cannot
//! hold it. All of them can also be used as parameters and results of tokio-postgres.

mod bytes;
mod civil;
mod date;
mod interval;
mod json;
mod numeric;
mod parse;
mod time;
mod timestamp;
mod wire;

pub use bytes::PgBytes;
pub use date::PgDate;
pub use interval::PgInterval;
pub use json::PgJson;
pub use numeric::PgNumeric;
pub use parse::ParseError;
pub use time::PgTime;
pub use timestamp::{PgTimestamp, PgTimestampTz};
