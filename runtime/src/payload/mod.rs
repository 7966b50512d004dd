//! Payloads: JSON to Rust and back, for generated code.
//!
//! [`Decode`] and [`Encode`] play serde's part here. They need no derive, an error names its path, a number is accepted in
//! both of its spellings, and no feature of serde_json that another crate switches on changes what is read.

mod columns;
mod decode;
mod encode;
mod error;
mod key;
mod object;
mod past;
mod text;
mod tuple;

pub(crate) use columns::from_column_text;
pub use decode::Decode;
pub use encode::{Encode, ObjectBuilder};
pub use error::DecodeError;
pub use key::Key;
pub use object::Object;
