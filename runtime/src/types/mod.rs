//! Exact types of columns: every value of PostgreSQL's range has one value here.
//!
//! chrono and rust_decimal cover less (no infinities, no 24:00, fewer years, fewer digits), and a value that does not decode
//! would be a notification that is never delivered. Each type converts to the usual one and says `None` where that cannot
//! hold it. All of them can also be used as parameters and results of tokio-postgres.
//!
//! [`FromText`] reads the text that PostgreSQL writes of a value, [`ToText`] writes it.

mod any_text;
mod array;
mod bit;
mod bytes;
mod char;
mod civil;
mod convert;
mod date;
mod geometry;
mod hstore;
mod internal;
mod interval;
mod json;
pub(crate) mod literal;
mod mac;
mod money;
mod network;
mod numeric;
mod parse;
mod range;
mod text;
mod time;
mod time_tz;
mod timestamp;
pub(crate) mod wire;

pub use any_text::PgText;
pub use array::{Dimension, PgArray};
pub use bit::PgBit;
pub use bytes::PgBytes;
pub use char::PgChar;
pub use convert::OutOfRange;
pub use date::PgDate;
pub use geometry::{PgBox, PgCircle, PgLine, PgLseg, PgPath, PgPoint, PgPolygon};
pub use hstore::PgHstore;
pub use internal::{PgLsn, PgTid, PgXid, PgXid8};
pub use interval::PgInterval;
pub use json::PgJson;
pub use mac::{PgMacAddr, PgMacAddr8};
pub use money::PgMoney;
pub use network::{PgCidr, PgInet};
pub use numeric::PgNumeric;
pub use parse::ParseError;
pub use range::{PgMultirange, PgRange};
pub use text::{FromText, ToText};
pub use time::PgTime;
pub use time_tz::PgTimeTz;
pub use timestamp::{PgTimestamp, PgTimestampTz};
