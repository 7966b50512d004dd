//! The inbox: which effects that were asked for from elsewhere have been done.

use std::time::Duration;

use tokio_postgres::GenericClient;
use tokio_postgres::types::Type;

use crate::Error;
use crate::error::Kind;
use crate::generated::Catalog;
use crate::sql::Sql;

/// Longest scope and id together, in bytes: what an entry of the index holds for sure is 2,704.
const LONGEST: usize = 2_000;

/// Makes an effect happen once that may be asked for several times, by an idempotency key.
///
/// What arrives from elsewhere, such as a webhook or a message of another system, often arrives twice. The inbox remembers in
/// the transaction of the effect that it was done, so that both or neither become true:
///
/// ```ignore
/// const PAYMENTS: Inbox = Inbox::of(&pubsub::CATALOG, "payments");
///
/// let transaction = client.transaction().await?;
/// if PAYMENTS.once(&transaction, &webhook.id).await? {
///     transaction.execute("UPDATE app.bill SET paid = true WHERE id = $1", &[&webhook.bill]).await?;
/// }
/// transaction.commit().await?;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Inbox<'a> {
    schema: &'a str,
    scope: &'a str,
}

impl<'a> Inbox<'a> {
    /// The inbox of the storage that the generated code belongs to.
    ///
    /// Ids of one `scope` have nothing to do with those of another: give each sender of ids its own.
    pub const fn of(catalog: &Catalog, scope: &'a str) -> Self {
        Self::in_schema(catalog.storage_schema, scope)
    }

    /// An inbox in a schema of any database, see [`Inbox::create_table`].
    pub const fn in_schema(schema: &'a str, scope: &'a str) -> Self {
        Self { schema, scope }
    }

    /// Whether this is the first time that the scope sees the id; from now on it is not, if the transaction commits.
    ///
    /// If another transaction has asked for the same id and has not ended, this one waits until it has: for `false` if that one
    /// commits, for `true` if it rolls back. Nobody else waits. A repetition never makes the transaction fail under READ
    /// COMMITTED, the default of PostgreSQL and the level of a worker's transactions; under a stricter level, one that was
    /// committed after this transaction had begun fails it as a serialization failure. Whoever asks for several ids in a
    /// transaction does so in the same order everywhere, or PostgreSQL may have to end a deadlock.
    ///
    /// With a client instead of a transaction, the id is remembered before the effect: if the process dies in between, the
    /// effect never happens.
    ///
    /// # Errors
    /// The scope and the id have more than 2,000 bytes together, or contain a NUL, which leaves the transaction as it is. Or
    /// PostgreSQL refuses: there is no inbox, the role may not INSERT into it, or the transaction had failed before.
    pub async fn once(&self, client: &impl GenericClient, id: &str) -> Result<bool, Error> {
        // PostgreSQL would refuse these, and with them the transaction.
        if self.scope.len() + id.len() > LONGEST {
            let message = format!("the inbox takes a scope and an id of {LONGEST} bytes together");
            return Err(Error::new(Kind::Options, message));
        }
        if self.scope.contains('\0') || id.contains('\0') {
            let message = "the inbox takes no scope or id that contains a NUL";
            return Err(Error::new(Kind::Options, message));
        }
        // Typed, and so without a prepared statement: it works through any pooler, in one round trip.
        let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
            [(&self.scope, Type::TEXT), (&id, Type::TEXT)];
        let inserted = client
            .execute_typed(&self.sql().remember(), &parameters)
            .await
            .map_err(|error| Error::postgres("ask the inbox", error))?;
        Ok(inserted == 1)
    }

    /// The statements that make an inbox in an existing schema, for a migration of a database without our storage.
    ///
    /// Its users need USAGE on the schema and INSERT on the table, nothing else. A worker removes what is old from the inbox of its own
    /// storage only; for others there is [`Inbox::remove_older_than`].
    pub fn create_table(&self) -> String {
        self.sql().create_inbox()
    }

    /// Forgets ids of all scopes that were seen longer ago than `age`, up to 10,000 of them; returns how many.
    ///
    /// An id that is forgotten counts as new again. Those that others are removing at the same time are left to them.
    ///
    /// # Errors
    /// PostgreSQL refuses: the role needs SELECT, UPDATE and DELETE on the table.
    pub async fn remove_older_than(
        &self,
        client: &impl GenericClient,
        age: Duration,
    ) -> Result<u64, Error> {
        client
            .execute_typed(&self.sql().forget(), &[(&age.as_secs_f64(), Type::FLOAT8)])
            .await
            .map_err(|error| Error::postgres("remove old ids from the inbox", error))
    }

    fn sql(&self) -> Sql {
        Sql::new(self.schema)
    }
}
