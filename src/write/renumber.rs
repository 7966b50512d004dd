//! New numbers for migrations that two branches gave the same one. Their text stays as it is.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::history::{History, Placed};
use crate::model::Generate;
use crate::plan::layout::{Layout, number_of};

use super::error::{WriteError, write};

/// A file that was given another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// Before.
    pub from: String,
    /// After.
    pub to: String,
}

/// Gives a migration, and those that build on it, the next numbers.
///
/// # Errors
/// It is none of ours, no number is left, or a file cannot be renamed.
pub fn renumber(
    root: &Path,
    generate: &Generate,
    history: &History,
    file: &str,
) -> Result<Vec<Renamed>, WriteError> {
    let refused = |text: String| WriteError::Refused(text);
    let Some(folder) = &generate.migrations_dir else {
        return Err(refused("the schema has no migrations".into()));
    };
    let wanted = |placed: &&Placed| {
        placed.paths.iter().any(|path| {
            path == file
                || path.rsplit('/').next() == Some(file)
                || file.ends_with(&format!("/{path}"))
        })
    };
    let Some(first) = history.migrations.iter().find(wanted) else {
        return Err(refused(format!(
            "{file} is no migration that this generator has emitted into {folder}"
        )));
    };
    let layout =
        Layout::next(generate, folder, history).map_err(|error| refused(error.to_string()))?;
    let mut chosen: BTreeSet<&str> = [first.emitted.id.as_str()].into();
    let mut order = vec![first];
    // A migration builds on those with smaller numbers; a file with the number of its parent comes again below.
    loop {
        let next = history.migrations.iter().find(|placed| {
            !chosen.contains(placed.emitted.id.as_str())
                && placed
                    .emitted
                    .after
                    .iter()
                    .any(|id| chosen.contains(id.as_str()))
        });
        let Some(next) = next else { break };
        chosen.insert(&next.emitted.id);
        order.push(next);
    }
    order.sort_by_key(|placed| depth(placed, history));
    let mut renamed = Vec::new();
    for (index, placed) in order.iter().enumerate() {
        let paths = layout.paths(index, slug(&placed.paths[0]));
        let targets = std::iter::once(paths.up).chain(paths.down);
        for (from, to) in placed.paths.iter().cloned().zip(targets) {
            renamed.push(Renamed { from, to });
        }
    }
    for Renamed { from, to } in &renamed {
        let target = root.join(to);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(write(parent))?;
        }
        fs::rename(root.join(from), &target).map_err(write(&target))?;
        // diesel has a folder for each.
        if let Some((parent, "up.sql" | "down.sql")) = from.rsplit_once('/') {
            drop(fs::remove_dir(root.join(parent)));
        }
    }
    Ok(renamed)
}

/// How many migrations are before one.
fn depth(placed: &Placed, history: &History) -> usize {
    let parents = placed.emitted.after.iter().filter_map(|id| {
        history
            .migrations
            .iter()
            .find(|placed| placed.emitted.id == *id)
    });
    // Ids are made of the parents' ids, so there is no circle.
    parents
        .map(|parent| 1 + depth(parent, history))
        .max()
        .unwrap_or(0)
}

/// What stands behind the number.
fn slug(path: &str) -> &str {
    let path = path.strip_suffix("/up.sql").unwrap_or(path);
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = name.strip_suffix(".sql").unwrap_or(name);
    let name = name.strip_suffix(".up").unwrap_or(name);
    debug_assert!(number_of(name).is_some(), "it was found by its number");
    name.find('_')
        .map_or("", |at| name[at..].trim_start_matches('_'))
}
