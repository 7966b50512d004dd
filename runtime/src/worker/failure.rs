//! What becomes of a notification whose listener has failed.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Transaction};

use super::delivery::Statements;
use super::shared::{Durable, Shared};
use super::{Backoff, WorkerEvent};
use crate::listener_error::Verdict;
use crate::{Error, ListenerError};

/// Longest text of an error that is kept with a notification, in characters.
const ERROR_LENGTH: usize = 2_000;

/// Error of an attempt that nobody could record.
const WITHOUT_END: &str =
    "the last attempt has not come to an end: the process died, or lost its connection";

/// Why a listener did not do its work, and what is to become of the notification.
#[derive(Debug)]
pub(super) struct Failure {
    pub text: String,
    pub verdict: Verdict,
    /// It was cancelled: a statement of it may still run.
    pub timed_out: Option<Duration>,
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self {
            text,
            verdict: Verdict::Retry,
            timed_out: None,
        }
    }
}

impl From<ListenerError> for Failure {
    fn from(error: ListenerError) -> Self {
        Self {
            text: error.to_string(),
            verdict: error.verdict(),
            timed_out: None,
        }
    }
}

/// A notification in hand, in the transaction that holds it.
struct Held<'h> {
    shared: &'h Arc<Shared>,
    entry: &'h Durable,
    transaction: Transaction<'h>,
    id: i64,
}

/// Decides, writes it down, and commits: the notification is tried again, goes to quarantine, or is removed.
pub(super) async fn record(
    shared: &Arc<Shared>,
    entry: &Durable,
    transaction: Transaction<'_>,
    statements: &Statements,
    row: &Row,
    failure: &Failure,
) -> Result<(), Error> {
    let failures = attempts(row).saturating_add(1);
    let held = Held {
        shared,
        entry,
        transaction,
        id: row.get("id"),
    };
    held.tell_of_timeout(failure);
    let error = &failure.text;
    match failure.verdict {
        Verdict::RetryAfter(pause) => held.snooze(pause, failures.saturating_sub(1)).await,
        Verdict::Discard => held.discard(error).await,
        Verdict::Quarantine => {
            let reason = "the listener asked for it".to_owned();
            held.give_up(statements, failures, error, reason).await
        }
        Verdict::Retry if failures >= entry.spec.retry.max.max(1) => {
            let reason = format!("failed {failures} times");
            held.give_up(statements, failures, error, reason).await
        }
        Verdict::Retry => held.retry(statements, failures, error).await,
    }
}

/// Moves a notification to quarantine that has no attempts left: the last one was counted and has not come to an end, or the
/// quarantine was full, or more attempts were allowed before.
pub(super) async fn used_up(
    shared: &Arc<Shared>,
    entry: &Durable,
    transaction: Transaction<'_>,
    statements: &Statements,
    row: &Row,
) -> Result<(), Error> {
    let held = Held {
        shared,
        entry,
        transaction,
        id: row.get("id"),
    };
    let attempts = attempts(row);
    let reason = format!("tried {attempts} times");
    let last = held
        .transaction
        .query_opt(&shared.sql.last_error(), &[&entry.group, &held.id])
        .await
        .map_err(not_recorded)?;
    let last: Option<String> = last.and_then(|row| row.get(0));
    let error = last.as_deref().unwrap_or(WITHOUT_END);
    held.give_up(statements, attempts, error, reason).await
}

/// Of the row of a claim.
pub(super) fn attempts(row: &Row) -> u32 {
    u32::try_from(row.get::<_, i32>("attempts")).unwrap_or_default()
}

/// A transient notification is not stored: there is nothing to decide but what is told.
pub(super) fn report_transient(shared: &Shared, listener: &'static str, failure: &Failure) {
    if let Some(timeout) = failure.timed_out {
        let id = None;
        shared.emit(WorkerEvent::TimedOut {
            listener,
            id,
            timeout,
        });
    }
    if matches!(failure.verdict, Verdict::Discard) {
        shared.emit(WorkerEvent::Discarded {
            listener,
            id: None,
            reason: failure.text.clone(),
        });
    } else {
        shared.failed(listener, None, &failure.text);
    }
}

