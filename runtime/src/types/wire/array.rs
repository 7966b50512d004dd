//! Arrays: number of dimensions, whether there are NULLs, type of the elements, dimensions, elements.

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{Format, FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};

use super::{Boxed, Reader, base, with_length};
use crate::types::array::MAX_DIMENSIONS;
use crate::types::{Dimension, PgArray, ToText};

/// Type of the elements.
fn member(ty: &Type) -> Option<&Type> {
    match base(ty).kind() {
        Kind::Array(member) => Some(member),
        _ => None,
    }
}

fn required(ty: &Type) -> Result<&Type, Boxed> {
    member(ty).ok_or_else(|| format!("{ty} is no array").into())
}

impl<'a, T: FromSql<'a>> FromSql<'a> for PgArray<T> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
        let member = base(required(ty)?);
        let mut reader = Reader::new(raw);
        let depth = reader.count()?;
        if depth > MAX_DIMENSIONS {
            return Err("an array of too many dimensions".into());
        }
        let (_has_nulls, _member) = (reader.i32()?, reader.i32()?);
        let mut dimensions = Vec::new();
        for _ in 0..depth {
            let (len, lower) = (reader.count()?, reader.i32()?);
            dimensions.push(Dimension { len, lower });
        }
        let count = dimensions
            .iter()
            .try_fold(1_usize, |count, each| count.checked_mul(each.len))
            .ok_or("an array of too many elements")?;
        let mut elements = Vec::new();
        for _ in 0..if depth == 0 { 0 } else { count } {
            let element = reader.nullable()?;
            elements.push(element.map(|raw| T::from_sql(member, raw)).transpose()?);
        }
        reader.end()?;
        Self::new(dimensions, elements).ok_or_else(|| "an array with impossible dimensions".into())
    }

    fn accepts(ty: &Type) -> bool {
        member(ty).is_some_and(|member| T::accepts(base(member)))
    }
}

impl<T: ToSql + ToText> ToSql for PgArray<T> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        if matches!(self.encode_format(ty), Format::Text) {
            out.extend_from_slice(self.to_text().as_bytes());
            return Ok(IsNull::No);
        }
        let member = required(ty)?;
        out.put_i32(i32::try_from(self.dimensions().len())?);
        out.put_i32(i32::from(self.iter().any(Option::is_none)));
        out.put_u32(member.oid());
        for dimension in self.dimensions() {
            out.put_i32(i32::try_from(dimension.len)?);
            out.put_i32(dimension.lower);
        }
        for element in self.iter() {
            with_length(out, |out| element.to_sql(base(member), out))?;
        }
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        member(ty).is_some_and(|member| T::accepts(base(member)))
    }

    /// Text, if an element has no binary form here.
    fn encode_format(&self, ty: &Type) -> Format {
        let Some(member) = member(ty) else {
            return Format::Binary;
        };
        let as_text = |element: &T| matches!(element.encode_format(base(member)), Format::Text);
        if self.iter().flatten().any(as_text) {
            Format::Text
        } else {
            Format::Binary
        }
    }

    to_sql_checked!();
}
