//! `bytea`, `json` and `jsonb`.

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

use super::Boxed;
use crate::types::{PgBytes, PgJson};

/// First byte of a binary `jsonb`.
const JSONB_VERSION: u8 = 1;

impl<'a> FromSql<'a> for PgBytes {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
        Ok(raw.into())
    }

    accepts!(BYTEA);
}

impl ToSql for PgBytes {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        out.extend_from_slice(self);
        Ok(IsNull::No)
    }

    accepts!(BYTEA);
    to_sql_checked!();
}

impl<'a> FromSql<'a> for PgJson {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
        let text = match (*ty == Type::JSONB, raw) {
            (true, [JSONB_VERSION, text @ ..]) => text,
            (true, _) => return Err("a version of jsonb that is not known".into()),
            (false, text) => text,
        };
        Ok(Self::new(std::str::from_utf8(text)?))
    }

    accepts!(JSON, JSONB);
}

impl ToSql for PgJson {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        if *ty == Type::JSONB {
            out.put_u8(JSONB_VERSION);
        }
        out.extend_from_slice(self.as_str().as_bytes());
        Ok(IsNull::No)
    }

    accepts!(JSON, JSONB);
    to_sql_checked!();
}
