//! Listeners, their groups and filters.

use crate::model::{Delivery, FilterValue, Listener, Op};

use super::channels::{REFUSED, listed};
use super::models::refused;
use super::pairs::is_implicit;
use super::{Comparison, Finding, Kind, Verdict, drain};

pub(super) fn compare(comparison: &mut Comparison<'_>) {
    let (old, new) = (comparison.old, comparison.new);
    for index in comparison.listeners.added.clone() {
        let listener = &new.listeners[index];
        let channel = listener.channels[0].channel;
        // The one that a new channel has by itself.
        if is_implicit(listener, &new.channels[channel])
            && comparison.channels.added.contains(&channel)
        {
            continue;
        }
        let mut finding = finding(Kind::ListenerAdded, listener, "is new");
        finding.waiting = Verdict::ok("it gets what is written from the migration on");
        finding.workers = Verdict::ok("they leave its notifications to newer workers");
        let finding = refused(comparison, finding);
        comparison.push(finding);
    }
    for index in comparison.listeners.gone.clone() {
        gone(comparison, &old.listeners[index]);
    }
    for (was, is) in comparison.listeners.both.clone() {
        let (was, is) = (&old.listeners[was], &new.listeners[is]);
        subscriptions(comparison, was, is);
        itself(comparison, was, is);
        filter(comparison, was, is);
        if was.doc != is.doc {
            comparison.push(finding(Kind::Documentation, is, "has other documentation"));
        }
    }
}

fn finding(kind: Kind, listener: &Listener, change: &str) -> Finding {
    Finding {
        kind,
        what: format!("listener `{}` {change}", listener.name),
        span: Some(listener.span.clone()),
        waiting: Verdict::ok("they are read and processed as before"),
        workers: Verdict::ok("nothing changes for them"),
        publishers: Verdict::ok("nothing changes for them"),
        advice: Vec::new(),
    }
}

/// What waits for an old listener and nobody takes, of some channels and operations: the verdict and the channels.
fn left(
    comparison: &mut Comparison<'_>,
    was: &Listener,
    is_meant: impl Fn(&str, Op) -> bool,
) -> Option<(Verdict, Vec<String>)> {
    let old = comparison.old;
    let mut channels = Vec::new();
    for heard in &was.channels {
        let name = &old.channels[heard.channel].name;
        let groups = comparison.left.untold_groups(|stored| {
            stored.group == was.group
                && stored.channel == *name
                && heard.ops.contains(&stored.op)
                && is_meant(name, stored.op)
        });
        if !groups.is_empty() {
            channels.push(name.clone());
        }
    }
    let reason = format!(
        "what waits for the group `{}` is processed by nobody",
        was.group
    );
    (!channels.is_empty()).then(|| (Verdict::breaks(reason), channels))
}

fn gone(comparison: &mut Comparison<'_>, listener: &Listener) {
    let channel = listener.channels[0].channel;
    let found = left(comparison, listener, |_, _| true);
    // The one that a channel had by itself that is gone.
    if is_implicit(listener, &comparison.old.channels[channel])
        && comparison.channels.gone.contains(&channel)
    {
        return;
    }
    let mut finding = finding(Kind::ListenerRemoved, listener, "is gone");
    finding.span = None;
    finding.waiting = Verdict::ok("nothing waits for it alone");
    if let Some((verdict, channels)) = found {
        finding.waiting = verdict;
        finding
            .advice
            .extend(channels.iter().map(|channel| drain(channel)));
        finding.advice.push(format!(
            "or `was: {}` at the listener that takes over",
            listener.group
        ));
    }
    finding.workers = Verdict::note(format!("they get nothing for it any more; {REFUSED}"));
    comparison.push(finding);
}

fn subscriptions(comparison: &mut Comparison<'_>, was: &Listener, is: &Listener) {
    let (old, new) = (comparison.old, comparison.new);
    for heard in &was.channels {
        let channel = &old.channels[heard.channel];
        let Some(today) = comparison.channels.new_of(heard.channel) else {
            continue;
        };
        let Some(now) = is.channels.iter().find(|now| now.channel == today) else {
            let change = format!("does not listen to channel `{}` any more", channel.name);
            let mut finding = finding(Kind::SubscriptionRemoved, is, &change);
            if let Some((verdict, channels)) = left(comparison, was, |name, _| name == channel.name)
            {
                finding.waiting = verdict;
                finding
                    .advice
                    .extend(channels.iter().map(|channel| drain(channel)));
            }
            finding.workers = Verdict::note(format!("they get none of it any more; {REFUSED}"));
            comparison.push(finding);
            continue;
        };
        let carried = new.channels[today].ops();
        let fewer: Vec<Op> = heard
            .ops
            .iter()
            .copied()
            .filter(|op| !now.ops.contains(op) && carried.contains(op))
            .collect();
        if !fewer.is_empty() {
            let change = format!("does not take {} any more", words(&fewer));
            let mut finding = finding(Kind::EventsNarrowed, is, &change);
            let meant = |name: &str, op| name == channel.name && fewer.contains(&op);
            if let Some((verdict, channels)) = left(comparison, was, meant) {
                finding.waiting = verdict;
                finding
                    .advice
                    .extend(channels.iter().map(|channel| drain(channel)));
            }
            finding.workers = Verdict::note(format!("they get none of it any more; {REFUSED}"));
            comparison.push(finding);
        }
        let carried = channel.ops();
        let more: Vec<Op> = now
            .ops
            .iter()
            .copied()
            .filter(|op| !heard.ops.contains(op) && carried.contains(op))
            .collect();
        if !more.is_empty() {
            let change = format!("takes {}, too", words(&more));
            let mut finding = finding(Kind::EventsWidened, is, &change);
            finding.workers = Verdict::ok("they take only the events that they know");
            comparison.push(finding);
        }
    }
    for now in &is.channels {
        let is_new = !was
            .channels
            .iter()
            .any(|heard| comparison.channels.new_of(heard.channel) == Some(now.channel));
        if is_new {
            let change = format!(
                "listens to channel `{}`, too",
                new.channels[now.channel].name
            );
            let mut finding = finding(Kind::SubscriptionAdded, is, &change);
            finding.waiting = Verdict::ok("it gets what is written from the migration on");
            finding.workers = Verdict::ok("they take only the channels that they know");
            comparison.push(finding);
        }
    }
}

