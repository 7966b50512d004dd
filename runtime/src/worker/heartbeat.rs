//! Proof that the listening session is alive, and still listens.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_postgres::{Client, Statement};

use super::WorkerEvent;
use super::shared::Shared;
use crate::Error;
use crate::error::Kind;
use crate::sql::Sql;

/// How full the server's queue may be before it is said.
const FILLING: f64 = 0.25;

/// Checks the listening session once in a while.
pub(super) struct Heartbeat {
    check: Statement,
    /// What the session must listen to.
    wires: BTreeSet<String>,
    interval: Duration,
    next: Instant,
    queue: Queue,
}

impl Heartbeat {
    pub(super) async fn prepare(
        client: &Client,
        shared: &Shared,
        wires: BTreeSet<String>,
    ) -> Result<Self, Error> {
        let check = client
            .prepare(Sql::HEARTBEAT)
            .await
            .map_err(|error| Error::postgres("prepare the heartbeat", error))?;
        let interval = shared.options.heartbeat;
        Ok(Self {
            check,
            wires,
            interval,
            next: Instant::now() + interval,
            queue: Queue::default(),
        })
    }

    /// Waits until a check is due. May be dropped at any time.
    pub(super) async fn due(&self) {
        sleep_until(self.next).await;
    }

    /// An answer alone is not enough: a pooler may have given the session to somebody else, or `DISCARD ALL` ended the LISTENs.
    pub(super) async fn beat(&mut self, client: &Client, shared: &Shared) -> Result<(), Error> {
        self.next = Instant::now() + self.interval;
        let row = client
            .query_one(&self.check, &[])
            .await
            .map_err(|error| Error::postgres("check the listening session", error))?;
        let (listening, usage): (Vec<&str>, f64) = (row.get(0), row.get(1));
        if self.queue.begins_to_fill(usage) {
            tracing::warn!(
                usage,
                "the NOTIFY queue of the server fills up; look for a session that LISTENs and has a transaction open for long"
            );
            shared.emit(WorkerEvent::QueueFilling { usage });
        }
        match self
            .wires
            .iter()
            .find(|wire| !listening.contains(&wire.as_str()))
        {
            None => Ok(()),
            Some(wire) => Err(Error::new(
                Kind::Postgres,
                format!(
                    "the listening session does not listen to \"{wire}\" any more: is there a pooler in transaction mode, or did somebody run DISCARD ALL?"
                ),
            )),
        }
    }
}

/// Whether it was said that the server's queue fills up.
#[derive(Default)]
struct Queue {
    said: bool,
}

impl Queue {
    /// True once each time it gets so full, not at each look.
    fn begins_to_fill(&mut self, usage: f64) -> bool {
        let said = self.said;
        self.said = usage >= FILLING || (said && usage >= FILLING / 2.0);
        self.said && !said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filling_queue_is_said_once_until_it_has_emptied() {
        let mut queue = Queue::default();
        let said: Vec<bool> = [0.0, 0.24, 0.25, 0.9, 0.2, 0.3, 0.1, 0.3]
            .map(|usage| queue.begins_to_fill(usage))
            .into();
        assert_eq!(said, [false, false, true, false, false, false, false, true]);
    }
}
