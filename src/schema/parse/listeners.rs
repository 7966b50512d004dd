//! `listeners:`.

use super::missing;
use crate::schema::document::{AttemptsDecl, FilterDecl, ListenerDecl, RetryDecl, Spanned};
use crate::schema::language;
use crate::schema::node::{Node, Value};
use crate::schema::reader::{Fields, Reader};

pub(super) fn listener(
    reader: &mut Reader<'_>,
    name: Spanned<String>,
    node: &Node,
) -> ListenerDecl {
    let what = format!("listener `{}`", name.value);
    let mut listener = ListenerDecl {
        name,
        doc: None,
        was: None,
        channels: Vec::new(),
        include_subchannels: None,
        events: None,
        group: None,
        hold: None,
        receives: None,
        filter: Vec::new(),
        attempts: AttemptsDecl::default(),
    };
    let Some(fields) = reader.fields(node, &what, &language::LISTENER) else {
        return listener;
    };
    listener.doc = reader.doc(&fields);
    listener.was = reader.optional_texts(&fields, "was");
    listener.channels = reader
        .optional_texts(&fields, "channel")
        .unwrap_or_default();
    listener.include_subchannels = reader.bool(&fields, "include_subchannels");
    listener.events = reader.optional_texts(&fields, "events");
    listener.group = reader.optional_text(&fields, "group");
    listener.hold = reader.word(&fields, "hold", language::HOLDS);
    listener.receives = reader.word(&fields, "receives", language::RECEIVES);
    if let Some(node) = fields.get("filter") {
        for (key, value) in reader.entries(node, "`filter`").unwrap_or_default() {
            if let Some(value) = reader.text(value, "the value of a filter") {
                listener.filter.push(FilterDecl { key, value });
            }
        }
    }
    listener.attempts = attempts(reader, &fields, &what);
    if fields.get("channel").is_none() && !fields.broken {
        missing(
            reader,
            &listener.name,
            "listener",
            "channel",
            "channel: author_created",
        );
    }
    listener
}

/// `retry:` and `timeout:`.
pub(super) fn attempts(reader: &mut Reader<'_>, fields: &Fields<'_>, what: &str) -> AttemptsDecl {
    AttemptsDecl {
        retry: fields
            .get("retry")
            .and_then(|node| retry(reader, node, what)),
        timeout: reader.optional_text(fields, "timeout"),
    }
}

fn retry(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<RetryDecl> {
    let what = format!("`retry` of {what}");
    let mut retry = RetryDecl {
        span: node.span.clone(),
        none: false,
        max: None,
        backoff: None,
    };
    match &node.value {
        Value::Text(word) if word == "none" => retry.none = true,
        Value::Mapping(_) => {
            let fields = reader.fields(node, &what, &language::RETRY)?;
            retry.max = reader.number(&fields, "max");
            retry.backoff = reader.optional_text(&fields, "backoff");
        }
        _ => {
            reader.wrong_kind(node, &what, "`none` or a mapping like `{max: 8}`");
            return None;
        }
    }
    Some(retry)
}
