//! `pgpubsub-gen quarantine`.

use serde_json::{Value, json};

use crate::database::{QuarantineFilter, Quarantined, quarantine, with_session};
use crate::diagnostic::Format;

use super::args::{Display, Quarantine, QuarantineCommand, Which};
use super::{OK, live, output};

pub(super) fn run(args: &Quarantine, display: &Display) -> anyhow::Result<u8> {
    let source = output::source(args.schema.as_deref())?;
    let result = output::run(&source, display)?;
    let storage = &result.plan.live.storage;
    let url = args.database.url()?;
    match &args.command {
        QuarantineCommand::List {
            channel,
            group,
            limit,
        } => {
            let filter = QuarantineFilter {
                id: None,
                channel: channel.clone(),
                group: group.clone(),
            };
            let limit = i64::from(*limit);
            let (there, total) = with_session(&url, async |client| {
                quarantine::read(client, storage, &filter, limit).await
            })?;
            list(&there, total, display)?;
        }
        QuarantineCommand::Show { id } => {
            let filter = QuarantineFilter {
                id: Some(*id),
                ..QuarantineFilter::default()
            };
            let (there, _) = with_session(&url, async |client| {
                quarantine::read(client, storage, &filter, i64::MAX).await
            })?;
            if there.is_empty() {
                anyhow::bail!("there is no notification {id} in quarantine");
            }
            for notification in &there {
                show(notification, display)?;
            }
        }
        QuarantineCommand::Redrive { which, rate } => {
            let filter = filter(which);
            let moved = with_session(&url, async |client| {
                quarantine::redrive(client, storage, &filter, *rate).await
            })?;
            done(which, moved, "put back", "put_back", display)?;
        }
        QuarantineCommand::Purge { which } => {
            let filter = filter(which);
            let removed = with_session(&url, async |client| {
                quarantine::purge(client, storage, &filter).await
            })?;
            done(which, removed, "removed", "removed", display)?;
        }
    }
    Ok(OK)
}

fn filter(which: &Which) -> QuarantineFilter {
    QuarantineFilter {
        id: which.id,
        channel: which.channel.clone(),
        group: which.group.clone(),
    }
}

fn list(there: &[Quarantined], total: i64, display: &Display) -> anyhow::Result<()> {
    let text = matches!(display.format(), Format::Text { .. });
    for notification in there {
        if !text {
            output::line(&record(notification, false).to_string())?;
        } else if !display.quiet {
            output::line(&format!(
                "{} {} of the channel {} for the group {}, written {}, here since {}: {}: {}",
                notification.id,
                notification.op,
                live::one_line(&notification.channel),
                live::one_line(&notification.group),
                notification.created_at,
                notification.quarantined_at,
                live::one_line(&notification.reason),
                live::one_line(notification.last_error.as_deref().unwrap_or("no error")),
            ))?;
        }
    }
    if text && !display.quiet {
        let shown = i64::try_from(there.len()).unwrap_or(i64::MAX);
        let rest = if shown < total {
            format!("; the first {shown} are shown, see --limit")
        } else {
            String::new()
        };
        output::line(&format!("{total} in quarantine{rest}"))?;
    }
    Ok(())
}

fn show(notification: &Quarantined, display: &Display) -> anyhow::Result<()> {
    if !matches!(display.format(), Format::Text { .. }) {
        return Ok(output::line(&record(notification, true).to_string())?);
    }
    let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
    let number = notification.id.to_string();
    let lines = [
        ("id", number),
        ("channel", notification.channel.clone()),
        ("group", notification.group.clone()),
        ("op", notification.op.clone()),
        ("model version", notification.model_version.to_string()),
        ("db version", known(&notification.db_version)),
        ("transaction", notification.txid.clone()),
        ("created", notification.created_at.clone()),
        ("quarantined", notification.quarantined_at.clone()),
        ("reason", notification.reason.clone()),
        ("attempts", notification.attempts.to_string()),
        (
            "last error",
            notification.last_error.clone().unwrap_or_default(),
        ),
        (
            "expires",
            notification.expires_at.clone().unwrap_or_default(),
        ),
        (
            "priority",
            notification.priority.unwrap_or_default().to_string(),
        ),
        (
            "dedup key",
            notification.dedup_key.clone().unwrap_or_default(),
        ),
        (
            "order key",
            notification.order_key.clone().unwrap_or_default(),
        ),
        ("context", notification.context.clone().unwrap_or_default()),
        ("payload", notification.payload.clone()),
    ];
    for (name, value) in lines {
        let value = value.replace('\n', "\n  ");
        output::line(format!("{name}: {value}").trim_end())?;
    }
    Ok(())
}

/// One that was asked for by its number, and is not there, is an error.
fn done(which: &Which, count: u64, text: &str, key: &str, display: &Display) -> anyhow::Result<()> {
    if let (Some(id), 0) = (which.id, count) {
        anyhow::bail!("there is no such notification {id} in quarantine");
    }
    match display.format() {
        Format::Text { .. } if display.quiet => Ok(()),
        Format::Text { .. } => Ok(output::line(&format!("{count} {text}"))?),
        Format::Json | Format::Github => Ok(output::line(&json!({ key: count }).to_string())?),
    }
}

fn record(notification: &Quarantined, whole: bool) -> Value {
    let mut record = json!({
        "id": notification.id,
        "channel": notification.channel,
        "group": notification.group,
        "op": notification.op,
        "model_version": notification.model_version,
        "db_version": notification.db_version,
        "txid": notification.txid,
        "created_at": notification.created_at,
        "attempts": notification.attempts,
        "last_error": notification.last_error,
        "reason": notification.reason,
        "quarantined_at": notification.quarantined_at,
        "expires_at": notification.expires_at,
        "priority": notification.priority,
        "dedup_key": notification.dedup_key,
        "order_key": notification.order_key,
    });
    if whole {
        // As text: it is shown as it was written, with all digits.
        record["payload"] = notification.payload.clone().into();
        record["context"] = notification.context.clone().into();
    }
    record
}
