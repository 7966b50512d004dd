//! Promises of a worker whose sessions are lost in every way: what is stored takes effect exactly once, and the worker goes on by
//! itself.

#![allow(clippy::unwrap_used)] // A test may panic.

mod crowded;
mod half_open;
mod ledger;
mod lost;
mod moved;
mod proxy;
mod resynced;
#[path = "../support/mod.rs"]
mod support;
