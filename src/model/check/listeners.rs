//! `listeners:`.

use std::collections::HashMap;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::schema::{Document, FilterDecl, ListenerDecl, Spanned};

use super::super::{
    Channel, ChannelKind, ContextFilter, Delivery, FilterValue, Hold, Listener, Op, Receives,
    Subscription,
};
use super::channels::by_name;
use super::{attempts, calls, past, triggers::ops_of};

pub(super) fn check(
    document: &Document,
    channels: &[Channel],
    diagnostics: &mut Diagnostics,
) -> Vec<Listener> {
    let names = by_name(channels);
    let mut listeners: Vec<Listener> = Vec::new();
    let mut copies = Copies::default();
    let mut heard = vec![false; channels.len()];
    for declared in &document.listeners {
        let context = Context {
            document,
            channels,
            names: &names,
            declared,
        };
        // Mentioned, even if the rest of it is wrong.
        for name in &declared.channels {
            if let Some(index) = names.get(name.value.as_str()) {
                heard[*index] = true;
            }
        }
        if let Some(listener) = check_listener(&context, diagnostics) {
            for subscription in &listener.channels {
                heard[subscription.channel] = true;
            }
            copies.add(&listener, &context, diagnostics);
            listeners.push(listener);
        }
    }
    // A channel that nobody mentions has one listener, so that three lines are a whole schema.
    for (index, channel) in channels.iter().enumerate() {
        if !heard[index] {
            let name = implicit_name(&channel.name);
            let former = channel.was.iter().flatten();
            listeners.push(Listener {
                group: name.clone(),
                span: channel.span.clone(),
                // What is transient waits for nobody.
                says_was: false,
                was: former
                    .filter(|_| channel.delivery == Delivery::Durable)
                    .map(|former| implicit_name(former))
                    .collect(),
                name,
                doc: None,
                channels: vec![Subscription {
                    channel: index,
                    ops: channel.ops(),
                }],
                hold: Hold::Transaction,
                receives: Receives::One,
                filter: Vec::new(),
                attempts: attempts::implicit(&document.listener_defaults, channel.delivery),
            });
        }
    }
    former_groups_are_free(document, &listeners, diagnostics);
    listeners
}

/// What waits for a former group is for one listener only.
fn former_groups_are_free(
    document: &Document,
    listeners: &[Listener],
    diagnostics: &mut Diagnostics,
) {
    let mut groups: HashMap<&str, &str> = listeners
        .iter()
        .map(|listener| (listener.group.as_str(), listener.name.as_str()))
        .collect();
    for listener in listeners {
        for former in &listener.was {
            let Some(other) = groups.insert(former, &listener.name) else {
                continue;
            };
            let declared = document
                .listeners
                .iter()
                .find(|declared| declared.name.value == listener.name);
            // An implicit listener takes the groups of its channel's former names.
            let place = match declared {
                Some(declared) => &declared.name,
                None => &document.channels[listener.channels[0].channel].name,
            };
            let message = format!(
                "listener `{}` would process what waits for group `{former}`, as `{other}` does",
                listener.name
            );
            let diagnostic = Diagnostic::new(Code::GroupOverlap, place.span.clone(), message);
            diagnostics.push(diagnostic.help("a group has one copy of each notification"));
        }
    }
}

/// Name of the listener of a channel that nobody mentions.
pub(super) fn implicit_name(channel: &str) -> String {
    format!("on_{channel}")
}

struct Context<'c> {
    document: &'c Document,
    channels: &'c [Channel],
    names: &'c HashMap<&'c str, usize>,
    declared: &'c ListenerDecl,
}

