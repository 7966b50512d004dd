//! Channels: what both kinds have in common, and the fields of messages.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Shape, Shaped};
use crate::model::{Channel, ChannelKind, Delivery, MessageField, Op, Schema, TriggerChannel};

use super::models::{newer, raised, refused};
use super::parts::{self, Part, Words};
use super::{Comparison, Finding, Kind, Verdict, drain, message_options, order, payload, schedule};

/// What is said of a program whose listeners the migration has removed from the registry.
pub(super) const REFUSED: &str =
    "one that starts again is refused, as its listener is not installed any more";

pub(super) fn compare(comparison: &mut Comparison<'_>) {
    let (old, new) = (comparison.old, comparison.new);
    for index in comparison.channels.added.clone() {
        let finding = finding(Kind::ChannelAdded, &new.channels[index], "is new");
        let finding = refused(comparison, finding);
        comparison.push(finding);
    }
    for index in comparison.channels.gone.clone() {
        gone(comparison, &old.channels[index]);
    }
    for (was, is) in comparison.channels.both.clone() {
        let (was, is) = (&old.channels[was], &new.channels[is]);
        itself(comparison, was, is);
        match (&was.kind, &is.kind) {
            (ChannelKind::Trigger(before), ChannelKind::Trigger(after)) => {
                let model = comparison.models.new_of(before.model);
                if model == Some(after.model) {
                    events(comparison, was, is, before, after);
                    payload::compare(comparison, was, is, before, after);
                    order::compare(comparison, was, is);
                } else {
                    replaced(comparison, was, is, "is on another model");
                }
            }
            (
                ChannelKind::Message {
                    fields: before,
                    options: said,
                    schedule: scheduled,
                    ..
                },
                ChannelKind::Message {
                    fields: after,
                    options,
                    schedule,
                    ..
                },
            ) => {
                fields(comparison, was, is, before, after);
                message_options::compare(comparison, is, said, options);
                order::compare(comparison, was, is);
                schedule::compare(comparison, is, scheduled.as_ref(), schedule.as_ref());
            }
            (_, ChannelKind::Message { .. }) => {
                replaced(comparison, was, is, "carries messages, and carried rows");
            }
            (_, ChannelKind::Trigger(_)) => {
                replaced(comparison, was, is, "carries rows, and carried messages");
            }
        }
    }
}

/// A finding that changes nothing yet.
pub(super) fn finding(kind: Kind, channel: &Channel, change: &str) -> Finding {
    Finding {
        kind,
        what: format!("channel `{}` {change}", channel.name),
        span: Some(channel.span.clone()),
        waiting: Verdict::ok("they are read and processed as before"),
        workers: Verdict::ok("nothing changes for them"),
        publishers: Verdict::ok("nothing changes for them"),
        advice: Vec::new(),
    }
}

fn is_message(channel: &Channel) -> bool {
    matches!(channel.kind, ChannelKind::Message { .. })
}

