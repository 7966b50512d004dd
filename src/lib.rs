//! Generator of typed publish/subscribe on PostgreSQL.

pub mod history;
pub mod lock;
pub mod model;
pub mod plan;
pub mod render;
