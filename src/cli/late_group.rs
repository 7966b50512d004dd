//! `pgpubsub-gen replay --from-group … --to-group …`.

use serde_json::json;

use crate::database::{Kept, LateGroup, late_group, with_session};
use crate::diagnostic::{Format, nearest};
use crate::plan::{LiveListener, LivePlan};

use super::args::{Display, Replay};
use super::{OK, output, replay};

pub(super) fn run(
    args: &Replay,
    from: &str,
    to: &str,
    plan: &LivePlan,
    display: &Display,
) -> anyhow::Result<u8> {
    let url = args.database.url()?;
    let late = late(args, from, to, plan)?;
    let storage = &plan.storage;
    if args.dry_run {
        let lacking = with_session(&url, async |client| {
            late_group::count(client, storage, &late).await
        })?;
        replay::list(&lacking, plan, "written", display)?;
        return Ok(OK);
    }
    let given = with_session(&url, async |client| {
        let refuse = |lacking: &[Kept]| replay::refuse(lacking, plan);
        late_group::give(client, storage, &late, refuse).await
    })?;
    match display.format() {
        Format::Text { .. } if display.quiet => {}
        Format::Text { .. } => output::line(&format!("{given} given to the group {to}"))?,
        Format::Json | Format::Github => output::line(&json!({ "given": given }).to_string())?,
    }
    Ok(OK)
}

fn late(args: &Replay, from: &str, to: &str, plan: &LivePlan) -> anyhow::Result<LateGroup> {
    if from == to {
        anyhow::bail!("--from-group and --to-group are the same group");
    }
    let of_group = |group: &str| -> Vec<&LiveListener> {
        let listeners = plan.listeners.iter();
        listeners
            .filter(|listener| listener.group == group)
            .collect()
    };
    let listeners = of_group(to);
    if listeners.is_empty() {
        let groups = plan.listeners.iter().map(|listener| &*listener.group);
        let hint = match nearest(to, groups) {
            Some(near) => format!("; did you mean {near}?"),
            None => String::new(),
        };
        anyhow::bail!("the schema has no group {to}{hint}");
    }
    let mut installed = Vec::new();
    let mut takes = Vec::new();
    let taken = listeners.iter().flat_map(|listener| {
        let taken = listener.takes.iter();
        taken.map(move |(channel, ops)| (&listener.name, channel, ops))
    });
    for (listener, name, ops) in taken {
        if args.channel.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let channel = plan.channels.iter().find(|channel| channel.name == *name);
        let channel = channel.expect("a listener takes channels of the schema");
        if !channel.retains {
            anyhow::bail!(
                "the channel {name} keeps nothing (`retain`): what a group has processed of it leaves no trace, so nobody can tell what another one lacks; take others with --channel"
            );
        }
        installed.push((listener.clone(), name.clone()));
        for name in std::iter::once(&channel.name).chain(&channel.was) {
            takes.extend(ops.iter().map(|op| (name.clone(), *op)));
        }
    }
    if let (Some(channel), true) = (&args.channel, takes.is_empty()) {
        anyhow::bail!("the group {to} takes nothing of a channel {channel}");
    }
    Ok(LateGroup {
        from: from.to_owned(),
        to: to.to_owned(),
        installed,
        takes,
        ordered: listeners.iter().any(|listener| listener.ordered),
        written_since: args.times.written_since.clone(),
        written_until: args.times.written_until.clone(),
    })
}
