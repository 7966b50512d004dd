//! How a listener is called: `hold` and `receives`.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::schema::ListenerDecl;

use super::super::{Channel, Delivery, Hold, Receives};

/// What a listener holds while it runs.
pub(super) fn hold(
    declared: &ListenerDecl,
    channels: &[&Channel],
    diagnostics: &mut Diagnostics,
) -> Hold {
    let Some(hold) = &declared.hold else {
        return Hold::Transaction;
    };
    if let Some(channel) = channels
        .iter()
        .find(|channel| channel.delivery == Delivery::Transient)
    {
        let message = format!(
            "channel `{}` is transient: nothing is stored that a listener could hold",
            channel.name
        );
        let diagnostic = Diagnostic::new(Code::InvalidOption, hold.span.clone(), message);
        diagnostics.push(diagnostic.help("remove `hold`"));
    }
    if hold.value != "lease" {
        return Hold::Transaction;
    }
    if let Some(channel) = channels.iter().find(|channel| channel.order.is_some()) {
        let message = format!(
            "channel `{}` has an order, which rests on transactions: a lease has none",
            channel.name
        );
        let diagnostic = Diagnostic::new(Code::InvalidOption, hold.span.clone(), message);
        diagnostics.push(diagnostic.help("remove `hold`, or `key` and `order` of the channel"));
    }
    Hold::Lease
}

/// What a call of it gets.
pub(super) fn receives(
    declared: &ListenerDecl,
    channels: &[&Channel],
    hold: Hold,
    diagnostics: &mut Diagnostics,
) -> Receives {
    let Some(receives) = &declared.receives else {
        return Receives::One;
    };
    if let Some(channel) = channels
        .iter()
        .find(|channel| channel.delivery == Delivery::Transient)
    {
        let message = format!(
            "channel `{}` is transient: each call gets one event with its payload",
            channel.name
        );
        let diagnostic = Diagnostic::new(Code::InvalidOption, receives.span.clone(), message);
        diagnostics.push(diagnostic.help("remove `receives`"));
        return Receives::One;
    }
    let (is, why) = match receives.value.as_str() {
        "batch" => (
            Receives::Batch,
            "a lease is for one notification, a batch for several",
        ),
        "lazy" => (
            Receives::Lazy,
            "a lease has no transaction in which the payload could be loaded",
        ),
        _ => return Receives::One,
    };
    if hold == Hold::Lease {
        let diagnostic = Diagnostic::new(Code::InvalidOption, receives.span.clone(), why);
        diagnostics.push(diagnostic.help("remove `receives`, or `hold`"));
    }
    is
}
