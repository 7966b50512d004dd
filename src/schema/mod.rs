//! YAML text to a [`Document`]: what the file says, with the place of everything, not yet checked against each other.

mod document;
pub mod language;
mod node;
mod parse;
mod reader;

pub use document::{
    ChangedDecl, ChannelDecl, ColumnDecl, Default, DefaultsDecl, Document, EventDecl, ExtraDecl,
    FieldDecl, FilterDecl, GenerateDecl, LabelDecl, ListenerDecl, ModelDecl, PayloadDecl, Spanned,
    TypeDecl,
};
pub use node::{Node, Value};
pub use parse::parse;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::model::{self, Schema};

/// A valid schema, and what is legal in it but dangerous.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The schema.
    pub schema: Schema,
    /// Warnings only.
    pub warnings: Diagnostics,
}

/// Text of a schema file to a valid schema.
///
/// # Errors
/// All mistakes of the file; without warnings, which may only follow from a mistake.
pub fn load(source_name: &str, text: &str) -> Result<Loaded, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let Some(document) = parse(text, 0, &mut diagnostics) else {
        return Err(diagnostics.sorted());
    };
    if !document.has_channels {
        let diagnostic = Diagnostic::new(Code::MissingKey, 0..0, "the file has no `channels`")
            .help("declare at least one, for instance `channels: {author_created: {on: author, after: insert}}`");
        diagnostics.push(diagnostic);
    }
    let schema = model::check(source_name, &document, &mut diagnostics);
    if diagnostics.has_errors() {
        return Err(diagnostics.only_errors().sorted());
    }
    Ok(Loaded {
        schema,
        warnings: diagnostics.sorted(),
    })
}
