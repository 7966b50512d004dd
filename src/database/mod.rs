//! A session on a database, for the commands that ask one.

mod catalog;
mod session;
mod trial;

pub(crate) use catalog::read as read_catalog;
pub(crate) use session::with_session;
pub(crate) use trial::try_migration;
