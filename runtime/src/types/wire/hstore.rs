//! `hstore`: number of pairs; key and value after their lengths.

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::{Boxed, Reader, with_length};
use crate::types::PgHstore;

/// An extension's type has no number of its own, and its schema is the choice of who created it.
fn is_hstore(ty: &Type) -> bool {
    ty.name() == "hstore"
}

impl<'a> FromSql<'a> for PgHstore {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
        let text = |raw: &'a [u8]| std::str::from_utf8(raw).map(ToOwned::to_owned);
        let mut reader = Reader::new(raw);
        let mut pairs = Self::default();
        for _ in 0..reader.count()? {
            let key = text(reader.value()?)?;
            pairs
                .0
                .insert(key, reader.nullable()?.map(text).transpose()?);
        }
        reader.end()?;
        Ok(pairs)
    }

    fn accepts(ty: &Type) -> bool {
        is_hstore(ty)
    }
}

impl ToSql for PgHstore {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        out.put_i32(i32::try_from(self.0.len())?);
        for (key, value) in &self.0 {
            for part in [Some(key), value.as_ref()] {
                with_length(out, |out| part.to_sql(&Type::TEXT, out))?;
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        is_hstore(ty)
    }

    to_sql_checked!();
}
