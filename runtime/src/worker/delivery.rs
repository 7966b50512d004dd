//! One durable notification: claim, listener, removal, commit, all in one transaction.

use std::sync::Arc;

use futures_util::future::try_join3;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, IsolationLevel, Row, Statement, Transaction};

use super::WorkerEvent;
use super::crash::{self, Before};
use super::failure::{self, Failure};
use super::panic::guard;
use super::shared::{Durable, Shared};
use super::timeout::{limited, undo};
use crate::error::describe;
use crate::sql::Sql;
use crate::{Context, Cx, Error, Notification, Op, PgTimestampTz};

/// The listener works inside of it, so that its failure can be recorded in the claim's transaction.
const SAVEPOINT: &str = "pgpubsub_listener";

/// Whether there was something to claim.
pub(super) enum Claimed {
    One,
    Nothing,
}

/// Prepared statements of a consumer.
pub(super) struct Statements {
    ready: Statement,
    claim: Statement,
    claim_filtered: Statement,
    remove: Statement,
    pub(super) record_failure: Statement,
}

impl Statements {
    pub(super) async fn prepare(client: &Client, sql: &Sql) -> Result<Self, Error> {
        let prepare = async |text: String| {
            client
                .prepare(&text)
                .await
                .map_err(|error| Error::postgres("prepare the statements of the worker", error))
        };
        Ok(Self {
            ready: prepare(sql.ready()).await?,
            claim: prepare(sql.claim(false)).await?,
            claim_filtered: prepare(sql.claim(true)).await?,
            remove: prepare(sql.remove()).await?,
            record_failure: prepare(sql.record_failure()).await?,
        })
    }

    /// Groups for which something is due. One round trip: the three statements go out together.
    pub(super) async fn ready(
        &self,
        client: &Client,
        groups: &[&str],
        floor: i64,
    ) -> Result<Vec<String>, Error> {
        let begin = format!("{}; {}", Sql::BEGIN_READING, Sql::WALK_THE_KEY);
        let parameters: [&(dyn ToSql + Sync); 2] = [&groups, &floor];
        let scan = try_join3(
            client.batch_execute(&begin),
            client.query(&self.ready, &parameters),
            client.batch_execute("COMMIT"),
        );
        let ((), rows, ()) = scan.await.map_err(|error| Error::postgres("scan", error))?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}

/// Claims the next notification of a listener and delivers it.
///
/// An error is one of the connection or of our own statements: the transaction is gone, the notification is not.
pub(super) async fn deliver_one(
    shared: &Arc<Shared>,
    entry: &Durable,
    client: &mut Client,
    statements: &Statements,
) -> Result<Claimed, Error> {
    let failed = |doing: &'static str| move |error| Error::postgres(doing, error);
    let mut transaction = begin(client).await.map_err(failed("begin a transaction"))?;
    let Some(row) = claim(&transaction, shared, entry, statements)
        .await
        .map_err(failed("claim a notification"))?
    else {
        transaction
            .rollback()
            .await
            .map_err(failed("end a transaction"))?;
        return Ok(Claimed::Nothing);
    };
    // There may be more: let another consumer look while this one works.
    shared.wake.notify_one();

    match crash::before(shared, entry, &transaction, &row).await? {
        Before::Call => {}
        Before::UsedUp => {
            failure::used_up(shared, entry, transaction, statements, &row).await?;
            return Ok(Claimed::One);
        }
        Before::Gone => return Ok(Claimed::One),
    }
    let id: i64 = row.get("id");
    match call(shared, &mut transaction, entry, &row).await? {
        Ok(()) => {
            transaction
                .execute(&statements.remove, &[&entry.group, &id])
                .await
                .map_err(failed("remove a notification"))?;
            // Deferred constraints of the listener's tables are checked here.
            match transaction.commit().await {
                Ok(()) => shared.emit(WorkerEvent::Delivered {
                    listener: entry.spec.name,
                    id: Some(id),
                }),
                Err(error) if error.is_closed() || error.as_db_error().is_none() => {
                    return Err(Error::postgres("commit", error));
                }
                Err(error) => {
                    let error = format!("the commit failed: {}", describe(&error)).into();
                    let transaction = begin(client).await.map_err(failed("begin a transaction"))?;
                    failure::record(shared, entry, transaction, statements, &row, &error).await?;
                }
            }
        }
        Err(error) => failure::record(shared, entry, transaction, statements, &row, &error).await?,
    }
    Ok(Claimed::One)
}

/// Whatever the defaults of the database are: under a stricter level a claim would fail where it shall skip, and its reads
/// could fail the commit of a writer.
pub(super) async fn begin(client: &mut Client) -> Result<Transaction<'_>, tokio_postgres::Error> {
    let level = IsolationLevel::ReadCommitted;
    client
        .build_transaction()
        .isolation_level(level)
        .read_only(false)
        .start()
        .await
}

