//! The lock file.

use crate::lock::{FORMAT, Lock};
use crate::plan::Plan;

use super::error::RenderError;

/// Pretty JSON. The lock file does not list itself, and stubs are the user's.
pub(super) fn file(plan: &Plan) -> Result<String, RenderError> {
    let lock = Lock {
        format: FORMAT,
        generated: plan
            .rust_in_project
            .then(|| plan.rust_path.clone())
            .into_iter()
            .collect(),
        earlier: plan.earlier.clone(),
    };
    let mut text = serde_json::to_string_pretty(&lock)?;
    text.push('\n');
    Ok(text)
}
