//! A JSON object, read by key.

use std::fmt::Display;

use serde_json::{Map, Value};

use super::{Decode, DecodeError};
use crate::generated::Row;

/// An object whose fields are decoded one by one; unknown keys are ignored, so that a newer writer may add some.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    fields: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    /// # Errors
    /// The value is no object.
    pub fn new(value: &'a Value) -> Result<Self, DecodeError> {
        value
            .as_object()
            .map(|fields| Self { fields })
            .ok_or_else(|| DecodeError::expected("an object", value))
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.fields.get(key)
    }

    /// A field that must be there; `null` is there.
    ///
    /// # Errors
    /// It is absent or does not decode.
    pub fn field<T: Decode>(&self, key: &str) -> Result<T, DecodeError> {
        match self.fields.get(key) {
            Some(value) => T::decode(value).map_err(|error| error.within(key)),
            None => Err(DecodeError::new("is absent").within(key)),
        }
    }

    /// A field with a default for when it is absent.
    ///
    /// # Errors
    /// It is there and does not decode.
    pub fn field_or<T: Decode>(
        &self,
        key: &str,
        default: impl FnOnce() -> T,
    ) -> Result<T, DecodeError> {
        match self.fields.get(key) {
            Some(value) => T::decode(value).map_err(|error| error.within(key)),
            None => Ok(default()),
        }
    }

    /// Whether a field is absent or null.
    pub fn is_null(&self, key: &str) -> bool {
        self.fields.get(key).is_none_or(Value::is_null)
    }

    /// A row image.
    ///
    /// # Errors
    /// It is absent or does not decode.
    pub fn row<T: Row>(&self, key: &str, version: u32) -> Result<T, DecodeError> {
        match self.fields.get(key) {
            Some(value) => T::decode_row(value, version).map_err(|error| error.within(key)),
            None => Err(DecodeError::new("is absent").within(key)),
        }
    }

    /// A row image that some version did not send: then it is one without any column.
    ///
    /// # Errors
    /// It does not decode.
    pub fn row_or_empty<T: Row>(&self, key: &str, version: u32) -> Result<T, DecodeError> {
        match self.fields.get(key) {
            Some(_) => self.row(key, version),
            None => T::decode_row(&Value::Object(Map::new()), version)
                .map_err(|error| error.within(key)),
        }
    }

    /// The row that this one extends, under the name of its model or a former one; `None` if it is null or absent.
    ///
    /// # Errors
    /// It is there and does not decode.
    pub fn parent<T: Row>(&self, keys: &[&str], version: u32) -> Result<Option<T>, DecodeError> {
        match self.find(keys) {
            Some((_, Value::Null)) | None => Ok(None),
            Some((key, _)) => self.row(key, version).map(Some),
        }
    }

    /// A column that must be there, as another type than the exact one: `Base` is what the column holds, `T` what the
    /// application asked for.
    ///
    /// # Errors
    /// It is absent, does not decode, or has no counterpart in the other type.
    pub fn column_as<Base, T>(&self, key: &str) -> Result<T, DecodeError>
    where
        Base: Decode,
        T: TryFrom<Base>,
        T::Error: Display,
    {
        self.field::<Base>(key)
            .and_then(|value| convert(key, value))
    }

    /// As [`Object::column_as`]; `null` is `None`.
    ///
    /// # Errors
    /// It is absent, does not decode, or has no counterpart in the other type.
    pub fn nullable_column_as<Base, T>(&self, key: &str) -> Result<Option<T>, DecodeError>
    where
        Base: Decode,
        T: TryFrom<Base>,
        T::Error: Display,
    {
        self.field::<Option<Base>>(key)?
            .map(|value| convert(key, value))
            .transpose()
    }
}

pub(super) fn convert<Base, T>(key: &str, value: Base) -> Result<T, DecodeError>
where
    T: TryFrom<Base>,
    T::Error: Display,
{
    T::try_from(value).map_err(|error| DecodeError::new(error.to_string()).within(key))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use serde_json::json;

    use super::*;
    use crate::types::{PgArray, PgText, PgTimestampTz};

    #[test]
    fn a_column_becomes_the_type_that_was_asked_for() {
        let value = json!({
            "at": "2000-01-01 00:00:00+00",
            "never": "infinity",
            "none": null,
            "numbers": "{1,NULL}",
            "text": "<a/>",
            "flag": "t",
        });
        let Ok(object) = Object::new(&value) else {
            panic!("an object")
        };
        assert!(
            object
                .column_as::<PgTimestampTz, DateTime<Utc>>("at")
                .is_ok()
        );
        let error = object.column_as::<PgTimestampTz, DateTime<Utc>>("never");
        assert_eq!(
            error.map_err(|error| error.to_string()),
            Err(
                "the payload does not decode: never: infinity does not fit into chrono::DateTime"
                    .into()
            )
        );
        assert_eq!(
            object.nullable_column_as::<PgTimestampTz, DateTime<Utc>>("none"),
            Ok(None)
        );
        assert!(
            object
                .nullable_column_as::<PgTimestampTz, DateTime<Utc>>("absent")
                .is_err()
        );
        assert_eq!(
            object.column_as::<PgArray<i32>, Vec<Option<i32>>>("numbers"),
            Ok(vec![Some(1), None])
        );
        assert!(
            object
                .column_as::<PgArray<i32>, Vec<i32>>("numbers")
                .is_err()
        );
        assert_eq!(
            object.column_as::<PgText, String>("text"),
            Ok("<a/>".to_owned())
        );
        assert_eq!(object.field("flag"), Ok(true));
        assert!(object.field::<PgArray<bool>>("numbers").is_err());
    }
}
