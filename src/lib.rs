//! Typed publish/subscribe on PostgreSQL: one YAML file becomes typed Rust channels, trigger migrations and listener traits.
//!
//! The command line is the usual way in (`pgpubsub-gen schema.yaml`). A build script calls [`compile`]; what it generates,
//! and what the command line writes, links to the crate `pgpubsub-runtime`.
//!
//! The stages, each a module: [`schema`] reads YAML into a document, [`model`] checks it into a valid schema (or
//! [`diagnostic`]s), [`plan`] decides every name and type, [`render`] lays it out as files, and [`mod@write`] compares them with the
//! disk. [`pipeline`] runs them.

pub mod breaking;
pub mod build_script;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
mod database;
pub mod diagnostic;
pub mod history;
#[cfg(feature = "cli")]
pub mod import;
#[cfg(feature = "cli")]
mod live;
pub mod lock;
pub mod model;
pub mod pipeline;
pub mod plan;
pub mod render;
pub mod schema;
pub mod write;

pub use build_script::compile;

/// The schema file that `pgpubsub-gen import` writes for all tables of a database, with a channel for each.
///
/// # Errors
/// The database cannot be reached or read, or has no tables.
#[cfg(feature = "cli")]
pub fn import_text(url: &str, channels: &[&str]) -> anyhow::Result<String> {
    let catalog = database::with_session(url, async |client| database::read_catalog(client).await)?;
    let selection = import::Selection {
        channels: channels.iter().map(ToString::to_string).collect(),
        ..import::Selection::default()
    };
    Ok(import::import(&catalog, &selection)?)
}

/// What `check --database-url` finds wrong in a database, a line each; none if it is as the plan says.
///
/// # Errors
/// The database cannot be reached or read.
#[cfg(feature = "cli")]
pub fn live_findings(plan: &plan::Plan, url: &str) -> anyhow::Result<Vec<String>> {
    let findings = cli::live::findings(plan, url)?.into_iter();
    let wrong = findings.filter(|finding| finding.severity != live::Severity::Note);
    Ok(wrong
        .map(|finding| {
            let state = finding.state.word();
            format!("{state} {}: {}", finding.subject, finding.message)
        })
        .collect())
}
