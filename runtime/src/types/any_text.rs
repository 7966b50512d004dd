//! A value of any type, as its text.

use std::convert::Infallible;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

/// A value as PostgreSQL prints it, for types without a type of their own here: `xml`, `tsvector`, `jsonpath`, `cube`,
/// `vector`, `geometry`, …
///
/// As a parameter it is sent as text, so that it can be of any type of PostgreSQL. A result is read only from types whose
/// binary form is their text: cast others, `value::text`.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PgText(pub String);

impl Deref for PgText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<String> for PgText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for PgText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<PgText> for String {
    fn from(text: PgText) -> Self {
        text.0
    }
}

impl FromStr for PgText {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

impl fmt::Display for PgText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PgText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
