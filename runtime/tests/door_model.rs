//! The door as a model: every interleaving of writers, workers, commits, rollbacks and crashes is searched for a state in which a
//! committed notification waits, a worker could take it, and nothing is under way that makes one look.
//!
//! What the workers do here are the steps of `src/worker/door.rs` and `src/worker/listening.rs`; what the writers do are those of a
//! capture function and of PostgreSQL's commit: first everybody sees the row, then the locks go, then the NOTIFY is delivered.
//! Variants with one mistake each show that the search finds such states.

#![allow(clippy::unwrap_used)] // A test may panic.

use std::collections::HashMap;

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

    fn steps(&self, variant: Variant) -> Steps {
        let mut steps = Vec::new();
        for index in 0..2 {
            self.writer(index, variant, &mut steps);
            if self.workers[index].alive {
                self.consumers(index, &mut steps);
                self.listening(index, variant, &mut steps);
                self.crash(index, &mut steps);
            }
        }
        steps
    }

    fn writer(&self, index: usize, variant: Variant, steps: &mut Steps) {
        let mut go = |kind, change: &dyn Fn(&mut Self)| steps.push((kind, self.with(change)));
        let to = |writer| move |state: &mut Self| state.writers[index] = writer;
        let lock = self.holder.is_none();
        let kept = lock && variant != Variant::LockEndsEarly;
        match self.writers[index] {
            Writer::Out if self.left[index] > 0 => go(Kind::Perhaps, &|state| {
                state.left[index] -= 1;
                state.writers[index] = Writer::Wrote;
            }),
            Writer::Out => {}
            Writer::Wrote if variant == Variant::DecidesBeforeTheLock => {
                go(Kind::Perhaps, &to(Writer::Peeked { ring: !lock }));
            }
            Writer::Wrote => go(
                Kind::Perhaps,
                &to(Writer::Tried {
                    ring: !lock,
                    lock: kept,
                }),
            ),
            Writer::Peeked { ring } => go(Kind::Perhaps, &to(Writer::Tried { ring, lock })),
            Writer::Tried { ring, lock } => {
                go(Kind::Perhaps, &to(Writer::Out));
                if variant == Variant::LockEndsBeforeTheCommit && lock {
                    go(Kind::Perhaps, &to(Writer::Tried { ring, lock: false }));
                } else {
                    go(Kind::Perhaps, &|state| {
                        state.waiting += 1;
                        state.writers[index] = Writer::Visible { ring, lock };
                    });
                }
            }
            Writer::Visible { ring, lock: true } => {
                go(Kind::Soon, &to(Writer::Visible { ring, lock: false }));
            }
            Writer::Visible { ring, lock: false } => go(Kind::Soon, &|state| {
                state.writers[index] = Writer::Out;
                for worker in &mut state.workers {
                    worker.ring |= ring && worker.alive;
                }
            }),
        }
    }

    fn consumers(&self, index: usize, steps: &mut Steps) {
        for slot in 0..2 {
            let mut go = |kind, change: &dyn Fn(&mut Self, &mut Worker) -> Consumer| {
                let mut next = *self;
                let mut worker = next.workers[index];
                worker.consumers[slot] = Some(change(&mut next, &mut worker));
                next.workers[index] = worker;
                steps.push((kind, next));
            };
            match self.workers[index].consumers[slot] {
                Some(Consumer::Resting) if self.workers[index].permit => {
                    go(Kind::Soon, &|_, worker| {
                        worker.permit = false;
                        Consumer::Looking
                    });
                }
                Some(Consumer::Looking) if self.waiting > 0 => go(Kind::Soon, &|state, worker| {
                    state.waiting -= 1;
                    // There may be more: another one looks while this one works.
                    worker.permit = true;
                    Consumer::Busy
                }),
                Some(Consumer::Looking) => go(Kind::Soon, &|_, worker| {
                    worker.begun = true;
                    Consumer::Resting
                }),
                Some(Consumer::Busy) => go(Kind::Perhaps, &|_, _| Consumer::Looking),
                Some(Consumer::Resting) | None => {}
            }
        }
    }

    fn listening(&self, index: usize, variant: Variant, steps: &mut Steps) {
        let other = 1 - index;
        let me = self.workers[index];
        let mut go = |kind, change: &dyn Fn(&mut Self)| steps.push((kind, self.with(change)));
        let tell = |state: &mut Self| {
            if variant != Variant::OpensSilently {
                state.workers[other].opened |= state.workers[other].alive;
            }
        };
        let unlock = |state: &mut Self| {
            if state.holder == Some(index) {
                state.holder = None;
            }
        };
        match me.request {
            Request::Nothing => {
                let opens = || me.belief == Belief::Shut;
                if me.ring {
                    let hear = |state: &mut Self| {
                        state.workers[index].ring = false;
                        state.workers[index].permit = true;
                    };
                    go(Kind::Soon, &hear);
                    if opens() {
                        go(Kind::Soon, &|state| {
                            hear(state);
                            state.workers[index].request = Request::Open;
                        });
                    }
                }
                if me.opened {
                    go(Kind::Soon, &|state| {
                        let me = &mut state.workers[index];
                        me.opened = false;
                        me.permit = true;
                        if me.belief == Belief::Guarded && variant != Variant::SleepsOn {
                            me.belief = Belief::Open;
                        }
                    });
                }
                let turn = |state: &mut Self| {
                    let me = &mut state.workers[index];
                    // The look after a pause.
                    if me.paused || variant == Variant::LooksBeforeTheDoorIsShut {
                        me.permit = true;
                    }
                    (me.begun, me.paused) = (false, false);
                    me.request = Request::Try;
                };
                if me.belief == Belief::Open && (me.paused || me.begun) {
                    go(Kind::Soon, &turn);
                }
                if me.begun && me.belief != Belief::Open {
                    go(Kind::Soon, &|state| state.workers[index].begun = false);
                }
                if me.belief == Belief::Guarded {
                    // The guard: counts only where somebody has died.
                    let kind = match self.crashed && self.holder.is_none() {
                        true => Kind::Soon,
                        false => Kind::Perhaps,
                    };
                    go(kind, &turn);
                }
            }
            Request::Try => go(Kind::Soon, &|state| {
                let belief = match state.holder {
                    Some(holder) if holder != index => Belief::Guarded,
                    _ if state.shared() => Belief::Open,
                    _ => {
                        state.holder = Some(index);
                        Belief::Shut
                    }
                };
                state.workers[index].request = Request::Tried(belief);
            }),
            Request::Tried(belief) => go(Kind::Soon, &|state| {
                let me = &mut state.workers[index];
                let looks = match (variant, belief) {
                    (Variant::NoSecondLook, Belief::Shut)
                    | (Variant::TrustsTheOther, Belief::Guarded)
                    | (Variant::LooksBeforeTheDoorIsShut, _) => false,
                    _ => belief != me.belief,
                };
                me.permit |= looks;
                me.paused = belief == Belief::Open;
                me.belief = belief;
                me.request = Request::Nothing;
            }),
            Request::Open => go(Kind::Soon, &|state| {
                match variant {
                    Variant::TellsBeforeItOpens => tell(state),
                    _ => unlock(state),
                }
                state.workers[index].request = Request::HalfOpen;
            }),
            Request::HalfOpen => go(Kind::Soon, &|state| {
                match variant {
                    Variant::TellsBeforeItOpens => unlock(state),
                    _ => tell(state),
                }
                state.workers[index].belief = Belief::Open;
                state.workers[index].request = Request::Nothing;
            }),
        }
    }

    /// PostgreSQL gives back what the sessions of the process held.
    fn crash(&self, index: usize, steps: &mut Steps) {
        if self.crashes == 0 {
            return;
        }
        let change = |state: &mut Self| {
            let claims = state.workers[index].consumers.iter().flatten();
            let claims = claims
                .filter(|consumer| **consumer == Consumer::Busy)
                .count();
            state.waiting += u8::try_from(claims).unwrap();
            state.orphaned |= claims > 0;
            let count = state.workers[index].consumers.iter().flatten().count();
            state.workers[index] = Self::start([0, 0], [0, 0], 0).workers[index];
            state.crashes -= 1;
            state.crashed |= count > 0;
            if state.holder == Some(index) {
                state.holder = None;
            }
        };
        steps.push((Kind::Perhaps, self.with(change)));
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

/// The number of states, or the way to a lost notification.
fn search(start: State, variant: Variant) -> Result<usize, Vec<State>> {
    let start = start.canonical();
    let mut known: HashMap<State, Option<State>> = HashMap::from([(start, None)]);
    let mut ahead = std::collections::VecDeque::from([start]);
    while let Some(state) = ahead.pop_front() {
        let steps = state.steps(variant);
        if state.is_lost(&steps) {
            let way = std::iter::successors(Some(state), |state| known[state]);
            let mut way: Vec<State> = way.collect();
            way.reverse();
            return Err(way);
        }
        for (_, next) in steps {
            let next = next.canonical();
            known.entry(next).or_insert_with(|| {
                ahead.push_back(next);
                Some(state)
            });
        }
    }
    Ok(known.len())
}

/// Consumers of each worker, transactions of each writer, crashes.
const SETTINGS: [([u8; 2], [u8; 2], u8); 4] = [
    ([1, 1], [1, 1], 0),
    ([1, 1], [2, 0], 0),
    ([1, 1], [1, 0], 1),
    ([2, 0], [2, 1], 0),
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
