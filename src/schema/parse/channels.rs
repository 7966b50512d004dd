//! `channels:`.

use super::message_options::message_options;
use super::schedule::schedule;
use super::{extra, missing, past, settings};
use crate::schema::document::{
    ChangedDecl, ChannelDecl, Default, DefaultsDecl, EventDecl, ExtraDecl, FieldDecl,
    MessageOptionsDecl, PastDecl, PayloadDecl, Spanned,
};
use crate::schema::language;
use crate::schema::node::{Node, Value};
use crate::schema::reader::{Fields, Reader};

pub(super) fn channel(reader: &mut Reader<'_>, name: Spanned<String>, node: &Node) -> ChannelDecl {
    let what = format!("channel `{}`", name.value);
    let mut channel = ChannelDecl {
        name,
        doc: None,
        settings: DefaultsDecl::default(),
        was: None,
        oldest: None,
        on: None,
        key: None,
        order: None,
        retain: None,
        before: None,
        after: None,
        changed: None,
        when: Vec::new(),
        payload: None,
        deferred: None,
        trigger: None,
        condition_in: None,
        message: None,
        extends: None,
        options: MessageOptionsDecl::default(),
        schedule: None,
        extra: ExtraDecl::default(),
        keys: Vec::new(),
        broken: true,
    };
    let before = reader.diagnostics.len();
    let Some(fields) = reader.fields(node, &what, &language::CHANNEL) else {
        return channel;
    };
    channel.keys = fields.keys();
    channel.doc = reader.doc(&fields);
    channel.settings = settings(reader, &fields);
    channel.was = reader.optional_texts(&fields, "was");
    channel.oldest = reader.number(&fields, "oldest");
    channel.on = reader.optional_text(&fields, "on");
    channel.extends = reader.optional_text(&fields, "extends");
    channel.key = reader.optional_texts(&fields, "key");
    channel.order = reader.word(&fields, "order", language::ORDERS);
    channel.retain = reader.optional_text(&fields, "retain");
    channel.before = events(reader, &fields, "before");
    channel.after = events(reader, &fields, "after");
    channel.changed = fields.get("changed").and_then(|node| changed(reader, node));
    channel.when = fields
        .get("when")
        .map(|node| when(reader, node))
        .unwrap_or_default();
    channel.payload = fields.get("payload").and_then(|node| payload(reader, node));
    channel.deferred = reader.bool(&fields, "deferred");
    channel.condition_in = reader.word(&fields, "condition_in", language::CONDITION_IN);
    channel.trigger = reader.word(&fields, "trigger", language::TRIGGERS);
    channel.options = message_options(reader, &fields);
    channel.schedule = schedule(reader, &fields);
    channel.extra = extra(reader, &fields);
    if let Some(node) = fields.get("message") {
        let entries = reader.entries(node, &format!("`message` of {what}"));
        channel.message = entries.map(|entries| {
            entries
                .into_iter()
                .map(|(name, node)| field(reader, name, node))
                .collect()
        });
    }
    channel.broken = reader.diagnostics.len() > before;
    channel
}

/// Words, `update_of` with its columns, or a list of both.
fn events(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &str) -> Option<Vec<EventDecl>> {
    let node = fields.get(key)?;
    let items = match &node.value {
        Value::Sequence(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let before = reader.diagnostics.len();
    let events: Vec<EventDecl> = items
        .iter()
        .filter_map(|item| event(reader, key, item))
        .collect();
    (reader.diagnostics.len() == before).then_some(events)
}

fn event(reader: &mut Reader<'_>, key: &str, node: &Node) -> Option<EventDecl> {
    match &node.value {
        Value::Text(_) => Some(EventDecl {
            word: reader.text(node, key)?,
            columns: None,
        }),
        Value::Mapping(_) => {
            let fields = reader.fields(node, &format!("`{key}`"), &language::UPDATE_OF)?;
            let columns = reader.optional_texts(&fields, "update_of")?;
            let word = Spanned {
                value: "update".to_owned(),
                span: node.span.clone(),
            };
            Some(EventDecl {
                word,
                columns: Some(columns),
            })
        }
        _ => {
            let expected = "an event, `{update_of: [COLUMN]}`, or a list of these";
            reader.wrong_kind(node, &format!("`{key}`"), expected);
            None
        }
    }
}

fn changed(reader: &mut Reader<'_>, node: &Node) -> Option<ChangedDecl> {
    let mut changed = ChangedDecl {
        span: node.span.clone(),
        columns: Vec::new(),
        whole_row: false,
    };
    match &node.value {
        Value::Text(word) if word == "whole_row" => changed.whole_row = true,
        Value::Mapping(_) => {
            let fields = reader.fields(node, "`changed`", &language::CHANGED)?;
            for key in fields.keys() {
                let columns = reader.optional_texts(&fields, &key.value)?;
                changed.columns.push((key, columns));
            }
        }
        _ => {
            let expected = "`whole_row`, or a mapping like `{any: [COLUMN]}`";
            reader.wrong_kind(node, "`changed`", expected);
            return None;
        }
    }
    Some(changed)
}

fn when(reader: &mut Reader<'_>, node: &Node) -> Vec<(Option<Spanned<String>>, Spanned<String>)> {
    if let Value::Mapping(_) = node.value {
        let Some(fields) = reader.fields(node, "`when`", &language::WHEN) else {
            return Vec::new();
        };
        return fields
            .keys()
            .into_iter()
            .filter_map(|key| {
                let condition = reader.optional_text(&fields, &key.value)?;
                Some((Some(key), condition))
            })
            .collect();
    }
    let condition = reader.text(node, "`when`");
    condition
        .map(|condition| (None, condition))
        .into_iter()
        .collect()
}

fn payload(reader: &mut Reader<'_>, node: &Node) -> Option<PayloadDecl> {
    let span = node.span.clone();
    if let Value::Mapping(_) = node.value {
        let fields = reader.fields(node, "`payload`", &language::PAYLOAD)?;
        return Some(PayloadDecl {
            span,
            new: reader.optional_texts(&fields, "new"),
            old: reader.optional_texts(&fields, "old"),
            both: false,
        });
    }
    let columns = reader.texts(node, "`payload`")?;
    Some(PayloadDecl {
        span,
        new: Some(columns.clone()),
        old: Some(columns),
        both: true,
    })
}

fn field(reader: &mut Reader<'_>, name: Spanned<String>, node: &Node) -> FieldDecl {
    let what = format!("field `{}`", name.value);
    let mut field = FieldDecl {
        name,
        doc: None,
        ty: None,
        default: None,
        past: PastDecl::default(),
    };
    match &node.value {
        Value::Text(_) => field.ty = reader.text(node, &what),
        Value::Mapping(_) => {
            let Some(fields) = reader.fields(node, &what, &language::FIELD) else {
                return field;
            };
            field.doc = reader.doc(&fields);
            field.ty = reader.optional_text(&fields, "type");
            field.default = fields
                .get("default")
                .map(|node| Default { node: node.clone() });
            field.past = past(reader, &fields);
            if fields.get("type").is_none() && !fields.broken {
                missing(reader, &field.name, "field", "type", "type: string");
            }
        }
        _ => reader.wrong_kind(
            node,
            &what,
            "a type like `int` or `string = \"x\"`, or a mapping with `type`",
        ),
    }
    field
}
