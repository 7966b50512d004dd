//! Commands of a GitHub workflow: each becomes a note at its line in the code review.

use crate::diagnostic::{Diagnostics, Sources};

pub(super) fn render(diagnostics: &Diagnostics, sources: &Sources) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics.iter() {
        let (file, span) = sources.locate(&diagnostic.span);
        let (line, column) = file.position(span.start);
        let (end_line, end_column) = file.position(span.end);
        let mut message = diagnostic.message.clone();
        if let Some(help) = &diagnostic.help {
            message += &format!("\nhelp: {help}");
        }
        out += &format!(
            "::{} file={},line={line},col={column},endLine={end_line},endColumn={end_column},title={}::{}\n",
            diagnostic.code.severity(),
            property(&file.name),
            diagnostic.code.as_str(),
            escaped(&message)
        );
    }
    out
}

/// A message, on one line.
pub fn escaped(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A value between commas and colons.
pub fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}
