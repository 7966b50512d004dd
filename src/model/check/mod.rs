//! A document becomes a schema: names are resolved, types read, combinations checked. Every mistake is reported once; what
//! only follows from another mistake is not.

mod channels;
mod generate;
mod listeners;
mod messages;
mod models;
mod names;

use crate::diagnostic::Diagnostics;
use crate::schema::Document;

use super::Schema;

/// Checks a document. The schema is complete if nothing was reported.
pub(crate) fn check(
    source_name: &str,
    document: &Document,
    diagnostics: &mut Diagnostics,
) -> Schema {
    let types = names::check(document, diagnostics);
    let generate = generate::check(&document.generate, diagnostics);
    let models = models::check(&document.models, diagnostics);
    let channels = channels::check(document, diagnostics);
    let listeners = listeners::check(document, &channels, diagnostics);
    names::check_event_types(types, document, &channels, &listeners, diagnostics);
    Schema {
        source: source_name.replace('\\', "/"),
        generate,
        models,
        channels,
        listeners,
    }
}
