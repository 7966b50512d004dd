//! What becomes of a notification whose listener has failed.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Transaction};

use super::delivery::Statements;
use super::shared::{Durable, Shared};
use super::{Backoff, WorkerEvent};
use crate::listener_error::Verdict;
use crate::sql::column;
use crate::{Error, ListenerError};

/// Longest text of an error that is kept with a notification, in characters.
const ERROR_LENGTH: usize = 2_000;

/// Error of an attempt that nobody could record.
const WITHOUT_END: &str = "the process died, or lost its connection, before the listener was done";

/// Why a listener did not do its work, and what is to become of the notification.
#[derive(Clone, Debug)]
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

/// What was decided and written, which counts once the transaction is committed.
pub(super) struct Recorded {
    id: i64,
    error: String,
    timed_out: Option<Duration>,
    fate: Fate,
}

enum Fate {
    /// It comes back after the pause.
    Again(Duration),
    /// The same, and it was no failure.
    Later(Duration),
    Discarded,
    /// Why.
    Quarantined(String),
    /// It should be in quarantine, and comes back after the pause.
    NoRoom(Duration),
    /// Somebody else has dealt with it.
    Gone,
}

/// A notification in hand, in the transaction that holds it.
struct Held<'h> {
    shared: &'h Shared,
    entry: &'h Durable,
    transaction: &'h Transaction<'h>,
    statements: &'h Statements,
    id: i64,
}

/// Decides, and writes it down in the transaction that holds the notification: it is tried again, goes to quarantine, or is
/// removed.
pub(super) async fn record(
    shared: &Shared,
    entry: &Durable,
    transaction: &Transaction<'_>,
    statements: &Statements,
    row: &Row,
    failure: Failure,
) -> Result<Recorded, tokio_postgres::Error> {
    let held = Held {
        shared,
        entry,
        transaction,
        statements,
        id: row.get(column::ID),
    };
    let failures = attempts(row).saturating_add(1);
    let error = &failure.text;
    let fate = match failure.verdict {
        Verdict::RetryAfter(pause) => held.snooze(pause, failures.saturating_sub(1)).await?,
        Verdict::Discard => held.discard().await?,
        Verdict::Quarantine => {
            let reason = "the listener asked for it".to_owned();
            held.give_up(failures, error, reason).await?
        }
        Verdict::Retry if failures >= max(entry) => {
            let reason = format!("failed {failures} times");
            held.give_up(failures, error, reason).await?
        }
        Verdict::Retry => {
            let pause = held.backoff().pause(failures);
            held.keep(failures, error, pause).await?;
            Fate::Again(pause)
        }
    };
    Ok(Recorded {
        id: held.id,
        error: failure.text,
        timed_out: failure.timed_out,
        fate,
    })
}

/// The same in a transaction of its own, as the one that held it has come to nothing.
///
/// `counted`: the attempt was, when it began. None if another consumer has got hold of it in between: what it makes of it counts.
pub(super) async fn record_anew(
    shared: &Shared,
    entry: &Durable,
    transaction: &Transaction<'_>,
    statements: &Statements,
    row: &Row,
    counted: bool,
    failure: Failure,
) -> Result<Option<Recorded>, Error> {
    let id: i64 = row.get(column::ID);
    let attempts = signed(attempts(row)).saturating_add(i32::from(counted));
    let recorded = async {
        transaction.batch_execute(&statements.begin).await?;
        let held = statements
            .hold_again
            .query(transaction, &[&entry.group, &id, &attempts])
            .await?;
        let recorded = match held.first() {
            Some(_) => Some(record(shared, entry, transaction, statements, row, failure).await?),
            None => None,
        };
        transaction.batch_execute("COMMIT").await?;
        Ok(recorded)
    };
    recorded
        .await
        .map_err(|error| Error::postgres("record the failure of a listener", error))
}

/// Moves a notification to quarantine that has no attempts left: the last one was counted and has not come to an end, or the
/// quarantine was full, or more attempts were allowed before.
pub(super) async fn used_up(
    shared: &Shared,
    entry: &Durable,
    transaction: &Transaction<'_>,
    statements: &Statements,
    row: &Row,
) -> Result<Recorded, tokio_postgres::Error> {
    let held = Held {
        shared,
        entry,
        transaction,
        statements,
        id: row.get(column::ID),
    };
    let attempts = attempts(row);
    let last = transaction
        .query_opt(&shared.sql.last_error(), &[&entry.group, &held.id])
        .await?;
    let last: Option<String> = last.and_then(|row| row.get(0));
    let (reason, error) = match last {
        Some(error) => (
            format!("tried {attempts} times, the last time without success or without an end"),
            error,
        ),
        None => (
            format!(
                "the process or session ended during each of its attempts, of which there were {attempts}"
            ),
            WITHOUT_END.to_owned(),
        ),
    };
    let fate = held.give_up(attempts, &error, reason).await?;
    Ok(Recorded {
        id: held.id,
        error,
        timed_out: None,
        fate,
    })
}

