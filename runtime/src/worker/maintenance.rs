//! Housekeeping that no writer shall pay for.

use std::sync::Arc;
use std::time::Duration;

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
    let session = shared.connector.connect().await?;
    let removed = session
        .client
        .execute(&shared.sql.remove_old_spills(), &[])
        .await;
    removed.map_err(|error| Error::postgres("remove old spilled notifications", error))?;
    Ok(())
}
