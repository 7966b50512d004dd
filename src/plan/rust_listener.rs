//! The trait of a listener, and how it is tied to its channel.

use std::time::Duration;

use serde::Serialize;

use crate::model::{Attempts, Channel, Delivery, FilterValue, Hold, Listener, Receives, Schema};

use super::ident::{rust_builder, rust_const, rust_field, rust_literal, rust_type};
use super::rust::{append, op_variant};

/// A listener.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RustListener {
    /// Name in the YAML, as a literal.
    pub name: String,
    /// Group, as a literal.
    pub group: String,
    /// Former groups, as literals.
    pub was: Vec<String>,
    /// Documentation.
    pub doc: Vec<String>,
    /// The trait.
    pub ty: String,
    /// Its method.
    pub method: String,
    /// What a call of the method means.
    pub called: &'static str,
    /// Whether clippy expects another receiver of a method of this name.
    pub unconventional: bool,
    /// Method of `Listeners`.
    pub builder: String,
    /// Constant with its `ListenerSpec`.
    pub constant: String,
    /// Type of the event or message.
    pub event: String,
    /// Whether that is an enum over several channels.
    pub several: bool,
    /// Type of what the handler hands on, if it decodes apart from the call.
    pub handed: Option<&'static str>,
    /// Name of what a call gets.
    pub argument: &'static str,
    /// Its type.
    pub argument_type: String,
    /// Its type in the skeleton.
    pub stub_type: String,
    /// What it takes of which channels.
    pub subscriptions: Vec<RustSubscription>,
    /// Filters.
    pub filter: Vec<RustFilter>,
    /// How often it is tried, when, and for how long.
    pub attempts: RustAttempts,
    /// Type of `cx` in the signature of the listener.
    pub context: &'static str,
    /// Type of `cx` in the skeleton.
    pub stub_context: &'static str,
    /// Trait of the handler.
    pub handler: &'static str,
    /// Method of `ListenerSet`.
    pub add: &'static str,
}

/// What a listener takes of a channel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RustSubscription {
    /// Type of the channel.
    pub channel: String,
    /// Name of the channel, as a literal, with its former ones: a pattern.
    pub name: String,
    /// Documentation of the variant.
    pub doc: String,
    /// Type of the event or message.
    pub event: String,
    /// Variants of `Op`.
    pub ops: Vec<String>,
}

/// How a listener is tried; times in milliseconds. What is `None` is left to the runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RustAttempts {
    /// Whether anything of the retries is said.
    pub retry: bool,
    /// Number of attempts.
    pub max: Option<u32>,
    /// First and longest pause.
    pub backoff: Option<(u64, u64)>,
    /// How long it may run.
    pub timeout: Option<u64>,
}

/// A filter on the context.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RustFilter {
    /// As a literal.
    pub key: String,
    /// Variant of `FilterValue`.
    pub kind: &'static str,
    /// As a literal.
    pub value: String,
}

/// How a listener is called.
struct Way {
    called: &'static str,
    argument: &'static str,
    handed: Option<&'static str>,
    context: &'static str,
    stub_context: &'static str,
    handler: &'static str,
    add: &'static str,
}

const IN_TRANSACTION: Way = Way {
    argument: "event",
    handed: None,
    called: "Called for each notification. An error rolls its effects back; it is tried again later.",
    context: "runtime::Cx<'_>",
    stub_context: "Cx<'_>",
    handler: "DurableHandler",
    add: "durable",
};

const LAZILY: Way = Way {
    argument: "event",
    handed: Some("runtime::Lazy<Self::Event>"),
    handler: "LazyHandler",
    add: "lazy",
    ..IN_TRANSACTION
};

const BY_BATCH: Way = Way {
    argument: "events",
    handed: Some("&'a [runtime::Received<Self::Event>]"),
    called: "Called for notifications that were claimed together, at least one. After an error, which rolls the effects of all of them back, it is called for each by itself.",
    context: "runtime::BatchCx<'_>",
    stub_context: "pgpubsub_runtime::BatchCx<'_>",
    handler: "BatchHandler",
    add: "batch",
};

const WITH_LEASE: Way = Way {
    argument: "event",
    handed: None,
    called: "Called for each notification, at least once, without a transaction. After an error it is tried again later.",
    context: "runtime::LeaseCx",
    stub_context: "pgpubsub_runtime::LeaseCx",
    handler: "LeaseHandler",
    add: "lease",
};

