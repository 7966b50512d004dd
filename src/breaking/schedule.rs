//! When a channel sends by itself.

use crate::model::{Channel, Schedule};

use super::channels::finding;
use super::{Comparison, Kind, Verdict};

/// Of a message channel that was and is.
pub(super) fn compare(
    comparison: &mut Comparison<'_>,
    channel: &Channel,
    was: Option<&Schedule>,
    is: Option<&Schedule>,
) {
    if was == is {
        return;
    }
    let change = match (was, is) {
        (None, _) => "sends by itself",
        (_, None) => "does not send by itself any more",
        (Some(was), Some(is)) if was.when != is.when => "sends by itself at other times",
        _ => "sends something else by itself, or does otherwise with what was missed",
    };
    let mut finding = finding(Kind::ScheduleChanged, channel, change);
    finding.waiting = Verdict::ok("it is processed as it would have been");
    finding.workers = match was {
        // They do not look.
        None => Verdict::note("it fires when the first new program runs"),
        Some(_) => Verdict::ok("they go by the table, and so by the new schedule"),
    };
    finding.publishers = Verdict::ok("they publish as before");
    comparison.push(finding);
}
