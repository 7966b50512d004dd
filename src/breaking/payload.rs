//! Channels on models: which columns they send, of which writes, and how.

use std::collections::BTreeSet;

use crate::history::{Sent, Shape, Shaped};
use crate::model::{
    Changed, Channel, Delivery, Fire, Level, Literal, Model, Op, Schema, TriggerChannel,
};

use super::channels::finding;
use super::models::newer;
use super::{Comparison, Kind, Outcome, Verdict};

pub(super) fn compare(
    comparison: &mut Comparison<'_>,
    was: &Channel,
    is: &Channel,
    before: &TriggerChannel,
    after: &TriggerChannel,
) {
    columns(comparison, was, is, before, after);
    level(comparison, was, is, before, after);
    conditions(comparison, is, before, after);
    options(comparison, is, before, after);
}

/// A default, as it is shown.
pub(super) fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Null => "null".to_owned(),
        Literal::Bool(value) => value.to_string(),
        Literal::Int(value) => value.to_string(),
        Literal::Float(value) => value.to_string(),
        Literal::Text(text) => format!("{text:?}"),
        Literal::Json(value) => value.to_string(),
        Literal::Bytes(bytes) => format!("{} bytes", bytes.len()),
        Literal::Sequence(items) => {
            let items: Vec<String> = items.iter().map(self::literal).collect();
            format!("[{}]", items.join(", "))
        }
        Literal::Map(entries) => {
            let entry = |(key, value): &(Literal, Literal)| {
                format!("{}: {}", self::literal(key), self::literal(value))
            };
            let entries: Vec<String> = entries.iter().map(entry).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// What old workers do with what is written after the migration.
fn workers(comparison: &Comparison<'_>, was: &Channel, is: &Channel) -> Verdict {
    if was.name != is.name {
        return Verdict::ok("they leave what has the new name to newer workers");
    }
    let carried = (
        was.delivery == Delivery::Durable,
        was.delivery == Delivery::Transient,
    );
    newer(
        comparison.before.of_channel(comparison.old, was),
        comparison.after.of_channel(comparison.new, is),
        carried,
    )
}

fn columns(
    comparison: &mut Comparison<'_>,
    was: &Channel,
    is: &Channel,
    before: &TriggerChannel,
    after: &TriggerChannel,
) {
    let shape_of = |shapes: &std::collections::BTreeMap<(Shaped, String), Shape>,
                    schema: &Schema,
                    on: &TriggerChannel| {
        let name = schema.models[on.model].name.clone();
        shapes
            .get(&(Shaped::Model, name))
            .cloned()
            .unwrap_or_default()
    };
    let old = shape_of(&comparison.shapes_before, comparison.old, before);
    let new = shape_of(&comparison.shapes_after, comparison.new, after);
    // A column of the model that is new or gone is a finding of its own.
    let in_both = |name: &String| old.columns.contains_key(name) && new.columns.contains_key(name);
    let lists = |shape: &Shape, channel: &Channel| {
        let all = |list: &Option<Vec<String>>| -> BTreeSet<String> {
            let list = list
                .clone()
                .unwrap_or_else(|| shape.columns.keys().cloned().collect());
            list.into_iter().filter(in_both).collect()
        };
        let sent: Sent = shape.sent.get(&channel.name).cloned().unwrap_or_default();
        let has = |op| channel.ops().contains(&op);
        let mut lists = [BTreeSet::new(), BTreeSet::new()];
        if has(Op::Update) || has(Op::Delete) {
            lists[0] = all(&sent.old);
        }
        if has(Op::Update) || has(Op::Insert) {
            lists[1] = all(&sent.new);
        }
        lists
    };
    let carries = |ops: &[Op]| {
        let both = |op: &&Op| was.ops().contains(op) && is.ops().contains(op);
        ops.iter().any(|op| both(&op))
    };
    let (mut more, mut fewer) = (BTreeSet::new(), BTreeSet::new());
    let images = [
        carries(&[Op::Update, Op::Delete]),
        carries(&[Op::Update, Op::Insert]),
    ];
    for ((old, new), is_in_both) in lists(&old, was).iter().zip(&lists(&new, is)).zip(images) {
        if is_in_both {
            more.extend(new.difference(old).cloned());
            fewer.extend(old.difference(new).cloned());
        }
    }
    let names = |names: &BTreeSet<String>| {
        super::channels::listed(&names.iter().cloned().collect::<Vec<_>>())
    };
    if !more.is_empty() {
        let change = format!("sends {}, too", names(&more));
        let mut finding = finding(Kind::PayloadExtended, is, &change);
        finding.waiting = Verdict::ok("what they lack has a default or can be null");
        finding.workers = workers(comparison, was, is);
        let model: &Model = &comparison.new.models[after.model];
        for column in model
            .columns
            .iter()
            .filter(|column| more.contains(&column.column))
        {
            if let Some(mistake) = comparison.mistake(&column.past.span) {
                finding.waiting = finding.waiting.or(Verdict::breaks(mistake.message));
                finding.advice.extend(mistake.advice);
            }
        }
        comparison.push(finding);
    }
    if !fewer.is_empty() {
        let mut finding = finding(
            Kind::PayloadShrunk,
            is,
            &format!("does not send {} any more", names(&fewer)),
        );
        finding.waiting = Verdict::ok("what is not sent any more is not looked at");
        finding.workers = workers(comparison, was, is);
        comparison.push(finding);
    }
}

fn level(
    comparison: &mut Comparison<'_>,
    was: &Channel,
    is: &Channel,
    before: &TriggerChannel,
    after: &TriggerChannel,
) {
    // An update that changes a primary key leaves a row before and a row after that nobody can bring together.
    let halves = was.ops().contains(&Op::Update)
        && is.ops().contains(&Op::Update)
        && [&before.old, &before.new]
            .iter()
            .any(|list| list.as_ref().is_none_or(|list| !list.is_empty()));
    match (before.level, after.level) {
        (Level::Row, Level::Statement) => {
            let mut finding = finding(
                Kind::LevelStatement,
                is,
                "is captured statement by statement",
            );
            let workers = workers(comparison, was, is);
            let is_left = was.name != is.name
                || comparison.after.of_channel(comparison.new, is)
                    > comparison.before.of_channel(comparison.old, was);
            finding.workers = if halves && !is_left {
                finding.advice.push("change its name at the same time, with `was`: old workers then leave it to newer ones".to_owned());
                Verdict::breaks(
                    "an update of a primary key comes in halves, on which they fail; it waits for a newer worker",
                )
            } else {
                workers
            };
            comparison.push(finding);
        }
        (Level::Statement, Level::Row) => {
            let mut finding = finding(Kind::LevelRow, is, "is captured row by row");
            if halves && was.delivery == Delivery::Durable {
                finding.waiting = Verdict::breaks(
                    "an update of a primary key waits in halves, on which the new code fails",
                );
                finding.advice.push(super::drain(&was.name));
            }
            finding.workers = workers(comparison, was, is);
            comparison.push(finding);
        }
        _ => {}
    }
}

/// Names of columns, as the order of the columns does not count.
fn names(model: &Model, columns: &[usize]) -> BTreeSet<String> {
    let names = columns
        .iter()
        .map(|column| model.columns[*column].column.clone());
    names.collect()
}

fn changed(model: &Model, changed: &Option<Changed>) -> (u8, BTreeSet<String>) {
    match changed {
        None => (0, BTreeSet::new()),
        Some(Changed::Any(columns)) => (1, names(model, columns)),
        Some(Changed::All(columns)) => (2, names(model, columns)),
        Some(Changed::None(columns)) => (3, names(model, columns)),
        Some(Changed::WholeRow) => (4, BTreeSet::new()),
    }
}

fn conditions(
    comparison: &mut Comparison<'_>,
    is: &Channel,
    before: &TriggerChannel,
    after: &TriggerChannel,
) {
    let (old, new) = (
        &comparison.old.models[before.model],
        &comparison.new.models[after.model],
    );
    let is_same = before.when == after.when
        && changed(old, &before.changed) == changed(new, &after.changed)
        && names(old, &before.update_of) == names(new, &after.update_of);
    if !is_same {
        let mut finding = finding(Kind::ConditionChanged, is, "captures other writes");
        finding.waiting =
            Verdict::ok("what was captured is processed, whatever the condition is now");
        finding.publishers = Verdict::note("other writes of theirs are captured than before");
        comparison.push(finding);
    }
    if before.condition_in_function != after.condition_in_function {
        comparison.push(finding(
            Kind::ConditionMoved,
            is,
            "checks its condition elsewhere",
        ));
    }
}

fn options(
    comparison: &mut Comparison<'_>,
    is: &Channel,
    before: &TriggerChannel,
    after: &TriggerChannel,
) {
    let mut option = |kind, change: &str, publishers: Verdict| {
        let mut finding = finding(kind, is, change);
        finding.publishers = publishers;
        debug_assert!(finding.outcome() < Outcome::Breaks);
        comparison.push(finding);
    };
    if before.deferred != after.deferred {
        let (change, when) = if after.deferred {
            (
                "is captured when the transaction ends",
                "at the end of their transaction, in which an error fails the commit",
            )
        } else {
            ("is captured at once", "within their statement")
        };
        option(
            Kind::DeferredChanged,
            change,
            Verdict::note(format!("what they write is captured {when}")),
        );
    }
    if before.fire != after.fire {
        let change = match after.fire {
            Fire::Origin => "is captured where the change is made",
            Fire::Always => "is captured where the change is made and where it is applied",
            Fire::Replica => "is captured where the change is applied",
        };
        let reason = "what they write is captured on other servers of a replication than before";
        option(Kind::FireChanged, change, Verdict::note(reason));
    }
    if before.ignorable != after.ignorable {
        let (change, publishers) = if after.ignorable {
            ("can be ignored", Verdict::ok("nothing changes for them"))
        } else {
            (
                "cannot be ignored any more",
                Verdict::note("a transaction of theirs that ignores it is captured all the same"),
            )
        };
        option(Kind::IgnorableChanged, change, publishers);
    }
    if before.skip_errors != after.skip_errors {
        let (change, reason) = if after.skip_errors {
            (
                "skips errors of its capture function",
                "an error of the capture loses the event, and no longer fails their write",
            )
        } else {
            (
                "fails with its capture function",
                "an error of the capture fails their write",
            )
        };
        option(Kind::CaptureErrorChanged, change, Verdict::note(reason));
    }
    if before.own_triggers != after.own_triggers {
        let (change, reason) = if after.own_triggers {
            (
                "has triggers of yours",
                "what they write is captured when your own triggers are there",
            )
        } else {
            (
                "has triggers of the generator",
                "what they write is captured twice while your own triggers are there",
            )
        };
        option(Kind::TriggersChanged, change, Verdict::note(reason));
    }
}
