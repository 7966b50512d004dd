//! `channels:`.

use std::collections::HashMap;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::schema::{ChannelDecl, Document, Spanned};

use super::super::{Channel, ChannelKind, DeclaredType, Delivery, Model, Wake};
use super::extra;
use super::messages::Messages;
use super::models::Models;
use super::{message_options, order, past, retain, schedule, trigger_warnings, triggers};

/// Keys that only a channel on a model can have.
const OF_TRIGGERS: [&str; 11] = [
    "before",
    "after",
    "changed",
    "when",
    "payload",
    "level",
    "deferred",
    "fire",
    "on_capture_error",
    "ignorable",
    "trigger",
];

pub(super) fn check(
    document: &Document,
    types: &[DeclaredType],
    models: &[Model],
    declared_models: &Models<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<Channel> {
    let mut messages = Messages::new(&document.channels, types);
    let mut channels = Vec::new();
    for (index, declared) in document.channels.iter().enumerate() {
        let delivery = delivery(
            declared.settings.delivery.as_ref(),
            document.defaults.delivery.as_ref(),
        );
        let is_message = declared.message.is_some() || declared.extends.is_some();
        kind_is_clear(declared, is_message, diagnostics);
        let mut on = None;
        let kind = if is_message {
            of_triggers_only(declared, diagnostics);
            let extends = messages.base_of(index, diagnostics);
            let fields = messages.fields_of(index, diagnostics);
            let options = message_options::check(declared, delivery, &fields, diagnostics);
            let schedule = schedule::check(declared, delivery, &fields, types, diagnostics);
            ChannelKind::Message {
                fields,
                extends,
                options,
                schedule,
            }
        } else {
            let model = declared
                .on
                .as_ref()
                .and_then(|on| declared_models.find(on, diagnostics));
            on = model.map(|model| &models[model]);
            let context = triggers::Context {
                declared,
                defaults: &document.defaults,
                delivery,
                model: model.map(|model| (model, &models[model])),
                types,
            };
            message_options::of_messages_only(declared, diagnostics);
            schedule::of_messages_only(declared, diagnostics);
            ChannelKind::Trigger(triggers::check(&context, diagnostics))
        };
        channels.push(Channel {
            name: declared.name.value.clone(),
            doc: declared.doc.clone(),
            span: declared.name.span.clone(),
            was: past::was(declared.was.as_ref(), &declared.name.value, diagnostics),
            oldest: oldest(declared, is_message, diagnostics),
            delivery,
            wake: wake(declared, document, delivery, diagnostics),
            order: order::check(declared, delivery, &kind, on, diagnostics),
            retain: retain::check(declared, delivery, diagnostics),
            kind,
            extra: extra::check(&declared.extra, diagnostics),
        });
    }
    trigger_warnings::truncates(document, &channels, models, diagnostics);
    channels
}

/// Indexes of the channels by name.
pub(super) fn by_name(channels: &[Channel]) -> HashMap<&str, usize> {
    channels
        .iter()
        .enumerate()
        .map(|(index, channel)| (channel.name.as_str(), index))
        .collect()
}

fn delivery(own: Option<&Spanned<String>>, default: Option<&Spanned<String>>) -> Delivery {
    match own.or(default).map(|word| word.value.as_str()) {
        Some("transient") => Delivery::Transient,
        _ => Delivery::Durable,
    }
}

fn wake(
    declared: &ChannelDecl,
    document: &Document,
    delivery: Delivery,
    diagnostics: &mut Diagnostics,
) -> Wake {
    let own = declared.settings.wake.as_ref();
    if let (Some(own), Delivery::Transient) = (own, delivery) {
        let message = format!(
            "channel `{}` is transient: nothing waits that a worker would have to be woken for",
            declared.name.value
        );
        let diagnostic = Diagnostic::new(Code::InvalidOption, own.span.clone(), message);
        diagnostics.push(diagnostic.help("remove it; a transient notification is a NOTIFY itself"));
    }
    match own
        .or(document.defaults.wake.as_ref())
        .map(|word| word.value.as_str())
    {
        Some("commit") => Wake::Commit,
        Some("poll") => Wake::Poll,
        Some("none") => Wake::None,
        _ => Wake::Door,
    }
}

/// Versions of what a trigger channel sends are those of its model.
fn oldest(
    declared: &ChannelDecl,
    is_message: bool,
    diagnostics: &mut Diagnostics,
) -> Option<Spanned<u32>> {
    let oldest = declared.oldest.clone()?;
    if !is_message && declared.on.is_some() {
        let message = "a channel on a model has the versions of the model";
        let diagnostic = Diagnostic::new(Code::InvalidOption, oldest.span.clone(), message);
        diagnostics.push(diagnostic.help("say `oldest` at the model"));
    }
    Some(oldest)
}

fn kind_is_clear(declared: &ChannelDecl, is_message: bool, diagnostics: &mut Diagnostics) {
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
}

fn of_triggers_only(declared: &ChannelDecl, diagnostics: &mut Diagnostics) {
    if declared.on.is_some() {
        return;
    }
    for key in &declared.keys {
        if OF_TRIGGERS.contains(&key.value.as_str()) {
            let message = format!("a message channel has no `{}`", key.value);
            let diagnostic = Diagnostic::new(Code::InvalidOption, key.span.clone(), message);
            diagnostics.push(diagnostic.help("remove it; only a channel on a model has triggers"));
        }
    }
}
