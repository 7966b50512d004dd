//! The storage: schema, tables, format, registry, and what waits in it.

use crate::history::Key;
use crate::plan::{LivePlan, STORAGE, SqlIndex, SqlListener, SqlSchedule, drop_statement};

use super::finding::{Finding, Place, State, Subject};
use super::snapshot::{Content, Snapshot, Storage};
use super::text;

/// Compares the storage, without its functions; `sql` creates what is missing of it.
pub(super) fn compare(
    live: &LivePlan,
    snapshot: &Snapshot,
    subject: &Subject,
    sql: &str,
) -> Vec<Finding> {
    let subject = || subject.clone();
    let Some(storage) = &snapshot.storage else {
        return vec![
            Finding::new(
                State::Missing,
                subject(),
                "is not there: nothing is installed",
            )
            .repair(Place::Ours, sql),
        ];
    };
    let (mut findings, missing) = tables(storage, &subject(), sql);
    let mut outdated = Vec::new();
    if !missing.is_empty() {
        outdated.push(format!("lacks the tables {}", missing.join(", ")));
    }
    if !storage.usage_public {
        outdated.push(
            "writers may not reach its functions (USAGE is not granted to PUBLIC)".to_owned(),
        );
    }
    if storage.tables.contains_key("notification") {
        outdated.extend(live.settings.iter().filter_map(|(name, value)| {
            match storage.settings.get(name) {
                None => Some(format!("lacks the setting {name} = {value}")),
                Some(there) if !same(there, value) => {
                    Some(format!("has the setting {name} = {there} and not {value}"))
                }
                Some(_) => None,
            }
        }));
    }
    if let Some(content) = &storage.content {
        match content.version {
            Some(version) if version == i32::try_from(STORAGE).unwrap_or(i32::MAX) => {}
            None if missing.iter().any(|name| name == "storage") => {}
            None => outdated.push("does not say which format it has".to_owned()),
            Some(version) => {
                let what = if i64::from(version) > i64::from(STORAGE) {
                    "use the generator that installed it, or a newer one"
                } else {
                    "generate, and apply the migration"
                };
                let message = format!(
                    "has the format {version}, and this generator knows {STORAGE}: workers refuse it; {what}"
                );
                findings.push(Finding::new(State::Outdated, subject(), message));
            }
        }
    }
    if !outdated.is_empty() {
        findings.push(
            Finding::new(State::Outdated, subject(), outdated.join("; ")).repair(Place::Ours, sql),
        );
    }
    findings
}

/// Whether an index is there; `sql` creates it.
pub(super) fn index(wanted: &SqlIndex, snapshot: &Snapshot, sql: &str) -> Option<Finding> {
    let Key::Index { index, .. } = &wanted.key else {
        return None;
    };
    // What is missing with its storage is said once.
    let storage = snapshot.storage.as_ref()?;
    if storage.indexes.contains(index) {
        return None;
    }
    let subject = Subject::Object(wanted.key.clone());
    let message = "is not there: workers read all that waits to find what is next";
    Some(Finding::new(State::Missing, subject, message).repair(Place::Ours, sql))
}

/// Compares the table of the schedules; `sql` creates it.
pub(super) fn schedules(storage: &Storage, subject: &Subject, sql: &str) -> Vec<Finding> {
    let (mut findings, missing) = tables(storage, subject, sql);
    if !missing.is_empty() {
        findings.push(
            Finding::new(State::Missing, subject.clone(), "is not there").repair(Place::Ours, sql),
        );
    }
    findings
}

/// Compares the tables that keep what was processed; `sql` creates what is missing of them.
pub(super) fn processed(snapshot: &Snapshot, subject: &Subject, sql: &str) -> Vec<Finding> {
    // What is missing with its storage is said once.
    let Some(storage) = &snapshot.storage else {
        return Vec::new();
    };
    let (mut findings, missing) = tables(storage, subject, sql);
    if !missing.is_empty() {
        let message = format!("lacks the tables {}", missing.join(", "));
        findings
            .push(Finding::new(State::Missing, subject.clone(), message).repair(Place::Ours, sql));
    }
    findings
}

/// The tables that `sql` creates: those that are there in another form, and the names of the others.
fn tables(storage: &Storage, subject: &Subject, sql: &str) -> (Vec<Finding>, Vec<String>) {
    let (mut findings, mut missing) = (Vec::new(), Vec::new());
    for (name, columns) in text::tables(sql) {
        let Some(found) = storage.tables.get(&name) else {
            missing.push(name);
            continue;
        };
        let mut wrong: Vec<&str> = columns
            .iter()
            .filter(|(column, ty)| found.get(*column) != Some(ty))
            .map(|(column, _)| column.as_str())
            .collect();
        wrong.sort_unstable();
        if !wrong.is_empty() {
            let message = format!(
                "its table {name} lacks columns or has others under their names: {}; apply the migrations of the schema",
                wrong.join(", ")
            );
            findings.push(Finding::new(State::Outdated, subject.clone(), message));
        }
    }
    (findings, missing)
}