fn check_listener(context: &Context<'_>, diagnostics: &mut Diagnostics) -> Option<Listener> {
    let declared = context.declared;
    let filter = declared
        .filter
        .iter()
        .filter_map(|filter| check_filter(filter, diagnostics))
        .collect();
    let found = channels(context, diagnostics)?;
    if let Some(group) = &declared.group {
        check_group(group, &context.channels[found[0].0], diagnostics);
    }
    let several = found.len() > 1;
    let first = found[0].0;
    if let Some(events) = &declared.events {
        check_events(context, events, &found, diagnostics);
    }
    let wanted: Option<Vec<Op>> = declared.events.as_ref().map(|events| {
        events
            .iter()
            .flat_map(|event| ops_of(event, &mut Diagnostics::new()))
            .copied()
            .collect()
    });
    let mut subscriptions = Vec::new();
    for (channel, place) in found {
        let carried = context.channels[channel].ops();
        let message = matches!(context.channels[channel].kind, ChannelKind::Message { .. });
        let ops: Vec<Op> = match &wanted {
            Some(wanted) if !message => carried
                .iter()
                .copied()
                .filter(|op| wanted.contains(op))
                .collect(),
            _ => carried.clone(),
        };
        if ops.is_empty()
            && several
            && !context.document.channels[channel].broken
            && !carried.is_empty()
        {
            let message = format!(
                "channel `{}` carries none of the listener's events",
                context.channels[channel].name
            );
            let diagnostic = Diagnostic::new(Code::EventNotCarried, place, message);
            diagnostics.push(diagnostic.help("leave the channel out, or add one of its events"));
        }
        subscriptions.push(Subscription { channel, ops });
    }
    let all = subscriptions
        .iter()
        .map(|subscription| &context.channels[subscription.channel])
        .collect::<Vec<_>>();
    let hold = calls::hold(declared, &all, diagnostics);
    let receives = calls::receives(declared, &all, hold, diagnostics);
    Some(Listener {
        name: declared.name.value.clone(),
        span: declared.name.span.clone(),
        doc: declared.doc.clone(),
        channels: subscriptions,
        group: declared
            .group
            .as_ref()
            .map_or_else(|| declared.name.value.clone(), |group| group.value.clone()),
        was: former_groups(declared, &context.channels[first], diagnostics),
        says_was: declared.was.is_some(),
        hold,
        receives,
        filter,
        attempts: attempts::check(
            &declared.attempts,
            &context.document.listener_defaults,
            &context.channels[first],
            diagnostics,
        ),
    })
}

/// Groups of the names that the listener had.
fn former_groups(
    declared: &ListenerDecl,
    channel: &Channel,
    diagnostics: &mut Diagnostics,
) -> Vec<String> {
    if channel.delivery == Delivery::Transient {
        if let Some(was) = declared.was.as_ref().and_then(|was| was.first()) {
            let message = format!(
                "channel `{}` is transient: nothing waits for a former name",
                channel.name
            );
            let diagnostic = Diagnostic::new(Code::InvalidOption, was.span.clone(), message);
            diagnostics.push(diagnostic.help("remove `was`"));
        }
        return Vec::new();
    }
    let now = declared.group.as_ref().unwrap_or(&declared.name);
    past::was(declared.was.as_ref(), &now.value, diagnostics).unwrap_or_default()
}

/// The channels that are named, and those that extend them if that is asked for; each with the place that names it.
fn channels(context: &Context<'_>, diagnostics: &mut Diagnostics) -> Option<Vec<(usize, Span)>> {
    let declared = context.declared;
    let mut found: Vec<(usize, Span)> = Vec::new();
    let mut unknown = false;
    for name in &declared.channels {
        let Some(index) = context.names.get(name.value.as_str()).copied() else {
            let message = format!("there is no channel `{}`", name.value);
            let diagnostic = Diagnostic::new(Code::UnknownChannel, name.span.clone(), message);
            let names = context.channels.iter().map(|channel| channel.name.as_str());
            diagnostics.push(diagnostic.help_nearest(&name.value, names));
            unknown = true;
            continue;
        };
        if let Some((_, first)) = found.iter().find(|(known, _)| *known == index) {
            let message = format!("channel `{}` is there twice", name.value);
            let diagnostic = Diagnostic::new(Code::InvalidValue, name.span.clone(), message)
                .secondary(first.clone(), "first here");
            diagnostics.push(diagnostic.help("remove one of them"));
            continue;
        }
        found.push((index, name.span.clone()));
    }
    if let Some(include) = declared
        .include_subchannels
        .as_ref()
        .filter(|flag| flag.value)
    {
        let named = found.clone();
        for (index, place) in &named {
            let sub: Vec<usize> = subchannels(context.channels, *index);
            if sub.is_empty() {
                let message = format!("no channel extends `{}`", context.channels[*index].name);
                let diagnostic =
                    Diagnostic::new(Code::InvalidOption, include.span.clone(), message);
                diagnostics.push(diagnostic.help("remove `include_subchannels`"));
            }
            for sub in sub {
                if !found.iter().any(|(known, _)| *known == sub) {
                    found.push((sub, place.clone()));
                }
            }
        }
    }
    for (index, place) in found.iter().skip(1) {
        let (first, other) = (&context.channels[found[0].0], &context.channels[*index]);
        if first.delivery != other.delivery {
            let message = format!(
                "channels `{}` and `{}` deliver in different ways",
                first.name, other.name
            );
            let diagnostic = Diagnostic::new(Code::Incompatible, place.clone(), message);
            diagnostics.push(diagnostic.help("make a listener for each delivery"));
            return None;
        }
    }
    (!unknown && !found.is_empty()).then_some(found)
}

