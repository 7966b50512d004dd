//! Channels on a model: events, conditions, payload.

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::schema::language::{EVENTS, ROW_EVENTS};
use crate::schema::{ChannelDecl, DefaultsDecl, EventDecl, Spanned};

use super::super::condition;
use super::super::{
    Changed, DeclaredType, Delivery, Fire, Level, Model, Op, Timing, TriggerChannel, TriggerEvent,
};
use super::allow;
use super::trigger_combinations::combinations;
use super::trigger_warnings::warnings;

/// What a channel is checked against.
pub(super) struct Context<'c> {
    pub declared: &'c ChannelDecl,
    pub defaults: &'c DefaultsDecl,
    pub delivery: Delivery,
    /// With its index; `None` if there is no such model, which has been reported.
    pub model: Option<(usize, &'c Model)>,
    pub types: &'c [DeclaredType],
}

pub(super) fn check(context: &Context<'_>, diagnostics: &mut Diagnostics) -> TriggerChannel {
    let (declared, defaults) = (context.declared, context.defaults);
    let own = &declared.settings;
    let word = |own: &Option<Spanned<String>>, default: &Option<Spanned<String>>| {
        own.as_ref()
            .or(default.as_ref())
            .map(|word| word.value.clone())
            .unwrap_or_default()
    };
    let flag = |own: &Option<Spanned<bool>>, default: &Option<Spanned<bool>>| {
        own.as_ref()
            .or(default.as_ref())
            .is_some_and(|flag| flag.value)
    };
    let (events, update_of) = events(context, diagnostics);
    let ops: Vec<Op> = events.iter().map(|event| event.op).collect();
    let payload = declared.payload.as_ref();
    let channel = TriggerChannel {
        model: context.model.map_or(0, |(index, _)| index),
        update_of,
        changed: changed(context, diagnostics),
        when: when(context, &ops, diagnostics),
        old: payload
            .and_then(|payload| payload.old.as_ref())
            .map(|columns| {
                sent(
                    context,
                    columns,
                    payload.is_some_and(|payload| payload.both),
                    diagnostics,
                )
            }),
        new: payload
            .and_then(|payload| payload.new.as_ref())
            .map(|columns| sent(context, columns, false, diagnostics)),
        level: match word(&own.level, &defaults.level).as_str() {
            "statement" => Level::Statement,
            _ => Level::Row,
        },
        deferred: declared.deferred.as_ref().is_some_and(|flag| flag.value),
        fire: match word(&own.fire, &defaults.fire).as_str() {
            "always" => Fire::Always,
            "replica" => Fire::Replica,
            _ => Fire::Origin,
        },
        skip_errors: word(&own.on_capture_error, &defaults.on_capture_error) == "skip",
        ignorable: flag(&own.ignorable, &defaults.ignorable),
        condition_in_function: declared
            .condition_in
            .as_ref()
            .is_some_and(|word| word.value == "function"),
        own_triggers: declared
            .trigger
            .as_ref()
            .is_some_and(|word| word.value == "own"),
        events,
    };
    combinations(context, &channel, diagnostics);
    warnings(context, &channel, diagnostics);
    channel
}

