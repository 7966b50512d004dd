//! Asking a database, and showing what was found.

use serde_json::json;

use crate::database::{read_snapshot, with_session};
use crate::diagnostic::{Format, escaped};
use crate::live::{self, Finding, Severity};
use crate::plan::Plan;
use crate::render;

use super::args::Display;
use super::{DIFFERENT, OK, output};

/// What differs between the database of a URL and the plan.
pub(crate) fn findings(plan: &Plan, url: &str) -> anyhow::Result<Vec<Finding>> {
    let texts = render::objects(plan)?;
    let snapshot = with_session(url, async |client| read_snapshot(client, plan).await)?;
    Ok(live::compare(plan, &texts, &snapshot))
}

/// The second half of `check`: everything that was found, and what repairs it.
pub(super) fn check(plan: &Plan, url: &str, display: &Display) -> anyhow::Result<u8> {
    let findings = findings(plan, url)?;
    if !matches!(display.format(), Format::Text { .. }) {
        for finding in &findings {
            output::line(&record(finding, display.format()))?;
        }
        return Ok(code(&findings, display));
    }
    for finding in &findings {
        if finding.severity != Severity::Note || !display.quiet {
            show(finding)?;
        }
    }
    let code = code(&findings, display);
    if code == OK {
        if !display.quiet {
            output::line(&format!(
                "database: {} objects are as the schema says",
                plan.objects.len()
            ))?;
        }
        return Ok(code);
    }
    let count = findings
        .iter()
        .filter(|finding| finding.severity != Severity::Note)
        .count();
    let findings_text = if count == 1 { "finding" } else { "findings" };
    output::line(&format!("database: {count} {findings_text}"))?;
    repair(plan, &findings)?;
    Ok(code)
}

/// The SQL that makes the next check clean, as far as SQL can.
fn repair(plan: &Plan, findings: &[Finding]) -> anyhow::Result<()> {
    let transactions = live::transactions(findings, &plan.sql.lock_timeout);
    if transactions.is_empty() {
        return Ok(());
    }
    output::line("\n-- repair")?;
    for transaction in transactions {
        output::line(transaction.script().trim_end())?;
    }
    Ok(())
}

/// A finding for a person.
pub(super) fn show(finding: &Finding) -> anyhow::Result<()> {
    let mark = match finding.severity {
        Severity::Warning => " (warning)",
        _ => "",
    };
    let title = finding.state.title();
    output::line(&format!(
        "{title:<14} {}{mark}: {}",
        one_line(&finding.subject.to_string()),
        one_line(&finding.message)
    ))?;
    for line in finding.detail.lines() {
        output::line(&format!("    {line}"))?;
    }
    Ok(())
}

/// Names may hold anything.
pub(super) fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

fn code(findings: &[Finding], display: &Display) -> u8 {
    let fails = |finding: &Finding| match finding.severity {
        Severity::Error => true,
        Severity::Warning => display.deny_warnings,
        Severity::Note => false,
    };
    if findings.iter().any(fails) {
        DIFFERENT
    } else {
        OK
    }
}

/// A finding for a program.
fn record(finding: &Finding, format: Format) -> String {
    let message = format!("{}: {}", finding.subject, finding.message);
    let severity = finding.severity.word();
    let state = finding.state.word();
    if matches!(format, Format::Github) {
        let command = match finding.severity {
            Severity::Note => "notice",
            _ => severity,
        };
        return format!("::{command} title=check {state}::{}", escaped(&message));
    }
    json!({
        "severity": severity,
        "code": "check",
        "state": state,
        "object": finding.subject.to_string(),
        "message": message,
        "detail": finding.detail,
        "repair": finding.repair.as_ref().map(|(_, sql)| sql),
    })
    .to_string()
}
