//! `types:`.

use std::collections::HashSet;

use heck::ToPascalCase;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::schema::{LabelDecl, Spanned, TypeDecl};

use super::super::column_type;
use super::super::{Attribute, DeclaredType, Label, PgType, QualifiedName, TypeKind, identifier};
use super::columns::type_problem;
use super::extra;

/// PostgreSQL keeps a label in a `name`.
const LABEL_LENGTH: usize = 63;

pub(super) fn check(declared: &[TypeDecl], diagnostics: &mut Diagnostics) -> Vec<DeclaredType> {
    let names: Vec<(&str, QualifiedName)> = declared
        .iter()
        .map(|ty| (ty.name.value.as_str(), sql_name(ty, diagnostics)))
        .collect();
    let types: Vec<DeclaredType> = declared
        .iter()
        .zip(&names)
        .map(|(ty, (_, sql))| DeclaredType {
            name: ty.name.value.clone(),
            span: ty.name.span.clone(),
            doc: ty.doc.clone(),
            sql: sql.clone(),
            kind: kind(ty, &names, diagnostics),
            rust: ty
                .rust
                .as_ref()
                .and_then(|rust| extra::path(rust, &[], diagnostics)),
            extra: extra::check(&ty.extra, diagnostics),
        })
        .collect();
    for (index, ty) in declared.iter().enumerate() {
        if contains(&types, &types[index].kind, index, &mut HashSet::new()) {
            let message = format!("type `{}` contains itself", ty.name.value);
            let diagnostic = Diagnostic::new(Code::InvalidType, ty.name.span.clone(), message);
            diagnostics.push(diagnostic.help("PostgreSQL has no such type either"));
        }
    }
    // What contains itself has no end for those who follow it.
    if diagnostics
        .iter()
        .any(|found| found.code == Code::InvalidType)
    {
        return types
            .into_iter()
            .map(|ty| DeclaredType {
                kind: TypeKind::Opaque,
                ..ty
            })
            .collect();
    }
    types
}

fn sql_name(declared: &TypeDecl, diagnostics: &mut Diagnostics) -> QualifiedName {
    let default = QualifiedName {
        schema: "public".into(),
        name: declared.name.value.clone(),
    };
    let Some(sql) = &declared.sql else {
        return default;
    };
    identifier::table(&sql.value).unwrap_or_else(|problem| {
        let message = format!("`{}` is no type: {problem}", sql.value);
        let diagnostic = Diagnostic::new(Code::InvalidIdentifier, sql.span.clone(), message);
        diagnostics.push(diagnostic.help("write it as in SQL, for instance `app.post_state`"));
        default
    })
}

fn kind(
    declared: &TypeDecl,
    names: column_type::Declared<'_>,
    diagnostics: &mut Diagnostics,
) -> TypeKind {
    let said = [
        declared.labels.is_some(),
        declared.attributes.is_some(),
        declared.domain.is_some(),
    ];
    if said.iter().filter(|said| **said).count() > 1 {
        let message = format!("type `{}` is several things at once", declared.name.value);
        let diagnostic = Diagnostic::new(Code::InvalidType, declared.name.span.clone(), message);
        diagnostics.push(diagnostic.help("keep one of `enum`, `composite` and `domain`"));
    }
    if let Some(declared_labels) = &declared.labels {
        return TypeKind::Enum(labels(declared, declared_labels, diagnostics));
    }
    if let Some(attributes) = &declared.attributes {
        if attributes.is_empty() && !declared.broken {
            let message = format!("type `{}` has no attributes", declared.name.value);
            let diagnostic =
                Diagnostic::new(Code::InvalidType, declared.name.span.clone(), message);
            diagnostics.push(diagnostic.help("write for instance `composite: {street: text?}`"));
        }
        let attributes = attributes
            .iter()
            .filter_map(|(name, text)| attribute(name, text, names, diagnostics))
            .collect();
        return TypeKind::Composite(attributes);
    }
    if let Some(domain) = &declared.domain {
        return match plain_type(domain, names, diagnostics) {
            Some((ty, false)) => TypeKind::Domain(ty),
            Some((_, true)) => {
                let message = "whether a value may be null is said by each column";
                let diagnostic = Diagnostic::new(Code::InvalidType, domain.span.clone(), message);
                diagnostics.push(diagnostic.help("remove the `?`"));
                TypeKind::Opaque
            }
            None => TypeKind::Opaque,
        };
    }
    TypeKind::Opaque
}

