//! A listener that runs longer than it may.

use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::Transaction;
use tokio_postgres::error::SqlState;

use super::failure::Failure;
use super::shared::Shared;
use crate::Error;
use crate::error::Kind;
use crate::listener_error::Verdict;

/// How long a rollback may take before it is taken to wait for a statement of the listener.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long a statement may take to notice that it is cancelled.
const LAST_PATIENCE: Duration = Duration::from_secs(10);
/// How long a cancel request may be under way after it was sent. A session that is idle then ignores it.
const UNDER_WAY: Duration = Duration::from_millis(50);

/// The outcome of a listener's call, which is dropped when its time is over.
pub(super) async fn limited(
    limit: Option<Duration>,
    call: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let Some(limit) = limit else {
        return call.await;
    };
    timeout(limit, call).await.unwrap_or_else(|_| {
        Err(Failure {
            text: format!("the listener ran longer than its timeout of {limit:?}"),
            verdict: Verdict::Retry,
            timed_out: Some(limit),
        })
    })
}

/// Undoes what a failed listener did, down to the savepoint of this name; a statement of a listener that was cancelled is
/// cancelled on the server.
///
/// After an error, the session has to be closed, which makes the server roll back.
pub(super) async fn undo(
    shared: &Shared,
    transaction: &Transaction<'_>,
    savepoint: &str,
    failure: &Failure,
) -> Result<(), Error> {
    let failed = |error| Error::postgres("undo what a listener did", error);
    let rollback = format!("ROLLBACK TO SAVEPOINT {savepoint}");
    // It waits behind what the listener has sent.
    let undone = transaction.batch_execute(&rollback);
    if failure.timed_out.is_none() {
        return undone.await.map_err(failed);
    }
    tokio::pin!(undone);
    if let Ok(undone) = timeout(PATIENCE, undone.as_mut()).await {
        return undone.map_err(failed);
    }
    let cancel = shared.connector.cancel(transaction.cancel_token());
    match timeout(LAST_PATIENCE, cancel).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!("a statement of a listener cannot be cancelled: {error}"),
        Err(_) => tracing::warn!("a statement of a listener cannot be cancelled: no answer"),
    }
    let undone = timeout(LAST_PATIENCE, undone).await;
    tokio::time::sleep(UNDER_WAY).await;
    match undone {
        // The statement had just ended, and the request met the rollback.
        Ok(Err(error)) if error.code() == Some(&SqlState::QUERY_CANCELED) => {
            let undone = transaction.batch_execute(&rollback).await;
            undone.map_err(failed)
        }
        Ok(undone) => undone.map_err(failed),
        Err(_) => Err(Error::new(
            Kind::BrokenDown,
            "a statement of a listener goes on after its timeout, and cannot be cancelled",
        )),
    }
}
