//! Generator of typed publish/subscribe on PostgreSQL.

pub mod history;
pub mod lock;
pub mod model;
pub mod render {
    //! Layout: a plan becomes files.
    mod files;
    pub use files::{File, FileKind, Files};
}