/// Tells of it, once it is committed.
pub(super) fn tell(shared: &Arc<Shared>, entry: &Durable, recorded: &Recorded) {
    let (listener, id, error) = (entry.spec.name, recorded.id, &recorded.error);
    if let Some(timeout) = recorded.timed_out {
        shared.emit(WorkerEvent::TimedOut {
            listener,
            id: Some(id),
            timeout,
        });
    }
    match &recorded.fate {
        Fate::Again(_) | Fate::Quarantined(_) | Fate::NoRoom(_) => {
            shared.failed(listener, Some(id), error);
        }
        Fate::Later(_) | Fate::Discarded | Fate::Gone => {}
    }
    match &recorded.fate {
        Fate::Again(_) | Fate::Gone => {}
        Fate::Later(pause) => shared.emit(WorkerEvent::Snoozed {
            listener,
            id,
            pause: *pause,
        }),
        Fate::Discarded => {
            tracing::warn!(
                listener,
                id,
                "the listener discarded notification {id}: {error}"
            );
            shared.emit(WorkerEvent::Discarded {
                listener,
                id: Some(id),
                reason: error.clone(),
            });
        }
        Fate::Quarantined(reason) => {
            tracing::error!(listener, id, "notification {id} is in quarantine: {reason}");
            shared.emit(WorkerEvent::Quarantined {
                listener,
                id,
                reason: reason.clone(),
            });
        }
        Fate::NoRoom(_) => {
            tracing::warn!(
                listener,
                id,
                "the quarantine takes no more: notification {id} stays where it is"
            );
            shared.emit(WorkerEvent::QuarantineFull { listener, id });
        }
    }
    if let Fate::Again(pause) | Fate::Later(pause) | Fate::NoRoom(pause) = recorded.fate {
        shared.wake_after(pause.saturating_add(Duration::from_millis(1)));
    }
}

/// How often a notification is tried.
pub(super) fn max(entry: &Durable) -> u32 {
    entry.spec.retry.max.max(1)
}

/// Whether it has no attempts left.
pub(super) fn is_used_up(entry: &Durable, row: &Row) -> bool {
    attempts(row) >= max(entry)
}

/// Of the row of a claim.
pub(super) fn attempts(row: &Row) -> u32 {
    u32::try_from(row.get::<_, i32>(column::ATTEMPTS)).unwrap_or_default()
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

    /// Keeps it with its error and the time of the next attempt. False: it is not there any more.
    async fn keep(
        &self,
        attempts: u32,
        error: &str,
        pause: Duration,
    ) -> Result<bool, tokio_postgres::Error> {
        let kept = self
            .statements
            .record_failure
            .execute(
                self.transaction,
                &[
                    &self.entry.group,
                    &self.id,
                    &stored(error),
                    &pause.as_secs_f64(),
                    &signed(attempts),
                ],
            )
            .await?;
        Ok(kept > 0)
    }

    /// Keeps it until later, without counting an attempt.
    async fn snooze(&self, pause: Duration, attempts: u32) -> Result<Fate, tokio_postgres::Error> {
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
            .await?;
        Ok(Fate::Later(pause))
    }

    /// Removes it, as the listener wants no more of it.
    async fn discard(&self) -> Result<Fate, tokio_postgres::Error> {
        self.transaction
            .execute(
                &self.shared.sql.remove_written(),
                &[&self.entry.group, &[self.id].as_slice()],
            )
            .await?;
        Ok(Fate::Discarded)
    }

    /// Moves it to quarantine; if that is full, it stays and comes back after the longest pause.
    async fn give_up(
        &self,
        attempts: u32,
        error: &str,
        reason: String,
    ) -> Result<Fate, tokio_postgres::Error> {
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
            .await?;
        if moved > 0 {
            return Ok(Fate::Quarantined(reason));
        }
        let pause = self.backoff().max;
        Ok(if self.keep(attempts, error, pause).await? {
            Fate::NoRoom(pause)
        } else {
            Fate::Gone
        })
    }
}

/// As the column has it.
fn signed(attempts: u32) -> i32 {
    i32::try_from(attempts).unwrap_or(i32::MAX)
}

/// PostgreSQL's text holds no NUL.
fn stored(error: &str) -> String {
    error
        .chars()
        .filter(|character| *character != '\0')
        .take(ERROR_LENGTH)
        .collect()
}
