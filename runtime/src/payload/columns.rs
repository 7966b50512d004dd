//! The exact column types in a payload.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::decode::from_text;
use super::{Decode, DecodeError, Encode};
use crate::types::{
    FromText, PgArray, PgBit, PgBox, PgBytes, PgChar, PgCidr, PgCircle, PgDate, PgHstore, PgInet,
    PgInterval, PgJson, PgLine, PgLseg, PgLsn, PgMacAddr, PgMacAddr8, PgMoney, PgMultirange,
    PgNumeric, PgPath, PgPoint, PgPolygon, PgRange, PgText, PgTid, PgTime, PgTimeTz, PgTimestamp,
    PgTimestampTz, PgXid, PgXid8,
};

macro_rules! column {
    ($($type:ty: $what:literal)*) => {$(
        impl Decode for $type {
            fn decode(value: &Value) -> Result<Self, DecodeError> {
                from_text(value, $what)
            }
        }
    )*};
}
column! {
    PgDate: "a date"
    PgTime: "a time"
    PgTimestamp: "a timestamp"
    PgTimestampTz: "a timestamptz"
    PgInterval: "an interval in ISO 8601"
    PgTimeTz: "a timetz"
    PgMoney: "an amount like \"$1,234.56\""
    PgChar: "a \"char\""
    PgBit: "a bit string"
    PgInet: "an inet"
    PgCidr: "a cidr"
    PgMacAddr: "a macaddr"
    PgMacAddr8: "a macaddr8"
    PgLsn: "a pg_lsn"
    PgTid: "a tid"
    PgPoint: "a point"
    PgLine: "a line"
    PgLseg: "an lseg"
    PgBox: "a box"
    PgPath: "a path"
    PgPolygon: "a polygon"
    PgCircle: "a circle"
    PgHstore: "an hstore"
    PgText: "a text"
}

/// A number in either spelling.
macro_rules! number {
    ($($type:ident: $what:literal)*) => {$(
        impl Decode for $type {
            fn decode(value: &Value) -> Result<Self, DecodeError> {
                Decode::decode(value)
                    .map($type)
                    .map_err(|_| DecodeError::expected($what, value))
            }
        }
    )*};
}
number! {
    PgXid: "an xid"
    PgXid8: "an xid8"
}

/// Reads a value from PostgreSQL's text of it.
///
/// # Errors
/// The value is no string, or its text is no value of the type: then the error names the part that is not.
pub(crate) fn from_column_text<T: FromText>(value: &Value, what: &str) -> Result<T, DecodeError> {
    let text = value
        .as_str()
        .ok_or_else(|| DecodeError::expected(what, value))?;
    T::from_text(text).map_err(|error| DecodeError::new(error.to_string()))
}

impl<T: FromText> Decode for PgArray<T> {
    fn decode(value: &Value) -> Result<Self, DecodeError> {
        from_column_text(value, "an array as text")
    }
}

impl<T: FromText> Decode for PgRange<T> {
    fn decode(value: &Value) -> Result<Self, DecodeError> {
        from_column_text(value, "a range")
    }
}

impl<T: FromText> Decode for PgMultirange<T> {
    fn decode(value: &Value) -> Result<Self, DecodeError> {
        from_column_text(value, "a multirange")
    }
}

impl Decode for PgNumeric {
    fn decode(value: &Value) -> Result<Self, DecodeError> {
        match value {
            Value::Number(number) => number
                .to_string()
                .parse()
                .map_err(|_| DecodeError::expected("a numeric", value)),
            _ => from_text(value, "a numeric"),
        }
    }
}

impl Decode for PgJson {
    fn decode(value: &Value) -> Result<Self, DecodeError> {
        let text = value
            .as_str()
            .ok_or_else(|| DecodeError::expected("JSON as text", value))?;
        Ok(Self::new(text))
    }
}

impl Decode for PgBytes {
    /// A column is in PostgreSQL's hexadecimal form, a field of a message in base64, which never begins with a backslash.
    fn decode(value: &Value) -> Result<Self, DecodeError> {
        let text = value
            .as_str()
            .ok_or_else(|| DecodeError::expected("bytes", value))?;
        let bytes = match text.strip_prefix("\\x") {
            Some(digits) => Self::from_hex(digits),
            None => STANDARD.decode(text).ok().map(Self),
        };
        bytes.ok_or_else(|| DecodeError::expected("bytes", value))
    }
}

impl Encode for PgBytes {
    fn encode(&self) -> Value {
        Value::from(STANDARD.encode(&self.0))
    }
}
