//! `json` and `jsonb`.

use std::fmt;

/// A `json` or `jsonb` value as PostgreSQL prints it: for `json` the very text that was written, with its duplicate keys
/// and escapes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PgJson(String);

impl PgJson {
    /// From a text; whether it is JSON is for PostgreSQL to say when it is used as a parameter.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value as a type of the application.
    ///
    /// # Errors
    /// The text is not JSON of that type. PostgreSQL's `json` allows more than serde_json reads, for instance `1e1000000`.
    pub fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.0)
    }
}

impl fmt::Display for PgJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<serde_json::Value> for PgJson {
    fn from(value: serde_json::Value) -> Self {
        Self(value.to_string())
    }
}
