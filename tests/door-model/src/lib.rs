//! The door as a model: every interleaving of writers, workers, commits, rollbacks and crashes is searched for a state in which a
//! committed notification waits, a worker could take it, and nothing is under way that makes one look.
//!
//! What the workers do here are the steps of `door.rs` and `listening.rs` in `runtime/src/worker`; what the writers do are those of a
//! capture function and of PostgreSQL's commit: first everybody sees the row, then the locks go, then the NOTIFY is delivered.
//! Variants with one mistake each show that the search finds such states.

#![cfg(test)]
#![allow(clippy::unwrap_used)] // A test may panic.

mod steps;

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

/// Where a worker believes the door to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Belief {
    Open,
    Shut,
    Guarded,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Consumer {
    /// Waits for the permit.
    Resting,
    /// The same, after a look that did not begin at the floor; looks again by itself, soon.
    RestingUnsure,
    /// Has begun a scan that sees what is committed when it ends up at the server.
    Looking,
    /// In a listener.
    Busy,
}

/// What the listening session has under way at the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Request {
    Nothing,
    /// Sent: try to shut.
    Try,
    /// Answered.
    Tried(Belief),
    /// Sent: open and ring for the others.
    Open,
    /// Opened, the ring is not delivered yet. In the variant that rings first, the other way round.
    HalfOpen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Worker {
    alive: bool,
    belief: Belief,
    request: Request,
    consumers: [Option<Consumer>; 2],
    /// Somebody shall look.
    permit: bool,
    /// A consumer has begun to rest.
    begun: bool,
    /// The next try comes after a pause.
    paused: bool,
    /// A ring of a writer, and one of another worker, in the inbox of the listening session.
    ring: bool,
    opened: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Writer {
    Out,
    Wrote,
    /// Only in a variant: has looked at the door without taking the lock.
    Peeked {
        ring: bool,
    },
    Tried {
        ring: bool,
        lock: bool,
    },
    /// Everybody sees the row.
    Visible {
        ring: bool,
        lock: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct State {
    writers: [Writer; 2],
    /// Transactions that each may still begin.
    left: [u8; 2],
    workers: [Worker; 2],
    /// The worker that holds the door.
    holder: Option<usize>,
    /// Committed, and claimed by nobody.
    waiting: u8,
    crashes: u8,
    crashed: bool,
    /// A worker died with a claim, for which nobody rings: that is left to the poll.
    orphaned: bool,
}

/// The protocol, or one mistake in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variant {
    Right,
    /// Sleeps as soon as the door is shut.
    NoSecondLook,
    /// Has the second look made before the door is shut.
    LooksBeforeTheDoorIsShut,
    /// Has no look made when another worker turns out to hold the door.
    TrustsTheOther,
    /// Sleeps on although its look did not begin at the floor.
    TrustsAPartialLook,
    /// Opens the door and tells nobody.
    OpensSilently,
    /// Tells the others before it opens the door.
    TellsBeforeItOpens,
    /// Does not try the door again when another worker has opened it.
    SleepsOn,
    /// The writer looks whether somebody sleeps, and takes the lock later.
    DecidesBeforeTheLock,
    /// The writer's lock ends with the statement and not with the transaction.
    LockEndsEarly,
    /// The lock goes before everybody sees the row.
    LockEndsBeforeTheCommit,
}

/// Who does a step: what belongs to the way of a ring or a look happens by itself and soon; the rest may never happen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Soon,
    Perhaps,
}

type Steps = Vec<(Kind, State)>;

impl State {
    fn start(consumers: [u8; 2], transactions: [u8; 2], crashes: u8) -> Self {
        let worker = |count: u8| Worker {
            alive: count > 0,
            belief: Belief::Open,
            request: Request::Nothing,
            // First LISTEN, then scan.
            consumers: [
                (count > 0).then_some(Consumer::Resting),
                (count > 1).then_some(Consumer::Resting),
            ],
            permit: true,
            begun: false,
            paused: false,
            ring: false,
            opened: false,
        };
        Self {
            writers: [Writer::Out; 2],
            left: transactions,
            workers: consumers.map(worker),
            holder: None,
            waiting: 0,
            crashes,
            crashed: false,
            orphaned: false,
        }
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut next = *self;
        change(&mut next);
        next
    }

    /// The same for states that differ only in which worker and which writer is which.
    fn canonical(self) -> Self {
        let swap_writers = |mut state: Self| {
            state.writers.swap(0, 1);
            state.left.swap(0, 1);
            state
        };
        let swap_workers = |mut state: Self| {
            state.workers.swap(0, 1);
            state.holder = state.holder.map(|holder| 1 - holder);
            state
        };
        let other = swap_workers(self);
        let states = [self, other, swap_writers(self), swap_writers(other)];
        states.into_iter().min().unwrap_or(self)
    }

    fn shared(&self) -> bool {
        self.writers.iter().any(|writer| {
            matches!(
                writer,
                Writer::Tried { lock: true, .. } | Writer::Visible { lock: true, .. }
            )
        })
    }

    /// Something waits, somebody could take it, and nothing is under way.
    fn is_lost(&self, steps: &Steps) -> bool {
        let somebody_rests = self
            .workers
            .iter()
            .any(|worker| worker.alive && worker.consumers.contains(&Some(Consumer::Resting)));
        self.waiting > 0
            && !self.orphaned
            && somebody_rests
            && steps.iter().all(|(kind, _)| *kind == Kind::Perhaps)
    }
}

/// Quick rather than safe: nobody chooses our states to do harm.
#[derive(Default)]
struct Quick(u64);

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u8(*byte);
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(value.into());
    }

    fn write_isize(&mut self, value: isize) {
        self.write_u64(value as u64);
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

/// The number of states, or the way to a lost notification.
fn search(start: State, variant: Variant) -> Result<usize, Vec<State>> {
    let start = start.canonical();
    let mut known: HashSet<State, BuildHasherDefault<Quick>> = HashSet::default();
    known.insert(start);
    // Each with the place of the one before it.
    let mut states = vec![(start, 0)];
    let mut place = 0;
    while let Some((state, _)) = states.get(place).copied() {
        let steps = state.steps(variant);
        if state.is_lost(&steps) {
            let before = |place: &usize| (*place > 0).then(|| states[*place].1);
            let way = std::iter::successors(Some(place), before);
            let mut way: Vec<State> = way.map(|place| states[place].0).collect();
            way.reverse();
            return Err(way);
        }
        for (_, next) in steps {
            let next = next.canonical();
            if known.insert(next) {
                states.push((next, place));
            }
        }
        place += 1;
    }
    Ok(states.len())
}

/// Consumers of each worker, transactions of each writer, crashes. The smallest first.
const SETTINGS: [([u8; 2], [u8; 2], u8); 4] = [
    ([1, 1], [1, 0], 1),
    ([2, 0], [2, 1], 0),
    ([1, 1], [1, 1], 0),
    ([1, 1], [2, 0], 0),
];

#[test]
fn no_wake_up_is_lost() {
    for (consumers, transactions, crashes) in SETTINGS {
        let start = State::start(consumers, transactions, crashes);
        match search(start, Variant::Right) {
            Ok(states) => println!("{consumers:?}, {transactions:?}, {crashes}: {states} states"),
            Err(way) => panic!("lost after {} steps: {way:#?}", way.len()),
        }
    }
}

#[test]
fn every_mistake_is_found() {
    for variant in [
        Variant::NoSecondLook,
        Variant::LooksBeforeTheDoorIsShut,
        Variant::TrustsTheOther,
        Variant::TrustsAPartialLook,
        Variant::OpensSilently,
        Variant::TellsBeforeItOpens,
        Variant::SleepsOn,
        Variant::DecidesBeforeTheLock,
        Variant::LockEndsEarly,
        Variant::LockEndsBeforeTheCommit,
    ] {
        let found = SETTINGS
            .iter()
            .find_map(|(consumers, transactions, crashes)| {
                let start = State::start(*consumers, *transactions, *crashes);
                search(start, variant).err()
            });
        let way = found.unwrap_or_else(|| panic!("{variant:?} loses nothing"));
        println!("{variant:?}: lost after {} steps", way.len() - 1);
    }
}
