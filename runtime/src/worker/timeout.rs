//! A listener that runs longer than it may.

use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::Transaction;

use super::failure::Failure;
use super::shared::Shared;
use crate::Error;
use crate::error::Kind;
use crate::listener_error::Verdict;

/// How long a session may be silent before it is taken to execute a statement of the listener.
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

/// Cancels what a listener that was cancelled still has the server do, so that the session can go on. Its savepoint has to be
/// undone already, or to be under way: that waits behind its statement.
///
/// After an error, the session has to be closed, which makes the server roll back.
pub(super) async fn free(shared: &Shared, transaction: &Transaction<'_>) -> Result<(), Error> {
    // Answered when everything before it is.
    let answer = transaction.batch_execute("");
    tokio::pin!(answer);
    if timeout(PATIENCE, answer.as_mut()).await.is_ok() {
        // An error shows in the next statement.
        return Ok(());
    }
    let cancel = shared.connector.cancel(transaction.cancel_token());
    match timeout(LAST_PATIENCE, cancel).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!("a statement of a listener cannot be cancelled: {error}"),
        Err(_) => tracing::warn!("a statement of a listener cannot be cancelled: no answer"),
    }
    let answered = timeout(LAST_PATIENCE, answer).await;
    tokio::time::sleep(UNDER_WAY).await;
    match answered {
        // Should the request have met the rollback, the next statement fails, and the batch is undone.
        Ok(_) => Ok(()),
        Err(_) => Err(Error::new(
            Kind::BrokenDown,
            "a statement of a listener goes on after its timeout, and cannot be cancelled",
        )),
    }
}
