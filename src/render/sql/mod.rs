//! Migrations.

mod file;
mod object;

pub(super) use file::migration;
pub(super) use object::Objects;
pub use object::Text;

use crate::plan::Plan;

use super::error::RenderError;

/// The SQL that installs everything, and the probes.
pub(super) fn trial(plan: &Plan) -> Result<String, RenderError> {
    let objects = Objects::new(&plan.sql)?;
    // The search path is that of the functions.
    let mut trial = format!("SET LOCAL lock_timeout = {};\n", plan.sql.lock_timeout);
    for object in &plan.objects {
        trial += &objects.text(object)?;
    }
    trial += "SET LOCAL search_path = pg_catalog, pg_temp;\n";
    for probe in &plan.sql.probes {
        trial += probe;
        trial += ";\n";
    }
    Ok(trial)
}
