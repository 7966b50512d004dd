//! What becomes of a notification whose listener has failed.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::{Row, Transaction};

use super::delivery::Statements;
use super::shared::{Durable, Shared};
use crate::Error;

/// Longest text of an error that is kept with a notification, in characters.
const ERROR_LENGTH: usize = 2_000;

/// Keeps the notification with its error and the time of the next attempt, and commits.
pub(super) async fn record(
    shared: &Arc<Shared>,
    entry: &Durable,
    transaction: Transaction<'_>,
    statements: &Statements,
    row: &Row,
    error: &str,
) -> Result<(), Error> {
    let failed = |error| Error::postgres("record the failure of a listener", error);
    let id: i64 = row.get("id");
    let failures = u32::try_from(row.get::<_, i32>("attempts"))
        .unwrap_or_default()
        .saturating_add(1);
    let pause = shared.options.backoff.pause(failures);
    // PostgreSQL's text holds no NUL.
    let text: String = error
        .chars()
        .filter(|character| *character != '\0')
        .take(ERROR_LENGTH)
        .collect();
    transaction
        .execute(
            &statements.record_failure,
            &[&entry.group, &id, &text, &pause.as_secs_f64()],
        )
        .await
        .map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    shared.failed(entry.spec.name, Some(id), error);
    shared.wake_after(pause + Duration::from_millis(1));
    Ok(())
}
