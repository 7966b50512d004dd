//! A document becomes a schema: names are resolved, types read, combinations checked. Every mistake is reported once; what
//! only follows from another mistake is not.

mod allow;
mod attempts;
mod calls;
mod channels;
mod columns;
mod derives;
mod extra;
mod generate;
mod listeners;
mod message_options;
mod messages;
mod models;
mod names;
mod order;
mod past;
mod retain;
mod schedule;
mod trigger_combinations;
mod trigger_warnings;
mod triggers;
mod types;

use crate::diagnostic::Diagnostics;
use crate::schema::Document;

use super::Schema;

/// Checks a document. The schema is complete if nothing was reported.
pub(crate) fn check(
    source_name: &str,
    document: &Document,
    diagnostics: &mut Diagnostics,
) -> Schema {
    let names = names::check(document, diagnostics);
    allow::check(document, diagnostics);
    attempts::check_defaults(&document.listener_defaults, diagnostics);
    past::claims(document, diagnostics);
    let generate = generate::check(&document.generate, diagnostics);
    let types = types::check(&document.types, diagnostics);
    let (models, declared) = models::check(document, &types, generate.chrono, diagnostics);
    let channels = channels::check(document, &types, &models, &declared, diagnostics);
    let listeners = listeners::check(document, &channels, diagnostics);
    schedule::check_filters(&channels, &listeners, diagnostics);
    derives::check(document, &types, &models, &channels, diagnostics);
    names::check_derived(names, document, &models, &channels, &listeners, diagnostics);
    Schema {
        source: source_name.replace('\\', "/"),
        generate,
        types,
        models,
        channels,
        listeners,
    }
}
