//! How mistakes are shown: to people, to programs, to a code review.

mod github;
mod json;
mod text;

pub use github::{escaped, property};

use super::{Diagnostics, Sources};

/// For whom mistakes are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people, in the layout of rustc.
    Text {
        /// Whether in colour.
        colour: bool,
    },
    /// For programs: one JSON object a line.
    Json,
    /// For a workflow of GitHub, which shows them in the code review.
    Github,
}

pub(super) fn render(diagnostics: &Diagnostics, sources: &Sources, format: Format) -> String {
    match format {
        Format::Text { colour } => text::render(diagnostics, sources, colour),
        Format::Json => json::render(diagnostics, sources),
        Format::Github => github::render(diagnostics, sources),
    }
}
