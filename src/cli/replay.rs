//! `pgpubsub-gen replay`.

use serde_json::json;

use crate::database::{Kept, ReplayFilter, replay, with_session};
use crate::diagnostic::Format;
use crate::plan::{LiveChannel, LivePlan};

use super::args::{Display, Replay};
use super::{OK, late_group, live, output};

pub(super) fn run(args: &Replay, display: &Display) -> anyhow::Result<u8> {
    let source = output::source(args.schema.as_deref())?;
    let result = output::run(&source, display)?;
    let live = &result.plan.live;
    if let Some((from, to)) = args.from_group.as_ref().zip(args.to_group.as_ref()) {
        return late_group::run(args, from, to, live, display);
    }
    let url = args.database.url()?;
    let filter = filter(args);
    let kept = with_session(&url, async |client| {
        replay::count(client, &live.storage, &filter).await
    })?;
    if args.dry_run {
        list(&kept, live, "processed", display)?;
        return Ok(OK);
    }
    refuse(&kept, live)?;
    let put_back = with_session(&url, async |client| {
        replay::replay(client, &live.storage, &filter, args.keep_ids, args.rate).await
    })?;
    if let (Some(id), 0) = (args.id, put_back) {
        anyhow::bail!("no processed notification {id} is kept");
    }
    match display.format() {
        Format::Text { .. } if display.quiet => {}
        Format::Text { .. } => output::line(&format!("{put_back} put back"))?,
        Format::Json | Format::Github => {
            output::line(&json!({ "put_back": put_back }).to_string())?;
        }
    }
    Ok(OK)
}

fn filter(args: &Replay) -> ReplayFilter {
    ReplayFilter {
        id: args.id,
        channel: args.channel.clone(),
        group: args.group.clone(),
        processed_since: args.times.processed_since.clone(),
        processed_until: args.times.processed_until.clone(),
        written_since: args.times.written_since.clone(),
        written_until: args.times.written_until.clone(),
    }
}

/// Nothing is put back, if nobody would process some of it.
pub(super) fn refuse(kept: &[Kept], live: &LivePlan) -> anyhow::Result<()> {
    match kept.iter().find_map(|kept| refusal(kept, live)) {
        Some(refused) => {
            anyhow::bail!("{refused}; nothing was put back. Say less, or look with --dry-run")
        }
        None => Ok(()),
    }
}

/// Why nobody would process them, or all who try would fail.
fn refusal(kept: &Kept, live: &LivePlan) -> Option<String> {
    let these = format!(
        "{} of the channel {} for the group {}",
        kept.count,
        live::one_line(&kept.channel),
        live::one_line(&kept.group)
    );
    let Some(channel) = channel(kept, live) else {
        return Some(format!("{these}: the schema has no such channel any more"));
    };
    let taken = |listener: &&crate::plan::LiveListener| {
        std::iter::once(&listener.group)
            .chain(&listener.was)
            .any(|group| *group == kept.group)
            && listener
                .takes
                .iter()
                .any(|(taken, _)| *taken == channel.name)
    };
    if !live.listeners.iter().any(|listener| taken(&listener)) {
        return Some(format!(
            "{these}: the schema has no listener for them any more"
        ));
    }
    let version = u32::try_from(kept.model_version).unwrap_or_default();
    if version < channel.oldest {
        return Some(format!(
            "{these} have the version {version}, and the schema reads {} and newer",
            channel.oldest
        ));
    }
    (version > channel.version).then(|| {
        format!(
            "{these} have the version {version}, and the schema knows {}",
            channel.version
        )
    })
}

/// Under its name, or a former one.
fn channel<'l>(kept: &Kept, live: &'l LivePlan) -> Option<&'l LiveChannel> {
    live.channels
        .iter()
        .find(|channel| channel.name == kept.channel || channel.was.contains(&kept.channel))
}

/// Counts; their times are when they were `done`.
pub(super) fn list(
    kept: &[Kept],
    plan: &LivePlan,
    done: &str,
    display: &Display,
) -> anyhow::Result<()> {
    let format = display.format();
    for kept in kept {
        let refused = refusal(kept, plan);
        if let Format::Text { .. } = format {
            if display.quiet {
                continue;
            }
            let mut line = format!(
                "{} of the channel {} for the group {}, version {}, {done} from {} to {}",
                kept.count,
                live::one_line(&kept.channel),
                live::one_line(&kept.group),
                kept.model_version,
                kept.first,
                kept.last
            );
            if let Some(refused) = refused {
                line += &format!(" (refused: {refused})");
            }
            output::line(&line)?;
        } else {
            let record = json!({
                "channel": kept.channel,
                "group": kept.group,
                "model_version": kept.model_version,
                "count": kept.count,
                "first": kept.first,
                "last": kept.last,
                "refused": refused,
            });
            output::line(&record.to_string())?;
        }
    }
    if let (Format::Text { .. }, false) = (format, display.quiet) {
        let total: i64 = kept.iter().map(|kept| kept.count).sum();
        output::line(&format!("{total} would be put back"))?;
    }
    Ok(())
}
