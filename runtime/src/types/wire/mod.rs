//! PostgreSQL's binary format, so that the exact types are parameters and results of tokio-postgres.

mod any_text;
mod array;
mod bit;
mod fixed;
mod geometry;
mod hstore;
mod network;
mod numeric;
mod range;
mod reader;
mod text;

use std::error::Error as StdError;

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{IsNull, Kind, Type};

pub(crate) use reader::Reader;

pub(crate) type Boxed = Box<dyn StdError + Send + Sync>;

/// Exactly `N` bytes.
fn exactly<const N: usize>(raw: &[u8]) -> Result<[u8; N], Boxed> {
    raw.try_into()
        .map_err(|_| format!("expected {N} bytes, got {}", raw.len()).into())
}

/// The type under all domains; the binary form of a domain is that of its base.
pub(crate) fn base(mut ty: &Type) -> &Type {
    while let Kind::Domain(inner) = ty.kind() {
        ty = inner;
    }
    ty
}

/// Writes a value after its length in bytes, or -1 for NULL.
pub(crate) fn with_length(
    out: &mut BytesMut,
    write: impl FnOnce(&mut BytesMut) -> Result<IsNull, Boxed>,
) -> Result<(), Boxed> {
    let start = out.len();
    out.put_i32(-1);
    if let IsNull::No = write(out)? {
        let length = i32::try_from(out.len() - start - 4)?;
        out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}
