//! `allow:`: warnings that somebody knows and accepts.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::schema::{Document, Spanned};

use super::triggers::Context;

/// Whether the channel, or `defaults`, accepts a warning.
pub(super) fn allows(context: &Context<'_>, code: Code) -> bool {
    listed(&context.declared.settings.allow, code) || listed(&context.defaults.allow, code)
}

/// Whether a list has a code.
pub(super) fn listed(allow: &[Spanned<String>], code: Code) -> bool {
    allow
        .iter()
        .any(|listed| listed.value.eq_ignore_ascii_case(code.as_str()))
}

/// Reports what is no code of a warning.
pub(super) fn check(document: &Document, diagnostics: &mut Diagnostics) {
    let channels = document
        .channels
        .iter()
        .flat_map(|channel| &channel.settings.allow);
    for listed in document.defaults.allow.iter().chain(channels) {
        let warnings = || {
            Code::ALL
                .iter()
                .map(|code| code.as_str())
                .filter(|code| code.starts_with('W'))
        };
        if !warnings().any(|code| code.eq_ignore_ascii_case(&listed.value)) {
            let message = format!("`{}` is no warning", listed.value);
            let diagnostic = Diagnostic::new(Code::InvalidValue, listed.span.clone(), message);
            diagnostics.push(diagnostic.help_nearest(&listed.value, warnings()));
        }
    }
}
