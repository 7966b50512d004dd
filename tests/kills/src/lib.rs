//! Channels and listeners of `schema.yaml`.

pgpubsub_runtime::include_generated!(pub mod pubsub);

/// The migration, beside it.
pub const MIGRATION: &str = include_str!(concat!(env!("OUT_DIR"), "/up.sql"));
