//! Names: whether Rust can use them, and whether they stay different.

use std::collections::{HashMap, HashSet};

use heck::{ToPascalCase, ToSnakeCase};

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::schema::{Document, Spanned};

use super::super::{Channel, ChannelKind, Listener, Model, identifier};

/// Checks the declared names; returns what they become.
pub(super) fn check(document: &Document, diagnostics: &mut Diagnostics) -> Claimed {
    let mut types = Names::default();
    for declared in &document.types {
        if is_usable(&declared.name, "type", diagnostics) {
            let becomes = declared.name.value.to_pascal_case();
            // Only these become Rust types.
            if declared.labels.is_some() || declared.attributes.is_some() {
                types.add(&becomes, &declared.name, "type", diagnostics);
            }
        }
        let help = "name the type in the database only: `{sql: NAME}`, and it arrives as text";
        // An attribute has no other name than that in the database; Rust gets what it can of it.
        let attributes: Vec<Spanned<String>> = declared
            .attributes
            .iter()
            .flatten()
            .map(|(name, _)| Spanned {
                value: name.value.to_snake_case(),
                span: name.span.clone(),
            })
            .collect();
        check_fields(attributes.iter(), help, diagnostics);
    }
    for model in &document.models {
        if is_usable(&model.name, "model", diagnostics) {
            let becomes = model.name.value.to_pascal_case();
            // Only a model with a table becomes a type.
            if !model.is_abstract {
                types.add(&becomes, &model.name, "model", diagnostics);
            }
        }
        let help = "set `column` to the name in the table";
        let fields = model.columns.iter().flatten().map(|column| &column.name);
        check_fields(fields, help, diagnostics);
    }
    // Functions and NOTIFY channels are told apart in lower case.
    let mut lower = Names::default();
    let mut unusable = HashSet::new();
    for channel in &document.channels {
        let name = &channel.name;
        let before = diagnostics.len();
        if is_usable(name, "channel", diagnostics)
            && lower.add(&name.value.to_lowercase(), name, "channel", diagnostics)
        {
            types.add(&name.value.to_pascal_case(), name, "channel", diagnostics);
        }
        if diagnostics.len() > before {
            unusable.insert(name.value.clone());
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
    Claimed {
        types,
        methods,
        unusable,
    }
}

/// Names that declarations have taken.
pub(super) struct Claimed {
    types: Names,
    methods: Names,
    /// Channels whose name has been reported.
    unusable: HashSet<String>,
}

/// Types that are made of several declarations: row images of a channel that sends a part of its columns, events of a
/// listener that takes a part of its channel's or listens to several. Fields that are made of an `extends`.
pub(super) fn check_derived(
    claimed: Claimed,
    document: &Document,
    models: &[Model],
    channels: &[Channel],
    listeners: &[Listener],
    diagnostics: &mut Diagnostics,
) {
    let Claimed {
        mut types,
        mut methods,
        unusable,
    } = claimed;
    for (declared, channel) in document.channels.iter().zip(channels) {
        match &channel.kind {
            ChannelKind::Trigger(trigger) => {
                for suffix in trigger.image_suffixes() {
                    let becomes = format!("{}{suffix}", channel.name.to_pascal_case());
                    let what = "the row of channel";
                    types.add(&becomes, &declared.name, what, diagnostics);
                }
            }
            ChannelKind::Message { options, .. } if options.are_said() => {
                let becomes = format!("{}_options", channel.name).to_pascal_case();
                let what = "the options of channel";
                types.add(&becomes, &declared.name, what, diagnostics);
            }
            ChannelKind::Message { .. } => {}
        }
    }
    let declared: HashMap<&str, &Spanned<String>> = document
        .listeners
        .iter()
        .map(|listener| (listener.name.value.as_str(), &listener.name))
        .collect();
    for listener in listeners {
        let Some(name) = declared.get(listener.name.as_str()) else {
            // The listener that a channel gets when none is declared needs its names, too.
            let channel = &document.channels[listener.channels[0].channel].name;
            let name = Spanned {
                value: listener.name.clone(),
                span: channel.span.clone(),
            };
            let what = "the implicit listener";
            let usable = !unusable.contains(&channel.value);
            if usable && methods.add(&name.value.to_snake_case(), &name, what, diagnostics) {
                types.add(&name.value.to_pascal_case(), &name, what, diagnostics);
            }
            continue;
        };
        let what = "the event type of listener";
        for ty in listener.own_types(channels) {
            types.add(&ty.to_pascal_case(), name, what, diagnostics);
        }
    }
    for model in models {
        let Some(parent) = &model.parent else {
            continue;
        };
        let field = models[parent.model].name.to_snake_case();
        let taken = model.columns.iter().chain(&model.gone).find(|column| {
            column.field.to_snake_case() == field || column.column == models[parent.model].name
        });
        let place = document
            .models
            .iter()
            .find(|declared| declared.name.value == model.name)
            .and_then(|declared| declared.extends.as_ref());
        if let (Some(taken), Some(place)) = (taken, place) {
            let message = format!(
                "the row that `{}` extends and its column `{}` would both be the field `{field}`",
                model.name, taken.field
            );
            let diagnostic = Diagnostic::new(Code::NameClash, place.span.clone(), message);
            diagnostics.push(
                diagnostic.help("rename the column, with `column` for its name in the table"),
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
            // The same declaration in two files has been reported.
            if *first == format!("{what} `{}`", name.value) {
                return false;
            }
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
