//! A listener that kills its process must end in quarantine too, and what works must not pay for that.
//!
//! An attempt is recorded by the transaction that holds the notification, so one that ends with its process, or with its
//! session, leaves no trace. Counting each attempt before it begins would cost every notification a commit of its own. Instead,
//! each consumer is careful at the beginning of each of its sessions, as that is what follows a death: for the first
//! notifications of each listener, as many as a batch takes, it claims one at a time, and commits that the attempt has begun
//! before it calls the listener. What killed a session comes back among them, as ids are claimed in order.
//!
//! Nobody has to know of a death for that, and nothing is to be cleared away after one. A session that died in its careful part
//! is counted; one that died later is not, and the one in its place is careful. So a notification that kills brings down at most
//! as many sessions uncounted as there are consumers. Each careful notification is committed by itself, so that there is
//! progress however short the sessions are.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join4;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Row, Transaction};

use super::bounds::Role;
use super::delivery::Statements;
use super::failure::{attempts, is_used_up, max};
use super::shared::{Durable, Shared};
use crate::Error;
use crate::batch_transaction::BatchTransaction;

/// Between the two transactions nobody holds the notification, for as long as the server takes from one statement to the next.
/// Nobody else is to take it then.
const BETWEEN: Duration = Duration::from_millis(100);
/// The same where an attempt counted in vain would be the last one; and a crash loop is to slow down.
const BETWEEN_THE_LAST: Duration = Duration::from_secs(1);

/// Whether to go on with a notification.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Begun {
    /// The attempt is counted; another transaction holds the notification now.
    Counted,
    /// It has no attempts left, so the listener is not called.
    UsedUp,
    /// Somebody has taken it in between.
    Gone,
}

/// Attempts of this worker that were counted when they began, and have not come to an end.
#[derive(Default)]
pub(super) struct Attempts {
    /// Group and id of each, with the attempts of the notification.
    begun: Mutex<HashMap<(&'static str, i64), i32>>,
}

impl Attempts {
    /// It has come to an end, whatever the end.
    pub(super) fn ended(&self, group: &'static str, id: i64) {
        self.begun().remove(&(group, id));
    }

    fn begun(&self) -> MutexGuard<'_, HashMap<(&'static str, i64), i32>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes back the attempts that a stop has cut off: it was ours to cut, not the fault of the notification.
pub(super) async fn take_back(shared: &Shared) -> Result<(), Error> {
    let begun = std::mem::take(&mut *shared.counted.begun());
    if begun.is_empty() {
        return Ok(());
    }
    let failed = |error| Error::postgres("take back an attempt", error);
    let session = shared.connector.apart().connect(Role::Maintenance).await?;
    for ((group, id), attempts) in begun {
        let parameters = [
            (&group as &(dyn ToSql + Sync), Type::TEXT),
            (&id, Type::INT8),
            (&attempts, Type::INT4),
        ];
        // The session that held it has ended, or is about to.
        session
            .client
            .execute_typed(&shared.sql.take_back_attempt(), &parameters)
            .await
            .map_err(failed)?;
    }
    Ok(())
}

/// How many notifications of a listener a consumer is still careful with.
pub(super) struct Careful {
    left: usize,
}

impl Careful {
    /// At the beginning of a session.
    pub(super) fn new(batch: usize) -> Self {
        Self { left: batch }
    }

    /// Whether it will be with the next claim, which then takes one notification.
    pub(super) fn is_due(&self) -> bool {
        self.left > 0
    }

    /// Whether it is with this claim.
    pub(super) fn next(&mut self) -> bool {
        let due = self.is_due();
        self.left = self.left.saturating_sub(1);
        due
    }
}

/// Counts the attempt and commits that, before the listener is called: in one round trip, after which a new transaction holds
/// the notification, and nothing else.
pub(super) async fn begin_attempt(
    shared: &Shared,
    entry: &Durable,
    statements: &Statements,
    transaction: &mut BatchTransaction<'_>,
    row: &Row,
) -> Result<Begun, Error> {
    let before = attempts(row);
    if is_used_up(entry, row) {
        return Ok(Begun::UsedUp);
    }
    let pause = if before == 0 && max(entry) > 1 {
        // The first death counts for little: most are of innocent ones. It comes back at once.
        BETWEEN
    } else {
        let backoff = entry.spec.retry.backoff.unwrap_or(shared.options.backoff);
        backoff
            .pause(before.saturating_add(1))
            .max(BETWEEN_THE_LAST)
    };
    let pause = pause.as_secs_f64();
    let id: i64 = row.get("id");
    let (was, is): (i32, i32) = (row.get("attempts"), row.get::<_, i32>("attempts") + 1);
    let counting: [&(dyn ToSql + Sync); 4] = [&entry.group, &id, &was, &pause];
    let handle = transaction.handle();
    let (counted, committed, is_in_turn, held) = join4(
        statements.count_attempt.execute(handle, &counting),
        handle.batch_execute(&statements.commit_and_begin),
        hold_key(entry, statements, handle, row),
        statements
            .hold_again
            .query(handle, &[&entry.group, &id, &is]),
    )
    .await;
    let failed = |error| Error::postgres("count an attempt before it begins", error);
    let is_in_turn = counted.and(committed).and(is_in_turn).map_err(failed)?;
    let is_held = !held.map_err(failed)?.is_empty();
    if is_held && !is_in_turn {
        // One before it has been committed meanwhile, and another consumer is at work on that.
        handle
            .execute(&shared.sql.snooze(), &[&entry.group, &id, &0_f64, &was])
            .await
            .map_err(failed)?;
    }
    transaction.renew();
    Ok(if is_held && is_in_turn {
        shared.counted.begun().insert((entry.group, id), is);
        Begun::Counted
    } else {
        Begun::Gone
    })
}

/// The commit has let go of the key, if it has one: whether it is held again.
async fn hold_key(
    entry: &Durable,
    statements: &Statements,
    handle: &Transaction<'_>,
    row: &Row,
) -> Result<bool, tokio_postgres::Error> {
    let Some(key) = row.get::<_, Option<&str>>("key") else {
        return Ok(true);
    };
    let statement = &statements.ordered().hold_key;
    let held = statement.query(handle, &[&entry.group, &key]).await?;
    Ok(held.first().is_some_and(|row| row.get(0)))
}
