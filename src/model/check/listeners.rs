//! `listeners:`.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::schema::{Document, FilterDecl, ListenerDecl, Spanned};

use super::super::{Channel, ChannelKind, ContextFilter, Delivery, FilterValue, Listener, Op};

const EVENTS: [&str; 4] = ["insert", "update", "delete", "save"];

pub(super) fn check(
    document: &Document,
    channels: &[Channel],
    diagnostics: &mut Diagnostics,
) -> Vec<Listener> {
    let mut listeners = Vec::new();
    for declared in &document.listeners {
        if let Some(listener) = check_listener(document, declared, channels, diagnostics) {
            overlap(
                document,
                &listeners,
                &listener,
                declared,
                channels,
                diagnostics,
            );
            listeners.push(listener);
        }
    }
    // A channel that nobody mentions has one listener, so that three lines are a whole schema.
    for (index, channel) in channels.iter().enumerate() {
        let mentioned = document.listeners.iter().any(|listener| {
            listener
                .channel
                .as_ref()
                .is_some_and(|declared| declared.value == channel.name)
        });
        if !mentioned {
            let name = implicit_name(&channel.name);
            listeners.push(Listener {
                group: name.clone(),
                name,
                doc: None,
                channel: index,
                ops: channel.ops(),
                filter: Vec::new(),
            });
        }
    }
    listeners
}

/// Name of the listener of a channel that nobody mentions.
pub(super) fn implicit_name(channel: &str) -> String {
    format!("on_{channel}")
}

fn check_listener(
    document: &Document,
    declared: &ListenerDecl,
    channels: &[Channel],
    diagnostics: &mut Diagnostics,
) -> Option<Listener> {
    let filter = declared
        .filter
        .iter()
        .filter_map(|filter| check_filter(filter, diagnostics))
        .collect();
    let name = declared.channel.as_ref()?;
    let Some(index) = channels
        .iter()
        .position(|channel| channel.name == name.value)
    else {
        let diagnostic = Diagnostic::new(
            Code::UnknownChannel,
            name.span.clone(),
            format!("there is no channel `{}`", name.value),
        );
        diagnostics.push(diagnostic.help_nearest(
            &name.value,
            channels.iter().map(|channel| channel.name.as_str()),
        ));
        return None;
    };
    let channel = &channels[index];
    if let Some(group) = &declared.group {
        check_group(group, channel, diagnostics);
    }
    let ops = match &declared.events {
        None => channel.ops(),
        Some(events) => check_events(document, index, declared, events, channel, diagnostics),
    };
    Some(Listener {
        name: declared.name.value.clone(),
        doc: declared.doc.clone(),
        channel: index,
        ops,
        group: declared
            .group
            .as_ref()
            .map_or_else(|| declared.name.value.clone(), |group| group.value.clone()),
        filter,
    })
}

fn check_group(group: &Spanned<String>, channel: &Channel, diagnostics: &mut Diagnostics) {
    if channel.delivery == Delivery::Transient {
        let message = format!(
            "channel `{}` is transient: everybody gets a copy, so there are no groups",
            channel.name
        );
        diagnostics.push(
            Diagnostic::new(Code::InvalidOption, group.span.clone(), message)
                .help("remove `group`"),
        );
    } else if group.value.trim().is_empty() || group.value.contains('\0') {
        let message = "a group needs a name";
        diagnostics.push(Diagnostic::new(
            Code::InvalidName,
            group.span.clone(),
            message,
        ));
    }
}

