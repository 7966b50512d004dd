//! Pairs of schemas, of a program of before and one of today, with what `pgpubsub-gen breaking` says of each.

pub use pgpubsub_runtime::Op;
pub use pgpubsub_runtime::tokio_postgres::Client;
pub use serde_json::Value;

use pgpubsub_runtime::generated::{BoxFuture, Catalog};

/// What publishing gives.
pub type Future<'a> = BoxFuture<'a, Result<(), String>>;

/// Generated code, by names.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// What it declares.
    pub catalog: Catalog,
    /// Its migration, behind that of the program before.
    pub up: &'static str,
    /// Decodes a notification as a listener gets it: listener, channel, operation, version, payload.
    pub decode: fn(&str, &str, Op, u32, &Value) -> Result<String, String>,
    /// Publishes a message: channel and payload.
    pub publish: for<'a> fn(&'a str, &'a Value, &'a Client) -> Future<'a>,
}

/// A change, and what it does.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// What changes.
    pub name: &'static str,
    /// A program before the old one.
    pub older: Option<Program>,
    /// The program of before.
    pub old: Program,
    /// The program of today.
    pub new: Program,
    /// What `breaking` says.
    pub findings: &'static [Finding],
    /// What it shall say: kind and verdicts in words.
    pub expected: &'static [&'static str],
    /// What old programs write, before the migration and after it.
    pub write: Option<&'static str>,
    /// What they write after it, if it is something else.
    pub again: Option<&'static str>,
    /// The user's own migration, before the generated one.
    pub before: Option<&'static str>,
    /// The same, behind it.
    pub after: Option<&'static str>,
    /// What new programs write.
    pub then: Option<&'static str>,
    /// Messages of old programs.
    pub publish: &'static [(&'static str, &'static str)],
    /// Messages of new programs.
    pub then_publish: &'static [(&'static str, &'static str)],
}

/// What `breaking` says of a change.
#[derive(Clone, Copy, Debug)]
pub struct Finding {
    /// Word of its kind.
    pub kind: &'static str,
    /// What has changed.
    pub what: &'static str,
    /// Of what waits, of old workers, of old publishers: the word and the reason.
    pub verdicts: [(&'static str, &'static str); 3],
    /// What to do.
    pub advice: &'static [&'static str],
}

/// A number in digits, as a change of a type may ask for.
///
/// # Errors
/// It is none.
pub fn number(text: String) -> Result<i64, std::num::ParseIntError> {
    text.parse()
}

include!(concat!(env!("OUT_DIR"), "/cases.rs"));
