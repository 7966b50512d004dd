//! YAML text to a [`Document`]: what the file says, with the place of everything, not yet checked against each other.

mod document;
mod node;
mod parse;
mod reader;

pub use document::{
    ChannelDecl, ColumnDecl, Default, Document, FieldDecl, FilterDecl, GenerateDecl, ListenerDecl,
    ModelDecl, Spanned,
};
pub use node::{Node, Value};
pub use parse::parse;

use crate::diagnostic::Diagnostics;
use crate::model::{self, Schema};

/// Text of a schema file to a valid schema.
///
/// # Errors
/// All mistakes of the file.
pub fn load(source_name: &str, text: &str) -> Result<Schema, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let document = parse(text, &mut diagnostics);
    let schema = document.map(|document| model::check(source_name, &document, &mut diagnostics));
    match schema {
        Some(schema) if diagnostics.is_empty() => Ok(schema),
        _ => Err(diagnostics.sorted()),
    }
}
