//! What a sender may say of one message, as a type.

use std::time::Duration;

use serde::Serialize;

use crate::model::{Channel, MessageOptions};

use super::ident::{rust_literal, rust_type};

/// A type that has what the channel declares, and nothing else.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RustOptions {
    /// Type.
    pub ty: String,
    /// Documentation.
    pub doc: Vec<String>,
    /// Its methods.
    pub methods: Vec<RustOption>,
    /// Statement that publishes, as a literal.
    pub statement: String,
}

/// A method that says one thing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RustOption {
    /// Name.
    pub name: &'static str,
    /// Type of its argument.
    pub ty: &'static str,
    /// Name of its argument.
    pub argument: &'static str,
    /// Documentation.
    pub doc: Vec<String>,
}

/// What it is called.
pub(super) fn type_name(channel: &str) -> String {
    rust_type(&format!("{channel}_options"))
}

/// None if senders cannot say anything; `function` is that of the channel, quoted.
pub(super) fn plan(
    channel: &Channel,
    options: &MessageOptions,
    function: &str,
    version: u32,
) -> Option<RustOptions> {
    if !options.are_said() {
        return None;
    }
    let mut methods = Vec::new();
    let when = "impl Into<runtime::When>";
    if options.notify_at {
        methods.push(RustOption {
            name: "notify_at",
            ty: when,
            argument: "when",
            doc: vec![
                "When it is due: a time, or a pause from now on, by the clock of the database."
                    .to_owned(),
            ],
        });
    }
    if let Some(expires) = &options.expires {
        let mut doc = vec![
            "Until when it is worth delivering: a time, or a while from now on, by the clock of the database."
                .to_owned(),
        ];
        if let Some(default) = expires.default {
            doc.push(format!("Default: {} from now on.", said(default)));
        }
        methods.push(RustOption {
            name: "expires",
            ty: when,
            argument: "when",
            doc,
        });
    }
    if options.priority {
        methods.push(RustOption {
            name: "priority",
            ty: "runtime::Priority",
            argument: "priority",
            doc: vec!["How urgent it is.".to_owned()],
        });
    }
    Some(RustOptions {
        ty: type_name(&channel.name),
        doc: vec![format!(
            "What a sender may say of one message of the channel `{}`.",
            channel.name
        )],
        methods,
        statement: rust_literal(&format!(
            "SELECT {function}($1, {version}, $2::pg_catalog.text::pg_catalog.json)"
        )),
    })
}

/// As it is written in a schema.
fn said(time: Duration) -> String {
    let milliseconds = time.as_millis();
    let units = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1_000, "s"),
    ];
    units
        .into_iter()
        .find(|(unit, _)| milliseconds.is_multiple_of(*unit))
        .map_or_else(
            || format!("{milliseconds}ms"),
            |(unit, name)| format!("{}{name}", milliseconds / unit),
        )
}
