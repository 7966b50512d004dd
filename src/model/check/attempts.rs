//! `retry:` and `timeout:` of listeners, and of `defaults:`.

use std::time::Duration;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::schema::{AttemptsDecl, RetryDecl, Spanned};

use super::super::attempts::{self, Attempts, Backoff};
use super::super::{Channel, Delivery};

/// Reports what is wrong in `defaults:`, once.
pub(super) fn check_defaults(declared: &AttemptsDecl, diagnostics: &mut Diagnostics) {
    read(declared, diagnostics);
}

/// Of the listener of a channel that nobody mentions.
pub(super) fn implicit(defaults: &AttemptsDecl, delivery: Delivery) -> Attempts {
    // What is wrong in them has been reported.
    let attempts = read(defaults, &mut Diagnostics::new());
    match delivery {
        Delivery::Durable => attempts,
        Delivery::Transient => Attempts {
            timeout: attempts.timeout,
            ..Attempts::default()
        },
    }
}

/// Of a listener of this channel: each of the keys that it does not say is that of `defaults:`.
pub(super) fn check(
    declared: &AttemptsDecl,
    defaults: &AttemptsDecl,
    channel: &Channel,
    diagnostics: &mut Diagnostics,
) -> Attempts {
    let own = read(declared, diagnostics);
    let defaults = implicit(defaults, channel.delivery);
    if let (Some(retry), Delivery::Transient) = (&declared.retry, channel.delivery) {
        let message = format!(
            "channel `{}` is transient: nothing is stored that could be tried again",
            channel.name
        );
        let diagnostic = Diagnostic::new(Code::InvalidOption, retry.span.clone(), message);
        diagnostics.push(diagnostic.help("remove `retry`"));
    }
    Attempts {
        max: own.max.or(defaults.max),
        backoff: own.backoff.or(defaults.backoff),
        timeout: own.timeout.or(defaults.timeout),
    }
}

fn read(declared: &AttemptsDecl, diagnostics: &mut Diagnostics) -> Attempts {
    let retry = declared.retry.as_ref();
    Attempts {
        max: retry.and_then(max),
        backoff: retry
            .and_then(|retry| retry.backoff.as_ref())
            .and_then(|text| backoff(text, diagnostics)),
        timeout: declared
            .timeout
            .as_ref()
            .and_then(|text| timeout(text, diagnostics)),
    }
}

fn max(retry: &RetryDecl) -> Option<u32> {
    if retry.none {
        return Some(1);
    }
    retry.max.as_ref().map(|max| max.value)
}

fn backoff(text: &Spanned<String>, diagnostics: &mut Diagnostics) -> Option<Backoff> {
    let backoff = Backoff::parse(&text.value);
    if backoff.is_none() {
        let message = format!("`{}` is no backoff", text.value);
        let diagnostic = Diagnostic::new(Code::InvalidValue, text.span.clone(), message);
        diagnostics.push(diagnostic.help(
            "write `exp(FIRST, LONGEST)` or `fixed(PAUSE)`, for instance `exp(1s, 5m)` or `fixed(10s)`",
        ));
    }
    backoff
}

fn timeout(text: &Spanned<String>, diagnostics: &mut Diagnostics) -> Option<Duration> {
    let timeout = attempts::duration(&text.value);
    if timeout.is_none() {
        let message = format!("`{}` is no time that a listener may run", text.value);
        let diagnostic = Diagnostic::new(Code::InvalidValue, text.span.clone(), message);
        diagnostics.push(diagnostic.help("write for instance `30s`, `500ms`, `5m` or `1h`"));
    }
    timeout
}
