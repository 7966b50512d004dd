//! In which order the notifications of a channel come.
//!
//! A notification keeps the key that it was stored with, whatever the channel says later.

use crate::history::Shape;
use crate::model::{Channel, ChannelKind, Delivery, Order, Schema};

use super::channels::{finding, listed};
use super::parts::{self, Part};
use super::{Comparison, Kind, Verdict};

/// Of a channel that was and is, on the same model or of messages.
pub(super) fn compare(comparison: &mut Comparison<'_>, was: &Channel, is: &Channel) {
    if (was.delivery, is.delivery) != (Delivery::Durable, Delivery::Durable) {
        return;
    }
    let (old, new) = (comparison.old, comparison.new);
    let (parts_before, parts_after) = (parts(old, was), parts(new, is));
    let unsaid = unsaid(is, &parts_before, &parts_after);
    let same = is_same(was, is, &parts_before, &parts_after);
    if same && unsaid.is_empty() {
        return;
    }
    let kind = match (&was.order, &is.order) {
        (None, _) => Kind::OrderAdded,
        (_, None) => Kind::OrderRemoved,
        _ => Kind::OrderChanged,
    };
    let change = format!(
        "comes {}, and came {}",
        words(is, &parts_after),
        words(was, &parts_before)
    );
    let mut finding = finding(kind, is, &change);
    // Another channel of its group may have an order.
    let groups = |schema: &Schema, channel: &Channel, ordered: bool| {
        groups(schema, channel).any(|group| is_ordered(schema, group) == ordered)
    };
    match kind {
        Kind::OrderAdded => {
            finding.waiting = Verdict::note(
                "what waits has no key: it is processed beside the rest, in no order",
            );
            if groups(old, was, false) {
                finding.workers = Verdict::note(
                    "they do not look at the keys: the order holds when all workers are new",
                );
            }
            finding.advice.push(begin(was));
        }
        Kind::OrderRemoved => {
            if groups(new, is, false) {
                finding.waiting = Verdict::note("what waits is processed in no order either");
            }
            if groups(old, was, true) && groups(new, is, false) {
                finding.workers = Verdict::note(
                    "they seldom look for what has no key: it may be processed a minute later",
                );
            }
        }
        _ if !same => {
            finding.waiting = Verdict::note(
                "what waits keeps its key: it comes in its own order, beside what is written from now on",
            );
            finding.workers = Verdict::ok("they go by the key that each has been stored with");
            finding.advice.push(begin(was));
        }
        _ => {}
    }
    if !unsaid.is_empty() {
        finding.publishers = Verdict::note(format!(
            "they do not publish {}: what they publish has no key, and comes in no order",
            listed(&unsaid)
        ));
    }
    comparison.push(finding);
}

/// How to have the order from the beginning.
fn begin(was: &Channel) -> String {
    format!(
        "if it has to hold between what waits and what comes: keep the writers from it until `pgpubsub-gen pending --channel {}` says that nothing waits, and deploy then",
        was.name
    )
}

/// Columns or fields; those that are only read from earlier versions are left out.
fn parts(schema: &Schema, channel: &Channel) -> Vec<Part> {
    let shape = Shape::default();
    match &channel.kind {
        ChannelKind::Trigger(on) => {
            let columns = schema.models[on.model].columns.iter();
            columns
                .map(|column| Part::of_column(column, &shape))
                .collect()
        }
        ChannelKind::Message { fields, .. } => fields
            .iter()
            .map(|field| Part::new(&field.name, &field.name, None, &field.past, &shape))
            .collect(),
    }
}

/// The key among the parts.
fn key<'p>(channel: &Channel, parts: &'p [Part]) -> Vec<&'p Part> {
    match &channel.order {
        Some(Order::Key(key)) => key.iter().map(|index| &parts[*index]).collect(),
        _ => Vec::new(),
    }
}

/// Whether the same values make the key, under their former names.
fn is_same(was: &Channel, is: &Channel, before: &[Part], after: &[Part]) -> bool {
    let (Some(Order::Key(_)), Some(Order::Key(_))) = (&was.order, &is.order) else {
        return was.order == is.order;
    };
    let there: Vec<&Part> = before.iter().filter(|part| !part.until).collect();
    let (key_before, key_after) = (key(was, before), key(is, after));
    key_before.len() == key_after.len()
        && key_before.iter().zip(key_after).all(|(before, part)| {
            let former = parts::former(part, after, &there);
            former.is_some_and(|index| there[index].key == before.key)
        })
}

/// What of the key of a message the programs of before do not publish under its name.
fn unsaid(is: &Channel, before: &[Part], after: &[Part]) -> Vec<String> {
    if !matches!(is.kind, ChannelKind::Message { .. }) {
        return Vec::new();
    }
    let said = |name: &str| before.iter().any(|part| !part.until && part.key == name);
    key(is, after)
        .into_iter()
        .filter(|part| !said(&part.key))
        .map(|part| part.name.clone())
        .collect()
}

fn words(channel: &Channel, parts: &[Part]) -> String {
    match &channel.order {
        None => "in no order".to_owned(),
        Some(Order::Total) => "one after the other".to_owned(),
        Some(Order::Key(_)) => {
            let names: Vec<String> = key(channel, parts)
                .into_iter()
                .map(|part| part.name.clone())
                .collect();
            format!("in the order of the key {}", listed(&names))
        }
    }
}

/// Groups that get its notifications.
fn groups<'s>(schema: &'s Schema, channel: &Channel) -> impl Iterator<Item = &'s str> {
    let name = channel.name.clone();
    schema
        .listeners
        .iter()
        .filter(move |listener| {
            let mut channels = listener.channels.iter();
            channels.any(|heard| schema.channels[heard.channel].name == name)
        })
        .map(|listener| listener.group.as_str())
}

/// Whether a group has an order, by one of its channels.
fn is_ordered(schema: &Schema, group: &str) -> bool {
    let mut listeners = schema.listeners.iter();
    listeners.any(|listener| {
        let mut channels = listener.channels.iter();
        listener.group == group
            && channels.any(|heard| schema.channels[heard.channel].order.is_some())
    })
}
