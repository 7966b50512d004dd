//! The next migration: what differs between what the emitted ones leave behind and what the schema wants, in steps.

mod renames;
mod step;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::history::{History, Installed, Key, ShapeVersion, State, fingerprint};
use crate::model::Schema;

use super::error::PlanError;
use super::layout::Layout;
use super::objects::Object;
pub use renames::check as check_renames;
use step::Builder;
pub use step::{Action, Content, Lock, Step};

/// The next migration. It is one file, unless that would hold several locks at a time or take two steps at once.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Migration {
    /// Where the files go.
    pub layout: Layout,
    /// Name of the database, where several share a folder.
    pub database: Option<String>,
    /// Ids of the migrations that it builds on.
    pub after: Vec<String>,
    /// `lock_timeout`, as a literal.
    pub lock_timeout: String,
    /// Capture functions of channels that were renamed: fingerprints of the keys, before and after.
    #[serde(skip)]
    pub renamed_functions: Vec<(String, String)>,
    /// In order of application; none: nothing has to change.
    pub steps: Vec<Step>,
}

pub(super) fn plan(
    schema: &Schema,
    history: &History,
    objects: &[Object],
    shapes: &[ShapeVersion],
) -> Result<Option<Migration>, PlanError> {
    let generate = &schema.generate;
    let Some(folder) = &generate.migrations_dir else {
        return Ok(None);
    };
    // Triggers move with a table that the user renames: they are where the table is now.
    let mut state = history.state.clone();
    let renamed = renames::tables(schema, &state);
    for (from, to) in &renamed {
        state.rename(from, to);
    }
    let difference = Difference::new(&state, &history.again, objects);
    let renamed_functions = renames::functions(schema);
    let former = renamed_functions.iter().map(|(from, _)| from.clone());
    let mut steps = steps(&state, objects, &difference, &former.collect(), shapes);
    if let Some(first) = steps.first_mut() {
        first.renamed = renamed;
    }
    Ok(Some(Migration {
        layout: Layout::next(generate, folder, history)?,
        database: generate.database.clone(),
        after: history.state.heads.clone(),
        renamed_functions: renamed_functions
            .iter()
            .map(|(from, to)| (fingerprint(&from.to_string()), fingerprint(&to.to_string())))
            .collect(),
        lock_timeout: super::ident::sql_literal(&generate.lock_timeout),
        steps,
    }))
}

/// What has to change.
struct Difference<'a> {
    sets: BTreeMap<&'a Key, &'a Object>,
    drops: BTreeSet<&'a Key>,
}

impl<'a> Difference<'a> {
    fn new(state: &'a State, again: &BTreeSet<Key>, objects: &'a [Object]) -> Self {
        let wanted: BTreeSet<&Key> = objects.iter().map(|object| &object.key).collect();
        let is_there = |object: &Object| {
            state
                .objects
                .get(&object.key)
                .is_some_and(|installed| installed.spec == object.spec)
                && !state.open.contains(&object.key)
                && !again.contains(&object.key)
        };
        Self {
            sets: objects
                .iter()
                .filter(|object| !is_there(object))
                .map(|object| (&object.key, object))
                .collect(),
            drops: state
                .objects
                .keys()
                .chain(&state.open)
                .filter(|key| !wanted.contains(key) && !stays(key, &wanted))
                .collect(),
        }
    }
}

/// Whether it stays where it is though nothing wants it any more: what was kept is the user's, and programs that keep more may
/// still run. It goes with its storage.
fn stays(key: &Key, wanted: &BTreeSet<&Key>) -> bool {
    match key {
        Key::Processed { schema } => wanted.contains(&Key::Storage {
            schema: schema.clone(),
        }),
        _ => false,
    }
}

fn table_of(key: &Key) -> Option<(&str, &str)> {
    match key {
        Key::Trigger { schema, table, .. } => Some((schema, table)),
        _ => None,
    }
}

/// Name of the function of a channel.
fn channel_function(key: &Key) -> Option<&str> {
    match key {
        Key::Capture { function, .. } | Key::Notify { function, .. } => Some(function),
        _ => None,
    }
}

