//! Triggers: definition and mode of those that the schema wants, and those that it does not.

use crate::history::Key;
use crate::plan::ident::sql_ident;
use crate::plan::{LivePlan, SqlPlan, SqlTrigger, drop_statement};

use super::finding::{Finding, Place, State, Subject};
use super::snapshot::{Snapshot, Trigger};
use super::text;

/// Compares a trigger that the schema wants; `sql` creates or replaces it.
pub(super) fn compare(
    plan: &LivePlan,
    wanted: &SqlTrigger,
    tried: Option<&Result<String, String>>,
    snapshot: &Snapshot,
    sql: &str,
) -> Vec<Finding> {
    let subject = || Subject::Object(wanted.key.clone());
    let place = || Place::Table(wanted.table.clone());
    let mut findings = Vec::new();
    if let Some(Err(error)) = tried {
        let message = format!("PostgreSQL refuses its definition: {error}");
        findings.push(Finding::new(State::Refused, subject(), message));
    }
    let found = snapshot
        .triggers
        .iter()
        .find(|found| is_at(found, &wanted.key));
    let Some(found) = found else {
        let missing = Finding::new(State::Missing, subject(), "is not there");
        let table = snapshot
            .tables
            .keys()
            .any(|table| matches!(&wanted.key, Key::Trigger { schema, table: name, .. } if table.schema == *schema && table.name == *name));
        // Without its table it cannot be there; that is said of the table.
        findings.push(if findings.is_empty() && table {
            missing.repair(place(), sql)
        } else {
            missing
        });
        return findings;
    };
    let refused = !findings.is_empty();
    let mut differences = Vec::new();
    let mut must_go = false;
    let function = (plan.storage.clone(), wanted.function_name.clone());
    if found.function != function {
        must_go = wanted.deferred;
        let (schema, name) = &found.function;
        differences.push(format!("calls {schema}.{name}"));
    }
    let mut detail = String::new();
    match (tried, &found.definition) {
        (Some(Ok(wanted_text)), Some(there)) if wanted_text != there => {
            // Neither can replace the other, nor itself.
            must_go = wanted.deferred || found.constraint;
            differences.push("has another definition".to_owned());
            detail = format!("--- (there)\n+++ (of the schema)\n-{there}\n+{wanted_text}");
        }
        (None, Some(there)) if outline(wanted) != outline_of(there) => {
            must_go = wanted.deferred || found.constraint;
            differences.push("has another timing, event or level, or not the condition".to_owned());
        }
        _ => {}
    }
    let comment = text::literal(&wanted.comment).map(|(comment, _)| comment);
    if found.comment != comment {
        differences.push("has another comment".to_owned());
    }
    let replaced = !differences.is_empty();
    if replaced {
        let mut repair = String::new();
        if must_go {
            repair = format!("{}\n", drop_statement(&wanted.key));
        }
        let mut finding = Finding::new(State::Outdated, subject(), differences.join("; "));
        finding.detail = detail;
        if !refused {
            finding = finding.repair(place(), repair + sql);
        }
        findings.push(finding);
    }
    findings.extend(mode(wanted, found));
    findings
}

/// What can be told of a definition without trying it: all but the condition, and whether it has one.
fn outline(wanted: &SqlTrigger) -> (String, bool) {
    let (constraint, deferred) = if wanted.deferred {
        ("CONSTRAINT ", "DEFERRABLE INITIALLY DEFERRED ")
    } else {
        ("", "")
    };
    let text = format!(
        "CREATE {constraint}TRIGGER {} {} {} {deferred}{}FOR EACH {}",
        wanted.name,
        wanted.timing,
        wanted.event,
        spaced(&wanted.referencing),
        wanted.each
    );
    // PostgreSQL quotes only what needs it.
    (text.replace('"', ""), !wanted.condition.is_empty())
}

fn outline_of(definition: &str) -> (String, bool) {
    let (text, condition) = match definition.split_once(" WHEN (") {
        Some((text, _)) => (text, true),
        None => (definition, false),
    };
    (text.replace('"', ""), condition)
}

