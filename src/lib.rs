//! Generator of typed publish/subscribe on PostgreSQL.

pub mod diagnostic;
pub mod history;
pub mod lock;
pub mod model;
pub mod plan;
pub mod render;
pub mod schema;
