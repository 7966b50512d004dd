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

    /// Runs a listener.
    pub(crate) async fn during<T>(
        &self,
        every: Option<Duration>,
        listener: impl Future<Output = T>,
    ) -> T {
        let Some(every) = every else {
            return listener.await;
        };
        let mut listener = pin!(listener);
        loop {
            tokio::select! {
                // So a quick one never sees the timer, which is made when it is asked first.
                biased;
                result = &mut listener => return result,
                () = async { tokio::time::sleep(every).await } => self.beat(),
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

    /// The future sends when it is polled first; nobody needs the answer. An empty statement is answered in a transaction that
    /// has failed, too, and fails none.
    fn beat(&self) {
        let transaction = self
            .transaction
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(transaction) = &*transaction {
            drop(transaction.batch_execute("").now_or_never());
        }
    }
}
