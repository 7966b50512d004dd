//! `hstore`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::parse::{Cursor, ParseError};

/// An `hstore`: texts by key, any of which may be NULL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PgHstore(pub BTreeMap<String, Option<String>>);

fn parse(text: &str) -> Option<BTreeMap<String, Option<String>>> {
    let mut cursor = Cursor::new(text);
    let mut pairs = BTreeMap::new();
    while !cursor.is_at_end() {
        if !pairs.is_empty() && !cursor.tag(", ") {
            return None;
        }
        let key = cursor.quoted(false)?;
        if !cursor.tag("=>") {
            return None;
        }
        let value = if cursor.tag("NULL") {
            None
        } else {
            Some(cursor.quoted(false)?)
        };
        if pairs.insert(key, value).is_some() {
            return None;
        }
    }
    Some(pairs)
}

impl FromStr for PgHstore {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse(text)
            .map(Self)
            .ok_or_else(|| ParseError::new("hstore", text))
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

impl fmt::Display for PgHstore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut pairs: Vec<_> = self.0.iter().collect();
        // The order of PostgreSQL: shorter keys come first.
        pairs.sort_by_key(|(key, _)| key.len());
        for (index, (key, value)) in pairs.into_iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            let value = value.as_deref().map_or_else(|| "NULL".into(), quoted);
            write!(f, "{comma}{}=>{value}", quoted(key))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_and_written_again() {
        for text in [
            "",
            r#""k"=>"v", "n"=>NULL, "aa"=>"NULL""#,
            r#"""=>"", "\"\\"=>"=>, é""#,
        ] {
            let value = text.parse::<PgHstore>().map(|value| value.to_string());
            assert_eq!(value.as_deref(), Ok(text));
        }
        for text in [
            "k=>v",
            "\"k\"",
            "\"k\"=>",
            "\"k\"=>v",
            "\"k\"=>\"v",
            "\"k\"=>\"v\",",
            "\"k\"=>\"v\", ",
            "\"k\"=>\"v\"\"l\"=>\"w\"",
            "\"k\"=>\"v\", \"k\"=>\"w\"",
        ] {
            assert!(text.parse::<PgHstore>().is_err(), "{text}");
        }
    }
}
