//! The listeners that a worker serves.

use std::fmt;
use std::sync::Arc;

use crate::generated::{
    BatchHandler, Catalog, DurableHandler, LazyHandler, LeaseHandler, ListenerSpec,
    TransientHandler,
};
use crate::lazy::{Deferred, Deferring};
use crate::slice::{Gather, Listening};

/// What implements a listener of a durable channel, and how it holds a notification meanwhile.
#[derive(Clone)]
pub(crate) enum Handler {
    Transaction(Arc<dyn DurableHandler>),
    /// The same, with many at once.
    Batch(Arc<dyn Gather>),
    /// The same as the first, without a payload.
    Lazy(Arc<dyn Deferred>),
    Lease(Arc<dyn LeaseHandler>),
}

impl Handler {
    /// Whether a claim brings the payload along.
    pub(crate) fn takes_payload(&self) -> bool {
        !matches!(self, Self::Lazy(_))
    }
}

/// Listeners and what implements them; the generated `Listeners` builder makes it.
pub struct ListenerSet {
    pub(crate) catalog: Catalog,
    pub(crate) durable: Vec<(ListenerSpec, Handler)>,
    pub(crate) transient: Vec<(ListenerSpec, Arc<dyn TransientHandler>)>,
}

impl ListenerSet {
    /// An empty set.
    pub fn new(catalog: Catalog) -> Self {
        Self {
            catalog,
            durable: Vec::new(),
            transient: Vec::new(),
        }
    }

    /// Adds a listener of a durable channel.
    pub fn durable(&mut self, spec: ListenerSpec, handler: impl DurableHandler + 'static) {
        self.durable
            .push((spec, Handler::Transaction(Arc::new(handler))));
    }

    /// Adds a listener of a durable channel that receives batches.
    pub fn batch(&mut self, spec: ListenerSpec, handler: impl BatchHandler + 'static) {
        let handler = Listening::new(handler);
        self.durable.push((spec, Handler::Batch(Arc::new(handler))));
    }

    /// Adds a listener of a durable channel that loads payloads itself.
    pub fn lazy(&mut self, spec: ListenerSpec, handler: impl LazyHandler + 'static) {
        let handler = Deferring::new(handler, self.catalog.storage_schema);
        self.durable.push((spec, Handler::Lazy(Arc::new(handler))));
    }

    /// Adds a listener of a durable channel that holds a lease.
    pub fn lease(&mut self, spec: ListenerSpec, handler: impl LeaseHandler + 'static) {
        self.durable.push((spec, Handler::Lease(Arc::new(handler))));
    }

    /// Adds a listener of a transient channel.
    pub fn transient(&mut self, spec: ListenerSpec, handler: impl TransientHandler + 'static) {
        self.transient.push((spec, Arc::new(handler)));
    }

    pub(crate) fn specs(&self) -> impl Iterator<Item = &ListenerSpec> {
        self.durable
            .iter()
            .map(|(spec, _)| spec)
            .chain(self.transient.iter().map(|(spec, _)| spec))
    }
}

impl fmt::Debug for ListenerSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.specs().map(|spec| spec.name))
            .finish()
    }
}
