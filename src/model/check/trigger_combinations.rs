//! What a trigger channel may not combine.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};

use super::super::{Fire, Level, Op, Timing, TriggerChannel};
use super::triggers::Context;

/// What PostgreSQL refuses, or what would mean nothing.
pub(super) fn combinations(
    context: &Context<'_>,
    channel: &TriggerChannel,
    diagnostics: &mut Diagnostics,
) {
    let declared = context.declared;
    if declared.broken || context.model.is_none() {
        return;
    }
    let place = |key: &str| {
        declared
            .keys
            .iter()
            .find(|there| there.value == key)
            .map_or_else(|| declared.name.span.clone(), |there| there.span.clone())
    };
    let mut refuse = |key: &str, other: &str, message: &str, help: &str| {
        let mut diagnostic = Diagnostic::new(Code::Incompatible, place(key), message);
        if !other.is_empty() {
            diagnostic = diagnostic.secondary(place(other), "together with this");
        }
        diagnostics.push(diagnostic.help(help));
    };
    let ops = channel.ops();
    let has = |op| ops.contains(&op);
    let rows = ops.iter().any(|op| *op != Op::Truncate);
    let before_rows = channel
        .events
        .iter()
        .any(|event| event.timing == Timing::Before && event.op != Op::Truncate);
    if channel.level == Level::Statement {
        if before_rows {
            refuse(
                "level",
                "before",
                "a statement-level channel fires after its statement: before it, there are no transition tables",
                "use `after`, or `level: row`",
            );
        }
        if channel.deferred {
            refuse(
                "deferred",
                "level",
                "PostgreSQL defers row-level triggers only",
                "remove `deferred`, or use `level: row`",
            );
        }
        if !channel.update_of.is_empty() {
            refuse(
                "level",
                "after",
                "PostgreSQL allows no `update_of` on a trigger with transition tables",
                "use `changed: {any: [...]}`, which also looks at the values",
            );
        }
        let keyless = context
            .model
            .is_some_and(|(_, model)| !model.columns.iter().any(|column| column.primary_key));
        if has(Op::Update) && keyless {
            refuse(
                "level",
                "on",
                "a statement's old and new rows are paired by the primary key, and the model declares none",
                "mark the key with `pk`, or use `level: row`",
            );
        }
    }
    if channel.deferred {
        if channel
            .events
            .iter()
            .any(|event| event.timing == Timing::Before)
        {
            refuse(
                "deferred",
                "before",
                "PostgreSQL defers triggers that fire after an event only",
                "use `after`",
            );
        }
        if has(Op::Truncate) {
            refuse(
                "deferred",
                "after",
                "PostgreSQL defers row-level triggers only, and a truncate has no rows",
                "make a channel of its own for `truncate`",
            );
        }
    }
    if declared.changed.is_some() && !has(Op::Update) {
        refuse(
            "changed",
            "",
            "only an update changes values, and the channel carries none",
            "remove `changed`, or add `update`",
        );
    }
    if declared.payload.is_some() && !rows {
        refuse(
            "payload",
            "",
            "a truncate has no rows to send",
            "remove `payload`",
        );
    }
    if !declared.when.is_empty() && !rows {
        refuse(
            "when",
            "",
            "a truncate has no rows to look at",
            "remove `when`",
        );
    }
    if let Some(payload) = &declared.payload
        && !payload.both
    {
        let images = [
            (&payload.old, "old", has(Op::Update) || has(Op::Delete)),
            (&payload.new, "new", has(Op::Update) || has(Op::Insert)),
        ];
        for (list, image, carried) in images {
            if list.is_some() && !carried && rows {
                let message = format!("no event of the channel has the row `{image}`");
                refuse("payload", "", &message, "remove that list");
            }
        }
    }
    for (op, list, image) in [
        (Op::Insert, &channel.new, "new"),
        (Op::Delete, &channel.old, "old"),
    ] {
        if has(op) && list.as_ref().is_some_and(Vec::is_empty) {
            let message = format!(
                "{} would send nothing: its only row is `{image}`",
                op.as_str()
            );
            refuse(
                "payload",
                "",
                &message,
                "send at least one column, such as the primary key",
            );
        }
    }
    if has(Op::Update)
        && [&channel.old, &channel.new]
            .iter()
            .all(|list| list.as_ref().is_some_and(Vec::is_empty))
    {
        refuse(
            "payload",
            "",
            "an update would send nothing",
            "send at least one column, such as the primary key",
        );
    }
    if channel.own_triggers {
        for (key, there) in [
            ("changed", channel.changed.is_some()),
            ("when", !channel.when.is_empty()),
            ("after", !channel.update_of.is_empty()),
            ("deferred", channel.deferred),
            ("fire", channel.fire != Fire::Origin),
            ("level", channel.level == Level::Statement),
        ] {
            if there {
                refuse(
                    key,
                    "trigger",
                    "with triggers of your own, this is yours to say",
                    "say it in your CREATE TRIGGER, which is FOR EACH ROW",
                );
            }
        }
    }
    if declared.condition_in.is_some() && channel.changed.is_none() && channel.when.is_empty() {
        refuse(
            "condition_in",
            "",
            "the channel has no condition",
            "remove it, or add `changed` or `when`",
        );
    }
    if channel.deferred && channel.condition_in_function && !channel.when.is_empty() {
        refuse(
            "condition_in",
            "deferred",
            "a deferred function runs at commit, and a condition is about the time of the event",
            "leave the condition in the trigger",
        );
    }
}