impl Held<'_> {
    fn backoff(&self) -> Backoff {
        let own = self.entry.spec.retry.backoff;
        own.unwrap_or(self.shared.options.backoff)
    }

    fn tell_of_timeout(&self, failure: &Failure) {
        if let Some(timeout) = failure.timed_out {
            self.shared.emit(WorkerEvent::TimedOut {
                listener: self.entry.spec.name,
                id: Some(self.id),
                timeout,
            });
        }
    }

    /// Keeps it with its error and the time of the next attempt. False: it is not there any more.
    async fn keep(
        self,
        statements: &Statements,
        attempts: u32,
        error: &str,
        pause: Duration,
    ) -> Result<bool, Error> {
        let kept = self
            .transaction
            .execute(
                &statements.record_failure,
                &[
                    &self.entry.group,
                    &self.id,
                    &stored(error),
                    &pause.as_secs_f64(),
                    &signed(attempts),
                ],
            )
            .await
            .map_err(not_recorded)?;
        self.transaction.commit().await.map_err(not_recorded)?;
        self.shared
            .wake_after(pause.saturating_add(Duration::from_millis(1)));
        Ok(kept > 0)
    }

    async fn retry(self, statements: &Statements, failures: u32, error: &str) -> Result<(), Error> {
        let pause = self.backoff().pause(failures);
        let (shared, listener, id) = (self.shared, self.entry.spec.name, self.id);
        self.keep(statements, failures, error, pause).await?;
        shared.failed(listener, Some(id), error);
        Ok(())
    }

    /// Keeps it until later, without counting an attempt.
    async fn snooze(self, pause: Duration, attempts: u32) -> Result<(), Error> {
        self.transaction
            .execute(
                &self.shared.sql.snooze(),
                &[
                    &self.entry.group,
                    &self.id,
                    &pause.as_secs_f64(),
                    &signed(attempts),
                ],
            )
            .await
            .map_err(not_recorded)?;
        self.transaction.commit().await.map_err(not_recorded)?;
        self.shared.emit(WorkerEvent::Snoozed {
            listener: self.entry.spec.name,
            id: self.id,
            pause,
        });
        self.shared
            .wake_after(pause.saturating_add(Duration::from_millis(1)));
        Ok(())
    }

    /// Removes it, as the listener wants no more of it.
    async fn discard(self, reason: &str) -> Result<(), Error> {
        self.transaction
            .execute(&self.shared.sql.remove(), &[&self.entry.group, &self.id])
            .await
            .map_err(not_recorded)?;
        self.transaction.commit().await.map_err(not_recorded)?;
        let (listener, id) = (self.entry.spec.name, self.id);
        tracing::warn!(
            listener,
            id,
            "the listener discarded notification {id}: {reason}"
        );
        self.shared.emit(WorkerEvent::Discarded {
            listener,
            id: Some(id),
            reason: reason.to_owned(),
        });
        Ok(())
    }

    /// Moves it to quarantine; if that is full, it stays and comes back after the longest pause.
    async fn give_up(
        self,
        statements: &Statements,
        attempts: u32,
        error: &str,
        reason: String,
    ) -> Result<(), Error> {
        let text = stored(error);
        let attempts_in_sql = signed(attempts);
        let limit = self.shared.options.quarantine_limit;
        let parameters: [&(dyn ToSql + Sync); 6] = [
            &self.entry.group,
            &self.id,
            &attempts_in_sql,
            &text,
            &reason,
            &limit,
        ];
        let moved = self
            .transaction
            .execute(&self.shared.sql.quarantine(), &parameters)
            .await
            .map_err(not_recorded)?;
        let (shared, listener, id) = (self.shared, self.entry.spec.name, self.id);
        if moved == 0 {
            let pause = self.backoff().max;
            if self.keep(statements, attempts, error, pause).await? {
                tracing::warn!(
                    listener,
                    id,
                    "the quarantine takes no more: notification {id} stays where it is"
                );
                shared.failed(listener, Some(id), error);
                shared.emit(WorkerEvent::QuarantineFull { listener, id });
            }
            return Ok(());
        }
        self.transaction.commit().await.map_err(not_recorded)?;
        shared.failed(listener, Some(id), error);
        tracing::error!(listener, id, "notification {id} is in quarantine: {reason}");
        shared.emit(WorkerEvent::Quarantined {
            listener,
            id,
            reason,
        });
        Ok(())
    }
}

/// As the column has it.
fn signed(attempts: u32) -> i32 {
    i32::try_from(attempts).unwrap_or(i32::MAX)
}

fn not_recorded(error: tokio_postgres::Error) -> Error {
    Error::postgres("record the failure of a listener", error)
}

/// PostgreSQL's text holds no NUL.
fn stored(error: &str) -> String {
    error
        .chars()
        .filter(|character| *character != '\0')
        .take(ERROR_LENGTH)
        .collect()
}
