//! `was`, `until`, `from` and `oldest`: what can be told without the history.

use std::collections::HashMap;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::schema::{Document, PastDecl, Spanned};

use super::super::{Conversion, Past, QualifiedName, identifier};

/// Former names, each once.
pub(super) fn was(
    declared: Option<&Vec<Spanned<String>>>,
    now: &str,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for name in declared? {
        let problem = if name.value == now {
            format!("`{now}` is the name that it has")
        } else if names.contains(&name.value) {
            format!("`{}` is there twice", name.value)
        } else if name.value.trim().is_empty() || name.value.contains('\0') {
            "a former name cannot be empty".to_owned()
        } else {
            names.push(name.value.clone());
            continue;
        };
        let diagnostic = Diagnostic::new(Code::InvalidValue, name.span.clone(), problem);
        diagnostics.push(diagnostic.help("name what it was called before"));
    }
    Some(names)
}

/// Former names of a table.
pub(super) fn tables(
    declared: &[Spanned<String>],
    diagnostics: &mut Diagnostics,
) -> Vec<QualifiedName> {
    let table = |name: &Spanned<String>| match identifier::table(&name.value) {
        Ok(table) => Some(table),
        Err(problem) => {
            let message = format!("`{}` is no table: {problem}", name.value);
            let diagnostic = Diagnostic::new(Code::InvalidIdentifier, name.span.clone(), message);
            diagnostics.push(diagnostic.help("write it as in SQL: `author` or `app.author`"));
            None
        }
    };
    declared.iter().filter_map(table).collect()
}

/// What a column or field was; `parse` reads the text of a type.
pub(super) fn check<T>(
    declared: &PastDecl,
    name: &Spanned<String>,
    now: &str,
    parse: impl Fn(&str) -> Option<T>,
    diagnostics: &mut Diagnostics,
) -> Past<T> {
    let mut from: Vec<Conversion<T>> = Vec::new();
    for (text, function) in &declared.from {
        let is_path = syn::parse_str::<syn::ExprPath>(&function.value).is_ok();
        if !is_path || !function.value.contains("::") {
            let message = format!("`{}` is no path of a Rust function", function.value);
            let diagnostic = Diagnostic::new(Code::InvalidRust, function.span.clone(), message);
            diagnostics.push(diagnostic.help(
                "write for instance `crate::cents_from_text`, a function that takes the former type and returns a Result",
            ));
        }
        from.push(Conversion {
            text: text.value.trim().to_owned(),
            ty: parse(&text.value),
            function: function.value.clone(),
            span: text.span.clone(),
        });
    }
    Past {
        was: was(declared.was.as_ref(), now, diagnostics),
        until: declared.until.clone(),
        from,
        inherited: false,
        span: name.span.clone(),
    }
}

/// A name that is a former one of two declarations, or of one while another one has it now.
pub(super) fn claims(document: &Document, diagnostics: &mut Diagnostics) {
    let models = document
        .models
        .iter()
        .map(|model| (&model.name, model.was.as_deref().unwrap_or_default()));
    claimed_once("model", models, true, diagnostics);
    let channels = document
        .channels
        .iter()
        .map(|channel| (&channel.name, channel.was.as_deref().unwrap_or_default()));
    claimed_once("channel", channels, true, diagnostics);
    for channel in &document.channels {
        let fields = channel.message.iter().flatten();
        let fields =
            fields.map(|field| (&field.name, field.past.was.as_deref().unwrap_or_default()));
        claimed_once("field", fields, false, diagnostics);
    }
    for model in &document.models {
        let columns = model.columns.iter().flatten().map(|column| {
            let name = column.column.as_ref().unwrap_or(&column.name);
            (name, column.past.was.as_deref().unwrap_or_default())
        });
        claimed_once("column", columns, false, diagnostics);
    }
}

fn claimed_once<'d>(
    what: &str,
    declared: impl Iterator<Item = (&'d Spanned<String>, &'d [Spanned<String>])> + Clone,
    whole: bool,
    diagnostics: &mut Diagnostics,
) {
    // A column can have a name that another one had: versions tell them apart. Names of models and channels cannot.
    let names: HashMap<&str, &Span> = declared
        .clone()
        .filter(|_| whole)
        .map(|(name, _)| (name.value.as_str(), &name.span))
        .collect();
    let mut claimed: HashMap<&str, (&str, &Span)> = HashMap::new();
    for (name, was) in declared {
        for former in was {
            if let Some(place) = names
                .get(former.value.as_str())
                .filter(|_| former.value != name.value)
            {
                let message = format!(
                    "there is a {what} `{}`: it cannot be the former name of `{}`, too",
                    former.value, name.value
                );
                let diagnostic = Diagnostic::new(Code::NameClash, former.span.clone(), message)
                    .secondary((*place).clone(), "declared here");
                diagnostics.push(diagnostic.help("give one of them another name"));
                continue;
            }
            let owner = (name.value.as_str(), &former.span);
            let Some((other, place)) = claimed.insert(&former.value, owner) else {
                continue;
            };
            if other == name.value {
                continue;
            }
            let message = format!(
                "{what} `{}` was the former name of `{other}`, too",
                former.value
            );
            let diagnostic = Diagnostic::new(Code::NameClash, former.span.clone(), message)
                .secondary(place.clone(), "claimed here");
            diagnostics.push(diagnostic.help("only one of them can continue it"));
        }
    }
}
