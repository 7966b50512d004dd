//! The transaction of a batch: a savepoint for each listener that uses it, and no round trip for one that does not.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use tokio_postgres::Transaction;

use crate::pulse::Pulse;
use crate::sql::Sql;
use crate::vigil::Vigil;

/// The transaction in which a batch of notifications is claimed, processed and removed.
///
/// Its statements about savepoints are sent without waiting for the answers. That is safe because of how PostgreSQL treats a
/// failure: once a statement has failed, every one after it fails too, until the savepoint before it or the transaction is
/// rolled back. So one later statement of ours that succeeds proves all before it, and one that fails undoes the batch.
pub(crate) struct BatchTransaction<'a> {
    /// One handle for many transactions, as BEGIN and COMMIT go out together with their neighbours. If it is dropped, what is
    /// open is rolled back.
    handle: Arc<Transaction<'a>>,
    pulse: Pulse<'a>,
    vigil: Arc<Vigil>,
    /// The running listener, counted within the transaction. Each has a savepoint of another name: going back to its own one
    /// must fail where that was never set because the listener before had left the transaction in failure.
    listener: u32,
    /// Group of the running listener.
    group: &'static str,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Default)]
struct State {
    /// Whose savepoint is open.
    open: Option<u32>,
    /// [`Sql::PLAN_AS_USUAL`] holds.
    as_usual: bool,
    /// How many have been set.
    set: usize,
}

impl<'a> BatchTransaction<'a> {
    pub(crate) fn new(handle: Transaction<'a>, vigil: Arc<Vigil>) -> Self {
        let handle = Arc::new(handle);
        Self {
            pulse: Pulse::new(&handle, &vigil),
            handle,
            vigil,
            listener: 0,
            group: "",
            state: Mutex::default(),
        }
    }

    /// For the worker's own statements.
    pub(crate) fn handle(&self) -> &Transaction<'a> {
        &self.handle
    }

    /// For a listener: with its savepoint before everything that it sends.
    pub(crate) fn within_savepoint(&self) -> &Transaction<'a> {
        // Held while it is sent, so that whoever asks at the same time sends after it.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.open != Some(self.listener) {
            let usual = match state.as_usual {
                true => String::new(),
                false => Sql::PLAN_AS_USUAL.to_owned() + &Sql::serving(self.group),
            };
            let release = state.open.map(release).unwrap_or_default();
            let name = savepoint(self.listener);
            self.send_ahead(&format!("{usual}{release}SAVEPOINT {name}"));
            state.open = Some(self.listener);
            state.as_usual = true;
            state.set += 1;
        }
        &self.handle
    }

    pub(crate) fn within_savepoint_mut(&mut self) -> &mut Transaction<'a> {
        self.within_savepoint();
        if self.pulse.pause() {
            self.send_ahead(Sql::WITHOUT_SIGNS_OF_LIFE);
        }
        Arc::get_mut(&mut self.handle).expect("only the pulse has another, and has given it up")
    }

    /// Whether the session owes an answer.
    pub(crate) fn vigil(&self) -> &Arc<Vigil> {
        &self.vigil
    }

    /// What is in hand is of this group.
    pub(crate) fn serve(&mut self, group: &'static str) {
        self.group = group;
    }

    /// The signs of life for the listeners that run in it.
    pub(crate) fn pulse(&self) -> Pulse<'a> {
        self.pulse.clone()
    }

    /// The next listener runs.
    pub(crate) fn advance(&mut self) {
        self.listener += 1;
        self.pulse.resume(&self.handle);
    }

    /// How many listeners have used the transaction.
    pub(crate) fn savepoints(&mut self) -> usize {
        self.state().set
    }

    /// Undoes what the running listener wrote, and nothing else. It fails, and with it what follows, if a listener before had
    /// left the transaction in failure.
    pub(crate) fn undo(&mut self) {
        let listener = self.listener;
        let state = self.state();
        if state.open == Some(listener) {
            state.open = None;
            let (name, release) = (savepoint(listener), release(listener));
            self.send_ahead(&format!("ROLLBACK TO SAVEPOINT {name}; {release}"));
        }
    }

    /// The listeners' part is over, for now: what follows are statements of our own.
    pub(crate) fn settle(&mut self) {
        let state = self.state();
        let release = state.open.take().map(release).unwrap_or_default();
        if state.as_usual {
            state.as_usual = false;
            let walk = Sql::WALK_THE_KEY;
            self.send_ahead(&format!("{release}{walk}"));
        }
    }

    /// A new transaction has begun on the same session.
    pub(crate) fn renew(&mut self) {
        self.listener = 0;
        *self.state() = State::default();
    }

    /// Ends the transaction, whatever it did, without waiting.
    pub(crate) fn abandon(&mut self) {
        self.send_ahead("ROLLBACK");
        self.renew();
    }

    /// The future sends when it is polled first. Nobody needs the answer, see above.
    fn send_ahead(&self, sql: &str) {
        drop(self.handle.batch_execute(sql).now_or_never());
    }

    fn state(&mut self) -> &mut State {
        self.state.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

fn savepoint(listener: u32) -> String {
    format!("pgpubsub_listener_{listener}")
}

fn release(listener: u32) -> String {
    format!("RELEASE SAVEPOINT {}; ", savepoint(listener))
}