/// `a`, `b`.
pub(super) fn listed(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// What becomes of notifications of an old channel, or some of its operations, that nobody takes any more.
fn left(comparison: &mut Comparison<'_>, channel: &Channel, ops: &[Op]) -> Option<Verdict> {
    let groups = comparison
        .left
        .groups(|stored| stored.channel == channel.name && ops.contains(&stored.op));
    (!groups.is_empty()).then(|| {
        Verdict::breaks(format!(
            "what waits for {} is processed by nobody",
            listed(&groups)
        ))
    })
}

fn gone(comparison: &mut Comparison<'_>, channel: &Channel) {
    let mut finding = finding(Kind::ChannelRemoved, channel, "is gone");
    finding.span = None;
    finding.waiting = Verdict::ok("nothing of it waits");
    if let Some(verdict) = left(comparison, channel, &channel.ops()) {
        finding.waiting = verdict;
        finding.advice.push(drain(&channel.name));
    }
    finding.workers = Verdict::note(format!("they get nothing of it any more; {REFUSED}"));
    if is_message(channel) {
        finding.publishers = Verdict::breaks(
            "what they publish reaches nobody, and fails when the migration after it has dropped the function",
        );
        finding
            .advice
            .push("remove it when no program publishes on it any more".to_owned());
    }
    comparison.push(finding);
}

fn itself(comparison: &mut Comparison<'_>, was: &Channel, is: &Channel) {
    if was.name != is.name {
        renamed(comparison, was, is);
    }
    let still: BTreeSet<&String> = std::iter::once(&is.name)
        .chain(is.was.iter().flatten())
        .collect();
    let dropped: Vec<String> = was
        .was
        .iter()
        .flatten()
        .filter(|name| !still.contains(name))
        .cloned()
        .collect();
    if !dropped.is_empty() {
        let change = format!("is not known as {} any more", listed(&dropped));
        let mut finding = finding(Kind::FormerNameDropped, is, &change);
        finding.waiting = Verdict::note("what waits under that name is processed by nobody");
        if is_message(is) {
            finding.publishers = Verdict::note(
                "what programs publish that still know the channel under that name reaches nobody",
            );
        }
        let pending = dropped.iter().map(|name| {
            format!("before: `pgpubsub-gen pending --channel {name}` with the schema in which it had that name")
        });
        finding.advice.extend(pending);
        comparison.push(finding);
    }
    if was.delivery != is.delivery {
        delivery(comparison, was, is);
    }
    let oldest = |channel: &Channel| channel.oldest.as_ref().map_or(1, |oldest| oldest.value);
    if oldest(is) > oldest(was) {
        let span = is.oldest.as_ref().map(|oldest| oldest.span.clone());
        let before = comparison.before.of_channel(comparison.old, was);
        comparison.push(raised(("channel", &is.name), span, oldest(is), before));
    }
    if was.retain != is.retain && is.delivery == Delivery::Durable {
        let mut finding = finding(
            Kind::RetentionChanged,
            is,
            match (was.retain, is.retain) {
                (None, _) => "keeps what was processed",
                (_, None) => "keeps nothing of what was processed any more",
                _ => "keeps what was processed for another time",
            },
        );
        finding.workers = Verdict::note(match was.retain {
            None => "they keep nothing of what they process",
            Some(_) => "they keep what they process, for the former time",
        });
        comparison.push(finding);
    }
    if was.doc != is.doc {
        comparison.push(finding(Kind::Documentation, is, "has other documentation"));
    }
}

fn renamed(comparison: &mut Comparison<'_>, was: &Channel, is: &Channel) {
    let mut finding = finding(Kind::ChannelRenamed, is, &format!("was `{}`", was.name));
    finding.waiting = Verdict::ok("it is processed under its new name");
    finding.workers = Verdict::note(match is.delivery {
        Delivery::Durable => {
            format!("they leave what has the new name to newer workers; {REFUSED}")
        }
        Delivery::Transient => {
            format!("they listen under the former name, and hear nothing any more; {REFUSED}")
        }
    });
    if is_message(is) {
        finding.publishers =
            Verdict::ok("the function of the former name stays, and publishes under the new one");
    }
    comparison.push(finding);
}

fn delivery(comparison: &mut Comparison<'_>, was: &Channel, is: &Channel) {
    if is.delivery == Delivery::Durable {
        let mut finding = finding(Kind::BecameDurable, is, "is durable now");
        finding.waiting = Verdict::ok("nothing waits of what was transient");
        finding.workers =
            Verdict::note("what is stored is left to newer workers: they hear nothing more of it");
        finding.publishers = Verdict::ok("what they write is stored");
        comparison.push(finding);
        return;
    }
    let mut finding = finding(Kind::BecameTransient, is, "is transient now");
    finding.waiting = Verdict::ok("nothing of it waits");
    if let Some(verdict) = left(comparison, was, &was.ops()) {
        finding.waiting = verdict;
        finding.advice.push(drain(&was.name));
    }
    finding.workers = Verdict::note(
        "nothing is stored for them any more, and they do not hear what is transient",
    );
    finding.publishers =
        Verdict::note("what they write reaches only workers that are connected at that moment");
    comparison.push(finding);
}

/// The name stays, and what is under it is something else.
fn replaced(comparison: &mut Comparison<'_>, was: &Channel, is: &Channel, change: &str) {
    let mut finding = finding(Kind::ChannelReplaced, is, change);
    drop(left(comparison, was, &was.ops()));
    let same_ops = was.ops().iter().any(|op| is.ops().contains(op));
    let before = comparison.before.of_channel(comparison.old, was);
    let after = comparison.after.of_channel(comparison.new, is);
    if same_ops && reads_alike(comparison, was, is) && before == after {
        finding.waiting = Verdict::note("rows of both models read alike");
        finding.workers = Verdict::note("they read rows of another model as theirs");
        comparison.push(finding);
        return;
    }
    if was.delivery == Delivery::Durable {
        finding.waiting = Verdict::breaks(if same_ops {
            "what waits is read as what the channel carries now, whose versions are others"
        } else {
            "what waits is processed by nobody"
        });
    }
    finding.workers = if same_ops && after <= before {
        Verdict::breaks(format!(
            "they read version {after} of something else as version {before} of what they know"
        ))
    } else if same_ops {
        Verdict::ok(format!("they leave version {after} to newer workers"))
    } else {
        Verdict::note(format!("they leave it to newer workers; {REFUSED}"))
    };
    if is_message(was) && !is_message(is) {
        finding.publishers = Verdict::breaks("the function that they call is gone");
    }
    finding.advice.push(format!(
        "give it another name, with `was: []`, and remove `{}` when nothing of it waits",
        was.name
    ));
    comparison.push(finding);
}

/// Whether the models of two channels have the same columns, and the channels send the same of them.
fn reads_alike(comparison: &Comparison<'_>, was: &Channel, is: &Channel) -> bool {
    let shape = |shapes: &BTreeMap<(Shaped, String), Shape>, schema: &Schema, channel: &Channel| {
        let ChannelKind::Trigger(on) = &channel.kind else {
            return None;
        };
        let name = schema.models[on.model].name.clone();
        let shape = shapes.get(&(Shaped::Model, name))?;
        Some((
            shape.columns.clone(),
            shape.sent.get(&channel.name).cloned(),
        ))
    };
    let before = shape(&comparison.shapes_before, comparison.old, was);
    before.is_some() && before == shape(&comparison.shapes_after, comparison.new, is)
}

fn events(
    comparison: &mut Comparison<'_>,
    was: &Channel,
    is: &Channel,
    before: &TriggerChannel,
    after: &TriggerChannel,
) {
    let (ops_before, ops_after) = (before.ops(), after.ops());
    for op in ops_after.iter().filter(|op| !ops_before.contains(op)) {
        let mut finding = finding(
            Kind::EventAdded,
            is,
            &format!("carries `{}`, too", op.as_str()),
        );
        finding.workers = Verdict::ok("they take only the events that they know");
        comparison.push(finding);
    }
    for op in ops_before.iter().filter(|op| !ops_after.contains(op)) {
        let change = format!("does not carry `{}` any more", op.as_str());
        let mut finding = finding(Kind::EventRemoved, is, &change);
        if let Some(verdict) = left(comparison, was, &[*op]) {
            finding.waiting = verdict;
            finding.advice.push(drain(&is.name));
        }
        let index = comparison
            .old
            .channels
            .iter()
            .take_while(|old| old.name != was.name)
            .count();
        let is_heard = comparison.old.listeners.iter().any(|listener| {
            let mut heard = listener.channels.iter();
            heard.any(|heard| heard.channel == index && heard.ops.contains(op))
        });
        if is_heard {
            finding.workers = Verdict::note(format!("they get none of it any more; {REFUSED}"));
        }
        comparison.push(finding);
    }
    let timing = |channel: &TriggerChannel, op: Op| -> Vec<_> {
        let of = channel.events.iter().filter(|event| event.op == op);
        of.map(|event| event.timing).collect()
    };
    for op in ops_after.iter().filter(|op| ops_before.contains(op)) {
        if timing(before, *op) != timing(after, *op) {
            let change = format!("captures `{}` at another time", op.as_str());
            let mut finding = finding(Kind::TimingChanged, is, &change);
            let reason = "before the operation, a row is not final: other triggers may change it";
            finding.workers = Verdict::note(reason);
            comparison.push(finding);
        }
    }
}

fn fields(
    comparison: &mut Comparison<'_>,
    was: &Channel,
    is: &Channel,
    before: &[MessageField],
    after: &[MessageField],
) {
    let shape = |shapes: &BTreeMap<(Shaped, String), Shape>, channel: &Channel| {
        let shape = shapes.get(&(Shaped::Message, channel.name.clone()));
        shape.cloned().unwrap_or_default()
    };
    let (shape_before, shape_after) = (
        shape(&comparison.shapes_before, was),
        shape(&comparison.shapes_after, is),
    );
    let parts = |fields: &[MessageField], shape: &Shape| -> Vec<Part> {
        fields
            .iter()
            .map(|field| {
                let default = field.default.as_ref().map(payload::literal);
                let default = default.filter(|default| default != "null");
                Part::new(&field.name, &field.name, default, &field.past, shape)
            })
            .collect()
    };
    let old: Vec<Part> = parts(before, &shape_before)
        .into_iter()
        .filter(|part| !part.until)
        .collect();
    let new = parts(after, &shape_after);
    let versions = (
        comparison.before.of_channel(comparison.old, was),
        comparison.after.of_channel(comparison.new, is),
    );
    let carried = (
        was.delivery == Delivery::Durable,
        was.delivery == Delivery::Transient,
    );
    let words = Words {
        part: "field",
        whole: "channel",
        name: is.name.clone(),
        added: Kind::FieldAdded,
        removed: Kind::FieldRemoved,
        kept: Kind::FieldKept,
        renamed: Kind::FieldRenamed,
        retyped: Kind::FieldRetyped,
        required: Kind::FieldRequired,
        optional: Kind::FieldOptional,
        default: Kind::FieldDefault,
        workers: newer(versions.0, versions.1, carried),
        publishers: Verdict::ok(format!(
            "what they publish names version {}, and is read as that",
            versions.0
        )),
        publishes: true,
        before: versions.0,
        after: versions.1,
    };
    parts::compare(comparison, &words, &old, &new, &[]);
}
