//! A consumer: scans, and delivers what it can claim, one notification at a time.

use std::sync::Arc;

use super::WorkerEvent;
use super::crash;
use super::delivery::{Claimed, Statements, deliver_one};
use super::shared::Shared;
use crate::Error;

/// Consumes until the worker stops; after a loss it connects again.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut failures = 0;
    while !shared.stop.is_cancelled() {
        match connect_and_serve(&shared, &mut failures).await {
            Ok(()) => return,
            Err(error) => {
                failures += 1;
                if !shared
                    .pause_before_reconnect(failures, &error.to_string())
                    .await
                {
                    return;
                }
            }
        }
    }
}

async fn connect_and_serve(shared: &Arc<Shared>, failures: &mut u32) -> Result<(), Error> {
    let mut session = shared.connector.connect().await?;
    // Others ring for the listening session; here nobody takes notifications.
    session.notifications.close();
    let enlisted = crash::enlist(shared, &mut session.client).await?;
    let statements = Statements::prepare(&session.client, &shared.sql).await?;
    let groups: Vec<&str> = shared.durable.iter().map(|entry| entry.group).collect();
    // Where the next scan begins, so that a listener with a backlog does not starve the ones behind it.
    let mut first = 0;
    while !shared.stop.is_cancelled() {
        crash::look_again(shared, &mut session.client, enlisted).await?;
        let ready = statements
            .ready(&session.client, &groups, shared.floor)
            .await?;
        // Only now: a session whose statements fail must not be tried again without a pause.
        *failures = 0;
        let mut worked = false;
        for offset in 0..shared.durable.len() {
            let index = (first + offset) % shared.durable.len();
            let entry = &shared.durable[index];
            if shared.stop.is_cancelled() || !ready.iter().any(|group| group == entry.group) {
                continue;
            }
            match deliver_one(shared, entry, &mut session.client, &statements).await? {
                Claimed::One => worked = true,
                Claimed::Nothing => {}
            }
        }
        first = (first + 1) % shared.durable.len();
        if !worked {
            shared.emit(WorkerEvent::Idle);
            tokio::select! {
                () = shared.wake.notified() => {}
                () = tokio::time::sleep(shared.options.poll_interval) => {}
                () = shared.stop.cancelled() => {}
            }
        }
    }
    crash::leave(shared, &mut session.client, enlisted).await
}
