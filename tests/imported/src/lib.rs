//! Channels over every table of `tables.sql`, on models that `pgpubsub-gen import` wrote.
#![deny(warnings)]

pgpubsub_runtime::include_generated!(pub mod pubsub);
