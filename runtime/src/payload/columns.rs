//! The exact column types in a payload.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::decode::from_text;
use super::{Decode, DecodeError, Encode};
use crate::types::{
    PgBytes, PgDate, PgInterval, PgJson, PgNumeric, PgTime, PgTimestamp, PgTimestampTz,
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
        Ok(Self::from_text(text))
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
