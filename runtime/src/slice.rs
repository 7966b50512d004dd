//! A listener that receives batches, without its types: the slice of events is gathered and given to it behind these traits.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use crate::generated::{BatchHandler, BoxFuture};
use crate::payload::DecodeError;
use crate::{BatchCx, ListenerError, Notification, Received};

/// A listener for which slices can be gathered.
pub(crate) trait Gather: Send + Sync {
    /// An empty slice.
    fn gather(&self) -> Box<dyn Slice>;
}

/// Events for one listener.
pub(crate) trait Slice: Send + Sync {
    /// Decodes one more.
    fn push(&mut self, notification: Notification, payload: &Value) -> Result<(), DecodeError>;

    /// Calls the listener with some of them.
    fn call<'a>(
        &'a self,
        events: Range<usize>,
        cx: &'a mut BatchCx<'_>,
    ) -> BoxFuture<'a, Result<(), ListenerError>>;
}

/// What implements the listener.
pub(crate) struct Listening<H> {
    handler: Arc<H>,
}

struct Gathered<H: BatchHandler> {
    handler: Arc<H>,
    events: Vec<Received<H::Event>>,
}

impl<H> Listening<H> {
    pub(crate) fn new(handler: H) -> Self {
        Self {
            handler: Arc::new(handler),
        }
    }
}

impl<H: BatchHandler + 'static> Gather for Listening<H> {
    fn gather(&self) -> Box<dyn Slice> {
        Box::new(Gathered {
            handler: Arc::clone(&self.handler),
            events: Vec::new(),
        })
    }
}

impl<H: BatchHandler> Slice for Gathered<H> {
    fn push(&mut self, notification: Notification, payload: &Value) -> Result<(), DecodeError> {
        let event = H::decode(&notification, payload)?;
        self.events.push(Received {
            event,
            notification,
        });
        Ok(())
    }

    fn call<'a>(
        &'a self,
        events: Range<usize>,
        cx: &'a mut BatchCx<'_>,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        self.handler.call(&self.events[events], cx)
    }
}
