//! Folders of migrations, applied by the tools that they are for.
//!
//! Users run our migrations with a tool of theirs, so a layout is right only if that tool applies it. This crate drives the real ones, as
//! libraries where there is one and as programs where not, behind one interface:
//!
//! ```no_run
//! # async fn test(url: &str, folder: &std::path::Path) -> Result<(), pgpubsub_tools::Error> {
//! use pgpubsub_tools::{Tool, applied, down, up};
//!
//! up(Tool::Sqlx, url, folder).await?;
//! assert_eq!(applied(Tool::Sqlx, url).await?, ["1", "2"]);
//! down(Tool::Sqlx, url, folder, 1).await?;
//! # Ok(()) }
//! ```
//!
//! What we rely on about each tool is a test of this crate. `scripts/tools.sh` brings the programs.

mod address;
mod error;
mod program;
mod session;
mod tool;

pub use error::Error;
pub use tool::{Tool, applied, down, up};