fn events(context: &Context<'_>, diagnostics: &mut Diagnostics) -> (Vec<TriggerEvent>, Vec<usize>) {
    let declared = context.declared;
    let mut events: Vec<(TriggerEvent, Span)> = Vec::new();
    let mut update_of = Vec::new();
    for (timing, words) in [
        (Timing::Before, &declared.before),
        (Timing::After, &declared.after),
    ] {
        for EventDecl { word, columns } in words.iter().flatten() {
            let ops = ops_of(word, diagnostics);
            if let Some(columns) = columns {
                update_of = context.columns(columns, diagnostics);
                if columns.is_empty() {
                    let message = "`update_of` names no column";
                    let diagnostic =
                        Diagnostic::new(Code::InvalidValue, word.span.clone(), message);
                    diagnostics.push(diagnostic.help("write `update` for any update"));
                }
            }
            let mut twice = None;
            for op in ops {
                let event = TriggerEvent { timing, op: *op };
                match events.iter().find(|(known, _)| *known == event) {
                    Some((_, first)) => twice = Some((*op, first.clone())),
                    None => events.push((event, word.span.clone())),
                }
            }
            if let Some((op, first)) = twice {
                let message = format!("the event `{}` is there twice", op.as_str());
                let diagnostic = Diagnostic::new(Code::DuplicateEvent, word.span.clone(), message)
                    .label("again here")
                    .secondary(first, "first here");
                diagnostics.push(match op {
                    Op::Insert | Op::Update => {
                        diagnostic.help("remove one of them; `save` is insert and update")
                    }
                    _ => diagnostic.help("remove one of them"),
                });
            }
        }
    }
    let said_nothing = declared.before.as_ref().is_none_or(Vec::is_empty)
        && declared.after.as_ref().is_none_or(Vec::is_empty);
    if said_nothing && declared.on.is_some() && !declared.broken {
        let message = format!(
            "channel `{}` does not say when it fires",
            declared.name.value
        );
        let diagnostic = Diagnostic::new(Code::MissingKey, declared.name.span.clone(), message);
        diagnostics.push(
            diagnostic
                .help("add for instance `after: insert` or `after: [insert, update, delete]`"),
        );
    }
    let mut events: Vec<TriggerEvent> = events.into_iter().map(|(event, _)| event).collect();
    events.sort_unstable();
    (events, update_of)
}

/// Operations of a word; an unknown one is reported.
pub(super) fn ops_of(word: &Spanned<String>, diagnostics: &mut Diagnostics) -> &'static [Op] {
    match word.value.as_str() {
        "insert" => &[Op::Insert],
        "update" => &[Op::Update],
        "delete" => &[Op::Delete],
        "truncate" => &[Op::Truncate],
        "save" => &[Op::Insert, Op::Update],
        unknown => {
            let message = format!("there is no event `{unknown}`");
            let diagnostic = Diagnostic::new(Code::UnknownEvent, word.span.clone(), message);
            diagnostics.push(diagnostic.help_nearest(unknown, EVENTS.iter().copied()));
            &[]
        }
    }
}

impl Context<'_> {
    /// Indexes of columns by their fields; reports what the model does not have.
    fn columns(&self, names: &[Spanned<String>], diagnostics: &mut Diagnostics) -> Vec<usize> {
        let Some((_, model)) = self.model else {
            return Vec::new();
        };
        let mut columns = Vec::new();
        for name in names {
            let found = model
                .columns
                .iter()
                .position(|column| column.field == name.value);
            match found {
                Some(column) if columns.contains(&column) => {
                    let message = format!("the column `{}` is there twice", name.value);
                    diagnostics.push(
                        Diagnostic::new(Code::InvalidValue, name.span.clone(), message)
                            .help("remove one of them"),
                    );
                }
                Some(column) => columns.push(column),
                None => {
                    let message = format!("model `{}` has no column `{}`", model.name, name.value);
                    let diagnostic =
                        Diagnostic::new(Code::UnknownColumn, name.span.clone(), message);
                    let fields = model.columns.iter().map(|column| column.field.as_str());
                    diagnostics.push(diagnostic.help_nearest(&name.value, fields));
                }
            }
        }
        columns
    }
}

/// Columns that are sent, in the order of the model.
fn sent(
    context: &Context<'_>,
    names: &[Spanned<String>],
    silent: bool,
    diagnostics: &mut Diagnostics,
) -> Vec<usize> {
    // One list for both images is reported once.
    let mut elsewhere = Diagnostics::new();
    let reported = if silent { &mut elsewhere } else { diagnostics };
    let mut columns = context.columns(names, reported);
    if let Some((_, model)) = context.model {
        for name in names {
            let secret = model
                .columns
                .iter()
                .any(|column| column.field == name.value && !column.captured);
            if secret {
                let message = format!("the column `{}` is never captured", name.value);
                let diagnostic = Diagnostic::new(Code::Incompatible, name.span.clone(), message);
                reported.push(diagnostic.help("leave it out, or remove its `capture: never`"));
            }
        }
    }
    columns.sort_unstable();
    columns
}

