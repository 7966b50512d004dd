//! A listener that kills its process must end in quarantine too, and what works must not pay for that.
//!
//! An attempt is recorded by the transaction that holds the notification, so one that ends with its process, or with its
//! session, leaves no trace. Counting each attempt before it begins would cost every notification a commit of its own. Instead,
//! each consumer is careful at the beginning of each of its sessions, as that is what follows a death: the first notifications
//! of each of its lanes, as many as a batch takes and [`CAREFUL`] at the most, it claims one at a time, and commits that the
//! attempt has begun before it calls the listener. After that, no batch is larger than what the session has delivered before it.
//! What killed a session comes back soon, as a lane is worked off in order.
//!
//! How soon: let the notification that kills be the `p`th of what waits in its lane when a session begins. If `p` is within the
//! careful part, its death is counted. If not, it dies uncounted in a batch. Before that the session has delivered and committed
//! some number `d`, and the batch is no larger than that, so of its place in the batch: `p - d <= d`, hence `p - d <= p / 2`. The
//! next session begins with what was before it in that batch, so there its place is at most half of what it was. The first death
//! happens at a place within a batch. So with batches of `b` and a careful part of `c`, a notification brings down a consumer at
//! most `1 + log2(b / c)` times uncounted, rounded up. A test that tries all places finds: once with batches of up to 100, four
//! times with 1,000, seven times with 10,000. Where the whole process dies, what the other consumers had in hand comes back
//! before it, too, but each of them had delivered as much before: places halve all the same.
//!
//! Nobody has to know of a death for that, and nothing is to be cleared away after one. Each careful notification is committed by
//! itself, so that there is progress however short the sessions are.
//!
//! In a walk by key a session begins with the first of each key, and what killed is as far back in its key as before: there, the
//! number of deaths is bounded only by this progress.

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
use crate::sql::column;

/// Between the two transactions nobody holds the notification, for as long as the server takes from one statement to the next.
/// Nobody else is to take it then.
const BETWEEN: Duration = Duration::from_millis(100);
/// The same where an attempt counted in vain would be the last one; and a crash loop is to slow down.
const BETWEEN_THE_LAST: Duration = Duration::from_secs(1);

/// The careful part is no longer than this: each of it costs a commit and a round trip more than in a batch, which a short backlog
/// with large batches would feel.
const CAREFUL: usize = 100;

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

/// How careful a consumer still is in a lane.
pub(super) struct Careful {
    /// With so many notifications to come.
    left: usize,
    /// So many it has got out of the way.
    delivered: usize,
}

impl Careful {
    /// At the beginning of a session.
    pub(super) fn new(batch: usize) -> Self {
        Self {
            left: batch.min(CAREFUL),
            delivered: 0,
        }
    }

    /// How many notifications the next claim may take.
    pub(super) fn most(&self) -> usize {
        if self.left > 0 {
            1
        } else {
            self.delivered.max(1)
        }
    }

    /// Whether it is with this claim.
    pub(super) fn next(&mut self) -> bool {
        let due = self.left > 0;
        self.left = self.left.saturating_sub(1);
        due
    }

    /// So many are not there any more when the next claim is made.
    pub(super) fn delivered(&mut self, count: usize) {
        self.delivered = self.delivered.saturating_add(count);
    }

    /// Not all of what was taken for delivered is committed.
    pub(super) fn begin_anew(&mut self) {
        self.delivered = 0;
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
    let id: i64 = row.get(column::ID);
    let (was, is): (i32, i32) = (
        row.get(column::ATTEMPTS),
        row.get::<_, i32>(column::ATTEMPTS) + 1,
    );
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
    let Some(key) = row.get::<_, Option<&str>>(column::KEY) else {
        return Ok(true);
    };
    let statement = &statements.ordered().hold_key;
    let held = statement.query(handle, &[&entry.group, &key]).await?;
    Ok(held.first().is_some_and(|row| row.get(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Deaths in batches until one is counted, of the notification at a place of a lane, where everything else is quick.
    fn uncounted(batch: usize, mut place: usize) -> usize {
        let mut deaths = 0;
        loop {
            let mut careful = Careful::new(batch);
            loop {
                let (claim, is_careful) = (careful.most().min(batch), careful.next());
                if place > claim {
                    place -= claim;
                    careful.delivered(claim);
                } else if is_careful {
                    return deaths;
                } else {
                    break;
                }
            }
            deaths += 1;
        }
    }

    #[test]
    fn what_kills_is_counted_after_few_deaths_wherever_it_is() {
        for (batch, most) in [(1, 1), (60, 1), (100, 1), (101, 2), (1_000, 4), (10_000, 7)] {
            // Up to this one, each size of a batch occurs.
            let places = 1..3 * batch + 2 * CAREFUL;
            let worst = places.map(|place| uncounted(batch, place)).max();
            assert_eq!(worst, Some(most), "batch {batch}");
        }
    }

    #[test]
    fn a_batch_is_no_larger_than_what_was_delivered_before_it() {
        let mut careful = Careful::new(1_000);
        for _ in 0..CAREFUL {
            assert_eq!(careful.most(), 1);
            assert!(careful.next());
            careful.delivered(1);
        }
        assert_eq!(careful.most(), 100);
        assert!(!careful.next());
        careful.delivered(100);
        assert_eq!(careful.most(), 200);
        careful.begin_anew();
        assert_eq!(careful.most(), 1);
    }
}
