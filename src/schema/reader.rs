//! Reads nodes as what they have to be, and reports what they are not.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};

use super::document::Spanned;
use super::node::{Node, Value};

/// Keys that the language will have; refused with another message than a key that does not exist.
pub(super) struct Keys {
    pub known: &'static [&'static str],
    pub later: &'static [&'static str],
}

/// Entries of a mapping with known keys.
pub(super) struct Fields<'n> {
    entries: Vec<(&'n str, &'n Node)>,
    /// Whether something was reported.
    pub broken: bool,
}

impl<'n> Fields<'n> {
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, node)| *node)
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
        for (key, value) in entries {
            let Some(name) = self.key(key) else { continue };
            if let Some((first, _)) = read.iter().find(|(first, _)| first.value == name) {
                let diagnostic = Diagnostic::new(
                    Code::DuplicateKey,
                    key.span.clone(),
                    format!("`{name}` is there twice"),
                )
                .label("again here")
                .secondary(first.span.clone(), "first here")
                .help("keep one of them");
                self.report(diagnostic);
                continue;
            }
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
        keys: &Keys,
    ) -> Option<Fields<'n>> {
        let before = self.diagnostics.len();
        let entries = self.entries(node, what)?;
        let mut known = Vec::new();
        for (name, value) in entries {
            if let Some(key) = keys.known.iter().find(|key| **key == name.value) {
                known.push((*key, value));
            } else if keys.later.contains(&name.value.as_str()) {
                let message = format!("`{}` of {what} is not supported yet", name.value);
                self.report(
                    Diagnostic::new(Code::NotSupported, name.span, message)
                        .help("leave it out for now"),
                );
            } else {
                let message = format!("{what} has no key `{}`", name.value);
                let diagnostic = Diagnostic::new(Code::UnknownKey, name.span, message)
                    .label("unknown key")
                    .help_nearest(&name.value, keys.known.iter().copied());
                self.report(diagnostic);
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

    pub(super) fn bool(&mut self, node: &Node, what: &str) -> bool {
        match node.value {
            Value::Bool(value) => value,
            _ => {
                self.wrong_kind(node, what, "`true` or `false`");
                false
            }
        }
    }
}
