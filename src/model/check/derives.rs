//! Derives that a type cannot have: better said here than by the compiler, in the middle of generated code.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::schema::{Document, Spanned};

use super::super::{Channel, ChannelKind, DeclaredType, FieldType, Model, PgType, TypeKind};

/// Derives that are looked at.
const CHECKED: [&str; 4] = ["Eq", "Hash", "PartialOrd", "Ord"];

pub(super) fn check(
    document: &Document,
    types: &[DeclaredType],
    models: &[Model],
    channels: &[Channel],
    diagnostics: &mut Diagnostics,
) {
    let everywhere = &document.generate.rust_derive;
    let types = &Types {
        types,
        everywhere: everywhere
            .iter()
            .map(|derive| derive.value.as_str())
            .collect(),
    };
    for (declared, ty) in document.types.iter().zip(types.types) {
        let TypeKind::Composite(attributes) = &ty.kind else {
            continue;
        };
        for derive in checked(everywhere).chain(checked(&declared.extra.derives)) {
            let lacking = attributes
                .iter()
                .find(|attribute| types.lacks(&attribute.ty, &derive.value));
            if let Some(attribute) = lacking {
                let what = format!("type `{}`", ty.name);
                report(derive, &what, &attribute.name, diagnostics);
            }
        }
    }
    let declared = document.models.iter().filter(|model| !model.is_abstract);
    for (declared, model) in declared.zip(models) {
        for derive in checked(everywhere).chain(checked(&declared.extra.derives)) {
            let all: Vec<usize> = (0..model.columns.len()).collect();
            if let Some(column) = lacking(model, &all, &derive.value, types) {
                let what = format!("model `{}`", model.name);
                report(derive, &what, &model.columns[column].field, diagnostics);
            }
            let gone = model
                .gone
                .iter()
                .find(|column| column.rust.is_none() && types.lacks(&column.ty, &derive.value));
            if let Some(column) = gone {
                let what = format!("model `{}`", model.name);
                report(derive, &what, &column.field, diagnostics);
            }
            if let Some(parent) = &model.parent
                && !derived(document, &models[parent.model].name, &derive.value)
            {
                let what = format!("model `{}`", model.name);
                report(derive, &what, &models[parent.model].name, diagnostics);
            }
        }
    }
    for (declared, channel) in document.channels.iter().zip(channels) {
        for derive in checked(&declared.extra.derives) {
            let what = format!("channel `{}`", channel.name);
            match &channel.kind {
                ChannelKind::Trigger(on) => {
                    let Some(model) = models.get(on.model) else {
                        continue;
                    };
                    for list in [&on.old, &on.new] {
                        match list {
                            Some(list) => {
                                if let Some(column) = lacking(model, list, &derive.value, types) {
                                    let field = &model.columns[column].field;
                                    report(derive, &what, field, diagnostics);
                                    break;
                                }
                            }
                            None if !derived(document, &model.name, &derive.value) => {
                                report(derive, &what, &model.name, diagnostics);
                                break;
                            }
                            None => {}
                        }
                    }
                }
                ChannelKind::Message { .. } => message(channel, derive, diagnostics),
            }
        }
    }
    for derive in checked(everywhere) {
        for channel in channels {
            message(channel, derive, diagnostics);
        }
    }
}

fn checked(derives: &[Spanned<String>]) -> impl Iterator<Item = &Spanned<String>> {
    derives
        .iter()
        .filter(|derive| CHECKED.contains(&derive.value.as_str()))
}

/// Whether the struct of a model has a derive.
fn derived(document: &Document, model: &str, derive: &str) -> bool {
    let own = document
        .models
        .iter()
        .filter(|declared| declared.name.value == model)
        .flat_map(|declared| &declared.extra.derives);
    own.chain(&document.generate.rust_derive)
        .any(|known| known.value == derive)
}

/// The first column whose type does not have the trait.
fn lacking(model: &Model, columns: &[usize], derive: &str, types: &Types<'_>) -> Option<usize> {
    columns.iter().copied().find(|index| {
        let column = &model.columns[*index];
        // Nobody knows what a chosen type has.
        column.captured && column.rust.is_none() && types.lacks(&column.ty, derive)
    })
}

/// The declared types, and the derives of all types.
struct Types<'t> {
    types: &'t [DeclaredType],
    everywhere: Vec<&'t str>,
}

impl Types<'_> {
    fn lacks(&self, ty: &PgType, derive: &str) -> bool {
        match ty {
            PgType::Builtin { builtin, .. } => builtin.lacks.contains(&derive),
            PgType::Array(element) => {
                ["PartialOrd", "Ord"].contains(&derive) || self.lacks(element, derive)
            }
            PgType::Declared(index) => {
                let declared = &self.types[*index];
                match &declared.kind {
                    TypeKind::Domain(base) => self.lacks(base, derive),
                    TypeKind::Composite(_) => {
                        !self.everywhere.contains(&derive)
                            && !declared.extra.derives.iter().any(|known| known == derive)
                    }
                    TypeKind::Enum(_) | TypeKind::Opaque => false,
                }
            }
        }
    }
}

fn message(channel: &Channel, derive: &Spanned<String>, diagnostics: &mut Diagnostics) {
    let ChannelKind::Message { fields, .. } = &channel.kind else {
        return;
    };
    let ordered = ["PartialOrd", "Ord"].contains(&derive.value.as_str());
    let lacking = fields
        .iter()
        .find(|field| field_lacks(&field.ty, ordered, derive.value == "PartialOrd"));
    if let Some(field) = lacking {
        let what = format!("channel `{}`", channel.name);
        report(derive, &what, &field.name, diagnostics);
    }
}

fn field_lacks(ty: &FieldType, ordered: bool, partial: bool) -> bool {
    let lacks = |ty: &FieldType| field_lacks(ty, ordered, partial);
    match ty {
        // It has an order, though not a total one.
        FieldType::Float => !partial,
        FieldType::Json => ordered,
        FieldType::List(item) | FieldType::Set(item) | FieldType::Optional(item) => lacks(item),
        FieldType::Map(_, value) => lacks(value),
        FieldType::Tuple(members) => members.iter().any(lacks),
        _ => false,
    }
}

fn report(derive: &Spanned<String>, what: &str, field: &str, diagnostics: &mut Diagnostics) {
    let message = format!(
        "`{}` cannot be derived for {what}: its `{field}` does not have it",
        derive.value
    );
    let diagnostic = Diagnostic::new(Code::InvalidRust, derive.span.clone(), message);
    diagnostics.push(diagnostic.help("leave it out, or choose another type with `rust`"));
}
