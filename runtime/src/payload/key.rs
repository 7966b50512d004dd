//! Keys of a map: texts in JSON, typed in Rust.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::text;

/// A type whose values can be the keys of a map.
pub trait Key: Ord + Sized {
    /// What a key is, in an error.
    const NAME: &'static str;

    /// The key as text.
    fn to_key(&self) -> String;

    /// The key of a text, `None` if it is none.
    fn from_key(text: &str) -> Option<Self>;
}

macro_rules! key {
    ($($type:ty: $name:literal, |$key:ident| $text:expr;)*) => {$(
        impl Key for $type {
            const NAME: &'static str = $name;

            fn to_key(&self) -> String {
                let $key = self;
                $text
            }

            fn from_key(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )*};
}
key! {
    i64: "integer", |key| key.to_string();
    Decimal: "decimal", |key| key.to_string();
    bool: "boolean", |key| key.to_string();
    String: "string", |key| key.clone();
    NaiveDate: "date", |key| text::date(*key);
    NaiveTime: "time", |key| text::time(*key);
    DateTime<Utc>: "datetime", |key| text::datetime(*key);
    Uuid: "uuid", |key| key.to_string();
}
