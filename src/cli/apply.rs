//! `pgpubsub-gen apply`.

use crate::database::{run as run_sql, with_session};
use crate::live::{Finding, Severity, State, transactions};

use super::args::{Display, OnDatabase};
use super::{DIFFERENT, OK, live, output};

pub(super) fn run(args: &OnDatabase, display: &Display) -> anyhow::Result<u8> {
    let source = output::source(args.schema.as_deref())?;
    let result = output::run(&source, display)?;
    let url = args.database.url()?;
    let findings = live::findings(&result.plan, &url)?;
    let hopeless: Vec<&Finding> = findings
        .iter()
        .filter(|finding| {
            finding.severity == Severity::Error
                && matches!(finding.state, State::ColumnChanged | State::Refused)
        })
        .collect();
    if !hopeless.is_empty() {
        for finding in &hopeless {
            live::show(finding)?;
        }
        anyhow::bail!("the tables are not what the models say; nothing was applied");
    }
    for transaction in transactions(&findings, &result.plan.sql.lock_timeout) {
        with_session(&url, async |client| run_sql(client, &transaction.sql).await).map_err(
            |error| match &transaction.table {
                Some(table) => error.context(format!("cannot change the triggers of {table}")),
                None => error.context("cannot change the objects of the storage schema"),
            },
        )?;
    }
    let left = live::findings(&result.plan, &url)?;
    if !display.quiet {
        report(&findings)?;
    }
    let errors: Vec<&Finding> = left
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .collect();
    for finding in &errors {
        live::show(finding)?;
    }
    Ok(if errors.is_empty() { OK } else { DIFFERENT })
}

/// What was done. That somebody had switched a trigger off is said, too.
fn report(findings: &[Finding]) -> anyhow::Result<()> {
    let mut done = 0;
    for finding in findings.iter().filter(|finding| finding.repair.is_some()) {
        done += 1;
        let word = match finding.state {
            State::Missing => "created",
            State::Disabled => "enabled",
            State::Orphan => "dropped",
            _ => "replaced",
        };
        let why = match finding.state {
            State::Missing => String::new(),
            _ => format!(" ({})", finding.message),
        };
        output::line(&live::one_line(&format!(
            "{word:>9}  {}{why}",
            finding.subject
        )))?;
    }
    if done == 0 {
        output::line("nothing to do: the database is as the schema says")?;
    }
    Ok(())
}
