//! Triggers that a file replaces, and how they were switched: an operator who has disabled one had a reason, and no migration
//! may take that back without a word.

use serde::Serialize;

use crate::history::Key;
use crate::plan::ident::{sql_ident, sql_literal};
use crate::plan::{Action, Content};
use crate::render::error::RenderError;

use super::Objects;

/// A trigger that is there already.
#[derive(Serialize)]
pub(super) struct Switched {
    /// Its table, as a literal.
    table: String,
    /// Its name, as a literal.
    name: String,
    /// `tgenabled` as the earlier migration left it: what differs was done by hand.
    enabled: char,
}

/// Those among `actions` that replace a trigger; `back` are the actions that take these back, and know what was there.
pub(super) fn replaced(
    objects: &Objects<'_>,
    actions: &[Action],
    back: &[Action],
) -> Result<Vec<Switched>, RenderError> {
    let mut replaced = Vec::new();
    for action in actions {
        let Key::Trigger {
            schema,
            table,
            trigger,
        } = &action.key
        else {
            continue;
        };
        let before = back.iter().find(|before| before.key == action.key);
        let before = match before.map(|before| &before.content) {
            Some(Content::Planned(object)) => objects.text(object)?,
            Some(Content::Earlier { text, .. }) => text.clone(),
            _ => continue,
        };
        if matches!(action.content, Content::Dropped(_)) {
            continue;
        }
        let has =
            |word: &str| before.contains(&format!(" {word} TRIGGER {};\n", sql_ident(trigger)));
        replaced.push(Switched {
            table: sql_literal(&format!("{}.{}", sql_ident(schema), sql_ident(table))),
            name: sql_literal(trigger),
            enabled: match () {
                () if has("ENABLE ALWAYS") => 'A',
                () if has("ENABLE REPLICA") => 'R',
                () => 'O',
            },
        });
    }
    Ok(replaced)
}
