//! `pgpubsub-gen who-holds`.

use serde_json::json;

use crate::database::{Held, Holder, read_holder, with_session};
use crate::diagnostic::Format;

use super::args::{Display, WhoHolds};
use super::{DIFFERENT, OK, live, output};

pub(super) fn run(args: &WhoHolds, display: &Display) -> anyhow::Result<u8> {
    let source = output::source(args.on.schema.as_deref())?;
    let result = output::run(&source, display)?;
    let url = args.on.database.url()?;
    let (storage, id) = (&result.plan.live.storage, args.id);
    let held = with_session(&url, async |client| read_holder(client, storage, id).await)?;
    let code = if held.is_some() { OK } else { DIFFERENT };
    let line = match (display.format(), held) {
        (Format::Json, held) => record(id, held.as_ref()),
        (_, None) => format!("there is no notification {id}: it is processed, or was never there"),
        (_, Some(held)) => sentence(id, &held),
    };
    output::line(&line)?;
    Ok(code)
}

fn record(id: i64, held: Option<&Held>) -> String {
    let holder = held.and_then(|held| held.holder.as_ref()).map(|holder| {
        json!({
            "pid": holder.pid,
            "application_name": holder.application_name,
            "client": holder.client,
            "since": holder.since,
            "state": holder.state,
            "state_since": holder.state_since,
        })
    });
    let record = json!({
        "id": id,
        "there": held.is_some(),
        "channel": held.map(|held| &held.channel),
        "group": held.map(|held| &held.group),
        "holder": holder,
    });
    record.to_string()
}

fn sentence(id: i64, held: &Held) -> String {
    let (channel, group) = (live::one_line(&held.channel), live::one_line(&held.group));
    let what = format!("notification {id} of the channel {channel} for the group {group}");
    let Some(holder) = &held.holder else {
        return format!("{what} is held by nobody: it waits");
    };
    format!("{what} is held by {}", session(holder))
}

fn session(holder: &Holder) -> String {
    let mut text = format!("the backend {}", holder.pid);
    if let Some(name) = &holder.application_name {
        text += &format!(" ({})", live::one_line(name));
    }
    let Some((since, state)) = holder.since.as_ref().zip(holder.state.as_ref()) else {
        return text + ", of which this role may see no more";
    };
    if let Some(client) = &holder.client {
        text += &format!(" from {client}");
    }
    text += &format!(" since {since}; it is {state}");
    if let Some(since) = &holder.state_since {
        text += &format!(" since {since}");
    }
    text
}
