//! What is legal for a trigger channel, and dangerous.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::schema::Document;

use super::super::builtin::Modifier;
use super::super::{
    Changed, Channel, ChannelKind, DeclaredType, Delivery, Fire, Level, Model, Op, PgType, Timing,
    TriggerChannel, TypeKind,
};
use super::allow;
use super::triggers::Context;

/// What is legal but dangerous.
pub(super) fn warnings(
    context: &Context<'_>,
    channel: &TriggerChannel,
    diagnostics: &mut Diagnostics,
) {
    let declared = context.declared;
    let Some((_, model)) = context.model else {
        return;
    };
    let name = &declared.name;
    let mut warn = |code: Code, key: &str, message: String, help: String| {
        if allow::allows(context, code) {
            return;
        }
        let place = declared
            .keys
            .iter()
            .find(|there| there.value == key)
            .map_or_else(|| name.span.clone(), |there| there.span.clone());
        diagnostics.push(Diagnostic::new(code, place, message).help(help));
    };
    if channel.level == Level::Statement && model.partitioned {
        warn(
            Code::LeafPartition,
            "level",
            format!(
                "what is written to a partition of `{}` directly is not captured",
                model.name
            ),
            "write through the partitioned table, or use `level: row`".into(),
        );
    }
    let early = channel.events.iter().find(|event| {
        event.timing == Timing::Before && matches!(event.op, Op::Insert | Op::Update)
    });
    if let Some(event) = early {
        warn(
            Code::BeforeTrigger,
            "before",
            format!(
                "before {} sees a row that is not final: generated columns are null, and ON CONFLICT may not write it",
                event.op.as_str()
            ),
            "use `after`".into(),
        );
    }
    if channel.fire == Fire::Always {
        warn(
            Code::FiredTwice,
            "fire",
            "with `always`, a change is captured where it is made and where it is applied".into(),
            "if both servers have this migration, use `origin` or `replica`".into(),
        );
    }
    let conditions = channel
        .changed
        .as_ref()
        .is_some_and(|changed| *changed != Changed::WholeRow)
        || !channel.when.is_empty();
    if (conditions && !channel.condition_in_function && channel.level == Level::Row)
        || !channel.update_of.is_empty()
    {
        let key = match (&channel.changed, channel.when.is_empty()) {
            _ if !channel.update_of.is_empty() => "after",
            (Some(_), _) => "changed",
            (None, _) => "when",
        };
        warn(
            Code::BlockedAlter,
            key,
            "PostgreSQL refuses to drop or retype a column that a trigger names".into(),
            if channel.update_of.is_empty() {
                "this is cheapest for the writer; `condition_in: function` costs a call and blocks nothing".into()
            } else {
                "`changed: {any: [...]}` with `condition_in: function` blocks nothing".into()
            },
        );
    }
    if context.delivery == Delivery::Transient {
        let sent = |list: &Option<Vec<usize>>, index: usize| {
            list.as_ref().is_none_or(|list| list.contains(&index))
        };
        let long = model.columns.iter().enumerate().find(|(index, column)| {
            column.captured
                && (sent(&channel.old, *index) || sent(&channel.new, *index))
                && is_unbounded(&column.ty, context.types)
        });
        if let Some((_, column)) = long {
            warn(
                Code::TransientPayload,
                "delivery",
                format!(
                    "a notification holds 7,999 bytes, and `{}` can be longer: such an event is stored and fetched",
                    column.field
                ),
                "send only short columns with `payload`".into(),
            );
        }
    }
}

/// Types without a bound of some hundred bytes.
fn is_unbounded(ty: &PgType, types: &[DeclaredType]) -> bool {
    match ty {
        PgType::Array(_) => true,
        PgType::Builtin { builtin, modifier } => {
            let named = [
                "text",
                "bytea",
                "json",
                "jsonb",
                "xml",
                "path",
                "polygon",
                "tsvector",
                "tsquery",
                "citext",
                "hstore",
                "ltree",
                "geometry",
                "geography",
                "vector",
            ];
            named.contains(&builtin.name)
                || (builtin.modifier == Modifier::Length
                    && modifier.is_empty()
                    && builtin.name.contains("varying"))
        }
        PgType::Declared(index) => match &types[*index].kind {
            TypeKind::Enum(_) => false,
            TypeKind::Domain(base) => is_unbounded(base, types),
            TypeKind::Composite(_) | TypeKind::Opaque => true,
        },
    }
}

/// A TRUNCATE deletes all rows and fires no row trigger.
pub(super) fn truncates(
    document: &Document,
    channels: &[Channel],
    models: &[Model],
    diagnostics: &mut Diagnostics,
) {
    let on = |channel: &Channel, op: Op| match &channel.kind {
        ChannelKind::Trigger(trigger) if trigger.ops().contains(&op) => Some(trigger.model),
        _ => None,
    };
    let heard: Vec<usize> = channels
        .iter()
        .filter_map(|channel| on(channel, Op::Truncate))
        .collect();
    let mut warned: Vec<usize> = Vec::new();
    for (declared, channel) in document.channels.iter().zip(channels) {
        let Some(model) = on(channel, Op::Delete) else {
            continue;
        };
        let allowed = [&declared.settings, &document.defaults]
            .iter()
            .any(|settings| allow::listed(&settings.allow, Code::Truncate));
        if declared.broken || heard.contains(&model) || warned.contains(&model) || allowed {
            continue;
        }
        warned.push(model);
        let Some(model) = models.get(model) else {
            continue;
        };
        let message = format!(
            "TRUNCATE of `{}` deletes its rows and fires no row trigger",
            model.name
        );
        let diagnostic = Diagnostic::new(Code::Truncate, declared.name.span.clone(), message);
        diagnostics
            .push(diagnostic.help("add a channel with `after: truncate`, or `allow: W0007`"));
    }
}
