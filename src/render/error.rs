//! What can go wrong after planning.

/// Why there are no files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// A bug of ours: a template does not fit the plan.
    #[error("a template failed; please report this as a bug: {0:#}")]
    Template(#[from] minijinja::Error),
    /// A bug of ours: the lock is not JSON.
    #[error("the lock file cannot be written; please report this as a bug: {0}")]
    Lock(#[from] serde_json::Error),
}
