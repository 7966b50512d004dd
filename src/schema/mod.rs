//! YAML text to a [`Document`]: what the file says, with the place of everything, not yet checked against each other.

mod document;
mod include;
mod json_schema;
pub mod language;
mod node;
mod parse;
mod reader;
mod storage_parameters;

pub use document::{
    AttemptsDecl, ChangedDecl, ChannelDecl, ColumnDecl, DedupDecl, Default, DefaultsDecl, Document,
    EventDecl, ExtraDecl, FieldDecl, FilterDecl, GenerateDecl, LabelDecl, ListenerDecl,
    MessageOptionsDecl, ModelDecl, PastDecl, PayloadDecl, RetryDecl, ScheduleDecl, Spanned,
    TypeDecl,
};
pub use json_schema::json_schema;
pub use node::{Node, Value};
pub use parse::parse;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Sources};
use crate::model::{self, Schema};

/// A valid schema, and what is legal in it but dangerous.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The schema.
    pub schema: Schema,
    /// Warnings only.
    pub warnings: Diagnostics,
}

/// A schema file, and those that it includes, to a valid schema. `read` gives the text of an included file by its path, or
/// why it cannot; what it gave is in `sources` afterwards.
///
/// # Errors
/// All mistakes of the files; without warnings, which may only follow from a mistake.
pub fn load(
    sources: &mut Sources,
    read: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Loaded, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let main = sources.main();
    let source_name = main.name.clone();
    let Some(mut document) = parse(&main.text, 0, &mut diagnostics) else {
        return Err(diagnostics.sorted());
    };
    include::all(&mut document, sources, read, &mut diagnostics);
    if !document.has_channels {
        let diagnostic = Diagnostic::new(Code::MissingKey, 0..0, "the file has no `channels`")
            .help("declare at least one, for instance `channels: {author_created: {on: author, after: insert}}`");
        diagnostics.push(diagnostic);
    }
    let schema = model::check(&source_name, &document, &mut diagnostics);
    if diagnostics.has_errors() {
        return Err(diagnostics.only_errors().sorted());
    }
    Ok(Loaded {
        schema,
        warnings: diagnostics.sorted(),
    })
}

/// One file that includes no others.
///
/// # Errors
/// All mistakes of the file.
pub fn load_text(sources: &Sources) -> Result<Loaded, Diagnostics> {
    load(&mut sources.clone(), &|_| {
        Err("there is only this file".to_owned())
    })
}
