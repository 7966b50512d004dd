//! What a claim returns of a notification.

use std::error::Error;

use bytes::{BufMut as _, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// Places of the columns. By their names, to find them is a good part of what each notification costs.
pub(crate) mod column {
    pub(crate) const ID: usize = 0;
    pub(crate) const CHANNEL: usize = 1;
    pub(crate) const OP: usize = 2;
    pub(crate) const MODEL_VERSION: usize = 3;
    pub(crate) const DB_VERSION: usize = 4;
    pub(crate) const TXID: usize = 5;
    pub(crate) const CREATED_AT: usize = 6;
    pub(crate) const CONTEXT: usize = 7;
    pub(crate) const ATTEMPTS: usize = 8;
    pub(crate) const AT: usize = 9;
    pub(crate) const PAYLOAD: usize = 10;
    pub(crate) const EXPIRES_IN: usize = 11;
    pub(crate) const KEY: usize = 12;
}

const CLAIMED: &str = "\"n\".\"id\", \"n\".\"channel\", \"n\".\"op\", \"n\".\"model_version\", \"n\".\"db_version\", \"n\".\"txid\", \
     \"n\".\"created_at\", \"n\".\"context\", \"n\".\"attempts\", \"n\".ctid AS \"at\"";

/// In how many seconds `n` is not worth delivering any more; NULL: that is no matter of a batch.
const EXPIRES_IN: &str = "CASE WHEN \"n\".\"expires_at\" <= pg_catalog.statement_timestamp() THEN 0 \
       WHEN \"n\".\"expires_at\" < pg_catalog.statement_timestamp() + '1 day'::interval \
       THEN extract(epoch FROM \"n\".\"expires_at\" - pg_catalog.statement_timestamp())::float8 END AS \"expires_in\"";

/// What a claim returns of `n`; with `loaded`, a parameter: whether the payload is fetched.
///
/// A value that is not asked for is not read either, wherever it is stored.
pub(super) fn claimed(loaded: &str) -> String {
    format!(
        "{CLAIMED}, CASE WHEN {loaded}::boolean THEN \"n\".\"payload\" END AS \"payload\", {EXPIRES_IN}"
    )
}

/// Where a row is in its table, `ctid`, as PostgreSQL sends it. It stays there as long as its transaction holds it and does not write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place([u8; 6]);

/// A value of the type `json` as it is stored: a cast to text would copy it twice on the server.
pub(crate) struct Json<'a>(pub &'a str);

/// A number of a transaction, `xid8`.
pub(crate) struct TransactionId(pub u64);

impl<'a> FromSql<'a> for Place {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.try_into()?))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TID
    }
}

impl ToSql for Place {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TID
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Json<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(std::str::from_utf8(raw)?))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::JSON
    }
}

impl<'a> FromSql<'a> for TransactionId {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(u64::from_be_bytes(raw.try_into()?)))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::XID8
    }
}
