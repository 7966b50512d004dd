//! Names: whether Rust can use them, and whether they stay different.

use std::collections::HashMap;

use heck::{ToPascalCase, ToShoutySnakeCase, ToSnakeCase};

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::schema::{Document, Spanned};

use super::super::identifier;
use super::listeners::implicit_name;

pub(super) fn check(document: &Document, diagnostics: &mut Diagnostics) {
    let mut types = Names::default();
    let mut snake = Names::default();
    let mut modules = Names::default();
    let mut channels = Names::default();
    for model in &document.models {
        if is_usable(&model.name, "model", diagnostics) {
            types.add(&model.name.value.to_pascal_case(), &model.name, "model", diagnostics);
        }
        let mut fields = Names::default();
        for column in model.columns.iter().flatten() {
            field(&column.name, "set `column` to the name in the table", &mut fields, diagnostics);
        }
    }
    for channel in &document.channels {
        if is_usable(&channel.name, "channel", diagnostics) {
            // Functions and NOTIFY channels are told apart in lower case.
            if channels.add(&channel.name.value.to_lowercase(), &channel.name, "channel", diagnostics) {
                types.add(&channel.name.value.to_pascal_case(), &channel.name, "channel", diagnostics);
            }
        }
        let mut fields = Names::default();
        for declared in channel.message.iter().flatten() {
            field(&declared.name, "choose another name", &mut fields, diagnostics);
        }
    }
    for listener in &document.listeners {
        if is_usable(&listener.name, "listener", diagnostics)
            && snake.add(&listener.name.value.to_snake_case(), &listener.name, "listener", diagnostics)
        {
            types.add(&listener.name.value.to_pascal_case(), &listener.name, "listener", diagnostics);
            modules.add(&listener.name.value.to_shouty_snake_case(), &listener.name, "listener", diagnostics);
        }
    }
    // The listener that a channel gets when none is declared needs its names, too.
    for channel in &document.channels {
        let mentioned = document.listeners.iter().any(|listener| {
            listener.channel.as_ref().is_some_and(|declared| declared.value == channel.name.value)
        });
        let name = implicit_name(&channel.name.value);
        if !mentioned && identifier::is_rust_name(&channel.name.value) {
            let name = Spanned { value: name, span: channel.name.span.clone() };
            if snake.add(&name.value.to_snake_case(), &name, "the listener of this channel,", diagnostics) {
                types.add(&name.value.to_pascal_case(), &name, "the listener of this channel,", diagnostics);
            }
        }
    }
}

/// Names by what they become.
#[derive(Default)]
struct Names {
    seen: HashMap<String, (String, Span)>,
}

impl Names {
    /// False, and reported, if it is taken.
    fn add(&mut self, becomes: &str, name: &Spanned<String>, what: &str, diagnostics: &mut Diagnostics) -> bool {
        if let Some((first, span)) = self.seen.get(becomes) {
            let message = format!("{what} `{}` and {first} would both be `{becomes}`", name.value);
            let diagnostic = Diagnostic::new(Code::NameClash, name.span.clone(), message)
                .label("the same name")
                .secondary(span.clone(), "taken here");
            diagnostics.push(diagnostic.help("rename one of them"));
            return false;
        }
        let what = what.trim_end_matches(',');
        self.seen.insert(becomes.to_owned(), (format!("{what} `{}`", name.value), name.span.clone()));
        true
    }
}

fn is_usable(name: &Spanned<String>, what: &str, diagnostics: &mut Diagnostics) -> bool {
    if !identifier::is_rust_name(&name.value) {
        let message = format!("`{}` cannot be the name of a {what}", name.value);
        let diagnostic = Diagnostic::new(Code::InvalidName, name.span.clone(), message);
        diagnostics.push(diagnostic.help(format!("use letters, digits and `_`, for instance `{}`", usable(&name.value))));
        return false;
    }
    let ty = name.value.to_pascal_case();
    if identifier::hides_a_type(&ty) {
        let message = format!("`{}` would become the Rust type `{ty}`, which generated code needs itself", name.value);
        let diagnostic = Diagnostic::new(Code::ReservedName, name.span.clone(), message);
        let help = if what == "model" { "choose another name, and set `table`" } else { "choose another name" };
        diagnostics.push(diagnostic.help(help));
        return false;
    }
    true
}

fn field(name: &Spanned<String>, help: &str, fields: &mut Names, diagnostics: &mut Diagnostics) {
    if !identifier::is_rust_name(&name.value) || identifier::is_never_raw(&name.value.to_snake_case()) {
        let message = format!("`{}` cannot be the name of a Rust field", name.value);
        let diagnostic = Diagnostic::new(Code::InvalidName, name.span.clone(), message);
        diagnostics.push(diagnostic.help(format!("use letters, digits and `_`; {help}")));
    } else {
        fields.add(&name.value.to_snake_case(), name, "field", diagnostics);
    }
}

/// The name with what does not fit replaced.
fn usable(name: &str) -> String {
    let replaced: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let replaced = replaced.trim_matches('_').to_lowercase();
    match replaced.chars().next() {
        None => "author".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("n{replaced}"),
        Some(_) => replaced,
    }
}
