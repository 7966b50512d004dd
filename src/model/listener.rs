//! Listeners: what they take of which channels, and how they are tried.

use crate::diagnostic::Span;

use super::{Attempts, Channel, Op};

/// How a listener of a durable channel holds a notification while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// In the transaction that removes it.
    Transaction,
    /// By a time that is written into it, and renewed.
    Lease,
}

/// What a call of a listener gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receives {
    /// One event.
    One,
    /// A slice of what was claimed together.
    Batch,
    /// One event, whose payload stays in the database until the listener loads it.
    Lazy,
}

/// A listener on a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    /// Key in the YAML; `on_<channel>` for the implicit listener of a channel without one.
    pub name: String,
    /// Where it is declared; an implicit one: where its channel is.
    pub span: Span,
    /// Documentation.
    pub doc: Option<String>,
    /// At least one, distinct, all with the same delivery.
    pub channels: Vec<Subscription>,
    /// Listeners of one group share one copy of each durable notification. Default: the listener's name.
    pub group: String,
    /// Former groups, for which notifications may still wait.
    pub was: Vec<String>,
    /// Whether that is said; without a word, a group that is gone may have been this one.
    pub says_was: bool,
    /// How it holds a notification while it runs.
    pub hold: Hold,
    /// What a call of it gets.
    pub receives: Receives,
    /// All must match the notification's context.
    pub filter: Vec<ContextFilter>,
    /// How often it is tried, when, and for how long.
    pub attempts: Attempts,
}

/// What a listener takes of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Index into [`super::Schema::channels`].
    pub channel: usize,
    /// Sorted, distinct, never empty, a subset of what the channel can carry.
    pub ops: Vec<Op>,
}

/// `filter: {context.KEY: VALUE}`.
#[derive(Clone, Debug, PartialEq)]
pub struct ContextFilter {
    /// Key in the context.
    pub key: String,
    /// Value to equal.
    pub value: FilterValue,
}

/// Where the value of a filter comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum FilterValue {
    /// Written in the YAML.
    Literal(String),
    /// `$NAME`: environment variable of the worker, read when the worker starts.
    Environment(String),
}

impl Listener {
    /// Whether it gets its event as one of several channels' types.
    pub fn is_several(&self) -> bool {
        self.channels.len() > 1
    }

    /// Names of the types that are made for it: an event of its own, and parts of the events of channels.
    pub fn own_types(&self, channels: &[Channel]) -> Vec<String> {
        let mut types = Vec::new();
        if self.is_several() {
            types.push(format!("{}_event", self.name));
        }
        for subscription in &self.channels {
            let channel = &channels[subscription.channel];
            if subscription.ops != channel.ops() {
                types.push(self.part_name(channel));
            }
        }
        types
    }

    /// Name of the type for a part of a channel's events.
    pub fn part_name(&self, channel: &Channel) -> String {
        if self.is_several() {
            format!("{}_{}", self.name, channel.name)
        } else {
            format!("{}_event", self.name)
        }
    }
}
