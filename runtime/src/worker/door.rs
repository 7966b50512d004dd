//! The door: how a worker sleeps without costing its writers a NOTIFY at every commit.
//!
//! Each group has an advisory lock, its door. A worker whose scan found nothing tries to shut the door, which is to take the lock
//! exclusively; has one more scan made; and sleeps behind it. A writer tries to take the lock shared until the end of its transaction,
//! and sends a NOTIFY only if that fails, that is, if a worker sleeps or is about to. So:
//!
//! * whoever wrote without ringing had the lock, so the door could not be shut before the row was there to be seen: the scan after
//!   the shutting finds it;
//! * whoever wrote after the shutting rings.
//!
//! Nobody waits for the lock. While a writer that did not ring is under way, the door stays open, and the worker looks again with
//! growing pauses. Several workers of a group share one door: who finds it shut by another one sleeps, too, since a ring wakes all
//! of them; who opens it rings the others, so that none sleeps by an open door. A door that is shut stays so while the worker
//! processes what has rung, until rings come so fast that they would hold up the writers.
//!
//! The states are checked in `tests/door-model` of the repository.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tokio_postgres::{Client, Statement};

use super::shared::{Durable, Shared};
use crate::Error;
use crate::generated::Wake;
use crate::sql::Sql;

/// The pause after a first vain try to shut the door. Each is longer by a quarter, up to the longest: so the look after a writer's
/// commit is late by about a quarter of the time that the writer has taken.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// How often a worker that sleeps by another one's door looks whether that one is still there.
const GUARD: Duration = Duration::from_secs(1);

/// Rings that follow each other within this time are rushed; after so many of them the door is opened.
const RUSH: Duration = Duration::from_millis(3);
const RUSHED_RINGS: u32 = 3;

/// However slowly rings come, after so many the door is opened for a moment: writers that hold each other up with their NOTIFYs
/// look like a slow trickle from here.
const PATIENCE: u32 = 32;

/// What consumers and the listening session tell each other.
#[derive(Default)]
pub(super) struct Rest {
    /// Consumers that found nothing and wait.
    resting: AtomicUsize,
    /// A consumer has begun to.
    begun: Notify,
    /// A consumer has found something since the last time.
    found: AtomicBool,
}

impl Rest {
    /// Whether no consumer waits.
    pub(super) fn is_busy(&self) -> bool {
        self.resting.load(Ordering::Relaxed) == 0
    }

    /// A consumer has found something to do.
    pub(super) fn found(&self) {
        self.found.store(true, Ordering::Relaxed);
    }
}

/// A consumer that found nothing waits until a look is worth while; until `unseen` at most, if it has not seen everything.
pub(super) async fn rest(shared: &Shared, unseen: Option<std::time::Instant>) {
    let rest = &shared.rest;
    rest.resting.fetch_add(1, Ordering::Relaxed);
    // Also when the consumer is dropped in the middle of it.
    let _guard = Resting(rest);
    rest.begun.notify_one();
    tokio::select! {
        () = shared.wake.notified() => {}
        () = tokio::time::sleep(shared.poll_interval()) => {}
        () = sleep_until(unseen.map_or_else(Instant::now, Instant::from)), if unseen.is_some() => {}
        () = shared.stop.cancelled() => {}
    }
}

struct Resting<'a>(&'a Rest);

impl Drop for Resting<'_> {
    fn drop(&mut self) {
        self.0.resting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Where a door stands, as far as this worker knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nobody is known to hold it.
    Open,
    /// This worker holds it.
    Shut,
    /// Another worker holds it, and rings when it opens it.
    Guarded,
}

struct Door {
    key: i64,
    /// Where workers of the group ring for each other.
    wire: String,
    state: State,
}

/// The doors of a worker's groups. They belong to the listening session: who cannot hear holds no door.
pub(super) struct Doors {
    doors: Vec<Door>,
    try_to_shut: Statement,
    open: Statement,
    /// Until when not to try again; then to have a look first.
    pause: Duration,
    next_try: Option<Instant>,
    next_guard: Instant,
    last_ring: Option<Instant>,
    rushed: u32,
    rings: u32,
}

impl Doors {
    /// LISTENs for other workers; all doors are open.
    pub(super) async fn prepare(client: &Client, shared: &Shared) -> Result<Self, Error> {
        let failed = |error| Error::postgres("prepare the statements of the door", error);
        let mut keys: Vec<i64> = shared
            .durable
            .iter()
            .filter(|entry| has_door(entry))
            .map(|entry| key(shared.sql.storage_schema(), entry.group))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        let doors: Vec<Door> = keys
            .into_iter()
            .map(|key| Door {
                key,
                wire: format!("pgpubsub door {:016x}", key),
                state: State::Open,
            })
            .collect();
        let listen: Vec<String> = doors.iter().map(|door| Sql::listen(&door.wire)).collect();
        client
            .batch_execute(&listen.join("; "))
            .await
            .map_err(|error| Error::postgres("LISTEN", error))?;
        Ok(Self {
            doors,
            try_to_shut: client.prepare(Sql::TRY_TO_SHUT).await.map_err(failed)?,
            open: client.prepare(Sql::OPEN).await.map_err(failed)?,
            pause: FIRST_PAUSE,
            next_try: None,
            next_guard: Instant::now(),
            last_ring: None,
            rushed: 0,
            rings: 0,
        })
    }

