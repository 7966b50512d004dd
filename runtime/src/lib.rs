//! Runtime of pgpubsub-gen: what generated code links to, and what executes it over tokio-postgres.
//!
//! An application meets three things here: [`Worker`], which serves listeners; [`Cx`], which a listener of a durable
//! channel gets together with its event; and the exact column types in [`types`]. Everything in [`generated`] and
//! [`payload`] is for generated code.
//!
//! # Promise
//!
//! A durable notification is stored in the writer's transaction. A worker claims it with `FOR UPDATE SKIP LOCKED`, runs
//! the listener inside that transaction, removes the row and commits: effects that the listener makes through
//! [`Cx::transaction`] happen exactly once, effects outside of the database at least once. A transient notification
//! reaches every worker that is connected when it is sent, at most once.

pub mod generated;
pub mod payload;
pub mod pending;
pub mod types;

mod context;
mod cx;
mod error;
mod listener_error;
mod listener_set;
mod notification;
mod op;
mod sql;
mod worker;

pub use chrono;
pub use rust_decimal;
pub use serde_json;
pub use tokio_postgres;
pub use uuid;

pub use context::{Context, ContextError, set_context};
pub use cx::{Cx, TransientCx};
pub use error::Error;
pub use listener_error::ListenerError;
pub use listener_set::ListenerSet;
pub use notification::{Notification, TransientNotification};
pub use op::{Delivery, Op};
pub use types::{PgBytes, PgDate, PgInterval, PgJson, PgNumeric, PgTime, PgTimestamp, PgTimestampTz};
pub use worker::{Backoff, OnFailure, Worker, WorkerEvent};

/// Includes the file that a build script generated, as a module.
///
/// ```ignore
/// pgpubsub_runtime::include_generated!(pub mod pubsub);
/// ```
#[macro_export]
macro_rules! include_generated {
    ($(#[$attribute:meta])* $visibility:vis mod $name:ident) => {
        $(#[$attribute])*
        #[allow(dead_code)] // an application need not use every channel
        $visibility mod $name {
            include!(concat!(env!("OUT_DIR"), "/pubsub.rs"));
        }
    };
}
