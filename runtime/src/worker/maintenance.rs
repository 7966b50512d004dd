//! Housekeeping that no writer shall pay for.

use std::sync::Arc;
use std::time::Duration;

use super::delivery::begin;
use super::shared::Shared;
use crate::Error;

const INTERVAL: Duration = Duration::from_secs(60);

/// Removes spilled bodies that nobody fetches any more, once a minute, until the worker stops.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut interval = tokio::time::interval(INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shared.stop.cancelled() => return,
            _ = interval.tick() => {}
        }
        // The next minute is soon enough for a try that fails.
        if let Err(error) = remove_old_spills(&shared).await {
            tracing::debug!("old spilled notifications stay for now: {error}");
        }
    }
}

async fn remove_old_spills(shared: &Shared) -> Result<(), Error> {
    let mut session = shared.connector.connect().await?;
    let remove = async {
        let transaction = begin(&mut session.client).await?;
        transaction
            .execute(&shared.sql.remove_old_spills(), &[])
            .await?;
        transaction.commit().await
    };
    remove
        .await
        .map_err(|error| Error::postgres("remove old spilled notifications", error))
}
