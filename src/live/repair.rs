//! What makes the next check clean, in transactions that each lock one table of the user's at most.

use std::collections::BTreeMap;

use super::finding::{Finding, Place};

/// Statements that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Transaction {
    /// The table (quoted) that it locks, if any.
    pub table: Option<String>,
    /// Its SQL, without BEGIN and COMMIT.
    pub sql: String,
}

impl Transaction {
    /// For a person to run.
    pub(crate) fn script(&self) -> String {
        format!("BEGIN;\n{}COMMIT;\n", self.sql)
    }
}

/// What repairs the findings, in order; `lock_timeout` is a literal.
pub(crate) fn transactions(findings: &[Finding], lock_timeout: &str) -> Vec<Transaction> {
    let mut places: BTreeMap<&Place, Vec<&str>> = BTreeMap::new();
    for (place, sql) in findings
        .iter()
        .filter_map(|finding| finding.repair.as_ref())
    {
        let statements = places.entry(place).or_default();
        // What an object is installed with can repair several findings.
        if !statements.contains(&sql.as_str()) {
            statements.push(sql);
        }
    }
    places
        .into_iter()
        .map(|(place, statements)| Transaction {
            table: match place {
                Place::Table(table) => Some(table.clone()),
                Place::Ours | Place::Last => None,
            },
            sql: format!(
                "SET LOCAL lock_timeout = {lock_timeout};\n{}",
                statements.concat()
            ),
        })
        .collect()
}
