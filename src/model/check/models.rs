//! `models:`.

use std::collections::HashMap;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::schema::{ColumnDecl, Document, ModelDecl, Spanned};

use super::super::builtin::Equality;
use super::super::column_type::{self};
use super::super::{Column, DeclaredType, Model, Parent, PgType, QualifiedName, identifier};
use super::columns::{check_column, duplicate_columns};
use super::{extra, past};

/// The models of a file by name.
pub(super) struct Models<'d> {
    declared: &'d [ModelDecl],
    by_name: HashMap<&'d str, usize>,
    /// Index in the schema; an abstract model has none.
    concrete: Vec<Option<usize>>,
}

impl<'d> Models<'d> {
    fn new(declared: &'d [ModelDecl]) -> Self {
        let mut next = 0;
        let concrete = declared
            .iter()
            .map(|model| {
                (!model.is_abstract).then(|| {
                    next += 1;
                    next - 1
                })
            })
            .collect();
        Self {
            declared,
            by_name: declared
                .iter()
                .enumerate()
                .map(|(index, model)| (model.name.value.as_str(), index))
                .collect(),
            concrete,
        }
    }

    /// A model with a table, by its name; reports what is none.
    pub(super) fn find(
        &self,
        name: &Spanned<String>,
        diagnostics: &mut Diagnostics,
    ) -> Option<usize> {
        let declared = self.declared_model(name, diagnostics)?;
        let found = self.concrete[declared];
        if found.is_none() {
            let message = format!("model `{}` is abstract: it has no table", name.value);
            let diagnostic = Diagnostic::new(Code::UnknownModel, name.span.clone(), message)
                .secondary(self.declared[declared].name.span.clone(), "abstract");
            diagnostics.push(diagnostic.help("name a model that mixes it in"));
        }
        found
    }

    fn declared_model(
        &self,
        name: &Spanned<String>,
        diagnostics: &mut Diagnostics,
    ) -> Option<usize> {
        let found = self.by_name.get(name.value.as_str()).copied();
        if found.is_none() {
            let message = format!("there is no model `{}`", name.value);
            let diagnostic = Diagnostic::new(Code::UnknownModel, name.span.clone(), message);
            let names = self.declared.iter().map(|model| model.name.value.as_str());
            diagnostics.push(diagnostic.help_nearest(&name.value, names));
        }
        found
    }

    /// Columns with those of mixins first; reports what cannot be mixed in.
    fn columns(
        &self,
        index: usize,
        above: &mut Vec<usize>,
        diagnostics: &mut Diagnostics,
    ) -> Vec<&'d ColumnDecl> {
        let model = &self.declared[index];
        let mut columns = Vec::new();
        above.push(index);
        for name in &model.mixin {
            let report = |message: String, help: &str| {
                Diagnostic::new(Code::InvalidBase, name.span.clone(), message).help(help)
            };
            // The mistakes of a mixin are reported once, with the mixin itself.
            let mut own = Diagnostics::new();
            let reported = if above.len() == 1 {
                &mut *diagnostics
            } else {
                &mut own
            };
            let Some(mixin) = self.declared_model(name, reported) else {
                continue;
            };
            if above.contains(&mixin) {
                let message = format!("model `{}` mixes itself in", name.value);
                reported.push(report(message, "remove one `mixin` of the circle"));
            } else if !self.declared[mixin].is_abstract {
                let message = format!("model `{}` has a table of its own", name.value);
                reported.push(report(
                    message,
                    "mix in a model with `abstract: true`, or use `extends`",
                ));
            } else {
                columns.extend(self.columns(mixin, above, diagnostics));
            }
        }
        above.pop();
        columns.extend(model.columns.iter().flatten());
        columns
    }
}

pub(super) fn check<'d>(
    document: &'d Document,
    types: &[DeclaredType],
    chrono: bool,
    diagnostics: &mut Diagnostics,
) -> (Vec<Model>, Models<'d>) {
    let models = Models::new(&document.models);
    let names: Vec<(&str, QualifiedName)> = types
        .iter()
        .map(|ty| (ty.name.as_str(), ty.sql.clone()))
        .collect();
    let context = Context {
        names: &names,
        types,
        chrono,
    };
    let mut checked = Vec::new();
    for (index, declared) in document.models.iter().enumerate() {
        let columns = models.columns(index, &mut Vec::new(), diagnostics);
        let model = check_model(declared, &columns, &context, diagnostics);
        if !declared.is_abstract {
            checked.push(model);
        }
    }
    let declared: Vec<&ModelDecl> = document
        .models
        .iter()
        .filter(|model| !model.is_abstract)
        .collect();
    for (index, declared) in declared.iter().enumerate() {
        if let Some(extends) = &declared.extends {
            checked[index].parent =
                parent(index, declared, extends, &models, &checked, diagnostics);
        }
    }
    for (index, declared) in declared.iter().enumerate() {
        if extends_itself(&checked, index) {
            let message = format!("model `{}` extends itself", declared.name.value);
            let diagnostic =
                Diagnostic::new(Code::InvalidBase, declared.name.span.clone(), message);
            diagnostics.push(diagnostic.help("remove one `extends` of the circle"));
        }
    }
    (checked, models)
}

/// What columns are checked against.
pub(super) struct Context<'c> {
    pub names: column_type::Declared<'c>,
    pub types: &'c [DeclaredType],
    pub chrono: bool,
}

