//! What of the old schema is what of the new one.

use std::collections::BTreeMap;

use crate::model::{Channel, Listener, Schema};

/// Indexes of what is in both, and of what is in one of them only; in the order of the schemas.
#[derive(Clone, Debug, Default)]
pub(super) struct Pairs {
    pub(super) both: Vec<(usize, usize)>,
    pub(super) gone: Vec<usize>,
    pub(super) added: Vec<usize>,
}

impl Pairs {
    /// By name, otherwise by former names.
    fn by_name<'s>(
        old: impl Iterator<Item = &'s str>,
        new: impl Iterator<Item = (&'s str, &'s [String])>,
    ) -> Self {
        let old: Vec<&str> = old.collect();
        let mut free: BTreeMap<&str, usize> = old
            .iter()
            .enumerate()
            .map(|(index, name)| (*name, index))
            .collect();
        let new: Vec<(&str, &[String])> = new.collect();
        // Whoever still has a name keeps it, whatever others say that they were.
        let mut found: Vec<Option<usize>> = new.iter().map(|(name, _)| free.remove(name)).collect();
        for (found, (_, was)) in found.iter_mut().zip(&new) {
            if found.is_none() {
                *found = was.iter().find_map(|former| free.remove(former.as_str()));
            }
        }
        let mut pairs = Self::default();
        for (new, found) in found.into_iter().enumerate() {
            match found {
                Some(old) => pairs.both.push((old, new)),
                None => pairs.added.push(new),
            }
        }
        pairs.gone = free.into_values().collect();
        pairs.gone.sort_unstable();
        pairs
    }

    pub(super) fn of_models(old: &Schema, new: &Schema) -> Self {
        Self::by_name(
            old.models.iter().map(|model| model.name.as_str()),
            new.models
                .iter()
                .map(|model| (model.name.as_str(), was(&model.was))),
        )
    }

    pub(super) fn of_channels(old: &Schema, new: &Schema) -> Self {
        Self::by_name(
            old.channels.iter().map(|channel| channel.name.as_str()),
            new.channels
                .iter()
                .map(|channel| (channel.name.as_str(), was(&channel.was))),
        )
    }

    /// By name, otherwise by group, otherwise by channels, if only one has the same.
    pub(super) fn of_listeners(old: &Schema, new: &Schema, channels: &Self) -> Self {
        let mut pairs = Self::by_name(
            old.listeners.iter().map(|listener| listener.name.as_str()),
            new.listeners
                .iter()
                .map(|listener| (listener.name.as_str(), &[] as &[String])),
        );
        let heard_before = |listener: &Listener| -> Vec<usize> {
            let heard = listener.channels.iter();
            let today = heard.filter_map(|heard| channels.new_of(heard.channel));
            sorted(today)
        };
        let heard =
            |listener: &Listener| sorted(listener.channels.iter().map(|heard| heard.channel));
        pairs.join(|gone, added| {
            let (gone, added) = (&old.listeners[gone], &new.listeners[added]);
            added.was.contains(&gone.group)
        });
        pairs.join(|gone, added| {
            let (gone, added) = (&old.listeners[gone], &new.listeners[added]);
            added.group == gone.group && heard(added) == heard_before(gone)
        });
        pairs.join(|gone, added| {
            let heard_before = heard_before(&old.listeners[gone]);
            !heard_before.is_empty() && heard(&new.listeners[added]) == heard_before
        });
        pairs
    }

    /// Pairs what is left, where there is one possibility only.
    fn join(&mut self, is_same: impl Fn(usize, usize) -> bool) {
        for gone in self.gone.clone() {
            let mut candidates = self.added.iter().filter(|added| is_same(gone, **added));
            let (Some(added), None) = (candidates.next().copied(), candidates.next()) else {
                continue;
            };
            if self
                .gone
                .iter()
                .filter(|other| is_same(**other, added))
                .count()
                == 1
            {
                self.both.push((gone, added));
                self.gone.retain(|other| *other != gone);
                self.added.retain(|other| *other != added);
            }
        }
    }

    pub(super) fn new_of(&self, old: usize) -> Option<usize> {
        let mut both = self.both.iter();
        both.find(|(index, _)| *index == old).map(|(_, new)| *new)
    }
}

fn sorted(indexes: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut indexes: Vec<usize> = indexes.collect();
    indexes.sort_unstable();
    indexes
}

fn was(names: &Option<Vec<String>>) -> &[String] {
    names.as_deref().unwrap_or_default()
}

/// Whether a listener is the one that a channel has when nobody mentions it.
pub(super) fn is_implicit(listener: &Listener, channel: &Channel) -> bool {
    listener.channels.len() == 1 && listener.name == format!("on_{}", channel.name)
}
