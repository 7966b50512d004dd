//! Reads nodes as what they have to be, and reports what they are not.

use std::collections::HashMap;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};

use super::document::Spanned;
use super::language::Mapping;
use super::node::{Node, Value};

/// Entries of a mapping with known keys.
pub(super) struct Fields<'n> {
    entries: Vec<(&'static str, Span, &'n Node)>,
    /// Whether something was reported.
    pub broken: bool,
}

impl<'n> Fields<'n> {
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries
            .iter()
            .find(|(name, ..)| *name == key)
            .map(|(.., node)| *node)
    }

    /// The keys that are there.
    pub(super) fn keys(&self) -> Vec<Spanned<String>> {
        self.entries
            .iter()
            .map(|(name, span, _)| Spanned {
                value: (*name).to_owned(),
                span: span.clone(),
            })
            .collect()
    }
}

pub(super) struct Reader<'d> {
    pub diagnostics: &'d mut Diagnostics,
}

impl Reader<'_> {
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// `what` with its article: "a model".
    pub(super) fn wrong_kind(&mut self, node: &Node, what: &str, expected: &str) {
        let message = format!("{what} has to be {expected}, not {}", node.value.kind());
        self.report(
            Diagnostic::new(Code::WrongKind, node.span.clone(), message)
                .label(format!("expected {expected}")),
        );
    }

    /// A mapping with names of the user's as keys; a key that is there twice is reported and kept once.
    pub(super) fn entries<'n>(
        &mut self,
        node: &'n Node,
        what: &str,
    ) -> Option<Vec<(Spanned<String>, &'n Node)>> {
        let Value::Mapping(entries) = &node.value else {
            self.wrong_kind(node, what, "a mapping");
            return None;
        };
        let mut read: Vec<(Spanned<String>, &Node)> = Vec::new();
        let mut seen: HashMap<String, Span> = HashMap::new();
        for (key, value) in entries {
            let Some(name) = self.key(key) else { continue };
            if let Some(first) = seen.get(&name) {
                let diagnostic = Diagnostic::new(
                    Code::DuplicateKey,
                    key.span.clone(),
                    format!("`{name}` is there twice"),
                )
                .label("again here")
                .secondary(first.clone(), "first here")
                .help("keep one of them");
                self.report(diagnostic);
                continue;
            }
            seen.insert(name.clone(), key.span.clone());
            read.push((
                Spanned {
                    value: name,
                    span: key.span.clone(),
                },
                value,
            ));
        }
        Some(read)
    }

    /// YAML reads `1:`, `true:` and `null:` as something else than a name.
    fn key(&mut self, key: &Node) -> Option<String> {
        match &key.value {
            Value::Text(name) => Some(name.clone()),
            _ => {
                self.wrong_kind(key, "a key", "a text");
                None
            }
        }
    }

    /// A mapping with keys of the language.
    pub(super) fn fields<'n>(
        &mut self,
        node: &'n Node,
        what: &str,
        mapping: &Mapping,
    ) -> Option<Fields<'n>> {
        let before = self.diagnostics.len();
        let entries = self.entries(node, what)?;
        let mut known = Vec::new();
        for (name, value) in entries {
            match mapping.get(&name.value) {
                Some(key) if key.value.is_some() => known.push((key.name, name.span, value)),
                Some(_) => {
                    let message = format!("`{}` of {what} is not supported yet", name.value);
                    self.report(
                        Diagnostic::new(Code::NotSupported, name.span, message)
                            .help("leave it out for now"),
                    );
                }
                None => {
                    let message = format!("{what} has no key `{}`", name.value);
                    let diagnostic = Diagnostic::new(Code::UnknownKey, name.span, message)
                        .label("unknown key")
                        .help_nearest(&name.value, mapping.names());
                    self.report(diagnostic);
                }
            }
        }
        Some(Fields {
            entries: known,
            broken: self.diagnostics.len() > before,
        })
    }

    pub(super) fn text(&mut self, node: &Node, what: &str) -> Option<Spanned<String>> {
        match &node.value {
            Value::Text(text) => Some(Spanned {
                value: text.clone(),
                span: node.span.clone(),
            }),
            _ => {
                self.wrong_kind(node, what, "a text");
                None
            }
        }
    }

    pub(super) fn optional_text(
        &mut self,
        fields: &Fields<'_>,
        key: &str,
    ) -> Option<Spanned<String>> {
        let node = fields.get(key)?;
        self.text(node, &format!("`{key}`"))
    }

    pub(super) fn doc(&mut self, fields: &Fields<'_>) -> Option<String> {
        self.optional_text(fields, "doc").map(|doc| doc.value)
    }

    /// A text, or a list of texts.
    pub(super) fn texts(&mut self, node: &Node, what: &str) -> Option<Vec<Spanned<String>>> {
        match &node.value {
            Value::Text(_) => self.text(node, what).map(|text| vec![text]),
            Value::Sequence(items) => {
                let texts: Vec<_> = items
                    .iter()
                    .filter_map(|item| self.text(item, what))
                    .collect();
                (texts.len() == items.len()).then_some(texts)
            }
            _ => {
                self.wrong_kind(node, what, "a text or a list of texts");
                None
            }
        }
    }

    pub(super) fn bool(&mut self, fields: &Fields<'_>, key: &str) -> Option<Spanned<bool>> {
        let node = fields.get(key)?;
        match node.value {
            Value::Bool(value) => Some(Spanned {
                value,
                span: node.span.clone(),
            }),
            _ => {
                self.wrong_kind(node, &format!("`{key}`"), "`true` or `false`");
                None
            }
        }
    }

    /// A whole number from 1 on.
    pub(super) fn number(&mut self, fields: &Fields<'_>, key: &str) -> Option<Spanned<u32>> {
        let node = fields.get(key)?;
        let number = match node.value {
            Value::Int(value) => u32::try_from(value).ok().filter(|value| *value > 0),
            _ => None,
        };
        if number.is_none() {
            self.wrong_kind(node, &format!("`{key}`"), "a whole number from 1 on");
        }
        Some(Spanned {
            value: number?,
            span: node.span.clone(),
        })
    }

    /// Whether a key says `true`.
    pub(super) fn flag(&mut self, fields: &Fields<'_>, key: &str) -> bool {
        self.bool(fields, key).is_some_and(|flag| flag.value)
    }

    pub(super) fn optional_texts(
        &mut self,
        fields: &Fields<'_>,
        key: &str,
    ) -> Option<Vec<Spanned<String>>> {
        let node = fields.get(key)?;
        self.texts(node, &format!("`{key}`"))
    }

    /// A text that is one of the words of the language.
    pub(super) fn word(
        &mut self,
        fields: &Fields<'_>,
        key: &str,
        words: &[&str],
    ) -> Option<Spanned<String>> {
        let text = self.optional_text(fields, key)?;
        if words.contains(&text.value.as_str()) {
            return Some(text);
        }
        let message = format!("there is no {} `{}`", key.replace('_', " "), text.value);
        let diagnostic = Diagnostic::new(Code::InvalidValue, text.span, message);
        self.report(diagnostic.help_nearest(&text.value, words.iter().copied()));
        None
    }
}
