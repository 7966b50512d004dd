//! Mistakes in a schema file, as values: all of them are collected, each with its place, a stable code and a way out.

mod code;
mod explain;
mod nearest;
mod render;
mod source;

pub use code::Code;
pub use nearest::{by_alias, nearest};
pub use render::{Format, escaped, property};
pub use source::{SourceFile, Sources};

use std::ops::Range;

/// A place in the files of a schema: bytes from the start of the first one, see [`Sources`].
pub type Span = Range<usize>;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of mistake.
    pub code: Code,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Where.
    pub span: Span,
    /// Said at the place.
    pub label: String,
    /// Another place that has to do with it, and what is there.
    pub secondary: Option<(Span, String)>,
    /// What to do.
    pub help: Option<String>,
}

/// All mistakes of a file, in order of their places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostic {
    /// A mistake at a place.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            span,
            label: String::new(),
            secondary: None,
            help: None,
        }
    }

    /// With a word at the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// With another place.
    #[must_use]
    pub fn secondary(mut self, span: Span, label: impl Into<String>) -> Self {
        self.secondary = Some((span, label.into()));
        self
    }

    /// With what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With the nearest valid name, or all of them if none is near.
    #[must_use]
    pub fn help_nearest<'a>(self, found: &str, valid: impl IntoIterator<Item = &'a str>) -> Self {
        let valid: Vec<&str> = valid.into_iter().collect();
        match nearest(found, valid.iter().copied()) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None if valid.is_empty() => self,
            None => {
                let all: Vec<String> = valid.iter().map(|name| format!("`{name}`")).collect();
                self.help(format!("valid here: {}", all.join(", ")))
            }
        }
    }
}

impl Diagnostics {
    /// No mistake.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a mistake.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether one of them is more than a warning.
    pub fn has_errors(&self) -> bool {
        self.list
            .iter()
            .any(|diagnostic| !diagnostic.code.is_warning())
    }

    /// Without warnings.
    #[must_use]
    pub fn only_errors(mut self) -> Self {
        self.list.retain(|diagnostic| !diagnostic.code.is_warning());
        self
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// The mistakes, in order of their places once [`Diagnostics::sorted`].
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// In order of their places.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.list.sort_by(|left, right| {
            (left.span.start, left.span.end, left.code).cmp(&(
                right.span.start,
                right.span.end,
                right.code,
            ))
        });
        self.list.dedup();
        self
    }

    /// One line each: `file:line:column: message [CODE]`.
    pub fn lines(&self, sources: &Sources) -> Vec<String> {
        let line = |diagnostic: &Diagnostic| {
            let (file, span) = sources.locate(&diagnostic.span);
            let (line, column) = file.position(span.start);
            let (message, code) = (&diagnostic.message, diagnostic.code.as_str());
            format!("{}:{line}:{column}: {message} [{code}]", file.name)
        };
        self.list.iter().map(line).collect()
    }

    /// As text, in a format.
    pub fn render(&self, sources: &Sources, format: Format) -> String {
        render::render(self, sources, format)
    }
}
