//! A session on a database, for the commands that ask one.

mod blocked;
mod catalog;
mod holder;
pub(crate) mod late_group;
mod pending;
pub(crate) mod quarantine;
pub(crate) mod replay;
mod run;
mod schedules;
mod session;
mod snapshot;
mod storage;
mod trials;

pub(crate) use blocked::{BlockedKey, read as read_blocked};
pub(crate) use catalog::read as read_catalog;
pub(crate) use holder::{Held, Holder, read as read_holder};
pub(crate) use late_group::LateGroup;
pub(crate) use pending::{Waiting, read as read_pending};
pub(crate) use quarantine::{Filter as QuarantineFilter, Quarantined};
pub(crate) use replay::{Filter as ReplayFilter, Kept};
pub(crate) use run::run;
pub(crate) use schedules::{Scheduled, read as read_schedules};
pub(crate) use session::with_session;
pub(crate) use snapshot::read as read_snapshot;
