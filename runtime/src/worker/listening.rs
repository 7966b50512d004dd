//! The session that LISTENs and holds the doors. It never runs a longer transaction, so it never holds up the queue of the server.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::timeout;
use tokio_postgres::{Client, Notification};

use super::bounds::Role;
use super::connect::{Connector, Session};
use super::door::Doors;
use super::heartbeat::Heartbeat;
use super::shared::Shared;
use super::transient::Dispatcher;
use super::{SessionState, WorkerEvent};
use crate::Error;
use crate::generated::{ListenerSpec, Wake};
use crate::sql::Sql;

/// How long a worker that stops tries to open its doors; they open by themselves when its session ends.
const LEAVING: Duration = Duration::from_secs(1);

/// Listens until the worker stops; after a loss it connects again.
pub(super) async fn run(shared: Arc<Shared>, connector: Connector, transient: Dispatcher) {
    let mut failures = 0;
    let mut first = true;
    while !shared.stop.is_cancelled() {
        let connected = tokio::select! {
            connected = connect(&shared, &connector) => connected,
            () = shared.stop.cancelled() => return,
        };
        let error = match connected {
            Ok(mut listening) => {
                let since = Instant::now();
                shared.emit(WorkerEvent::Listening);
                shared.session(match first {
                    true => SessionState::Connected,
                    false => SessionState::Resynced,
                });
                first = false;
                // First LISTEN, then scan: what was stored before the LISTEN is found now, what comes later rings.
                shared.wake.notify_one();
                let error = tokio::select! {
                    () = shared.stop.cancelled() => {
                        listening.leave().await;
                        return;
                    }
                    error = listening.forward(&shared, &transient) => error,
                };
                shared.session(SessionState::Lost);
                if since.elapsed() > shared.options.heartbeat {
                    // One that does not last must not be tried again without a pause.
                    failures = 0;
                }
                error
            }
            Err(error) => error.to_string(),
        };
        failures += 1;
        if !shared.pause_before_reconnect(failures, &error).await {
            return;
        }
    }
}

/// A server that does not answer is as good as none.
async fn in_time<T>(
    shared: &Shared,
    asked: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let deadline = shared.options.heartbeat;
    timeout(deadline, asked)
        .await
        .unwrap_or_else(|_| Err(Error::no_answer(deadline)))
}

async fn connect(shared: &Shared, connector: &Connector) -> Result<Listening, Error> {
    let session = connector.connect(Role::Listening).await?;
    in_time(shared, open(shared, session)).await
}

struct Listening {
    session: Session,
    doors: Doors,
    heartbeat: Heartbeat,
    /// Where the writers of durable channels ring.
    bells: HashMap<&'static str, Wake>,
    /// This session, which hears itself.
    process: i32,
}

async fn open(shared: &Shared, session: Session) -> Result<Listening, Error> {
    let client = &session.client;
    let durable = shared.durable.iter().map(|entry| &entry.spec);
    let bells: HashMap<&str, Wake> = durable.flat_map(ListenerSpec::bells).collect();
    let transient = shared.transient.iter().map(|entry| &entry.spec);
    let wires: HashSet<&str> = transient
        .flat_map(ListenerSpec::wires)
        .chain(bells.keys().copied())
        .collect();
    let listen: Vec<String> = wires.iter().map(|wire| Sql::listen(wire)).collect();
    client
        .batch_execute(&listen.join("; "))
        .await
        .map_err(|error| Error::postgres("LISTEN", error))?;
    let process = own_process(client).await?;
    let doors = Doors::prepare(client, shared).await?;
    let all: BTreeSet<String> = wires
        .into_iter()
        .chain(doors.wires())
        .map(str::to_owned)
        .collect();
    let heartbeat = Heartbeat::prepare(client, shared, all).await?;
    Ok(Listening {
        session,
        doors,
        heartbeat,
        bells,
        process,
    })
}

/// What the listening session has to do.
enum Due {
    Heard(Notification),
    Doors,
    Heartbeat,
}

async fn own_process(client: &Client) -> Result<i32, Error> {
    let row = client
        .query_one("SELECT pg_catalog.pg_backend_pid()", &[])
        .await
        .map_err(|error| Error::postgres("ask for the own process", error))?;
    Ok(row.get(0))
}

impl Listening {
    /// Hands on what comes, minds the doors and checks the session, until the connection ends; why it did.
    async fn forward(&mut self, shared: &Shared, transient: &Dispatcher) -> String {
        loop {
            let due = tokio::select! {
                notification = self.session.notifications.recv() => match notification {
                    Some(notification) => Due::Heard(notification),
                    None => return "the listening connection was lost".to_owned(),
                },
                () = self.doors.due(&shared.rest) => Due::Doors,
                () = self.heartbeat.due() => Due::Heartbeat,
            };
            let minded = in_time(shared, async {
                let client = &self.session.client;
                match due {
                    Due::Heard(notification) => self.hear(shared, transient, &notification).await,
                    Due::Doors => self.doors.turn(client, shared).await,
                    Due::Heartbeat => self.heartbeat.beat(client, shared).await,
                }
            });
            if let Err(error) = minded.await {
                return error.to_string();
            }
        }
    }

    async fn hear(
        &mut self,
        shared: &Shared,
        transient: &Dispatcher,
        notification: &Notification,
    ) -> Result<(), Error> {
        let wire = notification.channel();
        if let Some(wake) = self.bells.get(wire) {
            let busy = shared.rest.is_busy();
            shared.wake.notify_one();
            if *wake == Wake::Door {
                self.doors.rung(&self.session.client, busy).await?;
            }
        } else if !self.doors.is_wire(wire) {
            transient.dispatch(wire, notification.payload());
        } else if notification.process_id() != self.process {
            self.doors.opened_elsewhere(wire);
            shared.wake.notify_one();
        }
        Ok(())
    }

    /// So that the other workers of the groups know it at once.
    async fn leave(&mut self) {
        let open = self.doors.open(&self.session.client);
        if let Ok(Err(error)) = tokio::time::timeout(LEAVING, open).await {
            tracing::debug!("the doors open when the session ends: {error}");
        }
    }
}
