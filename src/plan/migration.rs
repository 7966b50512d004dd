//! The next migration: its number, and what it has to drop.

use serde::Serialize;

use crate::history::History;
use crate::lock::TriggerLock;
use crate::model::Schema;

use super::error::PlanError;
use super::ident::sql_ident;
use super::names::sha256_hex;
use super::sql::SqlPlan;

/// Line before the state in an up file.
pub const STATE_BEGIN: &str = "-- pgpubsub-gen: state begins";
/// Line after the state in an up file.
pub const STATE_END: &str = "-- pgpubsub-gen: state ends";

/// The next migration, emitted if its state differs from the newest one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Migration {
    /// Path of the up file.
    pub up: String,
    /// Path of the down file.
    pub down: String,
    /// What the up file removes of the previous state.
    pub up_drops: Drops,
    /// What the down file removes of the new state.
    pub down_drops: Drops,
    /// The newest migration so far.
    pub previous: Option<Previous>,
    /// Triggers of the new state, sorted.
    pub triggers: Vec<TriggerLock>,
    /// Functions of the new state, sorted.
    pub functions: Vec<String>,
}

/// Objects to drop; triggers first, as they depend on the functions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Drops {
    /// `"trigger" ON "schema"."table"`.
    pub triggers: Vec<String>,
    /// `"schema"."function"(types)`.
    pub functions: Vec<String>,
}

/// The newest migration so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Previous {
    /// Path of its up file.
    pub up: String,
    /// Fingerprint of its state.
    pub state: String,
    /// SQL of its state, between the two marker lines of its up file; `None` if that file is gone or lost its markers.
    pub body: Option<String>,
}

pub(super) fn plan(
    schema: &Schema,
    history: &History,
    sql: &SqlPlan,
) -> Result<Option<Migration>, PlanError> {
    let Some(folder) = &schema.generate.migrations_dir else {
        return Ok(None);
    };
    let newest = history
        .lock
        .as_ref()
        .and_then(|lock| lock.migrations.last());
    let number = next_number(history)?;
    let mut triggers: Vec<TriggerLock> = sql
        .triggers
        .iter()
        .map(|trigger| trigger.lock.clone())
        .collect();
    triggers.sort_unstable();
    let mut functions: Vec<String> = sql
        .functions
        .iter()
        .map(|function| function.signature.clone())
        .collect();
    functions.sort_unstable();
    let (old_triggers, old_functions) = newest
        .map(|newest| (newest.triggers.as_slice(), newest.functions.as_slice()))
        .unwrap_or_default();
    Ok(Some(Migration {
        up: format!("{folder}/{number}_pgpubsub.up.sql"),
        down: format!("{folder}/{number}_pgpubsub.down.sql"),
        up_drops: Drops::of(old_triggers, &triggers, old_functions, &functions),
        down_drops: Drops::of(&triggers, old_triggers, &functions, old_functions),
        previous: newest.map(|newest| Previous {
            up: newest.up.clone(),
            state: newest.state.clone(),
            body: history
                .newest_up
                .as_deref()
                .and_then(|up| state_body(up, &newest.up_sha256)),
        }),
        triggers,
        functions,
    }))
}

impl Drops {
    /// What is in `have` and not in `keep`; all are sorted.
    fn of(
        have_triggers: &[TriggerLock],
        keep_triggers: &[TriggerLock],
        have_functions: &[String],
        keep_functions: &[String],
    ) -> Self {
        Self {
            triggers: have_triggers
                .iter()
                .filter(|trigger| keep_triggers.binary_search(trigger).is_err())
                .map(|trigger| {
                    format!(
                        "{} ON {}.{}",
                        sql_ident(&trigger.trigger),
                        sql_ident(&trigger.schema),
                        sql_ident(&trigger.table)
                    )
                })
                .collect(),
            functions: have_functions
                .iter()
                .filter(|function| keep_functions.binary_search(function).is_err())
                .cloned()
                .collect(),
        }
    }
}

/// The lines between the markers, if it is the file that was emitted.
fn state_body(up: &str, sha256: &str) -> Option<String> {
    // A checkout on Windows may have converted the line ends.
    let up = up.replace("\r\n", "\n");
    if sha256_hex(&up) != sha256 {
        return None;
    }
    let (_, rest) = up.split_once(&format!("{STATE_BEGIN}\n"))?;
    // The last end marker: documentation in the state could look like one.
    let (body, _) = rest.rsplit_once(&format!("{STATE_END}\n"))?;
    Some(body.to_owned())
}

/// One more than the greatest number in use, as wide as that one and at least four digits.
fn next_number(history: &History) -> Result<String, PlanError> {
    let locked = history.lock.iter().flat_map(|lock| &lock.migrations);
    let locked = locked.map(|migration| migration.up.rsplit('/').next().unwrap_or_default());
    let mut width = 4;
    let mut greatest: i64 = 0;
    for name in history
        .migration_names
        .iter()
        .map(String::as_str)
        .chain(locked)
    {
        let digits =
            &name[..name.len() - name.trim_start_matches(|c: char| c.is_ascii_digit()).len()];
        // What is no 64-bit number is no migration of sqlx either.
        let Ok(number) = digits.parse::<i64>() else {
            continue;
        };
        if number >= greatest {
            greatest = number;
            width = digits.len().max(4);
        }
    }
    let next = greatest
        .checked_add(1)
        .ok_or_else(|| PlanError::MigrationNumber(greatest.to_string()))?;
    Ok(format!("{next:0width$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_follows_the_greatest_in_the_folder() {
        for (names, expected) in [
            (&[][..], "0001"),
            (&["0001_authors.up.sql", "0001_authors.down.sql"], "0002"),
            (&["1_a.sql", "2_b.sql"], "0003"),
            (&["00009_a.sql"], "00010"),
            (&["20260131120000_a.sql", "0003_b.sql"], "20260131120001"),
            (&["README.md", "99999999999999999999_x.sql"], "0001"),
        ] {
            let history = History {
                migration_names: names.iter().map(ToString::to_string).collect(),
                ..History::default()
            };
            assert_eq!(next_number(&history).as_deref(), Ok(expected), "{names:?}");
        }
    }

    #[test]
    fn a_body_lies_between_the_markers() {
        let up = format!("x\n{STATE_BEGIN}\nbody\n{STATE_END}\n");
        let sha256 = sha256_hex(&up);
        assert_eq!(state_body(&up, &sha256).as_deref(), Some("body\n"));
        let windows = up.replace('\n', "\r\n");
        assert_eq!(state_body(&windows, &sha256).as_deref(), Some("body\n"));
        assert_eq!(state_body("x", &sha256), None);
    }
}
