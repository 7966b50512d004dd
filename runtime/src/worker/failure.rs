//! What becomes of a notification whose listener has failed.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::{Row, Transaction};

use super::delivery::Statements;
use super::shared::{Durable, Shared};
use crate::Error;

/// Longest text of an error that is kept with a notification, in characters.
const ERROR_LENGTH: usize = 2_000;

/// A failure that counts once the transaction is committed in which it was recorded.
pub(super) struct Failure {
    id: i64,
    error: String,
    /// Until the next attempt.
    pause: Duration,
}

impl Failure {
    /// Of an attempt after so many others.
    pub(super) fn new(shared: &Shared, id: i64, error: String, attempts: i32) -> Self {
        let failures = u32::try_from(attempts)
            .unwrap_or_default()
            .saturating_add(1);
        let pause = shared.options.backoff.pause(failures);
        Self { id, error, pause }
    }

    /// What is kept of the error.
    pub(super) fn text(&self) -> String {
        // PostgreSQL's text holds no NUL.
        let characters = self.error.chars().filter(|character| *character != '\0');
        characters.take(ERROR_LENGTH).collect()
    }

    /// Seconds until the next attempt.
    pub(super) fn seconds(&self) -> f64 {
        self.pause.as_secs_f64()
    }
}

/// Keeps the notification with its error and the time of the next attempt, in the transaction that holds it.
pub(super) async fn record(
    shared: &Shared,
    entry: &Durable,
    transaction: &Transaction<'_>,
    statements: &Statements,
    row: &Row,
    error: String,
) -> Result<Failure, tokio_postgres::Error> {
    let id: i64 = row.get("id");
    let failure = Failure::new(shared, id, error, row.get("attempts"));
    let (text, seconds) = (failure.text(), failure.seconds());
    statements
        .record_failure
        .execute(transaction, &[&entry.group, &id, &text, &seconds])
        .await?;
    Ok(failure)
}

/// The same in a transaction of its own, as the one that held it has come to nothing.
///
/// None if another consumer has got hold of it in between: what it makes of it counts.
pub(super) async fn record_anew(
    shared: &Shared,
    entry: &Durable,
    transaction: &Transaction<'_>,
    statements: &Statements,
    row: &Row,
    error: String,
) -> Result<Option<Failure>, Error> {
    let (id, attempts): (i64, i32) = (row.get("id"), row.get("attempts"));
    let recorded = async {
        transaction.batch_execute(&statements.begin).await?;
        let held = transaction
            .query_opt(&shared.sql.hold_again(), &[&entry.group, &id, &attempts])
            .await?;
        let failure = match held {
            Some(_) => Some(record(shared, entry, transaction, statements, row, error).await?),
            None => None,
        };
        transaction.batch_execute("COMMIT").await?;
        Ok(failure)
    };
    recorded
        .await
        .map_err(|error| Error::postgres("record the failure of a listener", error))
}

/// Tells of it, once it is committed.
pub(super) fn tell(shared: &Arc<Shared>, entry: &Durable, failure: &Failure) {
    shared.failed(entry.spec.name, Some(failure.id), &failure.error);
    shared.wake_after(failure.pause + Duration::from_millis(1));
}
