//! Since when a consumer waits for an answer of the server.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Set while something that was sent has not been answered; a listener that does not use its transaction awaits nothing.
#[derive(Debug, Default)]
pub(crate) struct Vigil {
    since: Mutex<Option<Instant>>,
}

impl Vigil {
    /// Something is sent now. What was awaited before has been answered.
    pub(crate) fn begin(&self) {
        self.set(Some(Instant::now()));
    }

    /// Nothing is awaited any more.
    pub(crate) fn end(&self) {
        self.set(None);
    }

    /// Since when an answer is awaited.
    pub(crate) fn since(&self) -> Option<Instant> {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, since: Option<Instant>) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }
}
