//! `bit` and `varbit`: number of bits, and the bits from the highest of each byte.

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

use super::{Boxed, Reader};
use crate::types::PgBit;

impl<'a> FromSql<'a> for PgBit {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
        let mut reader = Reader::new(raw);
        let count = reader.count()?;
        let bytes = reader.slice(count.div_ceil(8))?;
        reader.end()?;
        let bit = |index: usize| bytes[index / 8] & (0x80 >> (index % 8)) != 0;
        Ok(Self((0..count).map(bit).collect()))
    }

    accepts!(BIT, VARBIT);
}

impl ToSql for PgBit {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        out.put_i32(i32::try_from(self.0.len())?);
        for eight in self.0.chunks(8) {
            let bits = eight.iter().enumerate();
            out.put_u8(bits.fold(0, |byte, (index, bit)| byte | u8::from(*bit) << (7 - index)));
        }
        Ok(IsNull::No)
    }

    accepts!(BIT, VARBIT);
    to_sql_checked!();
}
