//! Tables of the models: columns, types, primary keys. They are the user's; no SQL of ours repairs them.

use std::collections::BTreeSet;

use crate::diagnostic::nearest;
use crate::model::{PgType, QualifiedName, column_type};
use crate::plan::{LiveColumn, LivePlan, LiveTable};

use super::finding::{Finding, State, Subject};
use super::snapshot::{Column, Snapshot, Table};
use super::types;

pub(super) fn compare(plan: &LivePlan, snapshot: &Snapshot) -> Vec<Finding> {
    let mut findings = Vec::new();
    for wanted in &plan.tables {
        let name = printed(&wanted.table);
        match snapshot.tables.get(&wanted.table) {
            None => findings.push(changed(
                Subject::Table(name),
                format!(
                    "of the model {} is not there; create it, or correct `table:`",
                    wanted.model
                ),
            )),
            Some(found) => compare_table(plan, wanted, found, &name, &mut findings),
        }
    }
    findings
}

fn changed(subject: Subject, message: String) -> Finding {
    Finding::new(State::ColumnChanged, subject, message)
}

fn printed(table: &QualifiedName) -> String {
    format!("{}.{}", table.schema, table.name)
}

fn compare_table(
    plan: &LivePlan,
    wanted: &LiveTable,
    found: &Table,
    name: &str,
    findings: &mut Vec<Finding>,
) {
    let table = || Subject::Table(name.to_owned());
    match (found.kind.as_str(), wanted.partitioned) {
        ("r", false) | ("p", true) => {}
        ("p", false) => findings.push(changed(
            table(),
            "is partitioned; write `partitioned: true` in its model".to_owned(),
        )),
        ("r", true) => findings.push(changed(
            table(),
            "is not partitioned; remove `partitioned` from its model".to_owned(),
        )),
        (kind, _) => {
            let kind = match kind {
                "v" => "a view",
                "m" => "a materialized view",
                "f" => "a foreign table",
                _ => "no table",
            };
            findings.push(changed(table(), format!("is {kind}, and no table")));
        }
    }
    for column in &wanted.columns {
        let subject = || Subject::Column(name.to_owned(), column.name.clone());
        let Some(there) = found.columns.get(&column.name) else {
            let mut message = if column.captured {
                "is not there: a write to the table would fail in the capture function".to_owned()
            } else {
                "is not there".to_owned()
            };
            let known = |name: &&String| wanted.columns.iter().any(|column| column.name == **name);
            let others = found.columns.keys().filter(|name| !known(name));
            if let Some(near) = nearest(&column.name, others.map(String::as_str)) {
                message += &format!("; is it `{near}` now?");
            }
            message += " Correct the model, generate, and apply the migration";
            findings.push(changed(subject(), message));
            continue;
        };
        findings.extend(compare_type(plan, column, there, subject()));
        if !column.primary_key && column.nullable == there.not_null {
            let message = if column.nullable {
                "is NOT NULL in the table, and declared with `?`"
            } else {
                "may be null in the table, and is declared without `?`: a null would not decode"
            };
            findings.push(changed(subject(), message.to_owned()).warning());
        }
    }
    let keys: BTreeSet<String> = wanted
        .columns
        .iter()
        .filter(|column| column.primary_key)
        .map(|column| column.name.clone())
        .collect();
    let is_table = matches!(found.kind.as_str(), "r" | "p");
    if is_table && !keys.is_empty() && keys != found.primary_key {
        let list = |keys: &BTreeSet<String>| match keys.len() {
            0 => "none".to_owned(),
            _ => keys.iter().cloned().collect::<Vec<_>>().join(", "),
        };
        let finding = changed(
            table(),
            format!(
                "has another primary key ({}) than declared ({})",
                list(&found.primary_key),
                list(&keys)
            ),
        );
        // Rows before and after are paired by it.
        findings.push(if wanted.paired {
            finding
        } else {
            finding.warning()
        });
    }
}

fn compare_type(
    plan: &LivePlan,
    wanted: &LiveColumn,
    there: &Column,
    subject: Subject,
) -> Option<Finding> {
    let found = column_type(&there.type_text, &types::names(plan));
    let message = format!(
        "is {} in the table and {} in the schema",
        there.type_text, wanted.type_name
    );
    let same = found.as_ref().is_some_and(|found| same(found, &wanted.ty));
    if !same {
        return Some(changed(subject, message));
    }
    // What is cut or rounded on the way in is decoded all the same.
    let modifiers = found.as_ref().map(modifier).zip(Some(modifier(&wanted.ty)));
    match modifiers {
        Some((found, wanted)) if !wanted.is_empty() && found != wanted => {
            Some(changed(subject, message).warning())
        }
        _ => None,
    }
}

/// The same type, whatever stands in parentheses.
pub(super) fn same(left: &PgType, right: &PgType) -> bool {
    match (left, right) {
        (PgType::Builtin { builtin: left, .. }, PgType::Builtin { builtin: right, .. }) => {
            left.name == right.name
        }
        (PgType::Array(left), PgType::Array(right)) => same(left, right),
        (left, right) => left == right,
    }
}

fn modifier(ty: &PgType) -> &str {
    match ty {
        PgType::Builtin { modifier, .. } => modifier,
        PgType::Array(element) => modifier(element),
        PgType::Declared(_) => "",
    }
}
