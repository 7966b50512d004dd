//! A listener that kills its process must end in quarantine too, and what works must not pay for that.
//!
//! An attempt is recorded by the transaction that holds the notification, so one that ends with its process, or with its
//! session, leaves no trace. Counting each attempt before it begins would cost every notification a commit of its own. Instead,
//! each consumer has a row in the table `worker` and holds an advisory lock for it: a row without its lock says that a session
//! has died. From then on workers are careful with what may have killed it: the next notifications of each listener, and
//! those that have been tried before. Of these, an attempt is counted and committed before the listener is called.
//!
//! So the first death is not counted, and each later one is, by any worker that has noticed the first one, which takes it a
//! second at most. Notifications that were only in the same process are counted as well; they are done with when their
//! next attempt succeeds.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio_postgres::{Client, Row, Transaction};

use super::delivery::begin;
use super::failure;
use super::shared::{Durable, Shared};
use crate::batch_transaction::BatchTransaction;
use crate::sql::Sql;
use crate::{Error, PgTimestampTz};

/// How often a worker looks for the dead.
const INTERVAL: Duration = Duration::from_secs(1);

/// Notifications of each listener that are treated with care after a death. What a dead session had in hand comes back among
/// the first, as ids are claimed in order; should it not, it kills again, and more care follows.
const SUSPECTS: u32 = 1_000;

/// What a worker knows of the dead.
#[derive(Default)]
pub(super) struct Deaths {
    last: Option<PgTimestampTz>,
    next_look: Option<Instant>,
}

/// Whether to go on with a notification.
pub(super) enum Before {
    Call,
    /// Call; what else was claimed is not held any more.
    Counted,
    /// Its attempts are used up: the last one has not come to an end.
    UsedUp,
    /// It has to be the first of a batch.
    Alone,
    /// Somebody has taken it; what else was claimed is not held any more.
    Gone,
}

/// Gives the session of a consumer its row.
pub(super) async fn enlist(shared: &Shared, client: &mut Client) -> Result<i64, Error> {
    let failed = |error| Error::postgres("enlist a consumer", error);
    let transaction = begin(client).await.map_err(failed)?;
    let row = transaction
        .query_one(&shared.sql.enlist(), &[&shared.sql.name("worker")])
        .await
        .map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    Ok(row.get(0))
}

/// Takes the row back when the consumer ends as it should. No transaction is open.
pub(super) async fn leave(shared: &Shared, handle: &Transaction<'_>, id: i64) -> Result<(), Error> {
    let left = async {
        handle.batch_execute(Sql::BEGIN).await?;
        handle.execute(&shared.sql.leave(), &[&id]).await?;
        handle.batch_execute("COMMIT").await
    };
    left.await
        .map_err(|error| Error::postgres("take a consumer off the list", error))
}

/// Whether nobody of this worker has looked for the dead for a while.
pub(super) fn is_due(shared: &Shared) -> bool {
    let deaths = shared.deaths.lock().unwrap_or_else(PoisonError::into_inner);
    deaths.next_look.is_none_or(|next| Instant::now() >= next)
}

/// Looks for the dead; `id` is that of the session's own row. No transaction is open.
pub(super) async fn look(shared: &Shared, handle: &Transaction<'_>, id: i64) -> Result<(), Error> {
    {
        let mut deaths = shared.deaths.lock().unwrap_or_else(PoisonError::into_inner);
        deaths.next_look = Some(Instant::now() + INTERVAL);
    }
    let looked = async {
        handle.batch_execute(Sql::BEGIN).await?;
        let row = handle
            .query_one(&shared.sql.last_death(), &[&shared.sql.name("worker"), &id])
            .await?;
        handle.batch_execute("COMMIT").await?;
        Ok(row)
    };
    let row = looked
        .await
        .map_err(|error| Error::postgres("look for workers that have died", error))?;
    let last: Option<PgTimestampTz> = row.get(0);
    let mut deaths = shared.deaths.lock().unwrap_or_else(PoisonError::into_inner);
    if last.is_none() || last == deaths.last {
        return Ok(());
    }
    deaths.last = last;
    for entry in &shared.durable {
        entry.suspects.store(SUSPECTS, Ordering::Relaxed);
    }
    tracing::warn!(
        "a session of a worker has died: attempts are counted before they begin, for now"
    );
    Ok(())
}

/// Before a listener is called for the notification at this place of a batch: counts the attempt, if there is reason to.
pub(super) async fn before(
    shared: &Shared,
    entry: &Durable,
    transaction: &mut BatchTransaction<'_>,
    row: &Row,
    place: usize,
) -> Result<Before, Error> {
    let failed = |error| Error::postgres("count an attempt before it begins", error);
    let attempts = failure::attempts(row);
    if attempts >= entry.spec.retry.max.max(1) {
        return Ok(Before::UsedUp);
    }
    if place > 0 && (attempts > 0 || is_careful(entry)) && has_deaths(shared) {
        return Ok(Before::Alone);
    }
    if !is_suspect(shared, entry, attempts) {
        return Ok(Before::Call);
    }
    let id: i64 = row.get("id");
    let backoff = entry.spec.retry.backoff.unwrap_or(shared.options.backoff);
    let pause = backoff.pause(attempts.saturating_add(1)).as_secs_f64();
    let handle = transaction.handle();
    handle
        .execute(&shared.sql.count_attempt(), &[&entry.group, &id, &pause])
        .await
        .map_err(failed)?;
    // Should this session die, the notification comes back after the pause. Until then nobody else takes it.
    handle
        .batch_execute(Sql::COMMIT_AND_BEGIN)
        .await
        .map_err(failed)?;
    let held = handle
        .query_opt(&shared.sql.hold(), &[&entry.group, &id])
        .await
        .map_err(failed)?;
    transaction.renew();
    Ok(if held.is_some() {
        Before::Counted
    } else {
        Before::Gone
    })
}

/// Whether the next notification of a listener is one of the suspects.
pub(super) fn is_careful(entry: &Durable) -> bool {
    entry.suspects.load(Ordering::Relaxed) > 0
}

/// Whether this worker has heard of a death.
pub(super) fn has_deaths(shared: &Shared) -> bool {
    let deaths = shared.deaths.lock().unwrap_or_else(PoisonError::into_inner);
    deaths.last.is_some()
}

fn is_suspect(shared: &Shared, entry: &Durable, attempts: u32) -> bool {
    let fewer = |suspects: u32| suspects.checked_sub(1);
    let next = entry
        .suspects
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer);
    if next.is_ok() {
        return true;
    }
    attempts > 0 && has_deaths(shared)
}
