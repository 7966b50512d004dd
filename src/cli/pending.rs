//! `pgpubsub-gen pending`.

use serde_json::json;

use crate::database::{Waiting, read_pending, with_session};
use crate::diagnostic::{Format, escaped, nearest};
use crate::plan::Plan;

use super::args::{Display, Pending};
use super::{DIFFERENT, OK, live, output, switch};

pub(super) fn run(args: &Pending, display: &Display) -> anyhow::Result<u8> {
    let source = output::source(args.on.schema.as_deref())?;
    let result = output::run(&source, display)?;
    let plan = &result.plan;
    let channels = channels(args, plan)?;
    let before = before(args)?;
    let url = args.on.database.url()?;
    let storage = &plan.live.storage;
    let waiting = with_session(&url, async |client| read_pending(client, storage).await)?;
    let waiting: Vec<Waiting> = waiting
        .into_iter()
        .filter(|waiting| {
            channels
                .as_ref()
                .is_none_or(|channels| channels.contains(&waiting.channel))
        })
        .collect();
    let is_unknown =
        |waiting: &&Waiting| matches!(before, Before::Db(_)) && waiting.db_version.is_none();
    let unknown: i64 = waiting
        .iter()
        .filter(is_unknown)
        .map(|waiting| waiting.count)
        .sum();
    let counted: Vec<&Waiting> = waiting
        .iter()
        .filter(|waiting| before.has(waiting))
        .collect();
    print(&counted, unknown, display)?;
    Ok(if counted.is_empty() { OK } else { DIFFERENT })
}

/// Channels that are asked for; `None`: all, also those that the schema does not have any more.
fn channels(args: &Pending, plan: &Plan) -> anyhow::Result<Option<Vec<String>>> {
    if let Some(name) = &args.channel {
        return Ok(Some(vec![switch::channel(plan, name)?.name.clone()]));
    }
    let Some(model) = &args.model else {
        return Ok(None);
    };
    let mut models = plan.live.tables.iter().map(|table| table.model.as_str());
    if !models.any(|known| known == model) {
        let models = plan.live.tables.iter().map(|table| table.model.as_str());
        let hint = match nearest(model, models) {
            Some(near) => format!("; did you mean {near}?"),
            None => String::new(),
        };
        anyhow::bail!("the schema has no model {model}{hint}");
    }
    let channels = plan.live.channels.iter();
    Ok(Some(
        channels
            .filter(|channel| channel.model.as_ref() == Some(model))
            .map(|channel| channel.name.clone())
            .collect(),
    ))
}

/// What counts.
enum Before {
    Everything,
    Model(u32),
    Db(String),
}

fn before(args: &Pending) -> anyhow::Result<Before> {
    let Some(version) = &args.before else {
        return Ok(Before::Everything);
    };
    if args.db {
        return Ok(Before::Db(version.clone()));
    }
    if args.model.is_none() && args.channel.is_none() {
        anyhow::bail!(
            "--before {version} is the version of a model: add --model NAME or --channel NAME, or --db for a version of the database"
        );
    }
    version.parse().map(Before::Model).map_err(|_| {
        anyhow::anyhow!(
            "`{version}` is no version of a model, which are numbers; add --db for a version of the database"
        )
    })
}

impl Before {
    fn has(&self, waiting: &Waiting) -> bool {
        match self {
            Self::Everything => true,
            Self::Model(version) => i64::from(waiting.model_version) < i64::from(*version),
            Self::Db(version) => waiting
                .db_version
                .as_deref()
                .is_some_and(|written| is_older(written, version)),
        }
    }
}

/// Versions that are numbers are compared as numbers, as the runtime does.
fn is_older(written: &str, version: &str) -> bool {
    let number = |text: &str| text.parse::<u64>().ok();
    match (number(written), number(version)) {
        (Some(written), Some(version)) => written < version,
        _ => written < version,
    }
}

fn print(counted: &[&Waiting], unknown: i64, display: &Display) -> anyhow::Result<()> {
    let total: i64 = counted.iter().map(|waiting| waiting.count).sum();
    let format = display.format();
    for waiting in counted {
        let version = waiting.db_version.as_deref();
        let text = format!(
            "{} of the channel {} for the group {}, version {}, db version {}, the oldest of {}",
            waiting.count,
            live::one_line(&waiting.channel),
            live::one_line(&waiting.group),
            waiting.model_version,
            version.unwrap_or("unknown"),
            waiting.oldest
        );
        match format {
            Format::Json => output::line(
                &json!({
                    "channel": waiting.channel,
                    "group": waiting.group,
                    "model_version": waiting.model_version,
                    "db_version": version,
                    "count": waiting.count,
                    "oldest": waiting.oldest,
                })
                .to_string(),
            )?,
            Format::Github => {
                output::line(&format!("::error title=pending::{}", escaped(&text)))?;
            }
            Format::Text { .. } if display.quiet => {}
            Format::Text { .. } => output::line(&text)?,
        }
    }
    if matches!(format, Format::Text { .. }) && !display.quiet {
        output::line(&format!("{total} waiting"))?;
        if unknown > 0 {
            output::line(&format!(
                "{unknown} were written while the db version could not be told; they are not counted"
            ))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_older;

    #[test]
    fn versions_are_compared_as_numbers_if_they_are() {
        for (written, version, older) in [
            ("9", "10", true),
            ("20260101000000", "9", false),
            ("0002", "2", false),
            ("a9", "b1", true),
        ] {
            assert_eq!(is_older(written, version), older, "{written} {version}");
        }
    }
}
