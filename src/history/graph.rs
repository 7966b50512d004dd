//! The migrations of a project in order, and what they leave behind together.
//!
//! Each names those that it builds on, so two branches that were merged are two lines with a common beginning. Tools apply
//! files by their number; a database that had one branch's file already gets the other's later. What two branches did to one
//! object is therefore open until a migration that follows both says it again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::plan::ident::{sql_ident, sql_literal};

use super::Key;
use super::emitted::{Change, Emitted, Installed};

/// An emitted migration and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its files: the up file first.
    pub paths: Vec<String>,
    /// Its number, as digits without zeros before them.
    pub number: String,
    /// What it says.
    pub emitted: Emitted,
}

/// What the migrations leave behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Objects.
    pub objects: BTreeMap<Key, Installed>,
    /// Objects that two branches left in different ways: any of these may be there, or none.
    pub open: BTreeSet<Key>,
    /// Ids of the migrations that no other one builds on, sorted.
    pub heads: Vec<String>,
}

impl State {
    /// Replays migrations, which are in the order in which tools apply them.
    pub fn replay(migrations: &[Placed]) -> Self {
        let mut state = Self::default();
        let ancestry = Ancestry::new(migrations);
        let mut writers: HashMap<Key, Vec<(usize, Option<Installed>)>> = HashMap::new();
        let mut seen = BTreeSet::new();
        for (index, placed) in migrations.iter().enumerate() {
            // A copy does again what was done.
            if !seen.insert(placed.emitted.id.as_str()) {
                continue;
            }
            for change in &placed.emitted.changes {
                match change {
                    Change::Set(key, installed) => {
                        state.objects.insert(key.clone(), installed.clone());
                        let writers = writers.entry(key.clone()).or_default();
                        writers.push((index, Some(installed.clone())));
                    }
                    Change::Drop(key) => {
                        state.objects.remove(key);
                        writers.entry(key.clone()).or_default().push((index, None));
                    }
                    Change::TableRenamed { from, to } => state.rename(from, to),
                }
            }
        }
        if !ancestry.is_line {
            for (key, writers) in writers {
                if is_open(&writers, &ancestry) {
                    state.open.insert(key);
                }
            }
        }
        state.heads = ancestry.heads(migrations);
        state
    }

    /// A table has another name; its triggers have moved with it.
    pub fn rename(&mut self, from: &(String, String), to: &(String, String)) {
        let moved: Vec<Key> = self
            .objects
            .keys()
            .filter(|key| matches!(key, Key::Trigger { schema, table, .. } if (schema, table) == (&from.0, &from.1)))
            .cloned()
            .collect();
        for key in moved {
            if let (Some(mut installed), Key::Trigger { trigger, .. }) =
                (self.objects.remove(&key), key)
            {
                let (before, after) = (qualified(from), qualified(to));
                // Literals first: what is escaped in them is not what stands elsewhere.
                installed.text = installed
                    .text
                    .replace(&sql_literal(&before), &sql_literal(&after))
                    .replace(&before, &after);
                let key = Key::Trigger {
                    schema: to.0.clone(),
                    table: to.1.clone(),
                    trigger,
                };
                self.objects.insert(key, installed);
            }
        }
    }
}

/// As the emitted SQL names a table.
fn qualified((schema, name): &(String, String)) -> String {
    format!("{}.{}", sql_ident(schema), sql_ident(name))
}

/// Whether it depends on the order of application what is there: two writers of which none builds on the other left
/// different things, and no later one has built on both.
fn is_open(writers: &[(usize, Option<Installed>)], ancestry: &Ancestry) -> bool {
    let last: Vec<&(usize, Option<Installed>)> = writers
        .iter()
        .filter(|(index, _)| {
            !writers
                .iter()
                .any(|(other, _)| ancestry.builds_on(*other, *index))
        })
        .collect();
    last.windows(2).any(|pair| pair[0].1 != pair[1].1)
}

/// Which migration builds on which.
struct Ancestry {
    /// For each migration, those before it; empty if they are one line.
    before: Vec<BTreeSet<usize>>,
    is_line: bool,
}

impl Ancestry {
    fn new(migrations: &[Placed]) -> Self {
        let ids: HashMap<&str, usize> = migrations
            .iter()
            .enumerate()
            .rev()
            .map(|(index, placed)| (placed.emitted.id.as_str(), index))
            .collect();
        let is_line = migrations.iter().enumerate().all(|(index, placed)| {
            match placed.emitted.after.as_slice() {
                [] => index == 0,
                [only] => index > 0 && migrations[index - 1].emitted.id == *only,
                _ => false,
            }
        });
        let mut before: Vec<BTreeSet<usize>> = Vec::new();
        if !is_line {
            for placed in migrations {
                let mut set = BTreeSet::new();
                for parent in &placed.emitted.after {
                    if let Some(&parent) = ids.get(parent.as_str()) {
                        set.insert(parent);
                        // A parent behind its child is a mistake in the numbers, which `check` names.
                        set.extend(before.get(parent).into_iter().flatten().copied());
                    }
                }
                before.push(set);
            }
        }
        Self { before, is_line }
    }

