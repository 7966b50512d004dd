//! Values as earlier versions wrote them: under former names, of former types, or not at all.
//!
//! Generated code calls these where a version needs them, and the plain ones of [`Object`] everywhere else.

use std::fmt::Display;

use serde_json::Value;

use super::object::convert;
use super::{Decode, DecodeError, Object};

impl<'a> Object<'a> {
    /// The first of these keys that is there; `null` is there.
    pub(super) fn find<'k>(&self, keys: &[&'k str]) -> Option<(&'k str, &'a Value)> {
        keys.iter().find_map(|key| Some((*key, self.get(key)?)))
    }

    fn value<'k>(&self, keys: &[&'k str]) -> Result<(&'k str, &'a Value), DecodeError> {
        let absent =
            || DecodeError::new("is absent").within(keys.first().copied().unwrap_or_default());
        self.find(keys).ok_or_else(absent)
    }

    /// A value under one of several names.
    ///
    /// # Errors
    /// It is absent or does not decode.
    pub fn first<T: Decode>(&self, keys: &[&str]) -> Result<T, DecodeError> {
        let (key, value) = self.value(keys)?;
        T::decode(value).map_err(|error| error.within(key))
    }

    /// The same; `None` if it is absent or null.
    ///
    /// # Errors
    /// It is there and does not decode.
    pub fn nullable_first<T: Decode>(&self, keys: &[&str]) -> Result<Option<T>, DecodeError> {
        match self.find(keys) {
            Some((key, value)) => Option::decode(value).map_err(|error| error.within(key)),
            None => Ok(None),
        }
    }

    /// The same; a default, as its JSON text, if it is absent or null.
    ///
    /// # Errors
    /// It is there and does not decode, or the default does not.
    pub fn first_or<T: Decode>(&self, keys: &[&str], default: &str) -> Result<T, DecodeError> {
        match self.nullable_first(keys)? {
            Some(value) => Ok(value),
            None => default_value(keys, default),
        }
    }

    /// The same; the value of a function, if it is absent or null.
    ///
    /// # Errors
    /// It is there and does not decode.
    pub fn first_or_else<T: Decode>(
        &self,
        keys: &[&str],
        default: impl FnOnce() -> T,
    ) -> Result<T, DecodeError> {
        Ok(self.nullable_first(keys)?.unwrap_or_else(default))
    }

    /// The same; the value of a function, if it is absent: a null that was sent is decoded.
    ///
    /// # Errors
    /// It is there and does not decode.
    pub fn present_or<T: Decode>(
        &self,
        keys: &[&str],
        default: impl FnOnce() -> T,
    ) -> Result<T, DecodeError> {
        match self.find(keys) {
            Some((key, value)) => T::decode(value).map_err(|error| error.within(key)),
            None => Ok(default()),
        }
    }

    /// A column under one of several names, as another type than the exact one.
    ///
    /// # Errors
    /// It is absent, does not decode, or has no counterpart in the other type.
    pub fn first_as<Base, T>(&self, keys: &[&str]) -> Result<T, DecodeError>
    where
        Base: Decode,
        T: TryFrom<Base>,
        T::Error: Display,
    {
        let (key, value) = self.value(keys)?;
        let value = Base::decode(value).map_err(|error| error.within(key))?;
        convert(key, value)
    }

    /// The same; `None` if it is absent or null.
    ///
    /// # Errors
    /// It is there and does not decode, or has no counterpart in the other type.
    pub fn nullable_first_as<Base, T>(&self, keys: &[&str]) -> Result<Option<T>, DecodeError>
    where
        Base: Decode,
        T: TryFrom<Base>,
        T::Error: Display,
    {
        let key = self.find(keys).map_or("", |(key, _)| key);
        self.nullable_first::<Base>(keys)?
            .map(|value| convert(key, value))
            .transpose()
    }

    /// The same; a default, as its JSON text, if it is absent or null.
    ///
    /// # Errors
    /// It is there and does not decode, or has no counterpart in the other type; or the default does.
    pub fn first_as_or<Base, T>(&self, keys: &[&str], default: &str) -> Result<T, DecodeError>
    where
        Base: Decode,
        T: TryFrom<Base>,
        T::Error: Display,
    {
        let key = self.find(keys).map_or("", |(key, _)| key);
        let value: Base = self.first_or(keys, default)?;
        convert(key, value)
    }

    /// A value of a former type, converted by a function of the application.
    ///
    /// # Errors
    /// It is absent or null, does not decode as the former type, or the function refuses it.
    pub fn convert<Old, T, E>(
        &self,
        keys: &[&str],
        function: impl FnOnce(Old) -> Result<T, E>,
    ) -> Result<T, DecodeError>
    where
        Old: Decode,
        E: Display,
    {
        let (key, value) = self.value(keys)?;
        let value = Old::decode(value).map_err(|error| error.within(key))?;
        function(value).map_err(|error| DecodeError::new(error.to_string()).within(key))
    }

    /// The same; `None` if it is absent or null.
    ///
    /// # Errors
    /// It does not decode as the former type, or the function refuses it.
    pub fn nullable_convert<Old, T, E>(
        &self,
        keys: &[&str],
        function: impl FnOnce(Old) -> Result<T, E>,
    ) -> Result<Option<T>, DecodeError>
    where
        Old: Decode,
        E: Display,
    {
        match self.find(keys) {
            None | Some((_, Value::Null)) => Ok(None),
            Some(_) => self.convert(keys, function).map(Some),
        }
    }

    /// The same; a default of today's type, as its JSON text, if it is absent or null.
    ///
    /// # Errors
    /// It does not decode as the former type, or the function refuses it; or the default does not decode.
    pub fn convert_or<Old, T, E>(
        &self,
        keys: &[&str],
        function: impl FnOnce(Old) -> Result<T, E>,
        default: &str,
    ) -> Result<T, DecodeError>
    where
        Old: Decode,
        T: Decode,
        E: Display,
    {
        match self.nullable_convert(keys, function)? {
            Some(value) => Ok(value),
            None => default_value(keys, default),
        }
    }

    /// The same, where today's type is another than the exact one.
    ///
    /// # Errors
    /// It does not decode as the former type, or the function refuses it; or the default does not decode.
    pub fn convert_as_or<Old, Base, T, E>(
        &self,
        keys: &[&str],
        function: impl FnOnce(Old) -> Result<T, E>,
        default: &str,
    ) -> Result<T, DecodeError>
    where
        Old: Decode,
        Base: Decode,
        T: TryFrom<Base>,
        T::Error: Display,
        E: Display,
    {
        match self.nullable_convert(keys, function)? {
            Some(value) => Ok(value),
            None => convert(
                keys.first().copied().unwrap_or_default(),
                default_value::<Base>(keys, default)?,
            ),
        }
    }

    /// The same; the value of a function, if it is absent or null.
    ///
    /// # Errors
    /// It does not decode as the former type, or the function refuses it.
    pub fn convert_or_else<Old, T, E>(
        &self,
        keys: &[&str],
        function: impl FnOnce(Old) -> Result<T, E>,
        default: impl FnOnce() -> T,
    ) -> Result<T, DecodeError>
    where
        Old: Decode,
        E: Display,
    {
        Ok(self
            .nullable_convert(keys, function)?
            .unwrap_or_else(default))
    }
}

