//! Signs of life, while a listener has the transaction.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio_postgres::Transaction;

/// Sends an empty statement now and then, so that the server can tell a listener that takes its time from a process that
/// stands still.
#[derive(Clone)]
pub(crate) struct Pulse<'a> {
    /// None while the listener has the transaction for itself.
    transaction: Arc<Mutex<Option<Arc<Transaction<'a>>>>>,
}

impl<'a> Pulse<'a> {
    pub(crate) fn new(transaction: &Arc<Transaction<'a>>) -> Self {
        Self {
            transaction: Arc::new(Mutex::new(Some(Arc::clone(transaction)))),
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
        loop {
            tokio::select! {
                // So a quick one never sees the timer, which is made when it is asked first.
                biased;
                result = &mut listener => return Some(result),
                () = async { tokio::time::sleep(every).await } => {
                    if !self.beat() {
                        return None;
                    }
                }
            }
        }
    }

    /// Gives the transaction up; whether it had it.
    pub(crate) fn pause(&self) -> bool {
        let mut transaction = self
            .transaction
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        transaction.take().is_some()
    }

    pub(crate) fn resume(&self, transaction: &Arc<Transaction<'a>>) {
        let mut place = self
            .transaction
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        place.get_or_insert_with(|| Arc::clone(transaction));
    }

    /// Whether the connection is there. The future sends when it is polled first; nobody needs the answer. An empty statement is
    /// answered in a transaction that has failed, too, and fails none.
    fn beat(&self) -> bool {
        let transaction = self
            .transaction
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(transaction) = &*transaction else {
            return true;
        };
        drop(transaction.batch_execute("").now_or_never());
        !transaction.client().is_closed()
    }
}
