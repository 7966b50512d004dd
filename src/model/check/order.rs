//! `key:` and `order:`.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::schema::{ChannelDecl, Spanned};

use super::super::{ChannelKind, Delivery, FieldType, MessageField, Model, Op, Order};

/// `model` is that of a channel on one; `None` if there is no such model, which has been reported.
pub(super) fn check(
    declared: &ChannelDecl,
    delivery: Delivery,
    kind: &ChannelKind,
    model: Option<&Model>,
    diagnostics: &mut Diagnostics,
) -> Option<Order> {
    if delivery == Delivery::Transient {
        not_transient(declared, diagnostics);
        return None;
    }
    let Some(names) = &declared.key else {
        return declared.order.as_ref().map(|_| Order::Total);
    };
    let place = place(declared, "key");
    if let Some(order) = &declared.order {
        let message = "`order: total` has one key for the whole channel";
        let diagnostic = Diagnostic::new(Code::Incompatible, place.clone(), message)
            .secondary(order.span.clone(), "together with this");
        diagnostics.push(diagnostic.help("keep one of `key` and `order`"));
    }
    if names.is_empty() {
        let message = "`key` names nothing";
        let diagnostic = Diagnostic::new(Code::InvalidValue, place.clone(), message);
        diagnostics.push(diagnostic.help("name at least one, or write `order: total`"));
    }
    let mut parts = Vec::new();
    for (index, name) in names.iter().enumerate() {
        if names[..index].iter().any(|first| first.value == name.value) {
            let message = format!("`{}` is there twice", name.value);
            let diagnostic = Diagnostic::new(Code::InvalidValue, name.span.clone(), message);
            diagnostics.push(diagnostic.help("remove one of them"));
            continue;
        }
        parts.extend(match kind {
            ChannelKind::Trigger(_) => model.and_then(|model| column(model, name, diagnostics)),
            ChannelKind::Message { fields, .. } => field(declared, fields, name, diagnostics),
        });
    }
    if let ChannelKind::Trigger(on) = kind
        && !on.events.is_empty()
        && on.events.iter().all(|event| event.op == Op::Truncate)
    {
        let message = "a truncate has no row whose columns could be a key";
        let diagnostic = Diagnostic::new(Code::Incompatible, place, message);
        diagnostics.push(diagnostic.help("write `order: total`"));
    }
    Some(Order::Key(parts))
}

fn place(declared: &ChannelDecl, key: &str) -> crate::diagnostic::Span {
    let there = declared.keys.iter().find(|there| there.value == key);
    there.map_or_else(|| declared.name.span.clone(), |there| there.span.clone())
}

fn not_transient(declared: &ChannelDecl, diagnostics: &mut Diagnostics) {
    for key in &declared.keys {
        if !["key", "order"].contains(&key.value.as_str()) {
            continue;
        }
        let message = format!("a transient channel has no `{}`", key.value);
        let mut diagnostic = Diagnostic::new(Code::Incompatible, key.span.clone(), message);
        if let Some(delivery) = &declared.settings.delivery {
            diagnostic = diagnostic.secondary(delivery.span.clone(), "together with this");
        }
        diagnostics.push(diagnostic.help(
            "remove it: every process gets transient notifications in the order of the commits; or use `delivery: durable`",
        ));
    }
}

fn column(model: &Model, name: &Spanned<String>, diagnostics: &mut Diagnostics) -> Option<usize> {
    let columns = || model.columns.iter().map(|column| column.field.as_str());
    let Some(index) = columns().position(|column| column == name.value) else {
        let message = format!("model `{}` has no column `{}`", model.name, name.value);
        let diagnostic = Diagnostic::new(Code::UnknownColumn, name.span.clone(), message);
        diagnostics.push(diagnostic.help_nearest(&name.value, columns()));
        return None;
    };
    if !model.columns[index].captured {
        let message = format!("the column `{}` is never captured", name.value);
        let diagnostic = Diagnostic::new(Code::Incompatible, name.span.clone(), message);
        diagnostics.push(
            diagnostic.help("a key is stored with the notification: remove `capture: never`, or take another column"),
        );
        return None;
    }
    Some(index)
}

fn field(
    declared: &ChannelDecl,
    fields: &[MessageField],
    name: &Spanned<String>,
    diagnostics: &mut Diagnostics,
) -> Option<usize> {
    let Some(index) = fields.iter().position(|field| field.name == name.value) else {
        let own = declared.message.iter().flatten();
        // One that was not readable has been reported.
        if !own.into_iter().any(|field| field.name.value == name.value) {
            let message = format!("the message has no field `{}`", name.value);
            let diagnostic = Diagnostic::new(Code::InvalidValue, name.span.clone(), message);
            let names = fields.iter().map(|field| field.name.as_str());
            diagnostics.push(diagnostic.help_nearest(&name.value, names));
        }
        return None;
    };
    let field = &fields[index];
    let refused = if field.past.until.is_some() {
        Some((
            "is not published any more",
            "take a field that every message has",
        ))
    } else if !is_simple(&field.ty) {
        Some((
            "has no single value",
            "a key is made of numbers, texts, times and the like; add such a field",
        ))
    } else {
        None
    };
    if let Some((why, help)) = refused {
        let message = format!("the field `{}` {why}", name.value);
        let diagnostic = Diagnostic::new(Code::Incompatible, name.span.clone(), message);
        diagnostics.push(diagnostic.help(help));
        return None;
    }
    Some(index)
}

/// Whether equal values have equal texts, whoever publishes.
fn is_simple(ty: &FieldType) -> bool {
    match ty {
        FieldType::Optional(inner) => is_simple(inner),
        FieldType::Json
        | FieldType::List(_)
        | FieldType::Set(_)
        | FieldType::Map(..)
        | FieldType::Tuple(_) => false,
        _ => true,
    }
}
