//! Columns of a model: names, types, past.

use std::collections::HashMap;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, by_alias};
use crate::schema::{ColumnDecl, Spanned};

use super::super::builtin::BUILTINS;
use super::super::column_type::{self, Problem};
use super::super::{Column, Past, PgType, column_default, identifier};
use super::models::{Context, is_parent};
use super::{extra, past};

/// Name in the table, and where it is said.
pub(super) fn column_name(declared: &ColumnDecl) -> &Spanned<String> {
    declared.column.as_ref().unwrap_or(&declared.name)
}

pub(super) fn duplicate_columns(columns: &[&ColumnDecl], diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<&str, &Spanned<String>> = HashMap::new();
    for column in columns {
        let name = column_name(column);
        if let Some(first) = seen.insert(&name.value, name) {
            let message = format!("the column \"{}\" is there twice", name.value);
            let diagnostic = Diagnostic::new(Code::DuplicateColumn, name.span.clone(), message)
                .label("again here")
                .secondary(first.span.clone(), "first here");
            diagnostics.push(diagnostic.help("two fields cannot stand for one column"));
        }
    }
}

pub(super) fn check_column(
    declared: &ColumnDecl,
    context: &Context<'_>,
    diagnostics: &mut Diagnostics,
) -> Column {
    if let Some(column) = &declared.column
        && let Err(problem) = identifier::check(&column.value)
    {
        let message = format!("`{}` is no column: {problem}", column.value);
        diagnostics.push(Diagnostic::new(
            Code::InvalidIdentifier,
            column.span.clone(),
            message,
        ));
    }
    let mut column = Column {
        field: declared.name.value.clone(),
        column: column_name(declared).value.clone(),
        doc: declared.doc.clone(),
        ty: PgType::Builtin {
            builtin: &BUILTINS[0],
            modifier: String::new(),
        },
        nullable: false,
        primary_key: declared.primary_key,
        captured: !declared.never_captured,
        rust: None,
        default: None,
        past: Past::none(declared.name.span.clone()),
    };
    let Some(text) = &declared.ty else {
        return column;
    };
    match column_type::parse(&text.value, context.names) {
        Ok(parsed) => {
            column.ty = parsed.ty;
            column.nullable = parsed.nullable;
            column.primary_key |= parsed.primary_key;
            if column.nullable && column.primary_key {
                let message = "a column of the primary key cannot be null";
                let diagnostic =
                    Diagnostic::new(Code::InvalidColumnType, text.span.clone(), message);
                diagnostics.push(diagnostic.help("remove the `?`"));
            }
            column.rust = rust(declared, &column.ty, context, diagnostics);
            column_past(declared, &mut column, context, diagnostics);
        }
        Err(problem) => diagnostics.push(type_problem(text, problem, context.names)),
    }
    column
}

/// What a column was, and its default for versions that lack it.
fn column_past(
    declared: &ColumnDecl,
    column: &mut Column,
    context: &Context<'_>,
    diagnostics: &mut Diagnostics,
) {
    let parse = |text: &str| {
        let parsed = column_type::parse(text, context.names).ok()?;
        Some(parsed.ty)
    };
    let name = &declared.name;
    column.past = past::check(&declared.past, name, &column.column, parse, diagnostics);
    if let Some(default) = &declared.default {
        match column_default::from_node(&column.ty, &default.node, context.types) {
            Ok(json) => column.default = Some(json),
            Err(problem) => {
                let message = format!(
                    "the default of `{}` does not fit its type: {problem}",
                    name.value
                );
                let span = default.node.span.clone();
                diagnostics.push(Diagnostic::new(Code::InvalidDefault, span, message));
            }
        }
    }
    let Some(until) = &declared.past.until else {
        return;
    };
    let said = [
        ("pk", column.primary_key),
        ("parent", is_parent(declared)),
        ("capture", declared.never_captured),
        ("default", declared.default.is_some()),
    ];
    for (key, _) in said.iter().filter(|(_, said)| *said) {
        let message = format!("a column that is gone has no `{key}`");
        let diagnostic = Diagnostic::new(Code::Incompatible, until.span.clone(), message);
        diagnostics.push(diagnostic.help(format!("remove `{key}`, or `until`")));
    }
    // Nobody sends it any more.
    column.nullable = true;
}

/// The Rust type that was chosen for a column.
fn rust(
    declared: &ColumnDecl,
    ty: &PgType,
    context: &Context<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<String> {
    let choices: Vec<(&str, String)> = match ty.behind_domains(context.types) {
        PgType::Builtin { builtin, .. } => builtin
            .choices
            .iter()
            .map(|(word, ty)| (*word, (*ty).to_owned()))
            .collect(),
        // Filled in by the plan, which knows the name of the element.
        PgType::Array(_) => vec![("vec", "vec".to_owned())],
        PgType::Declared(_) => Vec::new(),
    };
    if let Some(rust) = &declared.rust {
        return extra::path(rust, &choices, diagnostics);
    }
    if let PgType::Declared(index) = ty
        && let Some(rust) = &context.types[*index].rust
    {
        return Some(rust.clone());
    }
    let is_time = matches!(ty, PgType::Builtin { builtin, .. } if builtin.name != "interval");
    choices
        .into_iter()
        .find(|(word, _)| context.chrono && is_time && *word == "chrono")
        .map(|(_, ty)| ty)
}

pub(super) fn type_problem(
    text: &Spanned<String>,
    problem: Problem,
    names: column_type::Declared<'_>,
) -> Diagnostic {
    match problem {
        Problem::Unknown(name) => {
            let message = format!("there is no column type `{name}`");
            let known = BUILTINS
                .iter()
                .map(|builtin| builtin.name)
                .chain(names.iter().map(|(name, _)| *name));
            help_type(
                Diagnostic::new(Code::UnknownColumnType, text.span.clone(), message),
                &name,
                known,
                &column_type::ALIASES,
                "a type of yours is declared under `types`; the book lists all others",
            )
        }
        Problem::Impossible(message, help) => {
            let diagnostic = Diagnostic::new(Code::InvalidColumnType, text.span.clone(), message);
            match help {
                Some(help) => diagnostic.help(help),
                None => diagnostic,
            }
        }
    }
}

/// The name that other languages have for it, or the nearest one, or where to look.
pub(super) fn help_type<'n>(
    diagnostic: Diagnostic,
    name: &str,
    names: impl IntoIterator<Item = &'n str>,
    aliases: &[(&str, &str)],
    otherwise: &str,
) -> Diagnostic {
    match by_alias(name, aliases) {
        Some(known) => diagnostic.help(format!("write `{known}`")),
        None => match crate::diagnostic::nearest(name, names) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.help(otherwise),
        },
    }
}
