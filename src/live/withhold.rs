//! Repairs that would break writes: a function that names a column that is not there, and the triggers that call it.

use std::collections::BTreeSet;

use crate::history::Key;
use crate::plan::Plan;

use super::finding::{Finding, Severity, State, Subject};
use super::snapshot::Snapshot;

/// Takes the SQL from findings about channels that cannot work as declared. What is there may still work.
pub(super) fn withhold(plan: &Plan, snapshot: &Snapshot, findings: &mut [Finding]) {
    let broken = broken(plan, snapshot, findings);
    for finding in findings.iter_mut() {
        let Subject::Object(key) = &finding.subject else {
            continue;
        };
        let function = match key {
            Key::Capture { function, .. } => Some(function),
            Key::Trigger { .. } => {
                let mut triggers = plan.sql.triggers.iter();
                let trigger = triggers.find(|trigger| trigger.key == *key);
                trigger.map(|trigger| &trigger.function_name)
            }
            _ => None,
        };
        if finding.repair.is_some() && function.is_some_and(|name| broken.contains(name)) {
            finding.repair = None;
            finding.message += "; not repaired before its table, columns and conditions are right: writes would fail";
        }
    }
}

/// Functions that cannot work.
fn broken(plan: &Plan, snapshot: &Snapshot, findings: &[Finding]) -> BTreeSet<String> {
    let tables: BTreeSet<&String> = findings
        .iter()
        .filter(|finding| {
            finding.state == State::ColumnChanged && finding.severity == Severity::Error
        })
        .filter_map(|finding| match &finding.subject {
            Subject::Table(table) | Subject::Column(table, _) => Some(table),
            _ => None,
        })
        .collect();
    let models: BTreeSet<&String> = plan
        .live
        .tables
        .iter()
        .filter(|wanted| tables.contains(&format!("{}.{}", wanted.table.schema, wanted.table.name)))
        .map(|wanted| &wanted.model)
        .collect();
    let refused = |index: usize| {
        let mut functions = snapshot.trials.functions.iter();
        functions.any(|(function, _)| *function == index)
    };
    plan.live
        .channels
        .iter()
        .enumerate()
        .filter(|(index, channel)| {
            refused(*index)
                || channel
                    .model
                    .as_ref()
                    .is_some_and(|model| models.contains(model))
        })
        .map(|(_, channel)| channel.function.clone())
        .collect()
}
