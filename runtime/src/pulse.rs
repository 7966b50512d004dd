//! Signs of life, while a listener has the transaction.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio_postgres::Transaction;

use crate::vigil::Vigil;

/// Sends an empty statement now and then, so that the server can tell a listener that takes its time from a process that
/// stands still, and the consumer a connection from one that swallows everything.
#[derive(Clone)]
pub(crate) struct Pulse<'a> {
    state: Arc<Mutex<State<'a>>>,
    vigil: Arc<Vigil>,
}

struct State<'a> {
    /// None while the listener has the transaction for itself.
    transaction: Option<Arc<Transaction<'a>>>,
    /// To the last sign of life. It may take as long as a statement of the listener that was sent before.
    answer: Option<Answer<'a>>,
}

type Answer<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

impl<'a> Pulse<'a> {
    pub(crate) fn new(transaction: &Arc<Transaction<'a>>, vigil: &Arc<Vigil>) -> Self {
        let state = State {
            transaction: Some(Arc::clone(transaction)),
            answer: None,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            vigil: Arc::clone(vigil),
        }
    }

    /// Runs a listener; None if the connection was lost meanwhile, so that all it does is in vain.
    pub(crate) async fn during<T>(
        &self,
        every: Option<Duration>,
        listener: impl Future<Output = T>,
    ) -> Option<T> {
        let Some(every) = every else {
            return Some(listener.await);
        };
        let mut listener = pin!(listener);
        // A quick one sees neither timers nor the vigil.
        let begun = std::future::poll_fn(|cx| Poll::Ready(listener.as_mut().poll(cx)));
        if let Poll::Ready(result) = begun.await {
            return Some(result);
        }
        // It may wait for anything.
        self.vigil.end();
        loop {
            tokio::select! {
                biased;
                result = &mut listener => {
                    self.vigil.begin();
                    return Some(result);
                }
                () = tokio::time::sleep(every) => {
                    if !self.beat() {
                        return None;
                    }
                }
                () = self.answered() => self.vigil.end(),
            }
        }
    }

    /// Gives the transaction up; whether it had it.
    pub(crate) fn pause(&self) -> bool {
        let mut state = self.state();
        // It knows the transaction, too.
        if state.answer.take().is_some() {
            self.vigil.end();
        }
        state.transaction.take().is_some()
    }

    /// The next listener runs. What the one before has sent is not waited for any more.
    pub(crate) fn resume(&self, transaction: &Arc<Transaction<'a>>) {
        let mut state = self.state();
        state.answer = None;
        state
            .transaction
            .get_or_insert_with(|| Arc::clone(transaction));
    }

    /// Whether the connection is there. An empty statement is answered in a transaction that has failed, too, and fails none.
    /// One that is not answered is enough.
    fn beat(&self) -> bool {
        let mut state = self.state();
        let Some(transaction) = &state.transaction else {
            return true;
        };
        if transaction.client().is_closed() {
            return false;
        }
        if state.answer.is_none() {
            let transaction = Arc::clone(transaction);
            let mut answer: Answer<'a> = Box::pin(async move {
                // An error shows in what comes next.
                drop(transaction.batch_execute("").await);
            });
            // It is sent when it is polled first.
            if answer.as_mut().now_or_never().is_none() {
                state.answer = Some(answer);
                self.vigil.begin();
            }
        }
        true
    }

    /// The answer to the sign of life that is under way; without one, it never comes.
    async fn answered(&self) {
        std::future::poll_fn(|cx| {
            let mut state = self.state();
            let Some(answer) = &mut state.answer else {
                return Poll::Pending;
            };
            let answered = answer.as_mut().poll(cx);
            if answered.is_ready() {
                state.answer = None;
            }
            answered
        })
        .await;
    }

    fn state(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
