//! A listener that holds its notification by a lease: for minutes, without a transaction.
//!
//! The claim writes the attempt and until when it is leased, and commits. While the listener runs, the lease is renewed; what ends it, a
//! removal or a failure, names the attempt, so that a worker whose lease has run out changes nothing of what another one does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{join, join3};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{GenericClient, Row, Transaction};

use super::WorkerEvent;
use super::batch::notification;
use super::bounds::Role;
use super::connect::Session;
use super::delivery::{Statements, begin};
use super::failure::{self, Failure, Recorded};
use super::panic::guard;
use super::retention::Keeps;
use super::shared::{Durable, Shared};
use super::timeout::limited;
use crate::batch_transaction::BatchTransaction;
use crate::generated::LeaseHandler;
use crate::sql::{Json, column};
use crate::{Error, LeaseCx};

/// Between two tries to tell the server something.
const PAUSE: Duration = Duration::from_millis(500);

type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// A notification that is leased to this worker.
struct Lease<'a, 't> {
    shared: &'a Arc<Shared>,
    entry: &'a Durable,
    statements: &'a Statements,
    /// The consumer's session; None: it is lost.
    consumer: Option<&'a BatchTransaction<'t>>,
    /// Another one, once that is needed.
    own: Option<Session>,
    id: i64,
    /// Number of the attempt, which is in the row.
    attempt: i32,
    length: Duration,
    /// When it runs out at the earliest, by the clock of this process.
    ends: Instant,
}

/// Takes the lease of what the transaction has claimed, and runs the listener. The session has no transaction after that.
///
/// An error is one of the session; what becomes of the notification is settled by then, or left to the end of the lease.
pub(super) async fn serve(
    shared: &Arc<Shared>,
    entry: &Durable,
    handler: &dyn LeaseHandler,
    statements: &Statements,
    transaction: &mut BatchTransaction<'_>,
    row: &Row,
) -> Result<(), Error> {
    let length = shared.connector.bounds().lease();
    let (id, attempts): (i64, i32) = (row.get(column::ID), row.get(column::ATTEMPTS));
    let ends = Instant::now() + length;
    let (seconds, take) = (length.as_secs_f64(), shared.sql.take_lease());
    let parameters: [Parameter<'_>; 3] = [
        (&entry.group, Type::TEXT),
        (&id, Type::INT8),
        (&seconds, Type::FLOAT8),
    ];
    let handle = transaction.handle();
    let (taken, committed) = join(
        handle.execute_typed(&take, &parameters),
        handle.batch_execute("COMMIT"),
    )
    .await;
    let taken = taken.and(committed);
    taken.map_err(|error| Error::postgres("lease a notification", error))?;
    transaction.renew();
    // From here on it has deadlines of its own.
    transaction.vigil().end();

    let mut lease = Lease {
        shared,
        entry,
        statements,
        consumer: Some(transaction),
        own: None,
        id,
        attempt: attempts.saturating_add(1),
        length,
        ends,
    };
    let result = tokio::select! {
        biased;
        result = call(entry, handler, row) => Some(result),
        () = lease.keep() => None,
    };
    let settled = match &result {
        Some(Ok(())) => lease.finish().await,
        Some(Err(error)) => lease.fail(error, row).await,
        None => false,
    };
    if !settled {
        let listener = entry.spec.name;
        tracing::warn!(
            listener,
            id,
            "the lease of notification {id} is lost: it is processed again, or has been"
        );
        shared.emit(WorkerEvent::LeaseLost { listener, id });
    }
    match lease.consumer {
        Some(_) => Ok(()),
        None => {
            let message = "the connection was lost while a listener held a lease";
            Err(Error::new(crate::error::Kind::Connect, message))
        }
    }
}

