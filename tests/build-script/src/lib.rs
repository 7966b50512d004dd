//! The channels of `schema.example.yaml` from a build script; the test of this crate runs them.
#![deny(warnings)]

pgpubsub_runtime::include_generated!(pub mod pubsub);
