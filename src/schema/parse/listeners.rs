//! `listeners:`.

use super::missing;
use crate::schema::document::{FilterDecl, ListenerDecl, Spanned};
use crate::schema::language;
use crate::schema::node::Node;
use crate::schema::reader::Reader;

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
        filter: Vec::new(),
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
    if let Some(node) = fields.get("filter") {
        for (key, value) in reader.entries(node, "`filter`").unwrap_or_default() {
            if let Some(value) = reader.text(value, "the value of a filter") {
                listener.filter.push(FilterDecl { key, value });
            }
        }
    }
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
