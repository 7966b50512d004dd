//! Composite types of PostgreSQL: what [`postgres_composite`](crate::postgres_composite) expands to calls.

use bytes::{BufMut, BytesMut};
use serde_json::Value;
use tokio_postgres::types::{Field, Format, FromSql, FromSqlOwned, IsNull, Kind, ToSql, Type};

use super::Boxed;
use crate::payload::DecodeError;
use crate::payload::from_column_text;
use crate::types::literal::record;
use crate::types::wire::{Reader, base, with_length};
use crate::types::{FromText, ParseError, ToText};

/// An attribute within the text of a record, where NULL has no text.
pub trait Attribute: Sized {
    /// # Errors
    /// The text is no value of the type, or there is none and the type has no NULL.
    fn from_attribute(text: Option<&str>) -> Result<Self, ParseError>;

    /// The text; `None` is NULL.
    fn to_attribute(&self) -> Option<String>;
}

impl<T: ToText> Attribute for T {
    fn from_attribute(text: Option<&str>) -> Result<Self, ParseError> {
        let null = || ParseError::new("value of an attribute that is never NULL", "NULL");
        text.ok_or_else(null).and_then(T::from_text)
    }

    fn to_attribute(&self) -> Option<String> {
        Some(self.to_text())
    }
}

impl<T: ToText> Attribute for Option<T> {
    fn from_attribute(text: Option<&str>) -> Result<Self, ParseError> {
        text.map(T::from_text).transpose()
    }

    fn to_attribute(&self) -> Option<String> {
        self.as_ref().map(T::to_text)
    }
}

/// The attributes of a record's text, one after the other.
#[derive(Debug)]
pub struct RecordReader {
    attributes: std::vec::IntoIter<Option<String>>,
}

impl RecordReader {
    /// # Errors
    /// The text is no record, or one of another number of attributes.
    pub fn new(text: &str, names: &[&str]) -> Result<Self, ParseError> {
        let mut attributes =
            record::parse(text).ok_or_else(|| ParseError::new("composite", text))?;
        // A record without attributes looks like one with a single NULL.
        if names.is_empty() && attributes == [None] {
            attributes.clear();
        }
        if attributes.len() != names.len() {
            let what = "composite of as many attributes as the generated type has";
            return Err(ParseError::new(what, text));
        }
        Ok(Self {
            attributes: attributes.into_iter(),
        })
    }

    /// The next attribute.
    ///
    /// # Errors
    /// It does not fit the type of its field.
    pub fn attribute<T: Attribute>(&mut self) -> Result<T, ParseError> {
        T::from_attribute(self.attributes.next().flatten().as_deref())
    }
}

/// Writes the text of a record.
pub fn record_text<const N: usize>(attributes: [Option<String>; N]) -> String {
    record::write(attributes.into_iter())
}

/// Reads a composite from a payload.
///
/// # Errors
/// The value is no string, or not the text of the composite.
pub fn decode<T: FromText>(value: &Value) -> Result<T, DecodeError> {
    from_column_text(value, "a composite as text")
}

fn fields(ty: &Type) -> Option<&[Field]> {
    match base(ty).kind() {
        Kind::Composite(fields) => Some(fields),
        _ => None,
    }
}

/// Whether a type is a composite of as many attributes, or a domain over one.
pub fn has_attributes(ty: &Type, names: &[&str]) -> bool {
    fields(ty).is_some_and(|fields| fields.len() == names.len())
}

fn has_attribute(ty: &Type, name: &str, accepts: fn(&Type) -> bool) -> bool {
    let mut fields = fields(ty).unwrap_or_default().iter();
    fields.any(|field| field.name() == name && accepts(base(field.type_())))
}

/// Whether an attribute is there, and can be read as the type of the field that `_field` returns.
pub fn reads<S, T: FromSqlOwned>(ty: &Type, name: &str, _field: fn(&S) -> &T) -> bool {
    has_attribute(ty, name, <T as FromSql>::accepts)
}

/// Whether an attribute is there, and can be written from the type of the field that `_field` returns.
pub fn writes<S, T: ToSql>(ty: &Type, name: &str, _field: fn(&S) -> &T) -> bool {
    has_attribute(ty, name, <T as ToSql>::accepts)
}

