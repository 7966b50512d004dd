//! `include:`: several files become one document.

use std::collections::HashMap;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Sources, Span};

use super::Spanned;
use super::document::Document;
use super::parse::parse;

/// Reads what the document includes, and adds its declarations to it.
pub(super) fn all(
    document: &mut Document,
    sources: &mut Sources,
    read: &dyn Fn(&str) -> Result<String, String>,
    diagnostics: &mut Diagnostics,
) {
    let mut seen: HashMap<String, Span> = HashMap::new();
    for path in document.include.clone() {
        let report = |message: String, help: &str| {
            Diagnostic::new(Code::Include, path.span.clone(), message).help(help)
        };
        if let Some(first) = seen.insert(path.value.clone(), path.span.clone()) {
            let message = format!("`{}` is included twice", path.value);
            let diagnostic = report(message, "remove one of them");
            diagnostics.push(diagnostic.secondary(first, "first here"));
            continue;
        }
        let text = match read(&path.value) {
            Ok(text) => text,
            Err(problem) => {
                let message = format!("cannot include `{}`: {problem}", path.value);
                diagnostics.push(report(
                    message,
                    "the path is relative to this file, with `/`",
                ));
                continue;
            }
        };
        let base = sources.add(path.value.clone(), text.clone());
        if let Some(included) = parse(&text, base, diagnostics) {
            document.has_channels |= included.has_channels;
            document.types.extend(included.types);
            document.models.extend(included.models);
            document.channels.extend(included.channels);
            document.listeners.extend(included.listeners);
        }
    }
    if !seen.is_empty() {
        twice(document.types.iter().map(|ty| &ty.name), diagnostics);
        twice(document.models.iter().map(|model| &model.name), diagnostics);
        twice(
            document.channels.iter().map(|channel| &channel.name),
            diagnostics,
        );
        twice(
            document.listeners.iter().map(|listener| &listener.name),
            diagnostics,
        );
    }
}

/// A name in two files; in one file, the reader has found it.
fn twice<'n>(names: impl Iterator<Item = &'n Spanned<String>>, diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<&str, &Span> = HashMap::new();
    for name in names {
        if let Some(first) = seen.insert(&name.value, &name.span) {
            let message = format!("`{}` is there twice", name.value);
            let diagnostic = Diagnostic::new(Code::DuplicateKey, name.span.clone(), message)
                .label("again here")
                .secondary(first.clone(), "first here");
            diagnostics.push(diagnostic.help("keep one of them"));
        }
    }
}
