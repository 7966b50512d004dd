//! `notify_at`, `expires`, `priority` and `dedup`.

use std::time::Duration;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::schema::{ChannelDecl, DedupDecl, Spanned};

use super::super::message_options::duration;
use super::super::{Dedup, Delivery, Expires, Keep, MessageField, MessageOptions};

/// Keys that only a durable message channel can have.
const OPTIONS: [&str; 4] = ["notify_at", "expires", "priority", "dedup"];

/// Of a message channel with these fields.
pub(super) fn check(
    declared: &ChannelDecl,
    delivery: Delivery,
    fields: &[MessageField],
    diagnostics: &mut Diagnostics,
) -> MessageOptions {
    if delivery == Delivery::Transient {
        let help = "remove it, or make the channel durable: what is transient never waits";
        refuse(declared, "a transient channel", help, diagnostics);
        return MessageOptions::default();
    }
    let options = &declared.options;
    unordered(declared, diagnostics);
    let default = options
        .expires_after
        .as_ref()
        .and_then(|text| time(text, diagnostics));
    MessageOptions {
        notify_at: options.notify_at,
        expires: options.expires.then_some(Expires { default }),
        priority: options.priority,
        dedup: options
            .dedup
            .as_ref()
            .and_then(|dedup| self::dedup(declared, dedup, fields, diagnostics)),
    }
}

/// Of a channel on a model.
pub(super) fn of_messages_only(declared: &ChannelDecl, diagnostics: &mut Diagnostics) {
    if declared.on.is_some() {
        let help = "remove it; only a message has a sender who could say it";
        refuse(declared, "a channel on a model", help, diagnostics);
    }
}

/// What comes in an order comes in that in which it was stored.
fn unordered(declared: &ChannelDecl, diagnostics: &mut Diagnostics) {
    let options = &declared.options;
    let debounce = options
        .dedup
        .as_ref()
        .is_some_and(|dedup| dedup.debounce.is_some());
    let order = declared
        .keys
        .iter()
        .find(|key| ["key", "order"].contains(&key.value.as_str()));
    let Some(order) = order else { return };
    for (name, option, said) in [
        ("notify_at", "notify_at", options.notify_at),
        ("priority", "priority", options.priority),
        ("dedup", "debounce", debounce),
    ] {
        let key = declared.keys.iter().find(|key| key.value == name);
        if let (Some(key), true) = (key, said) {
            let message = format!(
                "with `{}`, messages come in the order in which they were stored, and not by `{option}`",
                order.value
            );
            let diagnostic = Diagnostic::new(Code::Incompatible, key.span.clone(), message)
                .secondary(order.span.clone(), "together with this");
            diagnostics.push(diagnostic.help("make another channel of it"));
        }
    }
}

fn refuse(declared: &ChannelDecl, what: &str, help: &str, diagnostics: &mut Diagnostics) {
    for key in &declared.keys {
        if OPTIONS.contains(&key.value.as_str()) {
            let message = format!("{what} has no `{}`", key.value);
            let diagnostic = Diagnostic::new(Code::InvalidOption, key.span.clone(), message);
            diagnostics.push(diagnostic.help(help));
        }
    }
}

fn dedup(
    channel: &ChannelDecl,
    declared: &DedupDecl,
    fields: &[MessageField],
    diagnostics: &mut Diagnostics,
) -> Option<Dedup> {
    let before = diagnostics.len();
    let key = declared
        .key
        .as_deref()
        .map(|key| self::key(channel, declared, key, fields, diagnostics));
    if key.is_none() && !declared.broken {
        let message = "`dedup` does not say which messages are equal";
        let diagnostic = Diagnostic::new(Code::MissingKey, declared.span.clone(), message);
        diagnostics.push(diagnostic.help("add `key: [FIELD]`"));
    }
    let keep = keep(declared, diagnostics);
    if let (Some(Keep::Debounce { .. }), true) = (keep, channel.options.notify_at) {
        let message = "`debounce` says when a message is due, and so does `notify_at`";
        let diagnostic = Diagnostic::new(Code::Incompatible, declared.span.clone(), message);
        diagnostics.push(diagnostic.help("remove one of them"));
    }
    if let (Some(Keep::Debounce { quiet, .. }), Some(text)) = (keep, &channel.options.expires_after)
        && duration(&text.value).is_some_and(|expires| expires <= quiet)
    {
        let message = "a message would expire before it is due";
        let diagnostic = Diagnostic::new(Code::Incompatible, text.span.clone(), message).secondary(
            declared.span.clone(),
            "due after `debounce` at the earliest",
        );
        diagnostics.push(diagnostic.help("make `expires` longer than `debounce`"));
    }
    let dedup = Dedup {
        key: key?,
        keep: keep?,
    };
    (diagnostics.len() == before).then_some(dedup)
}