fn changed(context: &Context<'_>, diagnostics: &mut Diagnostics) -> Option<Changed> {
    let declared = context.declared.changed.as_ref()?;
    if declared.whole_row {
        return Some(Changed::WholeRow);
    }
    let mut chosen = None;
    for (word, names) in &declared.columns {
        let columns = context.columns(names, diagnostics);
        if names.is_empty() {
            let message = format!("`{}` names no column", word.value);
            let diagnostic = Diagnostic::new(Code::InvalidValue, word.span.clone(), message);
            diagnostics.push(diagnostic.help("name at least one, or write `changed: whole_row`"));
        }
        if chosen.is_some() {
            let message = "`changed` has one of `any`, `all` and `none`";
            let diagnostic = Diagnostic::new(Code::Incompatible, word.span.clone(), message);
            diagnostics.push(diagnostic.help("keep one of them; `when` says more"));
        }
        chosen = Some(match word.value.as_str() {
            "all" => Changed::All(columns),
            "none" => Changed::None(columns),
            _ => Changed::Any(columns),
        });
    }
    if declared.columns.is_empty() {
        let message = "`changed` says nothing";
        let diagnostic = Diagnostic::new(Code::InvalidValue, declared.span.clone(), message);
        diagnostics.push(diagnostic.help("write for instance `{any: [name]}` or `whole_row`"));
    }
    chosen
}

fn when(context: &Context<'_>, ops: &[Op], diagnostics: &mut Diagnostics) -> Vec<(Op, String)> {
    let mut conditions: Vec<(Op, String)> = Vec::new();
    for (event, condition) in &context.declared.when {
        let wanted: Vec<Op> = match event {
            None => ops
                .iter()
                .copied()
                .filter(|op| matches!(op, Op::Insert | Op::Update | Op::Delete))
                .collect(),
            Some(event) => {
                let found = ops_of(event, diagnostics);
                if !found.is_empty() && !ops.is_empty() && !found.iter().any(|op| ops.contains(op))
                {
                    let message = format!("the channel does not fire on `{}`", event.value);
                    let diagnostic =
                        Diagnostic::new(Code::EventNotCarried, event.span.clone(), message);
                    diagnostics.push(diagnostic.help("add the event, or remove the condition"));
                }
                found.to_vec()
            }
        };
        check_condition(context, condition, &wanted, diagnostics);
        conditions.extend(wanted.into_iter().map(|op| (op, condition.value.clone())));
    }
    conditions.sort();
    conditions.dedup_by_key(|(op, _)| *op);
    conditions
}

fn check_condition(
    context: &Context<'_>,
    condition: &Spanned<String>,
    ops: &[Op],
    diagnostics: &mut Diagnostics,
) {
    let invalid =
        |message: String| Diagnostic::new(Code::InvalidCondition, condition.span.clone(), message);
    let references = match condition::references(&condition.value) {
        Ok(references) => references,
        Err(problem) => {
            let diagnostic = invalid(format!("this is no condition: {problem}"));
            diagnostics.push(
                diagnostic.help("write a boolean SQL expression, for instance `new.balance >= 0`"),
            );
            return;
        }
    };
    for (record, missing) in [("new", Op::Delete), ("old", Op::Insert)] {
        if ops.contains(&missing) && references.iter().any(|found| found.record == record) {
            let message = format!("there is no `{record}` row on {}", missing.as_str());
            let events: Vec<String> = ROW_EVENTS
                .iter()
                .filter(|event| **event != missing.as_str())
                .map(|event| format!("{event}: \"...\""))
                .collect();
            diagnostics.push(invalid(message).help(format!(
                "give each event its own condition: `when: {{{}}}`",
                events.join(", ")
            )));
            return;
        }
    }
    let Some((_, model)) = context.model else {
        return;
    };
    for reference in &references {
        let known = reference.column == "*"
            || model
                .columns
                .iter()
                .any(|column| column.column == reference.column);
        if known || allow::allows(context, Code::UnknownConditionColumn) {
            continue;
        }
        let message = format!(
            "model `{}` does not declare the column \"{}\" of this condition",
            model.name, reference.column
        );
        let diagnostic = Diagnostic::new(
            Code::UnknownConditionColumn,
            condition.span.clone(),
            message,
        );
        let names = model.columns.iter().map(|column| column.column.as_str());
        diagnostics.push(match crate::diagnostic::nearest(&reference.column, names) {
            Some(near) => diagnostic.help(format!("did you mean `{}.{near}`?", reference.record)),
            None => diagnostic.help("declare it with `capture: never` if it is there"),
        });
    }
}
