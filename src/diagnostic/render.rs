//! How mistakes are shown.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::{Diagnostic, Diagnostics, Span};

pub(super) fn render(
    diagnostics: &Diagnostics,
    source_name: &str,
    text: &str,
    colour: bool,
) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut out = String::new();
    for diagnostic in diagnostics.iter() {
        out += renderer
            .render(&[group(diagnostic, source_name, text)])
            .trim_end();
        out += "\n\n";
    }
    let (level, what, effect) = if diagnostics.has_errors() {
        ("error", "mistake", "; nothing was written")
    } else {
        ("warning", "warning", "")
    };
    let count = match diagnostics.len() {
        0 => return out,
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    out += &format!("{level}: {count} in {source_name}{effect}\n");
    out
}

fn group<'a>(
    diagnostic: &'a Diagnostic,
    source_name: &'a str,
    text: &'a str,
) -> annotate_snippets::Group<'a> {
    let primary = AnnotationKind::Primary
        .span(within(&diagnostic.span, text))
        .label(diagnostic.label.as_str());
    let mut snippet = Snippet::source(text).path(source_name).annotation(primary);
    if let Some((span, label)) = &diagnostic.secondary {
        snippet = snippet.annotation(
            AnnotationKind::Context
                .span(within(span, text))
                .label(label.as_str()),
        );
    }
    let level = if diagnostic.code.is_warning() {
        Level::WARNING
    } else {
        Level::ERROR
    };
    let title = level
        .primary_title(diagnostic.message.as_str())
        .id(diagnostic.code.as_str());
    let group = title.element(snippet);
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    }
}

/// The span, cut to the text and to whole characters, and to its first line: a whole mapping says no more than its head.
fn within(span: &Span, text: &str) -> Span {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (start, end) = (floor(span.start), floor(span.end));
    let end = end.max(start);
    let line = text[start..end]
        .find('\n')
        .map_or(end, |newline| start + newline);
    start..line
}
