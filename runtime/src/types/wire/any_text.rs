//! Any type, as text.

use bytes::BytesMut;
use tokio_postgres::types::{Format, FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::Boxed;
use crate::types::PgText;

impl<'a> FromSql<'a> for PgText {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
        String::from_sql(ty, raw).map(Self)
    }

    /// Types whose binary form is their text.
    fn accepts(ty: &Type) -> bool {
        <String as FromSql>::accepts(ty) || *ty == Type::XML
    }
}

impl ToSql for PgText {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        out.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}
