//! Migrations.

mod file;
mod object;
mod switched;

pub(super) use file::migration;
pub(super) use object::Objects;
pub use object::Text;
