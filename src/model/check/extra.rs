//! What the user adds to generated Rust: derives, attributes, types of their own.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::schema::{ExtraDecl, Spanned};

use super::super::{Extra, identifier};

pub(super) fn check(declared: &ExtraDecl, diagnostics: &mut Diagnostics) -> Extra {
    for attribute in &declared.attributes {
        if syn::parse_str::<syn::Meta>(&attribute.value).is_err() {
            let message = format!("`{}` is no attribute", attribute.value);
            let diagnostic = Diagnostic::new(Code::InvalidRust, attribute.span.clone(), message);
            diagnostics.push(diagnostic.help(
                "write what stands between `#[` and `]`, for instance `serde(rename_all = \"camelCase\")`",
            ));
        }
    }
    Extra {
        derives: derives(&declared.derives, diagnostics),
        attributes: declared
            .attributes
            .iter()
            .map(|attribute| attribute.value.clone())
            .collect(),
    }
}

/// The derives that are not always there.
pub(super) fn derives(declared: &[Spanned<String>], diagnostics: &mut Diagnostics) -> Vec<String> {
    let mut derives = Vec::new();
    for derive in declared {
        let is_path = derive
            .value
            .trim_start_matches("::")
            .split("::")
            .all(identifier::is_rust_name);
        if !is_path {
            let message = format!("`{}` is no derive macro", derive.value);
            let diagnostic = Diagnostic::new(Code::InvalidRust, derive.span.clone(), message);
            diagnostics.push(diagnostic.help("write a name like `Eq` or `serde::Serialize`"));
        }
        if !["Clone", "Debug", "PartialEq"].contains(&derive.value.as_str())
            && !derives.contains(&derive.value)
        {
            derives.push(derive.value.clone());
        }
    }
    derives
}

/// A Rust type: one of the words, or a path.
pub(super) fn path(
    rust: &Spanned<String>,
    choices: &[(&str, String)],
    diagnostics: &mut Diagnostics,
) -> Option<String> {
    if let Some((_, ty)) = choices.iter().find(|(word, _)| *word == rust.value) {
        return Some(ty.clone());
    }
    let is_path =
        rust.value.contains("::") && matches!(syn::parse_str(&rust.value), Ok(syn::Type::Path(_)));
    if is_path {
        return Some(rust.value.clone());
    }
    let message = format!("`{}` is no Rust type that can be chosen here", rust.value);
    let diagnostic = Diagnostic::new(Code::InvalidRust, rust.span.clone(), message);
    let words: Vec<String> = choices
        .iter()
        .map(|(word, _)| format!("`{word}`"))
        .collect();
    let own = "the path of a type of yours like `crate::Cents`, which is TryFrom of the usual type";
    diagnostics.push(diagnostic.help(if words.is_empty() {
        format!("write {own}")
    } else {
        format!("write {}, or {own}", words.join(", "))
    }));
    None
}