fn check_events(
    document: &Document,
    index: usize,
    declared: &ListenerDecl,
    events: &[Spanned<String>],
    channel: &Channel,
    diagnostics: &mut Diagnostics,
) -> Vec<Op> {
    if matches!(channel.kind, ChannelKind::Message { .. }) {
        if let Some(event) = events.first() {
            let message = format!("`{}` is a message channel and has no events", channel.name);
            let diagnostic = Diagnostic::new(Code::InvalidOption, event.span.clone(), message);
            diagnostics.push(diagnostic.help("remove `events`"));
        }
        return channel.ops();
    }
    let carried = channel.ops();
    // What the channel itself says wrong is said there.
    let sure = !document.channels[index].broken && !carried.is_empty();
    let mut ops = Vec::new();
    for event in events {
        let wanted: &[Op] = match event.value.as_str() {
            "insert" => &[Op::Insert],
            "update" => &[Op::Update],
            "delete" => &[Op::Delete],
            "save" => &[Op::Insert, Op::Update],
            unknown => {
                let message = format!("there is no event `{unknown}`");
                let diagnostic = Diagnostic::new(Code::UnknownEvent, event.span.clone(), message);
                diagnostics.push(diagnostic.help_nearest(unknown, EVENTS));
                continue;
            }
        };
        if let Some(missing) = wanted.iter().find(|op| !carried.contains(op))
            && sure
        {
            let carries: Vec<String> = carried
                .iter()
                .map(|op| format!("`{}`", op.as_str()))
                .collect();
            let message = format!(
                "channel `{}` does not carry `{}`",
                channel.name,
                missing.as_str()
            );
            let diagnostic = Diagnostic::new(Code::EventNotCarried, event.span.clone(), message)
                .secondary(
                    document.channels[index].name.span.clone(),
                    format!("carries {}", carries.join(", ")),
                );
            diagnostics.push(
                diagnostic.help("add the event to the channel, or take it from the listener"),
            );
        }
        if wanted.iter().any(|op| ops.contains(op)) {
            let message = format!("the event `{}` is there twice", event.value);
            let diagnostic = Diagnostic::new(Code::DuplicateEvent, event.span.clone(), message);
            diagnostics.push(diagnostic.help("`save` is insert and update"));
        }
        ops.extend_from_slice(wanted);
    }
    if events.is_empty() {
        let span = declared.name.span.clone();
        let message = format!("listener `{}` asks for no events", declared.name.value);
        diagnostics.push(
            Diagnostic::new(Code::InvalidValue, span, message)
                .help("leave `events` out to get all"),
        );
    }
    ops.sort_unstable();
    ops.dedup();
    ops
}

/// One copy a group: two listeners cannot both process it.
fn overlap(
    document: &Document,
    before: &[Listener],
    listener: &Listener,
    declared: &ListenerDecl,
    channels: &[Channel],
    diagnostics: &mut Diagnostics,
) {
    if channels[listener.channel].delivery == Delivery::Transient {
        return;
    }
    let other = before.iter().find(|other| {
        let shared = other.ops.iter().any(|op| listener.ops.contains(op));
        other.group == listener.group && other.channel == listener.channel && shared
    });
    let Some(other) = other else { return };
    let place = declared
        .group
        .as_ref()
        .map_or(&declared.name.span, |group| &group.span);
    let message = format!(
        "listeners `{}` and `{}` of group `{}` would both process the same notifications",
        other.name, listener.name, listener.group
    );
    let mut diagnostic = Diagnostic::new(Code::GroupOverlap, place.clone(), message);
    if let Some(first) = document
        .listeners
        .iter()
        .find(|first| first.name.value == other.name)
    {
        diagnostic = diagnostic.secondary(first.name.span.clone(), "the other listener");
    }
    diagnostics.push(
        diagnostic.help("a group gets one copy of each; give them different events or groups"),
    );
}

fn check_filter(declared: &FilterDecl, diagnostics: &mut Diagnostics) -> Option<ContextFilter> {
    let Some(key) = declared
        .key
        .value
        .strip_prefix("context.")
        .filter(|key| !key.is_empty())
    else {
        let message = format!("`{}` is nothing to filter by", declared.key.value);
        let diagnostic = Diagnostic::new(Code::InvalidFilter, declared.key.span.clone(), message);
        diagnostics
            .push(diagnostic.help("write `context.KEY`, for instance `context.tenant: acme`"));
        return None;
    };
    let value = match declared.value.value.strip_prefix('$') {
        None => FilterValue::Literal(declared.value.value.clone()),
        Some(variable) if super::super::identifier::is_rust_name(variable) => {
            FilterValue::Environment(variable.to_owned())
        }
        Some(variable) => {
            let message = format!("`{variable}` is no name of an environment variable");
            let diagnostic =
                Diagnostic::new(Code::InvalidFilter, declared.value.span.clone(), message);
            diagnostics.push(diagnostic.help("write for instance `$TENANT`"));
            return None;
        }
    };
    Some(ContextFilter {
        key: key.to_owned(),
        value,
    })
}
