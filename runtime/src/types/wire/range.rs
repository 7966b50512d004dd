//! Ranges (a byte of flags, and the bounds that there are) and multiranges (a count, and the ranges after their lengths).

use std::ops::Bound;

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{Format, FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};

use super::{Boxed, Reader, base, with_length};
use crate::types::{PgMultirange, PgRange, ToText};

const EMPTY: u8 = 0x01;
const LOWER_INCLUDED: u8 = 0x02;
const UPPER_INCLUDED: u8 = 0x04;
const LOWER_UNBOUNDED: u8 = 0x08;
const UPPER_UNBOUNDED: u8 = 0x10;

/// Type of the bounds of a range.
fn subtype(ty: &Type) -> Option<&Type> {
    match base(ty).kind() {
        Kind::Range(subtype) => Some(base(subtype)),
        _ => None,
    }
}

/// Type of the bounds of a multirange.
fn multi_subtype(ty: &Type) -> Option<&Type> {
    match base(ty).kind() {
        Kind::Multirange(subtype) => Some(base(subtype)),
        _ => None,
    }
}

fn required<'t>(subtype: Option<&'t Type>, ty: &Type) -> Result<&'t Type, Boxed> {
    subtype.ok_or_else(|| format!("{ty} is no range").into())
}

fn read<'a, T: FromSql<'a>>(subtype: &Type, raw: &'a [u8]) -> Result<PgRange<T>, Boxed> {
    let mut reader = Reader::new(raw);
    let flags = reader.u8()?;
    if flags & EMPTY != 0 {
        reader.end()?;
        return Ok(PgRange::Empty);
    }
    let mut bound = |unbounded, included| {
        if flags & unbounded != 0 {
            return Ok(Bound::Unbounded);
        }
        let value = T::from_sql(subtype, reader.value()?)?;
        Ok::<_, Boxed>(if flags & included != 0 {
            Bound::Included(value)
        } else {
            Bound::Excluded(value)
        })
    };
    let lower = bound(LOWER_UNBOUNDED, LOWER_INCLUDED)?;
    let upper = bound(UPPER_UNBOUNDED, UPPER_INCLUDED)?;
    reader.end()?;
    Ok(PgRange::Between { lower, upper })
}

fn write<T: ToSql>(range: &PgRange<T>, subtype: &Type, out: &mut BytesMut) -> Result<(), Boxed> {
    let PgRange::Between { lower, upper } = range else {
        out.put_u8(EMPTY);
        return Ok(());
    };
    let flag = |bound: &Bound<T>, unbounded, included| match bound {
        Bound::Unbounded => unbounded,
        Bound::Included(_) => included,
        Bound::Excluded(_) => 0,
    };
    out.put_u8(
        flag(lower, LOWER_UNBOUNDED, LOWER_INCLUDED) | flag(upper, UPPER_UNBOUNDED, UPPER_INCLUDED),
    );
    for bound in [lower, upper] {
        if let Bound::Included(value) | Bound::Excluded(value) = bound {
            with_length(out, |out| value.to_sql(subtype, out))?;
        }
    }
    Ok(())
}

/// Whether a bound has no binary form here.
fn is_text<T: ToSql>(range: &PgRange<T>, subtype: Option<&Type>) -> bool {
    let (PgRange::Between { lower, upper }, Some(subtype)) = (range, subtype) else {
        return false;
    };
    [lower, upper].into_iter().any(|bound| match bound {
        Bound::Included(value) | Bound::Excluded(value) => {
            matches!(value.encode_format(subtype), Format::Text)
        }
        Bound::Unbounded => false,
    })
}

impl<'a, T: FromSql<'a>> FromSql<'a> for PgRange<T> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
        read(required(subtype(ty), ty)?, raw)
    }

    fn accepts(ty: &Type) -> bool {
        subtype(ty).is_some_and(T::accepts)
    }
}

impl<T: ToSql + ToText> ToSql for PgRange<T> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        if is_text(self, subtype(ty)) {
            out.extend_from_slice(self.to_text().as_bytes());
        } else {
            write(self, required(subtype(ty), ty)?, out)?;
        }
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        subtype(ty).is_some_and(T::accepts)
    }

    fn encode_format(&self, ty: &Type) -> Format {
        if is_text(self, subtype(ty)) {
            Format::Text
        } else {
            Format::Binary
        }
    }

    to_sql_checked!();
}

impl<'a, T: FromSql<'a>> FromSql<'a> for PgMultirange<T> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
        let subtype = required(multi_subtype(ty), ty)?;
        let mut reader = Reader::new(raw);
        let mut ranges = Vec::new();
        for _ in 0..reader.count()? {
            ranges.push(read(subtype, reader.value()?)?);
        }
        reader.end()?;
        Ok(Self(ranges))
    }

    fn accepts(ty: &Type) -> bool {
        multi_subtype(ty).is_some_and(T::accepts)
    }
}

impl<T: ToSql + ToText> ToSql for PgMultirange<T> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        if matches!(self.encode_format(ty), Format::Text) {
            out.extend_from_slice(self.to_text().as_bytes());
            return Ok(IsNull::No);
        }
        let subtype = required(multi_subtype(ty), ty)?;
        out.put_i32(i32::try_from(self.0.len())?);
        for range in &self.0 {
            with_length(out, |out| write(range, subtype, out).map(|()| IsNull::No))?;
        }
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        multi_subtype(ty).is_some_and(T::accepts)
    }

    fn encode_format(&self, ty: &Type) -> Format {
        if self.0.iter().any(|range| is_text(range, multi_subtype(ty))) {
            Format::Text
        } else {
            Format::Binary
        }
    }

    to_sql_checked!();
}