/// The type and whether it may be null.
fn plain_type(
    text: &Spanned<String>,
    names: column_type::Declared<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<(PgType, bool)> {
    match column_type::parse(&text.value, names) {
        Ok(parsed) if parsed.primary_key || parsed.parent => {
            let message = "only a column can be `pk` or `parent`";
            diagnostics.push(Diagnostic::new(
                Code::InvalidType,
                text.span.clone(),
                message,
            ));
            None
        }
        Ok(parsed) => Some((parsed.ty, parsed.nullable)),
        Err(problem) => {
            diagnostics.push(type_problem(text, problem, names));
            None
        }
    }
}

fn attribute(
    name: &Spanned<String>,
    text: &Spanned<String>,
    names: column_type::Declared<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Attribute> {
    if let Err(problem) = identifier::check(&name.value) {
        let message = format!("`{}` is no attribute: {problem}", name.value);
        diagnostics.push(Diagnostic::new(
            Code::InvalidIdentifier,
            name.span.clone(),
            message,
        ));
    }
    let (ty, nullable) = plain_type(text, names, diagnostics)?;
    if depends_on_search_path(&ty) {
        let message = "in a composite type, the text of this type depends on the search path";
        let diagnostic = Diagnostic::new(Code::InvalidType, text.span.clone(), message);
        diagnostics.push(
            diagnostic
                .help("declare the composite type as `{sql: NAME}` only: it then arrives as text"),
        );
        return None;
    }
    Some(Attribute {
        name: name.value.clone(),
        ty,
        nullable,
    })
}

/// Names of catalog objects print with or without their schema.
fn depends_on_search_path(ty: &PgType) -> bool {
    match ty {
        PgType::Builtin { builtin, .. } => builtin.capture == super::super::builtin::Capture::Oid,
        PgType::Array(element) => depends_on_search_path(element),
        PgType::Declared(_) => false,
    }
}

fn labels(declared: &TypeDecl, labels: &[LabelDecl], diagnostics: &mut Diagnostics) -> Vec<Label> {
    if labels.is_empty() && !declared.broken {
        let message = format!("enum `{}` has no labels", declared.name.value);
        let diagnostic = Diagnostic::new(Code::InvalidType, declared.name.span.clone(), message);
        diagnostics.push(diagnostic.help("write for instance `enum: [draft, live]`"));
    }
    let mut seen: Vec<(String, String, crate::diagnostic::Span)> = Vec::new();
    let mut read = Vec::new();
    for LabelDecl { label, variant } in labels {
        let place = variant.as_ref().unwrap_or(label);
        let variant = variant.as_ref().unwrap_or(label).value.to_pascal_case();
        let mut report = |message: String, help: &str| {
            let diagnostic = Diagnostic::new(Code::InvalidType, place.span.clone(), message);
            diagnostics.push(diagnostic.help(help));
        };
        if label.value.is_empty() || label.value.len() > LABEL_LENGTH || label.value.contains('\0')
        {
            report(
                format!("`{}` cannot be a label", label.value),
                "a label has 1 to 63 bytes",
            );
            continue;
        }
        if !identifier::is_rust_name(&variant) || variant == "Self" || variant == "Unknown" {
            report(
                format!("no Rust variant can be made of the label `{}`", label.value),
                "name the variants: `enum: {RustName: label}`",
            );
            continue;
        }
        if let Some((first, _, span)) = seen
            .iter()
            .find(|(other, known, _)| *known == variant || *other == label.value)
        {
            let message = format!(
                "the labels `{first}` and `{}` would both be `{variant}`",
                label.value
            );
            let diagnostic = Diagnostic::new(Code::InvalidType, place.span.clone(), message)
                .secondary(span.clone(), "taken here");
            diagnostics.push(diagnostic.help("name the variants: `enum: {RustName: label}`"));
            continue;
        }
        seen.push((label.value.clone(), variant.clone(), place.span.clone()));
        read.push(Label {
            label: label.value.clone(),
            variant,
        });
    }
    read
}

/// Whether a type leads to the type of an index.
fn contains(
    types: &[DeclaredType],
    kind: &TypeKind,
    wanted: usize,
    seen: &mut HashSet<usize>,
) -> bool {
    let parts: Vec<&PgType> = match kind {
        TypeKind::Composite(attributes) => {
            attributes.iter().map(|attribute| &attribute.ty).collect()
        }
        TypeKind::Domain(base) => vec![base],
        TypeKind::Enum(_) | TypeKind::Opaque => Vec::new(),
    };
    parts.into_iter().any(|ty| {
        let ty = match ty {
            PgType::Array(element) => element,
            ty => ty,
        };
        match ty {
            PgType::Declared(index) => {
                *index == wanted
                    || (seen.insert(*index) && contains(types, &types[*index].kind, wanted, seen))
            }
            _ => false,
        }
    })
}
