//! How generated code reads a field: by its key, and otherwise where an earlier version wrote it otherwise.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::{Column, Conversion, FieldType, MessageField, PgType, Schema};

use super::evolution::{Field, Seen, Source, resolve};
use super::ident::rust_literal;
use super::rust_types::{column_type, field_type, plain_type};

/// Expressions that read a field, by version; one without a pattern if all versions read alike.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RustRead {
    /// Arms; the last one is for all other versions.
    pub calls: Vec<RustCall>,
}

/// A call that reads a field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RustCall {
    /// Pattern of the versions.
    pub pattern: String,
    /// Function or method, with the object that it reads from.
    pub function: String,
    /// Arguments.
    pub arguments: Vec<String>,
}

/// What a field does when it is read in another way than by its key.
trait Readable {
    /// Reads the value under the first of some keys that is there.
    fn first(&self, keys: &[&str]) -> RustCall;
    /// Whether the usual call takes a default for what is absent.
    fn reads_absent(&self) -> bool;
    /// Converts a value of a former type.
    fn convert(&self, keys: &[&str], conversion: usize) -> RustCall;
}

impl RustRead {
    /// One call for all versions.
    pub(super) fn plain(function: &str, arguments: &[&str]) -> Self {
        Self {
            calls: vec![call(function, arguments.iter().map(ToString::to_string))],
        }
    }

    /// Whether it asks for the version.
    pub(super) fn is_versioned(&self) -> bool {
        self.calls.len() > 1
    }
}

fn call(function: impl Into<String>, arguments: impl IntoIterator<Item = String>) -> RustCall {
    RustCall {
        pattern: "_".to_owned(),
        function: function.into(),
        arguments: arguments.into_iter().collect(),
    }
}

/// Reads of the columns of a row type.
pub(super) fn columns(schema: &Schema, columns: &[&Column], seen: &[Seen]) -> Vec<RustRead> {
    let fields: Vec<Field<'_>> = columns
        .iter()
        .map(|column| Field::of_column(schema, column))
        .collect();
    columns
        .iter()
        .zip(&fields)
        .map(|(column, field)| {
            let readable = ColumnRead { schema, column };
            let usual = readable.usual();
            read(
                field,
                &fields,
                seen,
                column.default.is_some(),
                usual,
                &readable,
            )
        })
        .collect()
}

/// Reads of the fields of a message.
pub(super) fn message(schema: &Schema, declared: &[MessageField], seen: &[Seen]) -> Vec<RustRead> {
    let fields: Vec<Field<'_>> = declared
        .iter()
        .map(|field| Field::of_message(schema, field))
        .collect();
    declared
        .iter()
        .zip(&fields)
        .map(|(declared, field)| {
            let readable = MessageRead {
                schema,
                field: declared,
            };
            let usual = readable.usual();
            read(field, &fields, seen, false, usual, &readable)
        })
        .collect()
}

/// The usual call, unless a version needs another one.
fn read(
    field: &Field<'_>,
    all: &[Field<'_>],
    seen: &[Seen],
    has_default: bool,
    usual: RustCall,
    readable: &impl Readable,
) -> RustRead {
    let absent_is_usual = readable.reads_absent();
    let mut lenient = has_default || !field.was.is_empty() || field.gone && !absent_is_usual;
    let mut irregular: BTreeMap<u32, Vec<Source>> = BTreeMap::new();
    for found in seen {
        // What cannot be read has been reported before.
        let Ok(source) = resolve(field, all, found) else {
            continue;
        };
        let natural = match field.name_in(found) {
            Some(name) => Source::Key(name.to_owned()),
            None => Source::Absent,
        };
        if source != natural {
            irregular.entry(found.version).or_default().push(source);
            continue;
        }
        let null = found
            .columns
            .get(field.key)
            .is_some_and(|ty| ty.ends_with('?') && !field.nullable);
        lenient |= null
            || match natural {
                Source::Absent => !absent_is_usual,
                natural => natural != Source::Key(field.key.to_owned()),
            };
    }
    let names: Vec<&str> = field.names().collect();
    let usual = if lenient {
        readable.first(&names)
    } else {
        usual
    };
    let mut calls: Vec<(Vec<u32>, RustCall)> = Vec::new();
    for (version, sources) in irregular {
        let keys: Vec<&str> = sources
            .iter()
            .filter_map(|source| match source {
                Source::Key(key) | Source::Convert(key, _) => Some(key.as_str()),
                Source::Absent => None,
            })
            .collect();
        let conversion = sources.iter().find_map(|source| match source {
            Source::Convert(_, conversion) => Some(*conversion),
            _ => None,
        });
        let call = match conversion {
            Some(conversion) => readable.convert(&keys, conversion),
            None => readable.first(&keys),
        };
        match calls.iter_mut().find(|(_, known)| *known == call) {
            Some((versions, _)) => versions.push(version),
            None => calls.push((vec![version], call)),
        }
    }
    let mut calls: Vec<RustCall> = calls
        .into_iter()
        .map(|(versions, call)| RustCall {
            pattern: pattern(&versions),
            ..call
        })
        .collect();
    calls.push(usual);
    RustRead { calls }
}

/// Sorted versions as a pattern.
pub(super) fn pattern(versions: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for version in versions {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *version => *last = *version,
            _ => ranges.push((*version, *version)),
        }
    }
    let ranges: Vec<String> = ranges
        .into_iter()
        .map(|(first, last)| {
            if first == last {
                first.to_string()
            } else {
                format!("{first}..={last}")
            }
        })
        .collect();
    ranges.join(" | ")
}

