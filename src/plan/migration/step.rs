//! One file of a migration: what it does, and what takes that back.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::history::{Key, ShapeVersion, State};
use crate::plan::ident::sql_ident;
use crate::plan::objects::{Object, drop_statement};

/// One file of a migration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// What it locks of the user's.
    pub lock: Option<Lock>,
    /// What it does, in order.
    pub up: Vec<Action>,
    /// What takes it back, in order.
    pub down: Vec<Action>,
    /// Shapes that it records.
    #[serde(skip)]
    pub shapes: Vec<ShapeVersion>,
    /// Tables (schema and name, before and after) that the user has renamed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub renamed: Vec<((String, String), (String, String))>,
}

/// A lock on a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lock {
    /// The table, quoted, with its schema, on one line.
    pub table: String,
    /// The same without quotes and schema.
    pub name: String,
    /// Whether something is dropped, which keeps readers out, too.
    pub exclusive: bool,
}

/// What is done to an object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Action {
    /// The object.
    pub key: Key,
    /// What it becomes.
    pub content: Content,
}

/// What an object becomes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Content {
    /// What the plan says.
    Planned(Object),
    /// What it was: SQL of an earlier migration, with its fingerprints.
    Earlier {
        /// The SQL.
        #[serde(skip)]
        text: String,
        /// Fingerprint of what was planned.
        spec: String,
        /// See [`Object::kin`].
        kin: String,
    },
    /// A function that does nothing, until nothing calls it.
    Silent,
    /// No part of the schema any more, but it stays: programs that run may still need it, and to drop it would make all writers wait.
    Left,
    /// Gone; the statement, if it is no storage.
    Dropped(String),
}

impl Step {
    pub(super) fn new(table: Option<(&str, &str)>) -> Self {
        Self {
            lock: table.map(|(schema, name)| Lock {
                // For a comment, which a line break of any kind would end.
                table: format!("{}.{}", sql_ident(schema), sql_ident(name))
                    .replace(['\n', '\r'], " "),
                name: name.to_owned(),
                exclusive: false,
            }),
            up: Vec::new(),
            down: Vec::new(),
            shapes: Vec::new(),
            renamed: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.up.is_empty() && self.shapes.is_empty()
    }

    /// Does what another one does, too.
    pub(super) fn join(&mut self, other: Self) {
        self.lock = other.lock;
        self.up.extend(other.up);
        self.down.extend(other.down);
        self.shapes.extend(other.shapes);
    }

    /// An object is there before what needs it and goes after that; locks on tables are taken as late as can be.
    pub(super) fn order(&mut self) {
        for actions in [&mut self.up, &mut self.down] {
            actions.sort_by_key(|action| (rank(action), action.key.clone()));
            // Of what goes, the last that came goes first.
            let drops = actions
                .iter()
                .position(|action| rank(action) == DROP_FUNCTION)
                .unwrap_or(actions.len());
            actions[drops..].reverse();
        }
        if let Some(lock) = &mut self.lock {
            lock.exclusive = self.up.iter().any(|action| {
                matches!(
                    (&action.key, &action.content),
                    (Key::Trigger { .. }, Content::Dropped(_))
                )
            });
        }
    }
}

const DROP_FUNCTION: u8 = 4;

fn rank(action: &Action) -> u8 {
    match (&action.content, &action.key) {
        (Content::Dropped(_), Key::Listener { .. }) => 1,
        (Content::Dropped(_), Key::Trigger { .. }) => 3,
        (Content::Dropped(_), _) => DROP_FUNCTION,
        (_, Key::Trigger { .. }) => 2,
        (_, Key::Listener { .. }) => 1,
        _ => 0,
    }
}

/// Follows the state through the steps, so that each knows what it takes back.
pub(super) struct Builder<'a> {
    state: BTreeMap<Key, Content>,
    earlier: &'a State,
    /// Triggers with the fingerprint of their function's key.
    triggers: BTreeMap<Key, String>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(earlier: &'a State) -> Self {
        let triggers = earlier
            .objects
            .iter()
            .filter(|(key, _)| matches!(key, Key::Trigger { .. }))
            .map(|(key, installed)| (key.clone(), installed.kin.clone()))
            .collect();
        Self {
            state: BTreeMap::new(),
            earlier,
            triggers,
        }
    }

    /// What is there now.
    fn now(&self, key: &Key) -> Content {
        if let Some(content) = self.state.get(key) {
            return content.clone();
        }
        match self.earlier.objects.get(key) {
            Some(installed) => Content::Earlier {
                text: installed.text.clone(),
                spec: installed.spec.clone(),
                kin: installed.kin.clone(),
            },
            None => Content::Dropped(drop_statement(key)),
        }
    }

    pub(super) fn is_there(&self, key: &Key) -> bool {
        !matches!(self.now(key), Content::Dropped(_) | Content::Left)
            || self.earlier.open.contains(key)
    }

    /// Whether a trigger calls a function.
    pub(super) fn has_trigger(&self, function: &Key) -> bool {
        let function = crate::history::fingerprint(&function.to_string());
        self.triggers.values().any(|kin| *kin == function)
    }

    pub(super) fn set(&mut self, step: &mut Step, object: &Object) {
        if matches!(object.key, Key::Trigger { .. }) {
            self.triggers.insert(object.key.clone(), object.kin.clone());
        }
        self.change(step, &object.key, Content::Planned(object.clone()));
    }

    pub(super) fn silence(&mut self, step: &mut Step, key: &Key) {
        self.change(step, key, Content::Silent);
    }

    pub(super) fn leave(&mut self, step: &mut Step, key: &Key) {
        self.change(step, key, Content::Left);
    }

    pub(super) fn drop(&mut self, step: &mut Step, key: &Key) {
        self.triggers.remove(key);
        self.change(step, key, Content::Dropped(drop_statement(key)));
    }

    fn change(&mut self, step: &mut Step, key: &Key, content: Content) {
        let before = self.now(key);
        step.up.push(Action {
            key: key.clone(),
            content: content.clone(),
        });
        step.down.push(Action {
            key: key.clone(),
            content: before,
        });
        self.state.insert(key.clone(), content);
    }
}