fn is_at(found: &Trigger, key: &Key) -> bool {
    matches!(key, Key::Trigger { schema, table, trigger }
        if found.table.schema == *schema && found.table.name == *table && found.name == *trigger)
}

/// When it fires. A trigger is switched off by somebody, with a reason perhaps: that is said apart.
fn mode(wanted: &SqlTrigger, found: &Trigger) -> Vec<Finding> {
    let subject = || Subject::Object(wanted.key.clone());
    let place = Place::Table(wanted.table.clone());
    let enable = format!("{}\n", enable(wanted));
    let mut findings = Vec::new();
    let (letter, word) = match wanted.enable {
        "ALWAYS" => ("A", "always"),
        "REPLICA" => ("R", "replica"),
        _ => ("O", "origin"),
    };
    if found.enabled == "D" {
        let message =
            "is switched off: what happens is captured by nobody; the repair switches it on";
        findings.push(
            Finding::new(State::Disabled, subject(), message).repair(place.clone(), &*enable),
        );
    } else if found.enabled != letter {
        let there = match found.enabled.as_str() {
            "A" => "always",
            "R" => "replica",
            _ => "origin",
        };
        let message = format!("fires {there} and not {word}");
        findings.push(
            Finding::new(State::Outdated, subject(), message).repair(place.clone(), &*enable),
        );
    }
    for partition in &found.disabled_partitions {
        let message = format!("is switched off on the partition {partition}");
        let sql = format!(
            "ALTER TABLE {partition} ENABLE {}TRIGGER {};\n",
            spaced(wanted.enable),
            wanted.name
        );
        findings.push(Finding::new(State::Disabled, subject(), message).repair(place.clone(), sql));
    }
    findings
}

/// The statement that gives a trigger its declared mode.
pub(crate) fn enable(trigger: &SqlTrigger) -> String {
    format!(
        "ALTER TABLE {} ENABLE {}TRIGGER {};",
        trigger.table,
        spaced(trigger.enable),
        trigger.name
    )
}

fn spaced(word: &str) -> String {
    if word.is_empty() {
        String::new()
    } else {
        format!("{word} ")
    }
}

/// Triggers of ours that the schema does not have.
pub(super) fn orphans(plan: &LivePlan, sql: &SqlPlan, snapshot: &Snapshot) -> Vec<Finding> {
    let mut findings = Vec::new();
    for found in &snapshot.triggers {
        let is_wanted = sql.triggers.iter().any(|wanted| is_at(found, &wanted.key));
        // The storage has one on its own table.
        if is_wanted || found.table.schema == plan.storage {
            continue;
        }
        let channel = plan
            .channels
            .iter()
            .find(|channel| found.function == (plan.storage.clone(), channel.function.clone()));
        let named = found.name.starts_with("pgpubsub_") || found.name.starts_with("zz_pgpubsub_");
        let calls_us = found.function.0 == plan.storage;
        let key = Key::Trigger {
            schema: found.table.schema.clone(),
            table: found.table.name.clone(),
            trigger: found.name.clone(),
        };
        let table = format!(
            "{}.{}",
            sql_ident(&found.table.schema),
            sql_ident(&found.table.name)
        );
        let drop = format!("{}\n", drop_statement(&key));
        match channel {
            // Theirs.
            Some(channel) if channel.own_triggers => {}
            Some(channel) if !named => {
                let message = format!(
                    "is not of the schema and calls the function of the channel {}: it stores more than the schema says",
                    channel.name
                );
                findings.push(Finding::new(State::Note, Subject::Object(key), message));
            }
            _ if calls_us => {
                let message = "is of a channel that the schema does not have, or not so";
                findings.push(
                    Finding::new(State::Orphan, Subject::Object(key), message)
                        .repair(Place::Table(table), drop),
                );
            }
            // Of another storage schema, which another schema file may be about.
            _ => {}
        }
    }
    findings
}
