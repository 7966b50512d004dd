//! Which stored notifications are processed by whom.

use std::collections::BTreeSet;

use crate::model::{Delivery, Op, Schema};

/// Notifications of an operation of a channel that are stored for a group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stored {
    pub(super) group: String,
    pub(super) channel: String,
    pub(super) op: Op,
}

/// What the old schema stores and nobody of the new one takes.
#[derive(Clone, Debug, Default)]
pub(super) struct Left {
    nobody: Vec<Stored>,
    /// Those that no finding has told of yet.
    untold: BTreeSet<Stored>,
}

impl Left {
    pub(super) fn new(old: &Schema, new: &Schema) -> Self {
        let taken = taken(new);
        let nobody: Vec<Stored> = stored(old).difference(&taken).cloned().collect();
        Self {
            untold: nobody.iter().cloned().collect(),
            nobody,
        }
    }

    /// The groups of those that are meant; they are told of with that.
    pub(super) fn groups(&mut self, is_meant: impl Fn(&Stored) -> bool) -> Vec<String> {
        let mut groups = BTreeSet::new();
        for stored in self.nobody.iter().filter(|stored| is_meant(stored)) {
            groups.insert(stored.group.clone());
            self.untold.remove(stored);
        }
        groups.into_iter().collect()
    }

    /// The groups of those that are meant and were not told of before.
    pub(super) fn untold_groups(&mut self, is_meant: impl Fn(&Stored) -> bool) -> Vec<String> {
        let untold = self.untold.clone();
        self.groups(|stored| untold.contains(stored) && is_meant(stored))
    }

    pub(super) fn untold(&self) -> impl Iterator<Item = &Stored> {
        self.untold.iter()
    }
}

/// What a schema stores.
fn stored(schema: &Schema) -> BTreeSet<Stored> {
    let mut all = BTreeSet::new();
    each(schema, |listener, channel, op| {
        all.insert(Stored {
            group: listener.group.clone(),
            channel: channel.name.clone(),
            op,
        });
    });
    all
}

/// What the workers of a schema claim: under former names, too.
fn taken(schema: &Schema) -> BTreeSet<Stored> {
    let mut all = BTreeSet::new();
    each(schema, |listener, channel, op| {
        for group in std::iter::once(&listener.group).chain(&listener.was) {
            for name in std::iter::once(&channel.name).chain(channel.was.iter().flatten()) {
                all.insert(Stored {
                    group: group.clone(),
                    channel: name.clone(),
                    op,
                });
            }
        }
    });
    all
}

fn each(schema: &Schema, mut one: impl FnMut(&crate::model::Listener, &crate::model::Channel, Op)) {
    for listener in &schema.listeners {
        for subscription in &listener.channels {
            let channel = &schema.channels[subscription.channel];
            if channel.delivery == Delivery::Durable {
                for op in &subscription.ops {
                    one(listener, channel, *op);
                }
            }
        }
    }
}
