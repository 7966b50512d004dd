//! What a code means, at length: the book's page about it, part by part.

use super::Code;

const PAGE: &str = include_str!("../../docs/src/errors.md");

impl Code {
    /// The part of the book about this code, in Markdown.
    pub fn explanation(self) -> &'static str {
        let head = format!("\n## {}\n", self.as_str());
        PAGE.split_once(&head)
            .map(|(_, rest)| rest.split("\n## ").next().unwrap_or(rest).trim())
            .unwrap_or_default()
    }
}
