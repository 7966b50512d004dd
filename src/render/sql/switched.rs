//! Triggers that a file replaces, and how they were switched: an operator who has disabled one had a reason, and no migration
//! may take that back without a word.

use serde::Serialize;

use crate::history::Key;
use crate::plan::ident::{sql_ident, sql_literal};
use crate::plan::{Action, Content, Migration};
use crate::render::error::RenderError;

use super::Objects;

/// A trigger that is there already.
#[derive(Serialize)]
pub(super) struct Switched {
    /// Its table, as a literal.
    table: String,
    /// Its name, as a literal.
    before: String,
    /// The name of the one that follows, as a literal.
    after: String,
    /// `tgenabled` as the earlier migration left it: what differs was done by hand.
    enabled: char,
}

/// A trigger as an action leaves or finds it.
struct Trigger {
    text: String,
    /// Fingerprint of its function's key.
    kin: String,
}

/// Those among `actions` that replace a trigger, under the same name or another one; `back` are the actions that take these
/// back, and know what was there.
pub(super) fn replaced(
    objects: &Objects<'_>,
    migration: &Migration,
    actions: &[Action],
    back: &[Action],
) -> Result<Vec<Switched>, RenderError> {
    let mut before = Vec::new();
    for action in back {
        if let Some(trigger) = Trigger::of(objects, &action.content)? {
            before.push((&action.key, trigger));
        }
    }
    let mut replaced = Vec::new();
    for action in actions {
        let Key::Trigger {
            schema,
            table,
            trigger: name,
        } = &action.key
        else {
            continue;
        };
        let Some(after) = Trigger::of(objects, &action.content)? else {
            continue;
        };
        let on_the_same = |key: &Key| matches!(key, Key::Trigger { schema: other, table: other_table, .. } if (other, other_table) == (schema, table));
        let same = before.iter().find(|(key, _)| **key == action.key);
        let former = same.or_else(|| {
            before
                .iter()
                .find(|(key, before)| on_the_same(key) && after.follows(before, migration))
        });
        let Some((
            Key::Trigger {
                trigger: former, ..
            },
            before,
        )) = former
        else {
            continue;
        };
        replaced.push(Switched {
            table: sql_literal(&format!("{}.{}", sql_ident(schema), sql_ident(table))),
            before: sql_literal(former),
            after: sql_literal(name),
            enabled: before.enabled(former),
        });
    }
    Ok(replaced)
}

impl Trigger {
    fn of(objects: &Objects<'_>, content: &Content) -> Result<Option<Self>, RenderError> {
        Ok(match content {
            Content::Planned(object) => Some(Self {
                text: objects.text(object)?,
                kin: object.kin.clone(),
            }),
            Content::Earlier { text, kin, .. } => Some(Self {
                text: text.clone(),
                kin: kin.clone(),
            }),
            Content::Silent | Content::Left | Content::Dropped(_) => None,
        })
    }

    /// Whether it does for its channel what another one did under another name.
    fn follows(&self, before: &Self, migration: &Migration) -> bool {
        let renamed = |from: &str, to: &str| {
            let mut renamed = migration.renamed_functions.iter();
            renamed.any(|(before, after)| (before.as_str(), after.as_str()) == (from, to))
        };
        let same_channel = self.kin == before.kin
            || renamed(&before.kin, &self.kin)
            // On the way down.
            || renamed(&self.kin, &before.kin);
        same_channel && self.occasion() == before.occasion()
    }

    /// `AFTER INSERT`.
    fn occasion(&self) -> Option<(&str, &str)> {
        let mut lines = self.text.lines().map(str::trim_start);
        let line = lines.find(|line| line.starts_with("AFTER ") || line.starts_with("BEFORE "))?;
        let mut words = line.split(' ');
        Some((words.next()?, words.next()?))
    }

    fn enabled(&self, name: &str) -> char {
        let name = sql_ident(name);
        let has = |word: &str| self.text.contains(&format!(" {word} TRIGGER {name};\n"));
        if has("ENABLE ALWAYS") {
            'A'
        } else if has("ENABLE REPLICA") {
            'R'
        } else {
            'O'
        }
    }
}
