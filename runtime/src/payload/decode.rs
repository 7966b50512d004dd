//! JSON to Rust.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use super::{DecodeError, Key, text};
use crate::types::FromText as _;

/// A value that can be read from a payload.
pub trait Decode: Sized {
    /// # Errors
    /// The value does not fit.
    fn decode(value: &Value) -> Result<Self, DecodeError>;
}

/// Reads a value from its text; `what` names it in an error.
pub(crate) fn from_text<T: FromStr>(value: &Value, what: &str) -> Result<T, DecodeError> {
    let text = value
        .as_str()
        .ok_or_else(|| DecodeError::expected(what, value))?;
    text.parse().map_err(|_| DecodeError::expected(what, value))
}

macro_rules! decode_integer {
    ($($type:ty)*) => {$(
        impl Decode for $type {
            fn decode(value: &Value) -> Result<Self, DecodeError> {
                match value {
                    Value::Number(number) => number
                        .as_i64()
                        .and_then(|number| number.try_into().ok())
                        .or_else(|| number.as_u64().and_then(|number| number.try_into().ok())),
                    Value::String(text) => text.parse().ok(),
                    _ => None,
                }
                .ok_or_else(|| DecodeError::expected(concat!("an integer (", stringify!($type), ")"), value))
            }
        }
    )*};
}
decode_integer!(i16 i32 i64 u32 u64);

macro_rules! decode_float {
    ($($type:ty)*) => {$(
        impl Decode for $type {
            fn decode(value: &Value) -> Result<Self, DecodeError> {
                match value {
                    // By its text: rounding a number to f64 first would round an f32 twice.
                    Value::Number(number) => number.to_string().parse().ok(),
                    // NaN, Infinity and -Infinity are among the texts that Rust reads.
                    Value::String(text) => text.parse().ok(),
                    _ => None,
                }
                .ok_or_else(|| DecodeError::expected("a number", value))
            }
        }
    )*};
}
decode_float!(f32 f64);

macro_rules! decode_text {
    ($($type:ty: $what:literal)*) => {$(
        impl Decode for $type {
            fn decode(value: &Value) -> Result<Self, DecodeError> {
                from_text(value, $what)
            }
        }
    )*};
}
decode_text! {
    Uuid: "a uuid"
    NaiveDate: "a date like \"2026-01-31\""
    NaiveTime: "a time like \"12:34:56\""
    DateTime<Utc>: "a datetime like \"2026-01-31T12:34:56Z\""
}

impl Decode for bool {
    fn decode(value: &Value) -> Result<Self, DecodeError> {
        match value {
            Value::Bool(value) => Some(*value),
            Value::String(text) => Self::from_text(text).ok(),
            _ => None,
        }
        .ok_or_else(|| DecodeError::expected("true or false", value))
    }
}

impl Decode for String {
    fn decode(value: &Value) -> Result<Self, DecodeError> {
        value
            .as_str()
            .map(ToOwned::to_owned)
            .ok_or_else(|| DecodeError::expected("a string", value))
    }
}

impl Decode for Decimal {
    fn decode(value: &Value) -> Result<Self, DecodeError> {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(DecodeError::expected("a decimal", value)),
        };
        // `from_str` would round what has too many digits.
        Decimal::from_str_exact(&text)
            .map_err(|_| DecodeError::expected("a decimal of at most 28 digits", value))
    }
}

impl Decode for TimeDelta {
    fn decode(value: &Value) -> Result<Self, DecodeError> {
        let parsed = value.as_str().and_then(text::parse_duration);
        parsed.ok_or_else(|| DecodeError::expected("a duration like \"PT1.5S\"", value))
    }
}

impl Decode for Value {
    fn decode(value: &Value) -> Result<Self, DecodeError> {
        Ok(value.clone())
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(value: &Value) -> Result<Self, DecodeError> {
        if value.is_null() {
            Ok(None)
        } else {
            T::decode(value).map(Some)
        }
    }
}

fn elements<T: Decode, C: FromIterator<T>>(value: &Value) -> Result<C, DecodeError> {
    let elements = value
        .as_array()
        .ok_or_else(|| DecodeError::expected("an array", value))?;
    let decode = |(index, element)| {
        T::decode(element).map_err(|error: DecodeError| error.within(format!("{index}")))
    };
    elements.iter().enumerate().map(decode).collect()
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(value: &Value) -> Result<Self, DecodeError> {
        elements(value)
    }
}

impl<T: Decode + Ord> Decode for BTreeSet<T> {
    fn decode(value: &Value) -> Result<Self, DecodeError> {
        elements(value)
    }
}

impl<K: Key, V: Decode> Decode for BTreeMap<K, V> {
    fn decode(value: &Value) -> Result<Self, DecodeError> {
        let fields = value
            .as_object()
            .ok_or_else(|| DecodeError::expected("an object", value))?;
        let decode = |(key, value): (&String, &Value)| {
            let parsed = K::from_key(key)
                .ok_or_else(|| DecodeError::new(format!("the key is no {}", K::NAME)));
            let entry = parsed.and_then(|key| Ok((key, V::decode(value)?)));
            entry.map_err(|error| error.within(key))
        };
        fields.iter().map(decode).collect()
    }
}
