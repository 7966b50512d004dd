//! `models:`.

use crate::diagnostic::{Code, Diagnostic, Diagnostics, by_alias};
use crate::schema::{ColumnDecl, ModelDecl, Spanned};

use super::super::column_type::{self, Problem};
use super::super::{Column, Model, PgType, QualifiedName, identifier};

pub(super) fn check(declared: &[ModelDecl], diagnostics: &mut Diagnostics) -> Vec<Model> {
    declared
        .iter()
        .map(|model| check_model(model, diagnostics))
        .collect()
}

fn check_model(declared: &ModelDecl, diagnostics: &mut Diagnostics) -> Model {
    let columns = declared.columns.as_deref().unwrap_or_default();
    if declared.columns.as_ref().is_some_and(Vec::is_empty) {
        let message = format!("model `{}` has no columns", declared.name.value);
        let diagnostic = Diagnostic::new(Code::InvalidValue, declared.name.span.clone(), message);
        diagnostics.push(diagnostic.help("name at least one column, such as the primary key"));
    }
    duplicate_columns(columns, diagnostics);
    Model {
        name: declared.name.value.clone(),
        doc: declared.doc.clone(),
        table: table(declared, diagnostics),
        columns: columns
            .iter()
            .map(|column| check_column(column, diagnostics))
            .collect(),
    }
}

fn table(declared: &ModelDecl, diagnostics: &mut Diagnostics) -> QualifiedName {
    let default = QualifiedName {
        schema: "public".into(),
        name: declared.name.value.clone(),
    };
    let Some(table) = &declared.table else {
        return default;
    };
    identifier::table(&table.value).unwrap_or_else(|problem| {
        let message = format!("`{}` is no table: {problem}", table.value);
        let diagnostic = Diagnostic::new(Code::InvalidIdentifier, table.span.clone(), message);
        diagnostics.push(
            diagnostic.help("write it as in SQL: `author`, `app.author` or `app.\"Author Table\"`"),
        );
        default
    })
}

/// Name in the table, and where it is said.
fn column_name(declared: &ColumnDecl) -> &Spanned<String> {
    declared.column.as_ref().unwrap_or(&declared.name)
}

fn duplicate_columns(columns: &[ColumnDecl], diagnostics: &mut Diagnostics) {
    for (index, column) in columns.iter().enumerate() {
        let name = column_name(column);
        let first = columns[..index]
            .iter()
            .map(column_name)
            .find(|first| first.value == name.value);
        if let Some(first) = first {
            let message = format!("the column \"{}\" is there twice", name.value);
            let diagnostic = Diagnostic::new(Code::DuplicateColumn, name.span.clone(), message)
                .label("again here")
                .secondary(first.span.clone(), "first here");
            diagnostics.push(diagnostic.help("two fields cannot stand for one column"));
        }
    }
}

fn check_column(declared: &ColumnDecl, diagnostics: &mut Diagnostics) -> Column {
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
    let (mut ty, mut nullable, mut primary_key) = (PgType::Text, false, declared.primary_key);
    if let Some(text) = &declared.ty {
        match column_type::parse(&text.value) {
            Ok(parsed) => {
                ty = parsed.ty;
                nullable = parsed.nullable;
                primary_key |= parsed.primary_key;
                if nullable && primary_key {
                    let message = "a column of the primary key cannot be null";
                    let diagnostic =
                        Diagnostic::new(Code::InvalidColumnType, text.span.clone(), message);
                    diagnostics.push(diagnostic.help("remove the `?`"));
                }
            }
            Err(problem) => diagnostics.push(type_problem(text, problem)),
        }
    }
    Column {
        field: declared.name.value.clone(),
        column: column_name(declared).value.clone(),
        doc: declared.doc.clone(),
        ty,
        nullable,
        primary_key,
    }
}

fn type_problem(text: &Spanned<String>, problem: Problem) -> Diagnostic {
    match problem {
        Problem::Unknown(name) => {
            let message = format!("there is no column type `{name}`");
            help_type(
                Diagnostic::new(Code::UnknownColumnType, text.span.clone(), message),
                &name,
                &column_type::NAMES,
                &column_type::ALIASES,
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

/// The name that other languages have for it, or the nearest one.
pub(super) fn help_type(
    diagnostic: Diagnostic,
    name: &str,
    names: &[&str],
    aliases: &[(&str, &str)],
) -> Diagnostic {
    match by_alias(name, aliases) {
        Some(known) => diagnostic.help(format!("write `{known}`")),
        None => diagnostic.help_nearest(name, names.iter().copied()),
    }
}