const TRANSIENT: Way = Way {
    argument: "event",
    handed: None,
    called: "Called for each message that arrives while connected. An error is only reported.",
    context: "runtime::TransientCx",
    stub_context: "TransientCx",
    handler: "TransientHandler",
    add: "transient",
};

pub(super) fn plan(schema: &Schema, listener: &Listener) -> RustListener {
    let channels: Vec<&Channel> = listener
        .channels
        .iter()
        .map(|subscription| &schema.channels[subscription.channel])
        .collect();
    let way = match (channels[0].delivery, listener.hold, listener.receives) {
        (Delivery::Durable, Hold::Transaction, Receives::One) => &IN_TRANSACTION,
        (Delivery::Durable, Hold::Transaction, Receives::Batch) => &BY_BATCH,
        (Delivery::Durable, Hold::Transaction, Receives::Lazy) => &LAZILY,
        (Delivery::Durable, Hold::Lease, _) => &WITH_LEASE,
        (Delivery::Transient, ..) => &TRANSIENT,
    };
    let names: Vec<String> = channels
        .iter()
        .map(|channel| format!("`{}`", channel.name))
        .collect();
    let plural = if channels.len() == 1 { "" } else { "s" };
    let mut doc = vec![format!(
        "Listener `{}` on the channel{plural} {}.",
        listener.name,
        names.join(", ")
    )];
    let subscriptions: Vec<RustSubscription> = listener
        .channels
        .iter()
        .zip(&channels)
        .map(|(subscription, channel)| RustSubscription {
            channel: rust_type(&channel.name),
            name: std::iter::once(&channel.name)
                .chain(channel.was.iter().flatten())
                .map(|name| rust_literal(name))
                .collect::<Vec<_>>()
                .join(" | "),
            doc: format!("From the channel `{}`.", channel.name),
            event: if subscription.ops == channel.ops() {
                rust_type(&channel.name)
            } else {
                rust_type(&listener.part_name(channel))
            },
            ops: subscription
                .ops
                .iter()
                .map(|op| format!("runtime::Op::{}", op_variant(*op)))
                .collect(),
        })
        .collect();
    append(&mut doc, listener.doc.as_deref());
    let event = if listener.is_several() {
        rust_type(&format!("{}_event", listener.name))
    } else {
        subscriptions[0].event.clone()
    };
    let argument_type = |runtime: &str, event: String| match listener.receives {
        Receives::One => event,
        Receives::Batch => format!("&[{runtime}::Received<{event}>]"),
        Receives::Lazy => format!("{runtime}::Lazy<{event}>"),
    };
    RustListener {
        name: rust_literal(&listener.name),
        group: rust_literal(&listener.group),
        was: listener.was.iter().map(|was| rust_literal(was)).collect(),
        doc,
        ty: rust_type(&listener.name),
        method: rust_field(&listener.name),
        called: way.called,
        unconventional: is_unconventional(&rust_field(&listener.name)),
        builder: rust_builder(&listener.name),
        constant: rust_const(&listener.name),
        argument: way.argument,
        argument_type: argument_type("runtime", event.clone()),
        stub_type: argument_type("pgpubsub_runtime", format!("pubsub::{event}")),
        handed: way.handed,
        event,
        several: listener.is_several(),
        subscriptions,
        filter: listener
            .filter
            .iter()
            .map(|filter| {
                let (kind, value) = match &filter.value {
                    FilterValue::Literal(value) => ("Literal", value),
                    FilterValue::Environment(name) => ("Environment", name),
                };
                RustFilter {
                    key: rust_literal(&filter.key),
                    kind,
                    value: rust_literal(value),
                }
            })
            .collect(),
        attempts: attempts(listener.attempts),
        context: way.context,
        stub_context: way.stub_context,
        handler: way.handler,
        add: way.add,
    }
}

fn attempts(attempts: Attempts) -> RustAttempts {
    let milliseconds =
        |time: Duration| u64::try_from(time.as_millis()).expect("the check limits times to a year");
    RustAttempts {
        retry: attempts.max.is_some() || attempts.backoff.is_some(),
        max: attempts.max,
        backoff: attempts
            .backoff
            .map(|backoff| (milliseconds(backoff.first), milliseconds(backoff.max))),
        timeout: attempts.timeout.map(milliseconds),
    }
}

/// Beginnings that `clippy::wrong_self_convention` knows.
fn is_unconventional(method: &str) -> bool {
    let beginnings = ["as_", "from_", "into_", "is_", "to_"];
    method == "new"
        || beginnings
            .iter()
            .any(|beginning| method.starts_with(beginning))
}
