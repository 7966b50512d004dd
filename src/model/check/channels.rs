//! `channels:`.

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::schema::{ChannelDecl, Document, Spanned};

use super::super::{Channel, ChannelKind, Delivery, Op, Timing, TriggerEvent};
use super::messages::Messages;

const EVENTS: [&str; 4] = ["insert", "update", "delete", "save"];

pub(super) fn check(document: &Document, diagnostics: &mut Diagnostics) -> Vec<Channel> {
    let default = delivery(document.delivery.as_ref(), Delivery::Durable, diagnostics);
    let mut messages = Messages::new(&document.channels);
    let mut channels = Vec::new();
    for (index, declared) in document.channels.iter().enumerate() {
        channels.push(Channel {
            name: declared.name.value.clone(),
            doc: declared.doc.clone(),
            delivery: delivery(declared.delivery.as_ref(), default, diagnostics),
            kind: kind(document, index, declared, &mut messages, diagnostics),
        });
    }
    channels
}

fn delivery(
    declared: Option<&Spanned<String>>,
    default: Delivery,
    diagnostics: &mut Diagnostics,
) -> Delivery {
    let Some(declared) = declared else {
        return default;
    };
    match declared.value.as_str() {
        "durable" => Delivery::Durable,
        "transient" => Delivery::Transient,
        other => {
            let message = format!("there is no delivery `{other}`");
            let diagnostic = Diagnostic::new(Code::InvalidValue, declared.span.clone(), message);
            diagnostics.push(diagnostic.help_nearest(other, ["durable", "transient"]));
            default
        }
    }
}

fn kind(
    document: &Document,
    index: usize,
    declared: &ChannelDecl,
    messages: &mut Messages<'_>,
    diagnostics: &mut Diagnostics,
) -> ChannelKind {
    let is_message = declared.message.is_some() || declared.extends.is_some();
    let name = &declared.name;
    match (&declared.on, is_message) {
        (Some(on), true) => {
            let other = declared
                .extends
                .as_ref()
                .map_or_else(|| name.span.clone(), |extends| extends.span.clone());
            let message = format!(
                "channel `{}` is both: on a model, and a message channel",
                name.value
            );
            let diagnostic = Diagnostic::new(Code::ChannelKind, on.span.clone(), message)
                .label("on a model")
                .secondary(other, "a message channel");
            diagnostics.push(diagnostic.help("make two channels of it"));
        }
        (None, false) if !declared.broken => {
            let message = format!(
                "channel `{}` is neither on a model nor a message channel",
                name.value
            );
            let diagnostic = Diagnostic::new(Code::ChannelKind, name.span.clone(), message);
            diagnostics.push(
                diagnostic
                    .help("add `on: MODEL` with `after: insert`, or `message: {FIELD: TYPE}`"),
            );
        }
        _ => {}
    }
    if is_message {
        if declared.on.is_none() {
            for event in declared
                .before
                .iter()
                .chain(&declared.after)
                .flatten()
                .take(1)
            {
                let message = "a message channel has no events";
                diagnostics.push(Diagnostic::new(
                    Code::InvalidOption,
                    event.span.clone(),
                    message,
                ));
            }
        }
        let extends = messages.base_of(index, diagnostics);
        return ChannelKind::Message {
            fields: messages.fields_of(index, diagnostics),
            extends,
        };
    }
    let model = declared
        .on
        .as_ref()
        .and_then(|on| model(document, on, diagnostics))
        .unwrap_or_default();
    ChannelKind::Trigger {
        model,
        events: events(declared, diagnostics),
    }
}

fn model(
    document: &Document,
    on: &Spanned<String>,
    diagnostics: &mut Diagnostics,
) -> Option<usize> {
    let found = document
        .models
        .iter()
        .position(|model| model.name.value == on.value);
    if found.is_none() {
        let message = format!("there is no model `{}`", on.value);
        let diagnostic = Diagnostic::new(Code::UnknownModel, on.span.clone(), message);
        let names = document
            .models
            .iter()
            .map(|model| model.name.value.as_str());
        diagnostics.push(diagnostic.help_nearest(&on.value, names));
    }
    found
}

fn events(declared: &ChannelDecl, diagnostics: &mut Diagnostics) -> Vec<TriggerEvent> {
    let mut events: Vec<(TriggerEvent, Span)> = Vec::new();
    for (timing, words) in [
        (Timing::Before, &declared.before),
        (Timing::After, &declared.after),
    ] {
        for word in words.iter().flatten() {
            let ops: &[Op] = match word.value.as_str() {
                "insert" => &[Op::Insert],
                "update" => &[Op::Update],
                "delete" => &[Op::Delete],
                "save" => &[Op::Insert, Op::Update],
                "truncate" => {
                    let message = "the event `truncate` is not supported yet";
                    diagnostics.push(Diagnostic::new(
                        Code::NotSupported,
                        word.span.clone(),
                        message,
                    ));
                    &[]
                }
                unknown => {
                    let message = format!("there is no event `{unknown}`");
                    let diagnostic =
                        Diagnostic::new(Code::UnknownEvent, word.span.clone(), message);
                    diagnostics.push(diagnostic.help_nearest(unknown, EVENTS));
                    &[]
                }
            };
            let mut twice = None;
            for op in ops {
                let event = TriggerEvent { timing, op: *op };
                match events.iter().find(|(known, _)| *known == event) {
                    Some((_, first)) => twice = Some((*op, first.clone())),
                    None => events.push((event, word.span.clone())),
                }
            }
            if let Some((op, first)) = twice {
                let message = format!("the event `{}` is there twice", op.as_str());
                let diagnostic = Diagnostic::new(Code::DuplicateEvent, word.span.clone(), message)
                    .label("again here")
                    .secondary(first, "first here");
                diagnostics.push(match op {
                    Op::Delete => diagnostic.help("remove one of them"),
                    _ => diagnostic.help("remove one of them; `save` is insert and update"),
                });
            }
        }
    }
    let said_nothing = declared.before.as_ref().is_none_or(Vec::is_empty)
        && declared.after.as_ref().is_none_or(Vec::is_empty);
    if said_nothing && declared.on.is_some() && !declared.broken {
        let message = format!(
            "channel `{}` does not say when it fires",
            declared.name.value
        );
        let diagnostic = Diagnostic::new(Code::MissingKey, declared.name.span.clone(), message);
        diagnostics.push(
            diagnostic
                .help("add for instance `after: insert` or `after: [insert, update, delete]`"),
        );
    }
    let mut events: Vec<TriggerEvent> = events.into_iter().map(|(event, _)| event).collect();
    events.sort_unstable();
    events
}