fn words(ops: &[Op]) -> String {
    let words: Vec<String> = ops.iter().map(|op| op.as_str().to_owned()).collect();
    listed(&words)
}

fn itself(comparison: &mut Comparison<'_>, was: &Listener, is: &Listener) {
    let (old, new) = (comparison.old, comparison.new);
    let of_the_channel = is_implicit(was, &old.channels[was.channels[0].channel])
        && is_implicit(is, &new.channels[is.channels[0].channel]);
    let found = left(comparison, was, |_, _| true);
    // A renamed channel says it all.
    if (was.name != is.name || was.group != is.group) && !(of_the_channel && found.is_none()) {
        let (kind, change) = if was.name == is.name {
            let change = format!("is in the group `{}`, and was in `{}`", is.group, was.group);
            (Kind::GroupChanged, change)
        } else {
            (Kind::ListenerRenamed, format!("was `{}`", was.name))
        };
        let mut finding = finding(kind, is, &change);
        if let Some((verdict, channels)) = found {
            // The generator asks for the same.
            drop(comparison.mistake(&is.span));
            finding.waiting = verdict;
            finding.advice.push(format!(
                "write `was: {}` at listener `{}`: it then takes what waits for that group, too",
                was.group, is.name
            ));
            finding.advice.extend(
                channels
                    .iter()
                    .map(|channel| format!("or {}", drain(channel))),
            );
        }
        finding.workers = Verdict::note(if was.group == is.group {
            format!("they share the group with newer workers; {REFUSED}")
        } else {
            format!("what is for the new group is left to newer workers; {REFUSED}")
        });
        comparison.push(finding);
    }
    let dropped: Vec<String> = was
        .was
        .iter()
        .filter(|group| !is.was.contains(group) && **group != is.group)
        .cloned()
        .collect();
    if !dropped.is_empty() && !of_the_channel {
        let change = format!("does not take what waits for {} any more", listed(&dropped));
        let mut finding = finding(Kind::FormerGroupDropped, is, &change);
        finding.waiting = Verdict::note(format!(
            "what waits for {} is processed by nobody",
            listed(&dropped)
        ));
        finding.advice.push(
            "before: `pgpubsub-gen pending` says for which groups something waits".to_owned(),
        );
        comparison.push(finding);
    }
}

fn filter(comparison: &mut Comparison<'_>, was: &Listener, is: &Listener) {
    let sorted = |listener: &Listener| {
        let mut filter = listener.filter.clone();
        filter.sort_by(|left, right| left.key.cmp(&right.key));
        filter
    };
    let (before, after) = (sorted(was), sorted(is));
    if before == after {
        return;
    }
    let is_durable = is
        .channels
        .iter()
        .any(|heard| comparison.new.channels[heard.channel].delivery == Delivery::Durable);
    // What is in both does not matter, nor whether there is more.
    let is_narrower = after.iter().any(|filter| !before.contains(filter));
    let by_environment = after
        .iter()
        .filter(|filter| !before.contains(filter))
        .all(|filter| matches!(filter.value, FilterValue::Environment(_)));
    let (kind, change) = match (before.is_empty(), after.is_empty()) {
        (true, _) => (Kind::FilterAdded, "has a filter"),
        (_, true) => (Kind::FilterRemoved, "has no filter any more"),
        _ => (Kind::FilterChanged, "has another filter"),
    };
    let mut finding = finding(kind, is, change);
    finding.waiting = match (is_durable, is_narrower, by_environment) {
        (false, ..) => Verdict::ok("nothing waits of what is transient"),
        (_, false, _) => Verdict::note("what did not match is processed, too, if it waits"),
        (_, true, true) => {
            Verdict::note("what matches the environment of no worker waits for ever")
        }
        (_, true, false) => {
            let channels = is.channels.iter();
            let names = channels.map(|heard| comparison.new.channels[heard.channel].name.as_str());
            finding.advice.extend(names.map(drain));
            finding
                .advice
                .push("or write no filter, and look at the context in the listener".to_owned());
            Verdict::breaks("what waits and does not match is processed by nobody")
        }
    };
    finding.workers = Verdict::note("they take what matches the filter that they know");
    comparison.push(finding);
}