/// Channels that extend a channel, or one that does.
fn subchannels(channels: &[Channel], base: usize) -> Vec<usize> {
    let extends = |index: usize| match &channels[index].kind {
        ChannelKind::Message { extends, .. } => *extends,
        ChannelKind::Trigger(_) => None,
    };
    (0..channels.len())
        .filter(|index| {
            let mut next = extends(*index);
            let mut steps = 0;
            while let Some(above) = next {
                if above == base {
                    return *index != base;
                }
                steps += 1;
                // A circle has been reported.
                if steps > channels.len() {
                    return false;
                }
                next = extends(above);
            }
            false
        })
        .collect()
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
    context: &Context<'_>,
    events: &[Spanned<String>],
    found: &[(usize, Span)],
    diagnostics: &mut Diagnostics,
) {
    let triggers: Vec<usize> = found
        .iter()
        .map(|(channel, _)| *channel)
        .filter(|channel| matches!(context.channels[*channel].kind, ChannelKind::Trigger(_)))
        .collect();
    let Some(first) = triggers.first() else {
        if let Some(event) = events.first() {
            let name = &context.channels[found[0].0].name;
            let message = format!("`{name}` is a message channel and has no events");
            let diagnostic = Diagnostic::new(Code::InvalidOption, event.span.clone(), message);
            diagnostics.push(diagnostic.help("remove `events`"));
        }
        return;
    };
    let mut carried: Vec<Op> = triggers
        .iter()
        .flat_map(|channel| context.channels[*channel].ops())
        .collect();
    carried.sort_unstable();
    carried.dedup();
    // What the channel itself says wrong is said there.
    let sure = !carried.is_empty()
        && triggers
            .iter()
            .all(|channel| !context.document.channels[*channel].broken);
    let mut ops: Vec<Op> = Vec::new();
    for event in events {
        let wanted = ops_of(event, diagnostics);
        if let Some(missing) = wanted.iter().find(|op| !carried.contains(op))
            && sure
        {
            let carries: Vec<String> = carried
                .iter()
                .map(|op| format!("`{}`", op.as_str()))
                .collect();
            let message = format!(
                "channel `{}` does not carry `{}`",
                context.channels[*first].name,
                missing.as_str()
            );
            let diagnostic = Diagnostic::new(Code::EventNotCarried, event.span.clone(), message)
                .secondary(
                    context.document.channels[*first].name.span.clone(),
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
        let span = context.declared.name.span.clone();
        let message = format!(
            "listener `{}` asks for no events",
            context.declared.name.value
        );
        diagnostics.push(
            Diagnostic::new(Code::InvalidValue, span, message)
                .help("leave `events` out to get all"),
        );
    }
}

/// One copy a group: two listeners cannot both process it.
#[derive(Default)]
struct Copies {
    taken: HashMap<(String, usize, Op), (String, Span)>,
}

impl Copies {
    fn add(&mut self, listener: &Listener, context: &Context<'_>, diagnostics: &mut Diagnostics) {
        let declared = context.declared;
        let mut reported = false;
        for subscription in &listener.channels {
            if context.channels[subscription.channel].delivery == Delivery::Transient {
                return;
            }
            for op in &subscription.ops {
                let copy = (listener.group.clone(), subscription.channel, *op);
                let owner = (listener.name.clone(), declared.name.span.clone());
                let Some((other, place)) = self.taken.insert(copy, owner) else {
                    continue;
                };
                if reported {
                    continue;
                }
                reported = true;
                let message = format!(
                    "listeners `{other}` and `{}` of group `{}` would both process the same notifications",
                    listener.name, listener.group
                );
                let at = declared
                    .group
                    .as_ref()
                    .map_or(&declared.name.span, |group| &group.span);
                let diagnostic = Diagnostic::new(Code::GroupOverlap, at.clone(), message)
                    .secondary(place, "the other listener");
                diagnostics.push(
                    diagnostic.help(
                        "a group gets one copy of each; give them different events or groups",
                    ),
                );
            }
        }
    }
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
