//! `pgpubsub-gen blocked`.

use serde_json::json;

use crate::database::{BlockedKey, read_blocked, with_session};
use crate::diagnostic::{Format, escaped};

use super::args::{Blocked, Display};
use super::{DIFFERENT, OK, live, output};

pub(super) fn run(args: &Blocked, display: &Display) -> anyhow::Result<u8> {
    let source = output::source(args.on.schema.as_deref())?;
    let result = output::run(&source, display)?;
    let url = args.on.database.url()?;
    let storage = &result.plan.live.storage;
    let mut blocked = with_session(&url, async |client| read_blocked(client, storage).await)?;
    blocked.retain(|key| args.group.as_ref().is_none_or(|group| *group == key.group));
    print(&blocked, display)?;
    Ok(if blocked.is_empty() { OK } else { DIFFERENT })
}

fn print(blocked: &[BlockedKey], display: &Display) -> anyhow::Result<()> {
    let format = display.format();
    for key in blocked {
        let error = key.last_error.as_deref().unwrap_or_default();
        let text = format!(
            "{} of the group {}: {} behind the notification {} of the channel {}, tried {} times, again {}: {}",
            live::one_line(&key.key),
            live::one_line(&key.group),
            key.behind,
            key.id,
            live::one_line(&key.channel),
            key.attempts,
            key.next_attempt.as_deref().unwrap_or("at once"),
            live::one_line(error)
        );
        match format {
            Format::Json => output::line(
                &json!({
                    "group": key.group,
                    "key": key.key,
                    "channel": key.channel,
                    "id": key.id,
                    "attempts": key.attempts,
                    "last_error": key.last_error,
                    "next_attempt": key.next_attempt,
                    "behind": key.behind,
                })
                .to_string(),
            )?,
            Format::Github => {
                output::line(&format!("::error title=blocked::{}", escaped(&text)))?;
            }
            Format::Text { .. } if display.quiet => {}
            Format::Text { .. } => output::line(&text)?,
        }
    }
    if matches!(format, Format::Text { .. }) && !display.quiet {
        output::line(&format!("{} blocked", blocked.len()))?;
    }
    Ok(())
}