async fn claim(
    transaction: &Transaction<'_>,
    shared: &Shared,
    entry: &Durable,
    statements: &Statements,
) -> Result<Option<Row>, tokio_postgres::Error> {
    let mut parameters: Vec<&(dyn ToSql + Sync)> =
        vec![&entry.group, &entry.wanted, &entry.versions, &shared.floor];
    let statement = match &entry.filter {
        None => &statements.claim,
        Some(filter) => {
            parameters.push(filter);
            &statements.claim_filtered
        }
    };
    // One round trip: the three statements go out together.
    let claim = try_join3(
        transaction.batch_execute(Sql::WALK_THE_KEY),
        transaction.query_opt(statement, &parameters),
        transaction.batch_execute(Sql::PLAN_AS_USUAL),
    );
    let ((), row, ()) = claim.await?;
    Ok(row)
}

/// Calls the listener within a savepoint; the inner result is the listener's.
async fn call(
    shared: &Shared,
    transaction: &mut Transaction<'_>,
    entry: &Durable,
    row: &Row,
) -> Result<Result<(), Failure>, Error> {
    let failed = |error| Error::postgres("run a listener", error);
    let notification = notification(entry, row);
    let payload = match serde_json::from_str(row.get("payload")) {
        Ok(payload) => payload,
        Err(error) => return Ok(Err(format!("the payload does not decode: {error}").into())),
    };
    let savepoint = transaction.savepoint(SAVEPOINT).await.map_err(failed)?;
    let mut cx = Cx::new(&notification, savepoint);
    let call = guard(entry.handler.call(notification.op, &payload, &mut cx));
    let outcome = limited(entry.spec.timeout, call).await;
    let savepoint = cx.into_transaction();
    match outcome {
        Ok(()) => match savepoint.commit().await {
            Ok(()) => Ok(Ok(())),
            Err(error) if error.as_db_error().is_some() => {
                // The listener ignored an error of a statement, after which nothing it wrote can be kept.
                let failure = Failure::from(format!(
                    "the listener went on after one of its statements had failed: {}",
                    describe(&error)
                ));
                undo(shared, transaction, SAVEPOINT, &failure).await?;
                Ok(Err(failure))
            }
            Err(error) => Err(failed(error)),
        },
        Err(failure) => {
            drop(savepoint);
            undo(shared, transaction, SAVEPOINT, &failure).await?;
            Ok(Err(failure))
        }
    }
}

fn notification(entry: &Durable, row: &Row) -> Notification {
    let attempts: i32 = row.get("attempts");
    let created_at: PgTimestampTz = row.get("created_at");
    let op: &str = row.get("op");
    Notification {
        id: row.get("id"),
        channel: row.get("channel"),
        listener: entry.spec.name.to_owned(),
        op: Op::from_word(op).expect("the claim asks for these operations only"),
        model_version: u32::try_from(row.get::<_, i32>("model_version")).unwrap_or_default(),
        db_version: row.get("db_version"),
        txid: row.get::<_, &str>("txid").parse().unwrap_or_default(),
        created_at: created_at.to_chrono().unwrap_or_default(),
        attempt: u32::try_from(attempts)
            .unwrap_or_default()
            .saturating_add(1),
        context: Context::from_raw(row.get("context")),
    }
}
