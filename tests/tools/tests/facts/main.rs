//! What we rely on about each migration tool: its promise is the name of the test.

mod dbmate;
mod diesel;
mod golang_migrate;
mod layouts;
mod plain;
mod project;
mod refinery;
mod sqlx;
