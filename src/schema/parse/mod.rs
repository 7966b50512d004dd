//! The tree to a [`Document`].

mod channels;
mod generate;
mod listeners;
mod message_options;
mod models;
mod schedule;
mod settings;
mod types;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};

use super::document::{DefaultsDecl, Document, ExtraDecl, PastDecl, Spanned};
use super::language;
use super::node::{self, Node, Value};
use super::reader::{Fields, Reader};

/// Reads a file; `None` if it is not even a mapping. Spans count from `base`, where this file begins among all files of
/// the schema; 0 is the main file, which others are included in.
pub fn parse(text: &str, base: usize, diagnostics: &mut Diagnostics) -> Option<Document> {
    let root = match node::parse(text, base) {
        Ok(root) => root,
        Err(diagnostic) => {
            diagnostics.push(*diagnostic);
            return None;
        }
    };
    let mut reader = Reader { diagnostics };
    if matches!(root.value, Value::Null) {
        let diagnostic = Diagnostic::new(Code::MissingKey, base..base, "the file is empty")
            .help("begin with `version: 1`; `pgpubsub-gen init` writes a file to start from");
        reader.report(diagnostic);
        return None;
    }
    let fields = reader.fields(&root, "the file", &language::FILE)?;
    version(&mut reader, &fields, base);
    let mut document = Document {
        include: reader
            .optional_texts(&fields, "include")
            .unwrap_or_default(),
        ..Document::default()
    };
    if base > 0 {
        included(&mut reader, &fields);
    }
    if let Some(node) = fields.get("generate") {
        document.generate = generate::generate(&mut reader, node).unwrap_or_default();
    }
    if let Some(fields) = fields
        .get("defaults")
        .and_then(|node| reader.fields(node, "`defaults`", &language::DEFAULTS))
    {
        document.defaults = settings(&mut reader, &fields);
        document.listener_defaults = listeners::attempts(&mut reader, &fields, "`defaults`");
    }
    document.types = declarations(&mut reader, &fields, "types", types::declared);
    document.models = declarations(&mut reader, &fields, "models", models::model);
    document.channels = declarations(&mut reader, &fields, "channels", channels::channel);
    document.listeners = declarations(&mut reader, &fields, "listeners", listeners::listener);
    document.has_channels = fields.get("channels").is_some();
    Some(document)
}

/// What only the main file can say.
fn included(reader: &mut Reader<'_>, fields: &Fields<'_>) {
    for key in fields.keys() {
        if ["include", "generate", "defaults"].contains(&key.value.as_str()) {
            let message = format!("`{}` does not belong into an included file", key.value);
            let diagnostic = Diagnostic::new(Code::InvalidOption, key.span, message);
            reader.report(diagnostic.help("move it to the file that includes this one"));
        }
    }
}

/// What channels say and `defaults` says for them.
fn settings(reader: &mut Reader<'_>, fields: &Fields<'_>) -> DefaultsDecl {
    DefaultsDecl {
        delivery: reader.word(fields, "delivery", language::DELIVERIES),
        wake: reader.word(fields, "wake", language::WAKES),
        level: reader.word(fields, "level", language::LEVELS),
        fire: reader.word(fields, "fire", language::FIRES),
        on_capture_error: reader.word(fields, "on_capture_error", language::ON_CAPTURE_ERROR),
        ignorable: reader.bool(fields, "ignorable"),
        allow: reader.optional_texts(fields, "allow").unwrap_or_default(),
    }
}

/// `derive:` and `attributes:`.
fn extra(reader: &mut Reader<'_>, fields: &Fields<'_>) -> ExtraDecl {
    ExtraDecl {
        derives: reader.optional_texts(fields, "derive").unwrap_or_default(),
        attributes: reader
            .optional_texts(fields, "attributes")
            .unwrap_or_default(),
    }
}

/// `was:`, `until:` and `from:`.
fn past(reader: &mut Reader<'_>, fields: &Fields<'_>) -> PastDecl {
    let mut past = PastDecl {
        was: reader.optional_texts(fields, "was"),
        until: reader.number(fields, "until"),
        from: Vec::new(),
    };
    if let Some(node) = fields.get("from") {
        for (ty, node) in reader.entries(node, "`from`").unwrap_or_default() {
            if let Some(function) = reader.text(node, "a function of `from`") {
                past.from.push((ty, function));
            }
        }
    }
    past
}

fn version(reader: &mut Reader<'_>, fields: &Fields<'_>, base: usize) {
    match fields.get("version") {
        None => {
            let diagnostic =
                Diagnostic::new(Code::MissingKey, base..base, "the file has no `version`")
                    .help("add the line `version: 1` at the top");
            reader.report(diagnostic);
        }
        Some(Node {
            value: Value::Int(1),
            ..
        }) => {}
        Some(node) => {
            let diagnostic = Diagnostic::new(
                Code::Version,
                node.span.clone(),
                "this version of the language is not known",
            )
            .label("expected 1")
            .help("this generator knows `version: 1`; a newer file needs a newer generator");
            reader.report(diagnostic);
        }
    }
}

fn declarations<T>(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    key: &str,
    read: impl Fn(&mut Reader<'_>, Spanned<String>, &Node) -> T,
) -> Vec<T> {
    let Some(node) = fields.get(key) else {
        return Vec::new();
    };
    let entries = reader
        .entries(node, &format!("`{key}`"))
        .unwrap_or_default();
    entries
        .into_iter()
        .map(|(name, node)| read(reader, name, node))
        .collect()
}

fn missing(reader: &mut Reader<'_>, name: &Spanned<String>, what: &str, key: &str, example: &str) {
    let message = format!("{what} `{}` has no `{key}`", name.value);
    reader.report(
        Diagnostic::new(Code::MissingKey, name.span.clone(), message)
            .help(format!("add `{example}`")),
    );
}
