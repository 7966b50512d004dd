//! What can happen next in a state.

use crate::{Belief, Consumer, Kind, Request, State, Steps, Variant, Worker, Writer};

impl State {
    pub(crate) fn steps(&self, variant: Variant) -> Steps {
        let mut steps = Vec::new();
        for index in 0..2 {
            self.writer(index, variant, &mut steps);
            if self.workers[index].alive {
                self.consumers(index, variant, &mut steps);
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

    fn consumers(&self, index: usize, variant: Variant, steps: &mut Steps) {
        for slot in 0..2 {
            let mut go = |kind, change: &dyn Fn(&mut Self, &mut Worker) -> Consumer| {
                let mut next = *self;
                let mut worker = next.workers[index];
                worker.consumers[slot] = Some(change(&mut next, &mut worker));
                next.workers[index] = worker;
                steps.push((kind, next));
            };
            match self.workers[index].consumers[slot] {
                Some(Consumer::Resting | Consumer::RestingUnsure) if self.workers[index].permit => {
                    go(Kind::Soon, &|_, worker| {
                        worker.permit = false;
                        Consumer::Looking
                    });
                }
                Some(Consumer::RestingUnsure) => go(Kind::Soon, &|_, _| Consumer::Looking),
                Some(Consumer::Looking) if self.waiting > 0 => {
                    go(Kind::Soon, &|state, worker| {
                        state.waiting -= 1;
                        // There may be more: another one looks while this one works.
                        worker.permit = true;
                        Consumer::Busy
                    });
                    // It lies behind the cursor.
                    go(Kind::Soon, &|_, worker| {
                        worker.begun = true;
                        match variant {
                            Variant::TrustsAPartialLook => Consumer::Resting,
                            _ => Consumer::RestingUnsure,
                        }
                    });
                }
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
}
