//! `retain:`.

use std::time::Duration;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::schema::{ChannelDecl, Spanned};

use super::super::{Delivery, duration};

/// What is kept goes by the hour at the soonest: less is not worth a partition.
const SHORTEST: Duration = Duration::from_secs(3600);
/// The longest time that can be said: more is a mistake.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

pub(super) fn check(
    declared: &ChannelDecl,
    delivery: Delivery,
    diagnostics: &mut Diagnostics,
) -> Option<Duration> {
    let retain = declared.retain.as_ref()?;
    if delivery == Delivery::Transient {
        let message = format!(
            "channel `{}` is transient: what is never stored cannot be kept",
            declared.name.value
        );
        let diagnostic = Diagnostic::new(Code::InvalidOption, retain.span.clone(), message);
        diagnostics.push(diagnostic.help("remove it, or make the channel durable"));
        return None;
    }
    let time = time(retain);
    if time.is_none() {
        let message = format!("`{}` is no time to keep something for", retain.value);
        let diagnostic = Diagnostic::new(Code::InvalidValue, retain.span.clone(), message);
        diagnostics.push(diagnostic.help("write for instance `12h` or `7d`, from 1h to 3650d"));
    }
    time
}

/// A number of seconds.
fn time(retain: &Spanned<String>) -> Option<Duration> {
    let units = duration::UP_TO_HOURS.iter().chain(duration::DAYS);
    let time = duration::read(&retain.value, units, LONGEST)?;
    (time >= SHORTEST && time.subsec_nanos() == 0).then_some(time)
}