/// Compares a row of the schedules; `sql` writes it.
pub(super) fn schedule(wanted: &SqlSchedule, content: &Content, sql: &str) -> Option<Finding> {
    let Key::Schedule { channel, .. } = &wanted.key else {
        return None;
    };
    let subject = Subject::Object(wanted.key.clone());
    let finding = match content.schedules.get(channel) {
        None => Finding::new(State::Missing, subject, "is not in the table of schedules"),
        Some(there) => {
            let plain = |text: &String| text::literal(text).map(|(text, _)| text);
            let missed = if wanted.skips_missed { "skip" } else { "once" };
            let values = [
                ("cron", plain(&wanted.cron)),
                ("timezone", plain(&wanted.time_zone)),
                ("every", plain(&wanted.every)),
                ("missed", Some(missed.to_owned())),
                ("function", plain(&wanted.function)),
                ("message", plain(&wanted.message)),
            ];
            let differs = |(column, value): &(&str, Option<String>)| {
                there.get(*column).unwrap_or(&None) != value
            };
            let columns: Vec<&str> = values
                .iter()
                .filter(|pair| differs(pair))
                .map(|(column, _)| *column)
                .collect();
            if columns.is_empty() {
                return None;
            }
            let message = format!("has another {}", columns.join(", "));
            Finding::new(State::Outdated, subject, message)
        }
    };
    Some(finding.repair(Place::Ours, sql))
}

/// Schedules that the schema does not have.
pub(super) fn orphaned_schedules(
    plan: &LivePlan,
    wanted: &[SqlSchedule],
    content: &Content,
) -> Vec<Finding> {
    content
        .schedules
        .keys()
        .map(|channel| Key::Schedule {
            schema: plan.storage.clone(),
            channel: channel.clone(),
        })
        .filter(|key| wanted.iter().all(|wanted| wanted.key != *key))
        .map(|key| {
            let drop = format!("{}\n", drop_statement(&key));
            let message = "fires, and the schema does not have it";
            Finding::new(State::Orphan, Subject::Object(key), message).repair(Place::Last, drop)
        })
        .collect()
}

/// Whether two values of a setting say the same: PostgreSQL keeps the text that was written.
fn same(there: &str, wanted: &str) -> bool {
    let bool = |text: &str| match text.to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" | "1" => Some(true),
        "false" | "off" | "no" | "0" => Some(false),
        _ => None,
    };
    let number = |text: &str| text.parse::<f64>().ok();
    there.eq_ignore_ascii_case(wanted)
        || number(there).is_some_and(|there| Some(there) == number(wanted))
        || bool(there).is_some_and(|there| Some(there) == bool(wanted))
}

/// Compares a row of the registry; `sql` writes it.
pub(super) fn listener(wanted: &SqlListener, content: &Content, sql: &str) -> Option<Finding> {
    let Key::Listener {
        listener, channel, ..
    } = &wanted.key
    else {
        return None;
    };
    let subject = Subject::Object(wanted.key.clone());
    let plain = |literal: &String| text::literal(literal).map(|(text, _)| text);
    let group = plain(&wanted.group)?;
    let ops: Vec<String> = wanted.ops.iter().filter_map(plain).collect();
    let place = (listener.clone(), channel.clone());
    let finding = match content.listeners.get(&place) {
        None => Finding::new(State::Missing, subject, "is not in the registry"),
        Some((there, _)) if *there != group => {
            let message = format!("is registered for the group {there} and not {group}");
            Finding::new(State::Outdated, subject, message)
        }
        Some((_, there)) if *there != ops => {
            let (there, wanted) = (there.join(", "), ops.join(", "));
            let message = format!("is registered for {there} and not {wanted}");
            Finding::new(State::Outdated, subject, message)
        }
        Some(_) => return None,
    };
    Some(finding.repair(Place::Ours, sql))
}

/// Rows of the registry that the schema does not have.
pub(super) fn orphans(plan: &LivePlan, wanted: &[SqlListener], content: &Content) -> Vec<Finding> {
    content
        .listeners
        .keys()
        .map(|(listener, channel)| Key::Listener {
            schema: plan.storage.clone(),
            listener: listener.clone(),
            channel: channel.clone(),
        })
        .filter(|key| wanted.iter().all(|wanted| wanted.key != *key))
        .map(|key| {
            let drop = format!("{}\n", drop_statement(&key));
            let message = "is registered, and the schema does not have it";
            Finding::new(State::Orphan, Subject::Object(key), message).repair(Place::Last, drop)
        })
        .collect()
}

/// What waits and was written by a newer schema than this one.
pub(super) fn newer(plan: &LivePlan, content: &Content) -> Vec<Finding> {
    content
        .waiting
        .iter()
        .filter_map(|(name, version, count)| {
            let channel = plan.channels.iter().find(|channel| channel.name == *name)?;
            let known = i64::from(channel.version);
            (i64::from(*version) > known).then(|| {
                let message = format!(
                    "{count} notifications of the channel {name} wait with the version {version}, and this schema knows {known}: newer workers take them"
                );
                Finding::new(State::Note, Subject::Database, message)
            })
        })
        .collect()
}