fn check_model(
    declared: &ModelDecl,
    columns: &[&ColumnDecl],
    context: &Context<'_>,
    diagnostics: &mut Diagnostics,
) -> Model {
    let what = &declared.name;
    if columns.is_empty() && declared.columns.is_some() {
        let message = format!("model `{}` has no columns", what.value);
        let diagnostic = Diagnostic::new(Code::InvalidValue, what.span.clone(), message);
        diagnostics.push(diagnostic.help("name at least one column, such as the primary key"));
    } else if !columns.is_empty()
        && columns.iter().all(|column| {
            column.never_captured || column.past.until.is_some() && !declared.is_abstract
        })
    {
        let message = format!("model `{}` captures none of its columns", what.value);
        let diagnostic = Diagnostic::new(Code::InvalidValue, what.span.clone(), message);
        diagnostics.push(diagnostic.help("capture at least one that is in the table"));
    }
    if declared.is_abstract {
        for (key, place) in [("table", &declared.table), ("extends", &declared.extends)] {
            if let Some(place) = place {
                let message = format!("an abstract model has no `{key}`");
                let diagnostic = Diagnostic::new(Code::InvalidOption, place.span.clone(), message);
                diagnostics.push(diagnostic.help("remove it, or `abstract`"));
            }
        }
    }
    if declared.is_abstract {
        let was = declared.was.iter().flatten().map(|name| &name.span);
        for place in was.chain(declared.oldest.iter().map(|oldest| &oldest.span)) {
            let message = "an abstract model has no versions";
            let diagnostic = Diagnostic::new(Code::InvalidOption, place.clone(), message);
            diagnostics.push(diagnostic.help("say it of the models that mix it in"));
        }
    }
    duplicate_columns(columns, diagnostics);
    let (gone, columns): (Vec<Column>, Vec<Column>) = columns
        .iter()
        .map(|column| {
            // A column of a mixin is reported with the mixin.
            let own = declared
                .columns
                .iter()
                .flatten()
                .any(|own| std::ptr::eq(own, *column));
            let mut elsewhere = Diagnostics::new();
            let reported = if own {
                &mut *diagnostics
            } else {
                &mut elsewhere
            };
            let mut column = check_column(column, context, reported);
            column.past.inherited = !own;
            column
        })
        .partition(|column| column.past.until.is_some());
    Model {
        name: what.value.clone(),
        doc: declared.doc.clone(),
        span: what.span.clone(),
        was: past::was(declared.was.as_ref(), &what.value, diagnostics),
        oldest: declared.oldest.clone(),
        table: table(declared, diagnostics),
        table_was: declared
            .table_was
            .as_ref()
            .map(|was| past::tables(was, diagnostics)),
        columns,
        gone,
        partitioned: declared.partitioned,
        parent: None,
        extra: extra::check(&declared.extra, diagnostics),
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

/// The columns that hold the parent's primary key.
fn parent(
    index: usize,
    declared: &ModelDecl,
    extends: &Spanned<String>,
    models: &Models<'_>,
    checked: &[Model],
    diagnostics: &mut Diagnostics,
) -> Option<Parent> {
    let base = models.find(extends, diagnostics)?;
    let own: Vec<usize> = models
        .columns_of(&declared.name.value)
        .iter()
        .filter(|column| column.past.until.is_none())
        .enumerate()
        .filter(|(_, column)| is_parent(column))
        .map(|(index, _)| index)
        .collect();
    let key: Vec<usize> = checked[base]
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.primary_key)
        .map(|(index, _)| index)
        .collect();
    let report = |message: String, help: String| {
        Diagnostic::new(Code::InvalidBase, extends.span.clone(), message).help(help)
    };
    if key.is_empty() {
        let message = format!("model `{}` has no primary key to refer to", extends.value);
        diagnostics.push(report(message, "mark its key with `pk`".into()));
        return None;
    }
    let names: Vec<String> = key
        .iter()
        .map(|column| format!("`{}`", checked[base].columns[*column].field))
        .collect();
    if own.len() != key.len() {
        let message = format!(
            "model `{}` marks {} columns as `parent`, and the primary key of `{}` has {}",
            declared.name.value,
            own.len(),
            extends.value,
            key.len()
        );
        let help = format!(
            "mark the columns that hold {}, for instance `author_id: bigint pk parent`",
            names.join(", ")
        );
        diagnostics.push(report(message, help));
        return None;
    }
    let pairs: Vec<(usize, usize)> = own.into_iter().zip(key).collect();
    for (own, key) in &pairs {
        let (own, key) = (&checked[index].columns[*own], &checked[base].columns[*key]);
        let comparable = matches!(&own.ty, PgType::Builtin { builtin, .. } if builtin.equality == Equality::Operator);
        if own.ty != key.ty || !comparable {
            let message = format!(
                "`{}` cannot hold `{}` of model `{}`: their types differ, or cannot be compared",
                own.field, key.field, extends.value
            );
            diagnostics.push(report(message, "give both the same type".into()));
            return None;
        }
    }
    Some(Parent {
        model: base,
        key: pairs,
    })
}

impl<'d> Models<'d> {
    /// All columns of a model, without another report.
    fn columns_of(&self, name: &str) -> Vec<&'d ColumnDecl> {
        self.by_name.get(name).map_or_else(Vec::new, |index| {
            self.columns(*index, &mut Vec::new(), &mut Diagnostics::new())
        })
    }
}

pub(super) fn is_parent(column: &ColumnDecl) -> bool {
    column.parent
        || column.ty.as_ref().is_some_and(|ty| {
            ty.value
                .split_whitespace()
                .skip(1)
                .any(|mark| mark == "parent")
        })
}

fn extends_itself(models: &[Model], index: usize) -> bool {
    let mut seen = Vec::new();
    let mut next = models[index].parent.as_ref().map(|parent| parent.model);
    while let Some(model) = next {
        if model == index {
            return true;
        }
        if seen.contains(&model) {
            return false;
        }
        seen.push(model);
        next = models[model].parent.as_ref().map(|parent| parent.model);
    }
    false
}
