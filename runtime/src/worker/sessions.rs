//! The open sessions of a worker, to end them from outside when their tasks do not.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::task::AbortHandle;

use crate::generated::BoxFuture;

/// Asks the server to give up the statement that the session runs.
pub(super) type Cancel =
    Box<dyn FnOnce() -> BoxFuture<'static, Result<(), tokio_postgres::Error>> + Send>;

/// What is open now.
#[derive(Default)]
pub(super) struct Sessions {
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    next: u64,
    sessions: HashMap<u64, Handle>,
    /// [`Sessions::end_all`] has begun: it closes the connections, and nobody else.
    ending: bool,
}

struct Handle {
    cancel: Cancel,
    driver: AbortHandle,
}

impl Sessions {
    /// Returns the number for [`Sessions::close`].
    pub(super) fn add(&self, cancel: Cancel, driver: AbortHandle) -> u64 {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let number = open.next;
        open.next += 1;
        if open.ending {
            driver.abort();
            return number;
        }
        open.sessions.insert(number, Handle { cancel, driver });
        number
    }

    /// The owner of a session has no more use for it.
    pub(super) fn close(&self, number: u64) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.ending {
            return;
        }
        if let Some(handle) = open.sessions.remove(&number) {
            // Without this, the driver of a session whose listener was cancelled would wait for the answer to its last query,
            // and the claim would stay locked for as long.
            handle.driver.abort();
        }
    }

    /// Ends all of them; `stop_using` makes their tasks end. Takes no longer than `patience`.
    ///
    /// A server notices that a client is gone when it has finished the statement, which may wait for a lock without end. So it
    /// is asked to give up what it runs, while the connection still stands: a pooler knows the session by that.
    pub(super) async fn end_all(&self, patience: Duration, stop_using: impl FnOnce()) {
        let sessions = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.ending = true;
            std::mem::take(&mut open.sessions)
        };
        // First: a listener shall not see that its statement was given up, and fail of it.
        stop_using();
        let (cancels, drivers): (Vec<_>, Vec<_>) = sessions
            .into_values()
            .map(|handle| (handle.cancel, handle.driver))
            .unzip();
        let cancels = join_all(cancels.into_iter().map(|cancel| cancel()));
        // Best effort: the connection is closed either way.
        drop(tokio::time::timeout(patience, cancels).await);
        for driver in drivers {
            driver.abort();
        }
    }
}