    fn builds_on(&self, later: usize, earlier: usize) -> bool {
        self.before
            .get(later)
            .is_some_and(|before| before.contains(&earlier))
    }

    fn heads(&self, migrations: &[Placed]) -> Vec<String> {
        let built_on: BTreeSet<&str> = migrations
            .iter()
            .flat_map(|placed| &placed.emitted.after)
            .map(String::as_str)
            .collect();
        let mut heads: Vec<String> = migrations
            .iter()
            .map(|placed| placed.emitted.id.clone())
            .filter(|id| !built_on.contains(id.as_str()))
            .collect();
        heads.sort_unstable();
        heads.dedup();
        heads
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(name: &str) -> Key {
        Key::Capture {
            schema: "pgpubsub".into(),
            function: name.into(),
        }
    }

    fn set(name: &str, text: &str) -> Change {
        let installed = Installed {
            spec: text.into(),
            kin: String::new(),
            text: text.into(),
        };
        Change::Set(capture(name), installed)
    }

    fn placed(id: &str, after: &[&str], changes: Vec<Change>) -> Placed {
        Placed {
            paths: Vec::new(),
            number: "1".into(),
            emitted: Emitted {
                id: id.into(),
                intact: true,
                database: None,
                has_down: false,
                after: after.iter().map(ToString::to_string).collect(),
                changes,
                shapes: Vec::new(),
            },
        }
    }

    #[test]
    fn a_renamed_table_is_renamed_in_identifiers_and_in_literals() {
        let pair = |name: &str| ("app".to_owned(), name.to_owned());
        let key = |table: &str| Key::Trigger {
            schema: "app".into(),
            table: table.into(),
            trigger: "t".into(),
        };
        let names = ["a", "it's", "a \\ b", "\"q\""];
        for (from, to) in names.iter().flat_map(|from| names.map(|to| (*from, to))) {
            let text = |name: &str| {
                let table = qualified(&pair(name));
                format!("ON {table} {}::regclass ON {table};", sql_literal(&table))
            };
            let installed = Installed {
                spec: String::new(),
                kin: String::new(),
                text: text(from),
            };
            let mut state = State::default();
            state.objects.insert(key(from), installed);
            state.rename(&pair(from), &pair(to));
            assert_eq!(state.objects[&key(to)].text, text(to));
        }
    }

    #[test]
    fn what_two_branches_do_to_different_objects_is_settled() {
        let state = State::replay(&[
            placed("base", &[], vec![set("a", "1"), set("b", "1")]),
            placed("left", &["base"], vec![set("a", "2")]),
            placed("right", &["base"], vec![set("b", "2")]),
        ]);
        assert!(state.open.is_empty());
        assert_eq!(state.heads, ["left", "right"]);
        let texts: Vec<&str> = state
            .objects
            .values()
            .map(|object| object.text.as_str())
            .collect();
        assert_eq!(texts, ["2", "2"]);
    }

    #[test]
    fn what_two_branches_do_to_one_object_is_open_until_it_is_said_again() {
        let mut migrations = vec![
            placed("base", &[], vec![set("a", "1")]),
            placed("left", &["base"], vec![set("a", "2")]),
            placed("right", &["base"], vec![Change::Drop(capture("a"))]),
        ];
        assert_eq!(State::replay(&migrations).open, [capture("a")].into());
        migrations.push(placed("merge", &["left", "right"], vec![set("a", "2")]));
        let state = State::replay(&migrations);
        assert!(state.open.is_empty());
        assert_eq!(state.heads, ["merge"]);
    }

    #[test]
    fn the_same_done_twice_is_settled() {
        let state = State::replay(&[
            placed("base", &[], vec![]),
            placed("left", &["base"], vec![set("a", "2")]),
            placed("right", &["base"], vec![set("a", "2"), set("b", "1")]),
        ]);
        assert!(state.open.is_empty());
    }

    #[test]
    fn triggers_move_with_their_table() {
        let trigger = |table: &str| Key::Trigger {
            schema: "app".into(),
            table: table.into(),
            trigger: "x".into(),
        };
        let installed = |table: &str| Installed {
            spec: "1".into(),
            kin: String::new(),
            text: format!("CREATE TRIGGER x ON \"app\".\"{table}\""),
        };
        let name = |table: &str| ("app".to_owned(), table.to_owned());
        let renamed = Change::TableRenamed {
            from: name("post"),
            to: name("article"),
        };
        let state = State::replay(&[
            placed(
                "a",
                &[],
                vec![Change::Set(trigger("post"), installed("post"))],
            ),
            placed("b", &["a"], vec![renamed]),
        ]);
        assert_eq!(
            state.objects,
            [(trigger("article"), installed("article"))].into()
        );
    }
}
