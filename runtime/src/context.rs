//! Key/values of a writer's transaction.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;

use crate::Error;
use crate::generated::Channel;

/// Key/values that a writer sets for its transaction and that each notification of it carries.
///
/// On the way it is text and nothing casts it, so a value that is no JSON object fails no write; it is then visible
/// through [`Context::raw`] only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    raw: Option<String>,
}

/// The text of a context is not what was asked for.
#[derive(Debug, thiserror::Error)]
#[error("the context is not of the expected form: {0}")]
pub struct ContextError(#[source] serde_json::Error);

impl Context {
    /// A context without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// The context with one more key, or another value for it.
    #[must_use]
    pub fn with(self, key: impl Into<String>, value: impl Into<String>) -> Self {
        let mut pairs: BTreeMap<String, Value> = self.object().unwrap_or_default();
        pairs.insert(key.into(), Value::String(value.into()));
        Self {
            raw: Some(Value::Object(pairs.into_iter().collect()).to_string()),
        }
    }

    /// Value of a key; the JSON text of a value that is no string. `None` if there is no such key or no JSON object.
    pub fn get(&self, key: &str) -> Option<String> {
        self.object()?.remove(key).map(|value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        })
    }

    /// The text as the writer set it; `None` if it set none.
    pub fn raw(&self) -> Option<&str> {
        self.raw.as_deref()
    }

    /// The whole context as a type of the application; `None` if the writer set none.
    ///
    /// # Errors
    /// The text is not JSON of that type.
    pub fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<Option<T>, ContextError> {
        self.raw
            .as_deref()
            .map(serde_json::from_str)
            .transpose()
            .map_err(ContextError)
    }

    pub(crate) fn from_raw(raw: Option<String>) -> Self {
        Self { raw }
    }

    /// Whether all pairs of a filter are there, as text values.
    pub(crate) fn contains(&self, filter: &[(String, String)]) -> bool {
        if filter.is_empty() {
            return true;
        }
        let Some(pairs) = self.object() else {
            return false;
        };
        filter
            .iter()
            .all(|(key, value)| pairs.get(key).and_then(Value::as_str) == Some(value.as_str()))
    }

    fn object(&self) -> Option<BTreeMap<String, Value>> {
        serde_json::from_str(self.raw.as_deref()?).ok()
    }
}

/// Sets the context for the rest of a transaction; it ends with it, so a pooled session leaks nothing.
///
/// # Errors
/// The statement failed, for instance because the connection is gone.
pub async fn set_context(transaction: &Transaction<'_>, context: &Context) -> Result<(), Error> {
    let text = context.raw().unwrap_or_default();
    transaction
        .execute_typed(
            "SELECT pg_catalog.set_config('pgpubsub.context', $1, true)",
            &[(&text, Type::TEXT)],
        )
        .await
        .map_err(|error| Error::postgres("set the context of the transaction", error))?;
    Ok(())
}

/// Switches channels off for the rest of a transaction: what it writes from now on is not captured by those that say
/// `ignorable: true`; the others go on. Replaces what an earlier call has switched off.
///
/// # Errors
/// The statement failed, for instance because the connection is gone.
pub async fn ignore(transaction: &Transaction<'_>, channels: &[Channel]) -> Result<(), Error> {
    let names: Vec<&str> = channels.iter().map(|channel| channel.name).collect();
    transaction
        .execute_typed(
            "SELECT pg_catalog.set_config('pgpubsub.ignore', $1, true)",
            &[(&names.join(","), Type::TEXT)],
        )
        .await
        .map_err(|error| Error::postgres("switch channels off for the transaction", error))?;
    Ok(())
}