async fn call(entry: &Durable, handler: &dyn LeaseHandler, row: &Row) -> Result<(), Failure> {
    let notification = notification(entry, row);
    let op = notification.op;
    let payload = serde_json::from_str(row.get::<_, Json<'_>>(column::PAYLOAD).0)
        .map_err(|error| format!("the payload does not decode: {error}"))?;
    let mut cx = LeaseCx::new(notification);
    let listener = guard(handler.call(op, &payload, &mut cx));
    limited(entry.spec.timeout, listener).await
}

impl Lease<'_, '_> {
    /// Renews it, until it is lost.
    async fn keep(&mut self) {
        loop {
            tokio::time::sleep(self.length / 3).await;
            let seconds = self.length.as_secs_f64();
            let asked = Instant::now();
            let renew = self.shared.sql.renew_lease();
            if !self.tell(&renew, &[(&seconds, Type::FLOAT8)]).await {
                return;
            }
            self.ends = asked + self.length;
        }
    }

    /// Whether it was removed by this attempt.
    async fn finish(&mut self) -> bool {
        let sql = &self.shared.sql;
        let removed = match self.statements.keeps(self.entry) {
            Some(Keeps { channels, seconds }) => {
                let more: [Parameter<'_>; 2] =
                    [(channels, Type::TEXT_ARRAY), (seconds, Type::INT8_ARRAY)];
                self.tell(&sql.keep_leased(), &more).await
            }
            None => self.tell(&sql.remove_leased(), &[]).await,
        };
        if removed {
            self.shared.emit(WorkerEvent::Delivered {
                listener: self.entry.spec.name,
                id: Some(self.id),
            });
        }
        removed
    }

    /// Whether the failure was recorded for this attempt.
    async fn fail(&mut self, failure: &Failure, row: &Row) -> bool {
        let ends = self.ends;
        let recorded = async {
            loop {
                match self.try_to_fail(failure, row).await {
                    Ok(recorded) => return recorded,
                    Err(error) => {
                        tracing::warn!("a failure under a lease is not recorded yet: {error}");
                    }
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        let recorded = tokio::time::timeout_at(ends.into(), recorded).await;
        let recorded = recorded.ok().flatten();
        if let Some(recorded) = &recorded {
            failure::tell(self.shared, self.entry, recorded);
        }
        recorded.is_some()
    }

    /// None: the attempt does not hold the notification any more.
    async fn try_to_fail(
        &mut self,
        failure: &Failure,
        row: &Row,
    ) -> Result<Option<Recorded>, Error> {
        let failed = |error| Error::postgres("record the failure of a listener", error);
        let shared = self.shared;
        if let Some(consumer) = self.consumer.take() {
            let told = self.record(consumer.handle(), self.statements, failure, row);
            if let Ok(Ok(recorded)) = tokio::time::timeout(self.length / 6, told).await {
                self.consumer = Some(consumer);
                return Ok(recorded);
            }
        }
        let mut session = match self.own.take() {
            Some(session) => session,
            None => shared.connector.connect(Role::Consumer).await?,
        };
        let (client, connector) = (&session.client, &shared.connector);
        let statements = Statements::prepare(client, shared).await?;
        let handle = begin(&mut session.client, connector)
            .await
            .map_err(failed)?;
        handle.batch_execute("ROLLBACK").await.map_err(failed)?;
        self.record(&handle, &statements, failure, row).await
    }

    /// In a transaction of its own, which ends in any case.
    async fn record(
        &self,
        handle: &Transaction<'_>,
        statements: &Statements,
        failure: &Failure,
        row: &Row,
    ) -> Result<Option<Recorded>, Error> {
        let (shared, entry, failure) = (self.shared, self.entry, failure.clone());
        let recorded =
            failure::record_anew(shared, entry, handle, statements, row, true, failure).await;
        if recorded.is_err() {
            // It would hold the row; where the connection is lost, the server does this.
            drop(handle.batch_execute("ROLLBACK").await);
        }
        recorded
    }

    /// Executes a statement about this attempt, with more parameters behind group, id and attempt; false if the attempt does not
    /// hold the notification any more, or nobody could be told before the lease ended.
    async fn tell(&mut self, sql: &str, more: &[Parameter<'_>]) -> bool {
        let (group, id, attempt) = (self.entry.group, self.id, self.attempt);
        let mut parameters: Vec<Parameter<'_>> = vec![
            (&group, Type::TEXT),
            (&id, Type::INT8),
            (&attempt, Type::INT4),
        ];
        parameters.extend_from_slice(more);
        let ends = self.ends;
        let told = async {
            loop {
                match self.try_to_tell(sql, &parameters).await {
                    Ok(rows) => return rows == 1,
                    Err(error) => tracing::warn!("a lease is not renewed or ended yet: {error}"),
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        tokio::time::timeout_at(ends.into(), told)
            .await
            .unwrap_or_default()
    }

    async fn try_to_tell(&mut self, sql: &str, parameters: &[Parameter<'_>]) -> Result<u64, Error> {
        let failed = |error| Error::postgres("renew or end a lease", error);
        if let Some(consumer) = self.consumer {
            let told = briefly(consumer.handle(), &self.statements.begin, sql, parameters);
            // One that swallows everything shall leave time for another one.
            match tokio::time::timeout(self.length / 6, told).await {
                Ok(Ok(rows)) => return Ok(rows),
                Ok(Err(error)) if !error.is_closed() => return Err(failed(error)),
                Ok(Err(_)) | Err(_) => self.consumer = None,
            }
        }
        let session = match self.own.take() {
            Some(session) => session,
            None => self.shared.connector.connect(Role::Consumer).await?,
        };
        let rows = briefly(&session.client, &self.statements.begin, sql, parameters)
            .await
            .map_err(failed)?;
        self.own = Some(session);
        Ok(rows)
    }
}

/// In a transaction of its own, in one round trip.
async fn briefly(
    client: &impl GenericClient,
    begin: &str,
    sql: &str,
    parameters: &[Parameter<'_>],
) -> Result<u64, tokio_postgres::Error> {
    let (begun, rows, committed) = join3(
        client.batch_execute(begin),
        client.execute_typed(sql, parameters),
        client.batch_execute("COMMIT"),
    )
    .await;
    begun?;
    let rows = rows?;
    committed?;
    Ok(rows)
}
