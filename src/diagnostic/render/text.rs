//! In the layout of rustc: source line, underline, help.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Diagnostics, SourceFile, Sources, Span};

pub(super) fn render(diagnostics: &Diagnostics, sources: &Sources, colour: bool) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut out = String::new();
    for diagnostic in diagnostics.iter() {
        out += renderer.render(&[group(diagnostic, sources)]).trim_end();
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
    out += &format!("{level}: {count} in {}{effect}\n", sources.main().name);
    out
}

fn group<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources) -> annotate_snippets::Group<'a> {
    let (file, span) = sources.locate(&diagnostic.span);
    let primary = AnnotationKind::Primary
        .span(first_line(file, span))
        .label(diagnostic.label.as_str());
    let mut snippet = snippet(file).annotation(primary);
    let mut elsewhere = None;
    if let Some((span, label)) = &diagnostic.secondary {
        let (other, span) = sources.locate(span);
        let context = AnnotationKind::Context
            .span(first_line(other, span))
            .label(label.as_str());
        if other.base == file.base {
            snippet = snippet.annotation(context);
        } else {
            elsewhere = Some(self::snippet(other).annotation(context));
        }
    }
    let level = if diagnostic.code.is_warning() {
        Level::WARNING
    } else {
        Level::ERROR
    };
    let title = level
        .primary_title(diagnostic.message.as_str())
        .id(diagnostic.code.as_str());
    let mut group = title.element(snippet);
    if let Some(elsewhere) = elsewhere {
        group = group.element(elsewhere);
    }
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    }
}

fn snippet(file: &SourceFile) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
    Snippet::source(file.text.as_str()).path(file.name.as_str())
}

/// A whole mapping says no more than its head.
fn first_line(file: &SourceFile, span: Span) -> Span {
    let end = file.text[span.clone()]
        .find('\n')
        .map_or(span.end, |newline| span.start + newline);
    span.start..end
}