fn array(keys: &[&str]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| rust_literal(key)).collect();
    format!("&[{}]", keys.join(", "))
}

struct ColumnRead<'s> {
    schema: &'s Schema,
    column: &'s Column,
}

impl ColumnRead<'_> {
    fn usual(&self) -> RustCall {
        let key = rust_literal(&self.column.column);
        let (_, usual) = column_type(self.column, &self.schema.types);
        let function = match usual {
            None => "object.field".to_owned(),
            Some(usual) if self.column.nullable => {
                format!("object.nullable_column_as::<{usual}, _>")
            }
            Some(usual) => format!("object.column_as::<{usual}, _>"),
        };
        call(function, [key])
    }
}

impl Readable for ColumnRead<'_> {
    fn reads_absent(&self) -> bool {
        false
    }

    fn first(&self, keys: &[&str]) -> RustCall {
        let (_, usual) = column_type(self.column, &self.schema.types);
        let (base, type_arguments) = match usual {
            None => ("first", String::new()),
            Some(usual) => ("first_as", format!("::<{usual}, _>")),
        };
        let keys = array(keys);
        match (&self.column.default, self.column.nullable) {
            (Some(default), false) => call(
                format!("object.{base}_or{type_arguments}"),
                [keys, rust_literal(default)],
            ),
            (_, true) => call(format!("object.nullable_{base}{type_arguments}"), [keys]),
            (None, false) => call(format!("object.{base}{type_arguments}"), [keys]),
        }
    }

    fn convert(&self, keys: &[&str], conversion: usize) -> RustCall {
        let conversion: &Conversion<PgType> = &self.column.past.from[conversion];
        let old = conversion
            .ty
            .as_ref()
            .map_or("_".to_owned(), |ty| plain_type(ty, &self.schema.types));
        let (_, usual) = column_type(self.column, &self.schema.types);
        let (method, default) = match (&self.column.default, self.column.nullable) {
            (_, true) => ("nullable_convert", None),
            (None, false) => ("convert", None),
            (Some(default), false) => ("convert_or", Some(rust_literal(default))),
        };
        let function = match usual.filter(|_| default.is_some()) {
            Some(usual) => format!("object.convert_as_or::<{old}, {usual}, _, _>"),
            None => format!("object.{method}::<{old}, _, _>"),
        };
        let arguments = [array(keys), conversion.function.clone()];
        call(function, arguments.into_iter().chain(default))
    }
}

struct MessageRead<'s> {
    schema: &'s Schema,
    field: &'s MessageField,
}

impl MessageRead<'_> {
    fn default(&self) -> Option<String> {
        self.field.default.as_ref()?;
        let name = super::ident::rust_field(&self.field.name);
        Some(format!("Self::default_{}", name.trim_start_matches("r#")))
    }

    fn is_optional(&self) -> bool {
        matches!(self.field.ty, FieldType::Optional(_))
    }

    fn usual(&self) -> RustCall {
        let key = rust_literal(&self.field.name);
        match self.default() {
            Some(default) => call("message.field_or", [key, default]),
            None => call("message.field", [key]),
        }
    }
}

impl Readable for MessageRead<'_> {
    fn reads_absent(&self) -> bool {
        self.field.default.is_some()
    }

    fn first(&self, keys: &[&str]) -> RustCall {
        let keys = array(keys);
        match self.default() {
            // A null that was sent is no absent value.
            Some(default) if self.is_optional() => call("message.present_or", [keys, default]),
            Some(default) => call("message.first_or_else", [keys, default]),
            None => call("message.first", [keys]),
        }
    }

    fn convert(&self, keys: &[&str], conversion: usize) -> RustCall {
        let conversion = &self.field.past.from[conversion];
        let old = conversion
            .ty
            .as_ref()
            .map_or("_".to_owned(), |ty| field_type(ty, &self.schema.types));
        let (method, default) = match self.default() {
            _ if self.is_optional() => ("nullable_convert", None),
            Some(default) => ("convert_or_else", Some(default)),
            None => ("convert", None),
        };
        let arguments = [array(keys), conversion.function.clone()];
        call(
            format!("message.{method}::<{old}, _, _>"),
            arguments.into_iter().chain(default),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn versions_are_ranges() {
        assert_eq!(pattern(&[1]), "1");
        assert_eq!(pattern(&[1, 2, 3, 5, 7, 8]), "1..=3 | 5 | 7..=8");
    }
}
