//! Housekeeping that no writer shall pay for.

use std::sync::Arc;
use std::time::Duration;

use super::bounds::Role;
use super::connect::Session;
use super::delivery::begin;
use super::retention;
use super::shared::Shared;
use crate::Error;

const INTERVAL: Duration = Duration::from_secs(60);

/// Once a minute, until the worker stops: removes spilled bodies that nobody fetches any more and old ids of the inbox, looks after
/// the partitions of what was processed, and tells of notifications that only newer code reads.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut interval = tokio::time::interval(INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shared.stop.cancelled() => return,
            _ = interval.tick() => {}
        }
        let tidied = tokio::select! {
            () = shared.stop.cancelled() => return,
            tidied = tidy_up(&shared) => tidied,
        };
        // The next minute is soon enough for a try that fails.
        if let Err(error) = tidied {
            tracing::debug!("what is old stays for now: {error}");
        }
    }
}

async fn tidy_up(shared: &Shared) -> Result<(), Error> {
    let mut session = shared.connect(Role::Maintenance).await?;
    remove_old_spills(shared, &mut session).await?;
    retention::look_after(&session.client, shared).await?;
    tell_of_newer(shared, &mut session).await?;
    forget_old_ids(shared, &mut session).await
}

/// A claim leaves them alone, and a worker that has nothing to do would not say why.
async fn tell_of_newer(shared: &Shared, session: &mut Session) -> Result<(), Error> {
    let failed = |error| Error::postgres("look for notifications of newer versions", error);
    let transaction = begin(&mut session.client, &shared.connector)
        .await
        .map_err(failed)?;
    let statement = shared.sql.newest_unread();
    for entry in &shared.durable {
        let row = transaction
            .query_one(&statement, &[&entry.group, &entry.wanted, &entry.versions])
            .await
            .map_err(failed)?;
        if let Some(version) = row.get::<_, Option<i32>>(0) {
            shared.too_new(entry.spec.name, u32::try_from(version).unwrap_or_default());
        }
    }
    transaction.commit().await.map_err(failed)
}

async fn remove_old_spills(shared: &Shared, session: &mut Session) -> Result<(), Error> {
    let remove = async {
        let transaction = begin(&mut session.client, &shared.connector).await?;
        transaction
            .execute(&shared.sql.remove_old_spills(), &[])
            .await?;
        transaction.commit().await
    };
    remove
        .await
        .map_err(|error| Error::postgres("remove old spilled notifications", error))
}

async fn forget_old_ids(shared: &Shared, session: &mut Session) -> Result<(), Error> {
    let Some(age) = shared.options.inbox_retention else {
        return Ok(());
    };
    let failed = |error| Error::postgres("remove old ids from the inbox", error);
    let transaction = begin(&mut session.client, &shared.connector)
        .await
        .map_err(failed)?;
    let seconds = age.as_secs_f64();
    transaction
        .execute(&shared.sql.forget(), &[&seconds])
        .await
        .map_err(failed)?;
    transaction.commit().await.map_err(failed)
}
