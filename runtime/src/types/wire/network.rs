//! `inet` and `cidr`: family, prefix, whether it is a `cidr`, number of bytes, bytes.

use std::net::IpAddr;

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

use super::{Boxed, Reader, exactly};
use crate::types::{PgCidr, PgInet};

const V4: u8 = 2;
const V6: u8 = 3;

fn read(raw: &[u8]) -> Result<(IpAddr, u8), Boxed> {
    let mut reader = Reader::new(raw);
    let (family, prefix, _is_cidr, length) =
        (reader.u8()?, reader.u8()?, reader.u8()?, reader.u8()?);
    let bytes = reader.slice(length.into())?;
    reader.end()?;
    let (address, bits) = match family {
        V4 => (exactly::<4>(bytes)?.into(), 32),
        V6 => (exactly::<16>(bytes)?.into(), 128),
        _ => return Err("an address of an unknown family".into()),
    };
    if prefix > bits {
        return Err("a prefix longer than its address".into());
    }
    Ok((address, prefix))
}

fn write(address: IpAddr, prefix: u8, is_cidr: bool, out: &mut BytesMut) {
    let mut put = |family, bytes: &[u8], length| {
        out.extend_from_slice(&[family, prefix, u8::from(is_cidr), length]);
        out.put_slice(bytes);
    };
    match address {
        IpAddr::V4(address) => put(V4, &address.octets(), 4),
        IpAddr::V6(address) => put(V6, &address.octets(), 16),
    }
}

macro_rules! network {
    ($type:ident: $sql:ident, $is_cidr:literal) => {
        impl<'a> FromSql<'a> for $type {
            fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
                let (address, prefix) = read(raw)?;
                Ok(Self { address, prefix })
            }

            accepts!($sql);
        }

        impl ToSql for $type {
            fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
                write(self.address, self.prefix, $is_cidr, out);
                Ok(IsNull::No)
            }

            accepts!($sql);
            to_sql_checked!();
        }
    };
}
network!(PgInet: INET, false);
network!(PgCidr: CIDR, true);
