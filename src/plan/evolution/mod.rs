//! What today's code reads of the notifications that earlier code has written.
//!
//! [`check`] proves that every version still declared can be read; the plan of the Rust file then asks for the ways.

mod check;
mod compatible;
mod field;
mod renames;
mod seen;
mod written;

pub use check::check;
pub(super) use field::{Field, Source, Unreadable, resolve};
pub(super) use seen::{Image, Readers, Seen, parent_prefix, within};