/// The generator has checked the default against the type, so an error here would be its own.
fn default_value<T: Decode>(keys: &[&str], default: &str) -> Result<T, DecodeError> {
    let within = |error: DecodeError| error.within(keys.first().copied().unwrap_or_default());
    let value: Value = serde_json::from_str(default)
        .map_err(|error| within(DecodeError::new(format!("the default is no JSON: {error}"))))?;
    T::decode(&value).map_err(within)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_found_under_a_former_name_or_has_its_default() {
        let value = json!({"old": 1, "null": null, "new": 2});
        let Ok(object) = Object::new(&value) else {
            panic!("an object")
        };
        assert_eq!(object.first(&["new", "old"]), Ok(2));
        assert_eq!(object.first(&["newer", "old"]), Ok(1));
        assert_eq!(object.nullable_first::<i64>(&["newer"]), Ok(None));
        assert_eq!(object.nullable_first::<i64>(&["null"]), Ok(None));
        assert_eq!(object.first_or(&["newer"], "5"), Ok(5));
        assert_eq!(object.first_or(&["null"], "5"), Ok(5));
        assert_eq!(object.first_or_else(&["null"], || 6), Ok(6));
        assert_eq!(object.first_as_or::<i32, i64>(&["null"], "7"), Ok(7));
        let absent = object.first::<i64>(&["newer", "newest"]);
        assert_eq!(
            absent.map_err(|error| error.to_string()),
            Err("the payload does not decode: newer: is absent".to_owned())
        );
    }

    #[test]
    fn a_value_of_a_former_type_is_converted() {
        let value = json!({"text": "12", "bad": "x", "null": null});
        let Ok(object) = Object::new(&value) else {
            panic!("an object")
        };
        let parse = |text: String| text.parse::<i64>();
        assert_eq!(object.convert(&["text"], parse), Ok(12));
        assert_eq!(object.nullable_convert(&["null"], parse), Ok(None));
        assert_eq!(object.convert_or(&["null"], parse, "1"), Ok(1));
        assert_eq!(object.convert_or(&["text"], parse, "1"), Ok(12));
        assert_eq!(
            object.convert_as_or::<_, i32, _, _>(&["null"], parse, "2"),
            Ok(2)
        );
        assert_eq!(object.convert_or_else(&["null"], parse, || 3), Ok(3));
        assert!(object.convert(&["null"], parse).is_err());
        let refused = object.convert(&["bad"], parse);
        assert_eq!(
            refused.map_err(|error| error.to_string()),
            Err("the payload does not decode: bad: invalid digit found in string".to_owned())
        );
    }
}