/// The attributes of a binary composite, by name.
#[derive(Debug)]
pub struct Attributes<'t, 'a> {
    attributes: Vec<(&'t Field, Option<&'a [u8]>)>,
}

impl<'t, 'a> Attributes<'t, 'a> {
    /// # Errors
    /// The bytes are no composite of this type.
    pub fn new(ty: &'t Type, raw: &'a [u8]) -> Result<Self, Boxed> {
        let fields = fields(ty).ok_or("not a composite type")?;
        let mut reader = Reader::new(raw);
        if reader.count()? != fields.len() {
            return Err("a composite of another number of attributes than its type".into());
        }
        let mut attributes = Vec::new();
        for field in fields {
            let _type = reader.i32()?;
            attributes.push((field, reader.nullable()?));
        }
        reader.end()?;
        Ok(Self { attributes })
    }

    /// One attribute.
    ///
    /// # Errors
    /// It is not there, or does not fit the type of its field.
    pub fn get<T: FromSql<'a>>(&self, name: &str) -> Result<T, Boxed> {
        let found = self
            .attributes
            .iter()
            .find(|(field, _)| field.name() == name);
        let (field, raw) = found.ok_or_else(|| format!("there is no attribute {name}"))?;
        T::from_sql_nullable(base(field.type_()), *raw)
            .map_err(|error| format!("attribute {name}: {error}").into())
    }
}

/// A field for an attribute, and the attribute's name.
pub type Member<'a> = (&'static str, &'a (dyn ToSql + Sync));

fn member<'a>(members: &[Member<'a>], field: &Field) -> Result<&'a (dyn ToSql + Sync), Boxed> {
    let found = members.iter().find(|(name, _)| *name == field.name());
    found
        .map(|(_, value)| *value)
        .ok_or_else(|| format!("there is no field for the attribute {}", field.name()).into())
}

