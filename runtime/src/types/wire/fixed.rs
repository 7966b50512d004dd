//! Types of a fixed length.

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

use super::{Boxed, exactly};
use crate::types::{PgDate, PgInterval, PgTime, PgTimestamp, PgTimestampTz};

macro_rules! number {
    ($type:ident: $sql:ident, $bytes:ty, |$raw:ident| $read:expr, |$value:ident| $write:expr) => {
        impl<'a> FromSql<'a> for $type {
            fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
                let $raw = <$bytes>::from_be_bytes(exactly(raw)?);
                $read
            }

            accepts!($sql);
        }

        impl ToSql for $type {
            fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
                let $value = *self;
                out.extend_from_slice(&<$bytes>::to_be_bytes($write));
                Ok(IsNull::No)
            }

            accepts!($sql);
            to_sql_checked!();
        }
    };
}
number!(PgDate: DATE, i32, |raw| Ok(Self::from_days(raw)), |value| value.days());
number!(PgTime: TIME, i64, |raw| Self::from_micros(raw).ok_or_else(|| "a time beyond 24:00".into()), |value| value.micros());
number!(PgTimestamp: TIMESTAMP, i64, |raw| Ok(Self::from_micros(raw)), |value| value.micros());
number!(PgTimestampTz: TIMESTAMPTZ, i64, |raw| Ok(Self::from_micros(raw)), |value| value.micros());

impl<'a> FromSql<'a> for PgInterval {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
        let raw: [u8; 16] = exactly(raw)?;
        Ok(Self {
            micros: i64::from_be_bytes(exactly(&raw[..8])?),
            days: i32::from_be_bytes(exactly(&raw[8..12])?),
            months: i32::from_be_bytes(exactly(&raw[12..])?),
        })
    }

    accepts!(INTERVAL);
}

impl ToSql for PgInterval {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        out.put_i64(self.micros);
        out.put_i32(self.days);
        out.put_i32(self.months);
        Ok(IsNull::No)
    }

    accepts!(INTERVAL);
    to_sql_checked!();
}
