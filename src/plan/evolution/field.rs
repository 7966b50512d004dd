//! Where a column or field of today stands in a payload of an earlier version.

use crate::model::{Column, MessageField, Schema};

use super::super::rust_message::yaml_type;
use super::super::rust_types;
use super::Seen;
use super::compatible;

/// A column, or a field of a message, as its reader wants it.
#[derive(Clone, Debug)]
pub(in crate::plan) struct Field<'s> {
    /// Name in the payload.
    pub key: &'s str,
    /// Former names in the payload.
    pub was: &'s [String],
    /// Type, without `?`.
    pub ty: String,
    /// Whether nothing can be said.
    pub nullable: bool,
    /// Whether there is a value for when nothing is said.
    pub default: bool,
    /// Last version that had it.
    pub until: Option<u32>,
    /// Whether it is gone, since whichever version.
    pub gone: bool,
    /// Types that it had, as shapes have them.
    pub from: Vec<String>,
    /// Former types that read as the current one without more ado.
    compatible: fn(&str, &str) -> bool,
}

/// Where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::plan) enum Source {
    /// Under this key, as a value of today's type.
    Key(String),
    /// Under this key, as a value of a former type: the index of the conversion.
    Convert(String, usize),
    /// Nowhere.
    Absent,
}

/// Why it cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::plan) enum Unreadable {
    /// It is not there, and nothing can stand for it.
    Absent,
    /// It has another type.
    Type(String),
    /// It can be null, and nothing can stand for that.
    Null,
}

impl<'s> Field<'s> {
    pub(in crate::plan) fn of_column(schema: &Schema, column: &'s Column) -> Self {
        let from = column.past.from.iter().map(|conversion| {
            let ty = conversion.ty.as_ref();
            ty.map_or_else(
                || conversion.text.clone(),
                |ty| rust_types::shape(ty, &schema.types),
            )
        });
        Self {
            key: &column.column,
            was: column.past.former_names(),
            ty: rust_types::shape(&column.ty, &schema.types),
            nullable: column.nullable,
            default: column.default.is_some(),
            gone: column.past.until.is_some(),
            until: column.past.own_until().map(|until| until.value),
            from: from.collect(),
            compatible: compatible::columns,
        }
    }

    pub(in crate::plan) fn of_message(schema: &Schema, field: &'s MessageField) -> Self {
        let from = field.past.from.iter().map(|conversion| {
            let ty = conversion.ty.as_ref();
            ty.map_or_else(
                || conversion.text.clone(),
                |ty| yaml_type(ty, &schema.types),
            )
        });
        let ty = yaml_type(&field.ty, &schema.types);
        let (plain, nullable) = split(&ty);
        Self {
            key: &field.name,
            was: field.past.former_names(),
            ty: plain.to_owned(),
            nullable,
            default: field.default.is_some() && !nullable,
            gone: field.past.until.is_some(),
            until: field.past.own_until().map(|until| until.value),
            from: from.collect(),
            compatible: compatible::fields,
        }
    }

    /// The name that is there, if one is: that of today, or a former one.
    pub(in crate::plan) fn name_in<'n>(&'n self, seen: &Seen) -> Option<&'n str> {
        self.names()
            .find(|name| seen.columns.contains_key::<str>(*name))
    }

    /// The name of today and the former ones.
    pub(in crate::plan) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.key).chain(self.was.iter().map(String::as_str))
    }
}

/// Where a field stands in a payload; `all` are the fields of its reader.
pub(in crate::plan) fn resolve(
    field: &Field<'_>,
    all: &[Field<'_>],
    seen: &Seen,
) -> Result<Source, Unreadable> {
    let absent = || match field.nullable || field.default {
        true => Ok(Source::Absent),
        false => Err(Unreadable::Absent),
    };
    if field.until.is_some_and(|until| seen.version > until) {
        return absent();
    }
    // A name that belonged to another field then: that one has another name today.
    let is_taken = |name: &str| {
        name == field.key
            && all.iter().any(|other| {
                other.key != field.key
                    && other.was.iter().any(|was| was == name)
                    && !seen.columns.contains_key(other.key)
            })
    };
    let mut names = field.names();
    let Some((name, found)) = names.find_map(|name| {
        let found = seen.columns.get(name)?;
        (!is_taken(name)).then_some((name, found))
    }) else {
        return absent();
    };
    let (ty, nullable) = split(found);
    if nullable && !field.nullable && !field.default {
        return Err(Unreadable::Null);
    }
    if ty == field.ty {
        return Ok(Source::Key(name.to_owned()));
    }
    match field.from.iter().position(|from| from == ty) {
        Some(conversion) => Ok(Source::Convert(name.to_owned(), conversion)),
        None if (field.compatible)(ty, &field.ty) => Ok(Source::Key(name.to_owned())),
        None => Err(Unreadable::Type(ty.to_owned())),
    }
}

/// A type of a shape without its `?`, and whether it had one.
pub(super) fn split(ty: &str) -> (&str, bool) {
    match ty.strip_suffix('?') {
        Some(ty) => (ty, true),
        None => (ty, false),
    }
}
