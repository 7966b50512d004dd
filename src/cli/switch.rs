//! `pgpubsub-gen enable` and `disable`.

use std::collections::BTreeMap;

use crate::database::{run as run_sql, with_session};
use crate::diagnostic::nearest;
use crate::live::enable;
use crate::plan::{LiveChannel, Plan};

use super::args::{Display, Switch};
use super::{OK, output};

pub(super) fn run(args: &Switch, on: bool, display: &Display) -> anyhow::Result<u8> {
    let source = output::source(args.on.schema.as_deref())?;
    let result = output::run(&source, display)?;
    let plan = &result.plan;
    let channel = channel(plan, &args.channel)?;
    let mut tables: BTreeMap<&str, String> = BTreeMap::new();
    let mut names = Vec::new();
    for trigger in &plan.sql.triggers {
        if trigger.function_name != channel.function {
            continue;
        }
        let statement = if on {
            enable(trigger)
        } else {
            format!(
                "ALTER TABLE {} DISABLE TRIGGER {};",
                trigger.table, trigger.name
            )
        };
        *tables.entry(&trigger.table).or_default() += &format!("{statement}\n");
        names.push(format!("{} on {}", trigger.name, trigger.table));
    }
    if channel.own_triggers {
        anyhow::bail!(
            "the triggers of the channel {} are yours (`trigger: own`)",
            channel.name
        );
    }
    if names.is_empty() {
        anyhow::bail!(
            "the channel {} has no triggers: {}",
            channel.name,
            if channel.model.is_some() {
                "nobody listens to it"
            } else {
                "it carries messages"
            }
        );
    }
    let url = args.on.database.url()?;
    for sql in tables.values() {
        let sql = format!("SET LOCAL lock_timeout = {};\n{sql}", plan.sql.lock_timeout);
        with_session(&url, async |client| run_sql(client, &sql).await)?;
    }
    if !display.quiet {
        let word = if on { "enabled" } else { "disabled" };
        for name in names {
            output::line(&format!("{word}  trigger {name}"))?;
        }
    }
    Ok(OK)
}

/// A channel by its name.
pub(super) fn channel<'p>(plan: &'p Plan, name: &str) -> anyhow::Result<&'p LiveChannel> {
    let mut channels = plan.live.channels.iter();
    if let Some(found) = channels.find(|channel| channel.name == name) {
        return Ok(found);
    }
    let names = plan
        .live
        .channels
        .iter()
        .map(|channel| channel.name.as_str());
    let hint = match nearest(name, names) {
        Some(near) => format!("; did you mean {near}?"),
        None => String::new(),
    };
    anyhow::bail!("the schema has no channel {name}{hint}")
}
