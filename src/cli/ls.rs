//! `pgpubsub-gen ls`.

use std::collections::BTreeMap;

use serde_json::json;

use crate::diagnostic::Format;
use crate::history::{Change, History, Key};
use crate::live::{Finding, Severity, State, Subject, state_of};
use crate::plan::{Object, Plan, Source};

use super::args::{Display, Ls};
use super::{DIFFERENT, OK, live, output};

/// A line of the table.
struct Line {
    object: String,
    about: String,
    state: String,
    migration: String,
}

pub(super) fn run(args: &Ls, display: &Display) -> anyhow::Result<u8> {
    let source = output::source(args.schema.as_deref())?;
    let result = output::run(&source, display)?;
    let findings = match &args.database_url {
        Some(url) => Some(live::findings(&result.plan, url)?),
        None => None,
    };
    let migrations = written(&result.history);
    let mut lines: Vec<Line> = result
        .plan
        .objects
        .iter()
        .map(|object| Line {
            object: Subject::Object(object.key.clone()).to_string(),
            about: about(&result.plan, object),
            state: state(&result.history, object, findings.as_deref()).to_owned(),
            migration: migrations
                .get(&object.key)
                .map_or("-", String::as_str)
                .to_owned(),
        })
        .collect();
    let others = findings
        .iter()
        .flatten()
        .filter(|finding| match &finding.subject {
            Subject::Object(key) => result.plan.objects.iter().all(|object| object.key != *key),
            _ => finding.state != State::Note,
        });
    lines.extend(others.map(|finding| Line {
        object: finding.subject.to_string(),
        about: "-".to_owned(),
        state: finding.state.word().to_owned(),
        migration: match &finding.subject {
            Subject::Object(key) => migrations.get(key).map_or("-", String::as_str).to_owned(),
            _ => "-".to_owned(),
        },
    }));
    print(&lines, display)?;
    let fails = |finding: &Finding| finding.severity == Severity::Error;
    Ok(match findings {
        Some(findings) if findings.iter().any(fails) => DIFFERENT,
        _ => OK,
    })
}

/// Where each object was written last.
fn written(history: &History) -> BTreeMap<Key, String> {
    let mut written = BTreeMap::new();
    for placed in &history.migrations {
        let path = placed.paths.first().cloned().unwrap_or_default();
        for change in &placed.emitted.changes {
            match change {
                Change::Set(key, _) | Change::Drop(key) => {
                    written.insert(key.clone(), path.clone());
                }
                Change::TableRenamed { .. } => {}
            }
        }
    }
    written
}

/// Without a database: whether a migration holds it.
fn state(history: &History, object: &Object, findings: Option<&[Finding]>) -> &'static str {
    match findings {
        Some(findings) => state_of(&object.key, findings).word(),
        None => match history.state.objects.get(&object.key) {
            Some(installed) if installed.spec == object.spec => "emitted",
            Some(_) => "changed",
            None => "new",
        },
    }
}

/// The channel.
fn about(plan: &Plan, object: &Object) -> String {
    let of_function = |function: &str| {
        let mut channels = plan.live.channels.iter();
        channels.find(|channel| channel.function == function)
    };
    let channel = match object.source {
        Source::Function(index) => plan.live.channels.get(index),
        Source::Trigger(index) => of_function(&plan.sql.triggers[index].function_name),
        Source::Listener(_) => match &object.key {
            Key::Listener { channel, .. } => plan
                .live
                .channels
                .iter()
                .find(|known| known.name == *channel),
            _ => None,
        },
        Source::Schedule(_) => match &object.key {
            Key::Schedule { channel, .. } => plan
                .live
                .channels
                .iter()
                .find(|known| known.name == *channel),
            _ => None,
        },
        Source::Storage
        | Source::Processed
        | Source::DbVersion
        | Source::Index(_)
        | Source::Schedules => None,
    };
    channel.map_or("-", |channel| &channel.name).to_owned()
}

fn print(lines: &[Line], display: &Display) -> anyhow::Result<()> {
    if !matches!(display.format(), Format::Text { .. }) {
        for line in lines {
            let record = json!({
                "object": line.object,
                "channel": (line.about != "-").then_some(&line.about),
                "state": line.state,
                "migration": (line.migration != "-").then_some(&line.migration),
            });
            output::line(&record.to_string())?;
        }
        return Ok(());
    }
    let width = |of: fn(&Line) -> &str| {
        let widths = lines.iter().map(|line| of(line).chars().count());
        widths.max().unwrap_or_default()
    };
    let object = width(|line| &line.object).max("OBJECT".len());
    let channel = width(|line| &line.about).max("CHANNEL".len());
    let state = width(|line| &line.state).max("STATE".len());
    output::line(&format!(
        "{:object$}  {:channel$}  {:state$}  LAST WRITTEN IN",
        "OBJECT", "CHANNEL", "STATE"
    ))?;
    for line in lines {
        output::line(&format!(
            "{:object$}  {:channel$}  {:state$}  {}",
            live::one_line(&line.object),
            live::one_line(&line.about),
            line.state,
            line.migration
        ))?;
    }
    Ok(())
}