    /// Waits until there is something to do for [`Self::turn`]. May be dropped at any time.
    pub(super) async fn due(&self, rest: &Rest) {
        if self.doors.is_empty() {
            return std::future::pending().await;
        }
        if let Some(next_try) = self.next_try {
            return sleep_until(next_try).await;
        }
        let guard = async {
            match self.is_any(State::Guarded) {
                true => sleep_until(self.next_guard).await,
                false => std::future::pending().await,
            }
        };
        tokio::select! {
            () = rest.begun.notified() => {}
            () = guard => {}
        }
    }

    /// A consumer rests, or a pause is over: shuts what can be shut, and has somebody look after that.
    pub(super) async fn turn(&mut self, client: &Client, shared: &Shared) -> Result<(), Error> {
        let was_paused = self.next_try.take().is_some();
        if shared.rest.found.swap(false, Ordering::Relaxed) {
            self.pause = FIRST_PAUSE;
        }
        let now = Instant::now();
        let guards = now >= self.next_guard;
        let tried =
            |door: &Door| door.state == State::Open || (guards && door.state == State::Guarded);
        let keys: Vec<i64> = self
            .doors
            .iter()
            .filter(|door| tried(door))
            .map(|door| door.key)
            .collect();
        if keys.is_empty() {
            return Ok(());
        }
        if guards {
            self.next_guard = now + GUARD;
        }
        let rows = client
            .query(&self.try_to_shut, &[&keys])
            .await
            .map_err(|error| Error::postgres("shut the door", error))?;
        let mut look = was_paused;
        for row in rows {
            let (key, held_by): (i64, &str) = (row.get(0), row.get(1));
            let state = match held_by {
                "us" => State::Shut,
                "writers" => State::Open,
                _ => State::Guarded,
            };
            for door in self.doors.iter_mut().filter(|door| door.key == key) {
                look |= state != door.state;
                door.state = state;
            }
        }
        if self.is_any(State::Open) {
            self.next_try = Some(Instant::now() + self.pause);
            self.pause = (self.pause + self.pause / 4).min(LONGEST_PAUSE);
        } else {
            self.pause = FIRST_PAUSE;
        }
        if look {
            shared.wake.notify_one();
        }
        Ok(())
    }

    /// Where this worker listens for others.
    pub(super) fn wires(&self) -> impl Iterator<Item = &str> {
        self.doors.iter().map(|door| door.wire.as_str())
    }

    /// Whether this is how workers ring for each other.
    pub(super) fn is_wire(&self, wire: &str) -> bool {
        self.doors.iter().any(|door| door.wire == wire)
    }

    /// Another worker has opened the door of a group, or somebody pretends so.
    pub(super) fn opened_elsewhere(&mut self, wire: &str) {
        for door in &mut self.doors {
            if door.wire == wire && door.state == State::Guarded {
                door.state = State::Open;
            }
        }
    }

    /// A writer has rung, which a consumer knows already. Opens the doors if that is better for the writers.
    ///
    /// A worker that is `busy` looks again without being rung for.
    pub(super) async fn rung(&mut self, client: &Client, busy: bool) -> Result<(), Error> {
        let now = Instant::now();
        let rushed = self.last_ring.is_some_and(|last| now - last < RUSH);
        self.last_ring = Some(now);
        self.rushed = if rushed { self.rushed + 1 } else { 0 };
        self.rings += 1;
        if !busy && self.rushed < RUSHED_RINGS && self.rings < PATIENCE {
            return Ok(());
        }
        self.open(client).await
    }

    /// Opens what this worker holds, and tells the others.
    pub(super) async fn open(&mut self, client: &Client) -> Result<(), Error> {
        (self.rushed, self.rings) = (0, 0);
        let shut = || self.doors.iter().filter(|door| door.state == State::Shut);
        let keys: Vec<i64> = shut().map(|door| door.key).collect();
        let wires: Vec<&str> = shut().map(|door| door.wire.as_str()).collect();
        if keys.is_empty() {
            return Ok(());
        }
        client
            .execute(&self.open, &[&keys, &wires])
            .await
            .map_err(|error| Error::postgres("open the door", error))?;
        for door in &mut self.doors {
            if door.state == State::Shut {
                door.state = State::Open;
            }
        }
        Ok(())
    }

    fn is_any(&self, state: State) -> bool {
        self.doors.iter().any(|door| door.state == state)
    }
}

fn has_door(entry: &Durable) -> bool {
    let mut wakes = entry.spec.wakes();
    wakes.any(|wake| wake == Wake::Door)
}

/// Key of the advisory lock of a group: FNV-1a over what follows, as a signed number. The generator has the same function, and
/// writes its results into the functions of the channels.
fn key(storage_schema: &str, group: &str) -> i64 {
    let text = format!("pgpubsub door\0{storage_schema}\0{group}");
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    i64::from_ne_bytes(hash.to_ne_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_stay_what_they_are() {
        assert_eq!(key("pgpubsub", "greet"), -6_275_857_236_928_931_232);
        assert_eq!(key("pgpubsub", "work"), 6_908_058_684_047_904_866);
        assert_eq!(key("Größe", "it's"), 7_884_971_745_596_252_863);
    }
}
