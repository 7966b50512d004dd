//! `pgpubsub-gen schedules`.

use serde_json::json;

use crate::database::{Scheduled, read_schedules, with_session};
use crate::diagnostic::{Format, escaped};

use super::args::{Display, OnDatabase};
use super::{DIFFERENT, OK, live, output};

pub(super) fn run(on: &OnDatabase, display: &Display) -> anyhow::Result<u8> {
    let source = output::source(on.schema.as_deref())?;
    let result = output::run(&source, display)?;
    let url = on.database.url()?;
    let storage = &result.plan.live.storage;
    let schedules = with_session(&url, async |client| read_schedules(client, storage).await)?;
    for schedule in &schedules {
        match display.format() {
            Format::Json => output::line(&record(schedule))?,
            Format::Github if schedule.overdue => output::line(&format!(
                "::error title=schedules::{}",
                escaped(&sentence(schedule))
            ))?,
            Format::Text { .. } if display.quiet && !schedule.overdue => {}
            Format::Github | Format::Text { .. } => output::line(&sentence(schedule))?,
        }
    }
    let overdue = schedules.iter().any(|schedule| schedule.overdue);
    Ok(if overdue { DIFFERENT } else { OK })
}

fn record(schedule: &Scheduled) -> String {
    json!({
        "channel": schedule.channel,
        "when": schedule.when,
        "next": schedule.next,
        "overdue": schedule.overdue,
        "last": schedule.last,
        "fired": schedule.fired,
    })
    .to_string()
}

fn sentence(schedule: &Scheduled) -> String {
    let channel = live::one_line(&schedule.channel);
    let mut text = match &schedule.next {
        None => format!("{channel} is put off for ever"),
        Some(next) if schedule.overdue => {
            format!("{channel} is overdue since {next}: no worker has fired it")
        }
        Some(next) => format!("{channel} sends at {next}"),
    };
    text += &format!(" ({})", live::one_line(&schedule.when));
    if let (Some(last), Some(fired)) = (&schedule.last, &schedule.fired) {
        text += &format!("; the last was that of {last}, fired {fired}");
    }
    text
}