/// Names of fields that are published.
fn key(
    channel: &ChannelDecl,
    declared: &DedupDecl,
    names: &[Spanned<String>],
    fields: &[MessageField],
    diagnostics: &mut Diagnostics,
) -> Vec<String> {
    let mut key: Vec<String> = Vec::new();
    let invalid = |at: &Spanned<String>, message: String| {
        Diagnostic::new(Code::InvalidValue, at.span.clone(), message)
    };
    let published = || fields.iter().filter(|field| field.past.until.is_none());
    for name in names {
        if key.contains(&name.value) {
            let message = format!("`{}` is there twice", name.value);
            diagnostics.push(invalid(name, message).help("name each field once"));
        } else if published().any(|field| field.name == name.value) {
            key.push(name.value.clone());
        } else if fields.iter().any(|field| field.name == name.value) {
            let message = format!("the field `{}` is not published any more", name.value);
            diagnostics.push(invalid(name, message).help("remove it, or its `until`"));
        } else if !fields.is_empty() || !channel.broken {
            let channel = &channel.name.value;
            let message = format!("channel `{channel}` has no field `{}`", name.value);
            let names = published().map(|field| field.name.as_str());
            diagnostics.push(invalid(name, message).help_nearest(&name.value, names));
        }
    }
    if names.is_empty() {
        let message = "`key` has no fields: every message would be equal to every other";
        let diagnostic = Diagnostic::new(Code::InvalidValue, declared.span.clone(), message);
        diagnostics.push(diagnostic.help("name at least one field"));
    }
    key
}

fn keep(declared: &DedupDecl, diagnostics: &mut Diagnostics) -> Option<Keep> {
    let mut report = |code: Code, at: &crate::diagnostic::Span, message: &str, help: &str| {
        diagnostics.push(Diagnostic::new(code, at.clone(), message).help(help));
    };
    match (&declared.keep, &declared.debounce, &declared.at_most) {
        (Some(keep), Some(_), _) => {
            let message = "`keep` and `debounce` exclude each other: what is put off gets the payload of the last";
            report(
                Code::Incompatible,
                &keep.span,
                message,
                "remove one of them",
            );
        }
        (_, None, Some(at_most)) => {
            let message = "`at_most` bounds a `debounce`, and there is none";
            let help = "remove it, or add `debounce`";
            report(Code::Incompatible, &at_most.span, message, help);
        }
        (Some(keep), None, None) => {
            return Some(match keep.value.as_str() {
                "first" => Keep::First,
                _ => Keep::Last,
            });
        }
        (None, Some(debounce), None) => {
            let message = "messages that never pause would put a notification off for ever";
            let help = "add `at_most`, for instance `at_most: 1m`";
            report(Code::MissingKey, &debounce.span, message, help);
        }
        (None, Some(quiet), Some(at_most)) => {
            let bound = at_most;
            let times = (time(quiet, diagnostics), time(at_most, diagnostics));
            let (quiet, at_most) = (times.0?, times.1?);
            if at_most >= quiet {
                return Some(Keep::Debounce { quiet, at_most });
            }
            let message = "`at_most` is shorter than `debounce`";
            let diagnostic = Diagnostic::new(Code::InvalidValue, bound.span.clone(), message);
            diagnostics.push(diagnostic.help("make it at least as long"));
        }
        (None, None, None) if !declared.broken => {
            let message = "`dedup` does not say what becomes of equal messages";
            let help = "add `keep: first` or `keep: last`, or `debounce: 5s` with `at_most: 1m`";
            report(Code::MissingKey, &declared.span, message, help);
        }
        (None, None, None) => {}
    }
    None
}

fn time(text: &Spanned<String>, diagnostics: &mut Diagnostics) -> Option<Duration> {
    let time = duration(&text.value);
    if time.is_none() {
        let message = format!("`{}` is no time", text.value);
        let diagnostic = Diagnostic::new(Code::InvalidValue, text.span.clone(), message);
        diagnostics.push(diagnostic.help("write for instance `5s`, `500ms`, `10m`, `1h` or `7d`"));
    }
    time
}