/// Text, if a member has no binary form here.
pub fn format(ty: &Type, members: &[Member<'_>]) -> Format {
    let as_text = |field: &Field| {
        let value = member(members, field).ok();
        value.is_some_and(|value| matches!(value.encode_format(base(field.type_())), Format::Text))
    };
    if fields(ty).unwrap_or_default().iter().any(as_text) {
        Format::Text
    } else {
        Format::Binary
    }
}

/// Writes a composite in binary.
///
/// # Errors
/// The type is no composite, or has an attribute without a member.
pub fn write(ty: &Type, members: &[Member<'_>], out: &mut BytesMut) -> Result<IsNull, Boxed> {
    let fields = fields(ty).ok_or("not a composite type")?;
    out.put_i32(i32::try_from(fields.len())?);
    for field in fields {
        let value = member(members, field)?;
        out.put_u32(field.type_().oid());
        with_length(out, |out| value.to_sql_checked(base(field.type_()), out))?;
    }
    Ok(IsNull::No)
}

/// Makes a generated struct the type of a composite of PostgreSQL: of columns, parameters and results.
///
/// The fields are in the order of the attributes. Each is of a type with [`FromText`](crate::types::FromText),
/// [`ToText`](crate::types::ToText), `FromSql` and `ToSql`, or an `Option` of one.
///
/// ```ignore
/// pgpubsub_runtime::postgres_composite!(Address { street: "street", zip_code: "zip code" });
/// ```
#[macro_export]
macro_rules! postgres_composite {
    ($type:ident { $($field:ident: $attribute:literal),* $(,)? }) => {
        impl $crate::types::FromText for $type {
            fn from_text(text: &str) -> ::core::result::Result<Self, $crate::types::ParseError> {
                #[allow(unused_mut, unused_variables)] // of a composite without attributes
                let mut record =
                    $crate::generated::composite::RecordReader::new(text, &[$($attribute),*])?;
                ::core::result::Result::Ok(Self { $($field: record.attribute()?),* })
            }
        }

        impl $crate::types::ToText for $type {
            fn to_text(&self) -> ::std::string::String {
                $crate::generated::composite::record_text([
                    $($crate::generated::composite::Attribute::to_attribute(&self.$field)),*
                ])
            }
        }

        impl $crate::payload::Decode for $type {
            fn decode(
                value: &$crate::serde_json::Value,
            ) -> ::core::result::Result<Self, $crate::payload::DecodeError> {
                $crate::generated::composite::decode(value)
            }
        }

        impl<'a> $crate::tokio_postgres::types::FromSql<'a> for $type {
            fn from_sql(
                ty: &$crate::tokio_postgres::types::Type,
                raw: &'a [u8],
            ) -> ::core::result::Result<Self, $crate::generated::Boxed> {
                #[allow(unused_variables)] // of a composite without attributes
                let attributes = $crate::generated::composite::Attributes::new(ty, raw)?;
                ::core::result::Result::Ok(Self { $($field: attributes.get($attribute)?),* })
            }

            fn accepts(ty: &$crate::tokio_postgres::types::Type) -> bool {
                $crate::generated::composite::has_attributes(ty, &[$($attribute),*])
                    $(&& $crate::generated::composite::reads(
                        ty,
                        $attribute,
                        |value: &$type| &value.$field,
                    ))*
            }
        }

        impl $crate::tokio_postgres::types::ToSql for $type {
            fn to_sql(
                &self,
                ty: &$crate::tokio_postgres::types::Type,
                out: &mut $crate::generated::BytesMut,
            ) -> ::core::result::Result<
                $crate::tokio_postgres::types::IsNull,
                $crate::generated::Boxed,
            > {
                let members: &[$crate::generated::composite::Member<'_>] =
                    &[$(($attribute, &self.$field)),*];
                match $crate::generated::composite::format(ty, members) {
                    $crate::tokio_postgres::types::Format::Binary => {
                        $crate::generated::composite::write(ty, members, out)
                    }
                    $crate::tokio_postgres::types::Format::Text => {
                        out.extend_from_slice($crate::types::ToText::to_text(self).as_bytes());
                        ::core::result::Result::Ok($crate::tokio_postgres::types::IsNull::No)
                    }
                }
            }

            fn accepts(ty: &$crate::tokio_postgres::types::Type) -> bool {
                $crate::generated::composite::has_attributes(ty, &[$($attribute),*])
                    $(&& $crate::generated::composite::writes(
                        ty,
                        $attribute,
                        |value: &$type| &value.$field,
                    ))*
            }

            fn encode_format(
                &self,
                ty: &$crate::tokio_postgres::types::Type,
            ) -> $crate::tokio_postgres::types::Format {
                $crate::generated::composite::format(ty, &[$(($attribute, &self.$field)),*])
            }

            $crate::tokio_postgres::types::to_sql_checked!();
        }
    };
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::payload::Decode as _;
    use crate::types::{FromText as _, PgArray, ToText as _};

    #[derive(Clone, Debug, PartialEq)]
    struct Inner {
        name: Option<String>,
        count: i32,
    }
    postgres_composite!(Inner {
        name: "name",
        count: "count"
    });

    #[derive(Clone, Debug, PartialEq)]
    struct Outer {
        inner: Inner,
        list: PgArray<Inner>,
    }
    postgres_composite!(Outer {
        inner: "inner",
        list: "list"
    });

    /// A name that the macro must not take for its own.
    #[derive(Debug, PartialEq)]
    struct Type {
        result: Option<i32>,
    }
    postgres_composite!(Type { result: "result" });

    #[derive(Debug, PartialEq)]
    struct Nothing {}
    postgres_composite!(Nothing {});

    #[test]
    fn composites_nest() {
        let inner = Inner {
            name: Some("a \"b\", \\c".into()),
            count: -1,
        };
        let outer = Outer {
            inner: inner.clone(),
            list: PgArray::from(vec![
                inner,
                Inner {
                    name: None,
                    count: 0,
                },
            ]),
        };
        assert_eq!(Outer::from_text(&outer.to_text()), Ok(outer));
        assert_eq!(Type::from_text("()"), Ok(Type { result: None }));
        assert_eq!(Nothing::from_text("()"), Ok(Nothing {}));
    }

    #[test]
    fn what_is_no_value_of_the_composite_is_an_error() {
        for text in ["(a)", "(a,1,2)", "(a,)", "(a,b)", "a,1", ""] {
            assert!(Inner::from_text(text).is_err(), "{text}");
        }
        assert!(Inner::decode(&json!({"name": null, "count": 1})).is_err());
        assert_eq!(
            Inner::decode(&json!("(,x)")).map_err(|error| error.to_string()),
            Err("the payload does not decode: \"x\" is no integer".into())
        );
    }
}
