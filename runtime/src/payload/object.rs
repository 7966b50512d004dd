//! A JSON object, read by key.

use serde_json::{Map, Value};

use super::{Decode, DecodeError};

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
}
