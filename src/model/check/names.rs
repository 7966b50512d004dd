//! Names: whether Rust can use them, and whether they stay different.

use std::collections::HashMap;

use heck::{ToPascalCase, ToSnakeCase};

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::schema::{Document, Spanned};

use super::super::{Channel, Listener, identifier};
use super::listeners::implicit_name;

/// Checks the declared names; returns the Rust types that they become.
pub(super) fn check(document: &Document, diagnostics: &mut Diagnostics) -> Names {
    let mut types = Names::default();
    for model in &document.models {
        if is_usable(&model.name, "model", diagnostics) {
            let becomes = model.name.value.to_pascal_case();
            types.add(&becomes, &model.name, "model", diagnostics);
        }
        let help = "set `column` to the name in the table";
        let fields = model.columns.iter().flatten().map(|column| &column.name);
        check_fields(fields, help, diagnostics);
    }
    // Functions and NOTIFY channels are told apart in lower case.
    let mut lower = Names::default();
    let mut channels = Vec::new();
    for channel in &document.channels {
        let name = &channel.name;
        if is_usable(name, "channel", diagnostics)
            && lower.add(&name.value.to_lowercase(), name, "channel", diagnostics)
            && types.add(&name.value.to_pascal_case(), name, "channel", diagnostics)
        {
            channels.push(name);
        }
        let fields = channel.message.iter().flatten().map(|field| &field.name);
        check_fields(fields, "choose another name", diagnostics);
    }
    let mut methods = Names::default();
    for listener in &document.listeners {
        let name = &listener.name;
        if is_usable(name, "listener", diagnostics)
            && methods.add(&name.value.to_snake_case(), name, "listener", diagnostics)
        {
            types.add(&name.value.to_pascal_case(), name, "listener", diagnostics);
        }
    }
    // The listener that a channel gets when none is declared needs its names, too.
    for channel in channels {
        let mentioned = document.listeners.iter().any(|listener| {
            listener
                .channel
                .as_ref()
                .is_some_and(|declared| declared.value == channel.value)
        });
        let name = Spanned {
            value: implicit_name(&channel.value),
            span: channel.span.clone(),
        };
        let what = "the implicit listener";
        if !mentioned && methods.add(&name.value.to_snake_case(), &name, what, diagnostics) {
            types.add(&name.value.to_pascal_case(), &name, what, diagnostics);
        }
    }
    types
}

/// A listener that asks for a part of its channel's events gets an event type of its own.
pub(super) fn check_event_types(
    mut types: Names,
    document: &Document,
    channels: &[Channel],
    listeners: &[Listener],
    diagnostics: &mut Diagnostics,
) {
    for listener in listeners {
        let declared = document
            .listeners
            .iter()
            .find(|declared| declared.name.value == listener.name);
        if let Some(declared) = declared
            && listener.ops != channels[listener.channel].ops()
        {
            let becomes = format!("{}Event", listener.name.to_pascal_case());
            types.add(
                &becomes,
                &declared.name,
                "the event type of listener",
                diagnostics,
            );
        }
    }
}

fn check_fields<'d>(
    names: impl Iterator<Item = &'d Spanned<String>>,
    help: &str,
    diagnostics: &mut Diagnostics,
) {
    let mut fields = Names::default();
    for name in names {
        field(name, help, &mut fields, diagnostics);
    }
}

/// Names by what they become.
#[derive(Default)]
pub(super) struct Names {
    seen: HashMap<String, (String, Span)>,
}

impl Names {
    /// False, and reported, if it is taken.
    fn add(
        &mut self,
        becomes: &str,
        name: &Spanned<String>,
        what: &str,
        diagnostics: &mut Diagnostics,
    ) -> bool {
        if let Some((first, span)) = self.seen.get(becomes) {
            let message = format!(
                "{what} `{}` and {first} would both be `{becomes}`",
                name.value
            );
            let diagnostic = Diagnostic::new(Code::NameClash, name.span.clone(), message)
                .label("the same name")
                .secondary(span.clone(), "taken here");
            diagnostics.push(diagnostic.help("rename one of them"));
            return false;
        }
        self.seen.insert(
            becomes.to_owned(),
            (format!("{what} `{}`", name.value), name.span.clone()),
        );
        true
    }
}

fn is_usable(name: &Spanned<String>, what: &str, diagnostics: &mut Diagnostics) -> bool {
    if !identifier::is_rust_name(&name.value) {
        let message = format!("`{}` cannot be the name of a {what}", name.value);
        let diagnostic = Diagnostic::new(Code::InvalidName, name.span.clone(), message);
        diagnostics.push(diagnostic.help(format!(
            "use letters, digits and `_`, for instance `{}`",
            usable(&name.value)
        )));
        return false;
    }
    if what == "listener" && name.value.to_snake_case() == "catalog" {
        let message = format!(
            "listener `{}` would become the constant `CATALOG`, which generated code needs itself",
            name.value
        );
        let diagnostic = Diagnostic::new(Code::ReservedName, name.span.clone(), message);
        diagnostics.push(diagnostic.help("choose another name"));
        return false;
    }
    let ty = name.value.to_pascal_case();
    if identifier::hides_a_type(&ty) {
        let message = format!(
            "`{}` would become the Rust type `{ty}`, which generated code needs itself",
            name.value
        );
        let diagnostic = Diagnostic::new(Code::ReservedName, name.span.clone(), message);
        let help = if what == "model" {
            "choose another name, and set `table`"
        } else {
            "choose another name"
        };
        diagnostics.push(diagnostic.help(help));
        return false;
    }
    true
}

fn field(name: &Spanned<String>, help: &str, fields: &mut Names, diagnostics: &mut Diagnostics) {
    if !identifier::is_rust_name(&name.value)
        || identifier::is_never_raw(&name.value.to_snake_case())
    {
        let message = format!("`{}` cannot be the name of a Rust field", name.value);
        let diagnostic = Diagnostic::new(Code::InvalidName, name.span.clone(), message);
        diagnostics.push(diagnostic.help(format!("use letters, digits and `_`; {help}")));
    } else {
        fields.add(&name.value.to_snake_case(), name, "field", diagnostics);
    }
}

/// The name with what does not fit replaced.
fn usable(name: &str) -> String {
    let replaced: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let replaced = replaced.trim_matches('_').to_lowercase();
    match replaced.chars().next() {
        None => "author".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("n{replaced}"),
        Some(_) => replaced,
    }
}
