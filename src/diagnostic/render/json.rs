//! One JSON object a line.

use serde::Serialize;

use crate::diagnostic::{Diagnostics, Sources, Span};

#[derive(Serialize)]
struct Mistake<'a> {
    severity: &'static str,
    code: &'static str,
    message: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
    label: &'a str,
    help: Option<&'a str>,
    secondary: Option<Secondary<'a>>,
}

#[derive(Serialize)]
struct Secondary<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    label: &'a str,
}

/// Lines and columns count from 1, columns in characters; the end is behind the last one.
#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

pub(super) fn render(diagnostics: &Diagnostics, sources: &Sources) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics.iter() {
        let mistake = Mistake {
            severity: diagnostic.code.severity(),
            code: diagnostic.code.as_str(),
            message: &diagnostic.message,
            place: place(&diagnostic.span, sources),
            label: &diagnostic.label,
            help: diagnostic.help.as_deref(),
            secondary: diagnostic
                .secondary
                .as_ref()
                .map(|(span, label)| Secondary {
                    place: place(span, sources),
                    label,
                }),
        };
        out += &serde_json::to_string(&mistake).expect("texts and numbers are JSON");
        out.push('\n');
    }
    out
}

fn place<'a>(span: &Span, sources: &'a Sources) -> Place<'a> {
    let (file, span) = sources.locate(span);
    let (line, column) = file.position(span.start);
    let (end_line, end_column) = file.position(span.end);
    Place {
        file: &file.name,
        line,
        column,
        end_line,
        end_column,
    }
}
