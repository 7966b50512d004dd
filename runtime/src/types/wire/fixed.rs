//! Types of a fixed length.

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

use super::{Boxed, exactly};
use crate::types::{
    PgChar, PgDate, PgInterval, PgLsn, PgMacAddr, PgMacAddr8, PgMoney, PgTid, PgTime, PgTimeTz,
    PgTimestamp, PgTimestampTz, PgXid, PgXid8,
};

macro_rules! number {
    ($type:ident: $($sql:ident)|+, $bytes:ty, |$raw:ident| $read:expr, |$value:ident| $write:expr) => {
        impl<'a> FromSql<'a> for $type {
            fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
                let $raw = <$bytes>::from_be_bytes(exactly(raw)?);
                $read
            }

            accepts!($($sql),+);
        }

        impl ToSql for $type {
            fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
                let $value = *self;
                out.extend_from_slice(&<$bytes>::to_be_bytes($write));
                Ok(IsNull::No)
            }

            accepts!($($sql),+);
            to_sql_checked!();
        }
    };
}
number!(PgDate: DATE, i32, |raw| Ok(Self::from_days(raw)), |value| value.days());
number!(PgTime: TIME, i64, |raw| Self::from_micros(raw).ok_or_else(|| "a time beyond 24:00".into()), |value| value.micros());
number!(PgTimestamp: TIMESTAMP, i64, |raw| Ok(Self::from_micros(raw)), |value| value.micros());
number!(PgTimestampTz: TIMESTAMPTZ, i64, |raw| Ok(Self::from_micros(raw)), |value| value.micros());
number!(PgMoney: MONEY, i64, |raw| Ok(Self(raw)), |value| value.0);
number!(PgChar: CHAR, u8, |raw| Ok(Self(raw)), |value| value.0);
number!(PgLsn: PG_LSN, u64, |raw| Ok(Self(raw)), |value| value.0);
number!(PgXid: XID | CID, u32, |raw| Ok(Self(raw)), |value| value.0);
number!(PgXid8: XID8, u64, |raw| Ok(Self(raw)), |value| value.0);

macro_rules! octets {
    ($type:ident: $sql:ident) => {
        impl<'a> FromSql<'a> for $type {
            fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
                exactly(raw).map(Self)
            }

            accepts!($sql);
        }

        impl ToSql for $type {
            fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
                out.extend_from_slice(&self.0);
                Ok(IsNull::No)
            }

            accepts!($sql);
            to_sql_checked!();
        }
    };
}
octets!(PgMacAddr: MACADDR);
octets!(PgMacAddr8: MACADDR8);

impl<'a> FromSql<'a> for PgTid {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
        let raw: [u8; 6] = exactly(raw)?;
        Ok(Self {
            block: u32::from_be_bytes(exactly(&raw[..4])?),
            offset: u16::from_be_bytes(exactly(&raw[4..])?),
        })
    }

    accepts!(TID);
}

impl ToSql for PgTid {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        out.put_u32(self.block);
        out.put_u16(self.offset);
        Ok(IsNull::No)
    }

    accepts!(TID);
    to_sql_checked!();
}

impl<'a> FromSql<'a> for PgTimeTz {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
        let raw: [u8; 12] = exactly(raw)?;
        let time = PgTime::from_micros(i64::from_be_bytes(exactly(&raw[..8])?));
        // The wire counts seconds west.
        let offset = i32::from_be_bytes(exactly(&raw[8..])?).checked_neg();
        time.zip(offset)
            .and_then(|(time, offset)| Self::new(time, offset))
            .ok_or_else(|| "a timetz beyond its range".into())
    }

    accepts!(TIMETZ);
}

impl ToSql for PgTimeTz {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        out.put_i64(self.time().micros());
        out.put_i32(-self.offset());
        Ok(IsNull::No)
    }

    accepts!(TIMETZ);
    to_sql_checked!();
}

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
