//! The session that LISTENs. It never runs a transaction, so it never holds up the queue of the server.

use std::collections::HashSet;
use std::sync::Arc;

use super::WorkerEvent;
use super::bounds::Role;
use super::connect::{Connector, Session};
use super::shared::Shared;
use super::transient::Dispatcher;
use crate::Error;
use crate::generated::ListenerSpec;
use crate::sql::Sql;

/// Listens until the worker stops; after a loss it connects again.
pub(super) async fn run(shared: Arc<Shared>, connector: Connector, transient: Dispatcher) {
    let mut failures = 0;
    while !shared.stop.is_cancelled() {
        let error = match open(&shared, &connector).await {
            Ok(session) => {
                failures = 0;
                shared.emit(WorkerEvent::Listening);
                // First LISTEN, then scan: what was stored before the LISTEN is found now, what comes later rings.
                shared.wake.notify_one();
                tokio::select! {
                    () = shared.stop.cancelled() => return,
                    () = forward(&shared, &transient, session) => "the listening connection was lost".to_owned(),
                }
            }
            Err(error) => error.to_string(),
        };
        failures += 1;
        if !shared.pause_before_reconnect(failures, &error).await {
            return;
        }
    }
}

async fn open(shared: &Shared, connector: &Connector) -> Result<Session, Error> {
    let session = shared.connect_by(connector, Role::Listening).await?;
    let durable = shared.durable.iter().map(|entry| &entry.spec);
    let wires: HashSet<&str> = durable
        .chain(shared.transient.iter().map(|entry| &entry.spec))
        .flat_map(ListenerSpec::wires)
        .collect();
    let listen: Vec<String> = wires.into_iter().map(Sql::listen).collect();
    session
        .client
        .batch_execute(&listen.join("; "))
        .await
        .map_err(|error| Error::postgres("LISTEN", error))?;
    Ok(session)
}

/// Hands on what comes, until the connection ends.
async fn forward(shared: &Shared, transient: &Dispatcher, mut session: Session) {
    let durable: HashSet<&str> = shared
        .durable
        .iter()
        .flat_map(|entry| entry.spec.wires())
        .collect();
    while let Some(notification) = session.notifications.recv().await {
        if durable.contains(notification.channel()) {
            shared.wake.notify_one();
        } else {
            transient.dispatch(notification.channel(), notification.payload());
        }
    }
}