/// A step that locks a table of the user's does nothing but what belongs to that table, so that no writer waits for a
/// table that is none of its own, and no two locks can meet a writer's in the wrong order.
fn steps<'a>(
    state: &'a State,
    objects: &'a [Object],
    difference: &Difference<'a>,
    renamed: &BTreeSet<Key>,
    shapes: &[ShapeVersion],
) -> Vec<Step> {
    let mut builder = Builder::new(state);
    let functions: BTreeMap<String, &Key> = state
        .objects
        .keys()
        .chain(objects.iter().map(|object| &object.key))
        .filter(|key| channel_function(key).is_some())
        .map(|key| (fingerprint(&key.to_string()), key))
        .collect();
    let function_of = |kin: &str| functions.get(kin).copied();
    let function_of_old = |key: &Key| {
        let installed: Option<&Installed> = state.objects.get(key);
        installed.and_then(|installed| function_of(&installed.kin))
    };

    // Tables with what happens to triggers on them.
    let mut tables: BTreeMap<(&str, &str), Work<'_>> = BTreeMap::new();
    // Triggers that go from one table to another: the old one has to be gone before the function knows the new table only.
    let mut leaving: BTreeMap<(&str, &str), Work<'_>> = BTreeMap::new();
    let mut homes: BTreeMap<&Key, (&str, &str)> = BTreeMap::new();
    for (key, object) in &difference.sets {
        if let Some(table) = table_of(key) {
            tables.entry(table).or_default().sets.push(object);
            if let Some(function) = function_of(&object.kin) {
                homes.insert(function, table);
            }
        }
    }
    for key in &difference.drops {
        let Some(table) = table_of(key) else { continue };
        let function = function_of_old(key);
        let home = function.and_then(|function| homes.get(function).copied());
        if home.is_some_and(|home| home != table) {
            let work = leaving.entry(table).or_default();
            work.drops.push(key);
            work.functions.extend(function);
        } else {
            let work = tables.entry(table).or_default();
            work.drops.push(key);
            work.functions.extend(function);
        }
    }
    for (function, table) in &homes {
        let left = leaving
            .values()
            .any(|work| work.functions.contains(function));
        if !left && let Some(work) = tables.get_mut(table) {
            work.functions.insert(function);
        }
    }

    // What needs no lock on a table of the user's.
    let tied: BTreeSet<&Key> = tables
        .values()
        .chain(leaving.values())
        .flat_map(|work| work.functions.iter().copied())
        .collect();
    let mut quiet = Step::new(None);
    quiet.shapes = shapes.to_vec();
    for (key, object) in &difference.sets {
        if table_of(key).is_none() && !tied.contains(*key) {
            builder.set(&mut quiet, object);
        }
    }
    let mut last = Step::new(None);
    let mut two_steps = false;
    let names: BTreeSet<Option<&str>> = objects
        .iter()
        .map(|object| channel_function(&object.key))
        .collect();
    for key in &difference.drops {
        match key {
            Key::Index { .. } => builder.leave(&mut quiet, key),
            Key::Listener { .. } | Key::Schedule { .. } => builder.drop(&mut quiet, key),
            // Its successor takes over in the transaction that drops it: no event falls between them.
            Key::Capture { .. } if renamed.contains(key) && tied.contains(key) => {}
            // It goes to another storage schema: triggers call this one until they call that one.
            Key::Capture { .. } | Key::Notify { .. } if names.contains(&channel_function(key)) => {
                two_steps = true;
            }
            Key::Capture { .. } | Key::Notify { .. } => {
                two_steps = true;
                builder.silence(&mut quiet, key);
            }
            _ => {}
        }
    }
    let mut steps = Vec::new();
    let mut locking: Vec<Step> = Vec::new();
    for (table, work) in leaving.iter().chain(&tables) {
        let mut step = Step::new(Some(*table));
        for function in &work.functions {
            if let Some(object) = difference.sets.get(*function) {
                builder.set(&mut step, object);
            }
        }
        for object in &work.sets {
            builder.set(&mut step, object);
        }
        for key in &work.drops {
            builder.drop(&mut step, key);
        }
        for function in &work.functions {
            // Its last trigger is gone.
            if difference.drops.contains(*function) && !builder.has_trigger(function) {
                builder.drop(&mut step, function);
            }
        }
        locking.push(step);
    }
    for key in difference.drops.iter().rev() {
        let is_done = matches!(
            key,
            Key::Index { .. } | Key::Listener { .. } | Key::Schedule { .. } | Key::Trigger { .. }
        );
        if !is_done && builder.is_there(key) {
            builder.drop(&mut last, key);
        }
    }
    // An index locks the table of notifications, and so may a newer storage. A writer has its own table first and that one then; we
    // would have them the other way round, and PostgreSQL may choose the writer to fail.
    let locks_storage = quiet.up.iter().any(|action| match &action.key {
        Key::Storage { schema } | Key::Index { schema, .. } => {
            let schema = schema.clone();
            state.objects.contains_key(&Key::Storage { schema })
        }
        _ => false,
    });
    // One file, if nothing is taken in two steps and one table at most is locked.
    if !two_steps
        && !locks_storage
        && locking.len() <= 1
        && let Some(only) = locking.pop()
    {
        quiet.join(only);
    }
    steps.push(quiet);
    steps.extend(locking);
    steps.push(last);
    steps.retain(|step| !step.is_empty());
    for step in &mut steps {
        step.order();
    }
    steps
}

/// What happens on one table.
#[derive(Default)]
struct Work<'a> {
    sets: Vec<&'a Object>,
    drops: Vec<&'a Key>,
    functions: BTreeSet<&'a Key>,
}
