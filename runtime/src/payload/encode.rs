//! Rust to JSON.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde_json::{Map, Number, Value};
use uuid::Uuid;

use super::{Key, text};

/// A value that can be written to a payload; [`Decode`](super::Decode) reads it back as it was.
pub trait Encode {
    /// The value in JSON.
    fn encode(&self) -> Value;
}

/// Builds an object, field by field.
#[derive(Debug, Default)]
pub struct ObjectBuilder {
    fields: Map<String, Value>,
}

impl ObjectBuilder {
    /// An empty object.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field.
    pub fn field(&mut self, key: &str, value: &impl Encode) {
        self.fields.insert(key.to_owned(), value.encode());
    }

    /// The object.
    pub fn finish(self) -> Value {
        Value::Object(self.fields)
    }
}

macro_rules! encode {
    ($($type:ty: |$value:ident| $json:expr;)*) => {$(
        impl Encode for $type {
            fn encode(&self) -> Value {
                let $value = self;
                $json
            }
        }
    )*};
}
encode! {
    i64: |value| Value::from(*value);
    f64: |value| match Number::from_f64(*value) {
        Some(number) => Value::Number(number),
        None if value.is_nan() => Value::from("NaN"),
        None if *value > 0.0 => Value::from("Infinity"),
        None => Value::from("-Infinity"),
    };
    Decimal: |value| Value::from(value.to_string());
    bool: |value| Value::from(*value);
    String: |value| Value::from(value.as_str());
    NaiveDate: |value| Value::from(text::date(*value));
    NaiveTime: |value| Value::from(text::time(*value));
    DateTime<Utc>: |value| Value::from(text::datetime(*value));
    TimeDelta: |value| Value::from(text::duration(*value));
    Uuid: |value| Value::from(value.to_string());
    Value: |value| value.clone();
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self) -> Value {
        self.as_ref().map_or(Value::Null, Encode::encode)
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn encode(&self) -> Value {
        self.iter().map(Encode::encode).collect()
    }
}

impl<T: Encode> Encode for BTreeSet<T> {
    fn encode(&self) -> Value {
        self.iter().map(Encode::encode).collect()
    }
}

impl<K: Key, V: Encode> Encode for BTreeMap<K, V> {
    fn encode(&self) -> Value {
        self.iter()
            .map(|(key, value)| (key.to_key(), value.encode()))
            .collect()
    }
}
