//! What senders may say of a message, and which messages are folded.

use crate::model::{Channel, MessageOptions};

use super::channels::{finding, listed};
use super::{Comparison, Kind, Verdict};

/// Of a message channel that was and is.
pub(super) fn compare(
    comparison: &mut Comparison<'_>,
    channel: &Channel,
    was: &MessageOptions,
    is: &MessageOptions,
) {
    let options = |options: &MessageOptions| {
        [
            ("notify_at", options.notify_at),
            ("expires", options.expires.is_some()),
            ("priority", options.priority),
        ]
    };
    let named = |wanted: fn(bool, bool) -> bool| -> Vec<String> {
        options(was)
            .into_iter()
            .zip(options(is))
            .filter(|((_, was), (_, is))| wanted(*was, *is))
            .map(|((name, _), _)| name.to_owned())
            .collect()
    };
    let added = named(|was, is| !was && is);
    if !added.is_empty() {
        let change = format!("takes {}", listed(&added));
        let mut finding = finding(Kind::OptionAdded, channel, &change);
        if is.priority && !was.priority {
            finding.workers = Verdict::note("they take what is urgent in its turn");
        }
        comparison.push(finding);
    }
    let removed = named(|was, is| was && !is);
    if !removed.is_empty() {
        let change = format!("does not take {} any more", listed(&removed));
        let mut finding = finding(Kind::OptionRemoved, channel, &change);
        finding.waiting = Verdict::ok("what was said of them holds");
        finding.publishers = Verdict::breaks("a call that says it fails");
        finding
            .advice
            .push("remove it when no program says it any more".to_owned());
        comparison.push(finding);
    }
    let default = |options: &MessageOptions| options.expires.and_then(|expires| expires.default);
    if default(was) != default(is) {
        let mut finding = finding(
            Kind::ExpiryChanged,
            channel,
            match default(is) {
                Some(_) => "has messages that expire after another time by themselves",
                None => "has messages that do not expire by themselves any more",
            },
        );
        finding.waiting = Verdict::ok("they expire as they would have");
        finding.publishers = Verdict::note("it holds for what they publish, too");
        comparison.push(finding);
    }
    if was.dedup != is.dedup {
        let mut finding = finding(
            Kind::DedupChanged,
            channel,
            match (&was.dedup, &is.dedup) {
                (None, _) => "folds messages that are equal",
                (_, None) => "does not fold messages any more",
                _ => "folds other messages, or in another way",
            },
        );
        finding.waiting = Verdict::ok(
            "they are processed as before; what was equal to them may be stored beside them",
        );
        finding.publishers = Verdict::note("it holds for what they publish, too");
        comparison.push(finding);
    }
}
