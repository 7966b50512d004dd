//! Migrations.

use minijinja::value::{Serde, Value};
use minijinja::{Environment, context};

use crate::lock::MigrationLock;
use crate::plan::{Migration, Plan, STATE_BEGIN, STATE_END, sha256_hex};

use super::error::RenderError;
use super::layout;

/// A new migration.
pub(super) struct NewMigration {
    pub(super) up: String,
    pub(super) down: String,
    pub(super) lock: MigrationLock,
}

/// The migration, unless the newest one leaves behind the same state.
///
/// This is decided on the text, so that a generator that writes better functions emits them.
pub(super) fn migration(
    plan: &Plan,
    migration: &Migration,
) -> Result<Option<NewMigration>, RenderError> {
    let templates = templates()?;
    let sql = Value::from(Serde(&plan.sql));
    let state = templates
        .get_template("state.sql.j2")?
        .render(context! { sql => &sql })?;
    let fingerprint = sha256_hex(&state);
    let previous = migration.previous.as_ref();
    if previous.is_some_and(|previous| previous.state == fingerprint) {
        return Ok(None);
    }
    let body = match previous {
        None => None,
        Some(previous) => Some(
            previous
                .body
                .as_ref()
                .ok_or_else(|| RenderError::PreviousMigration(previous.up.clone()))?,
        ),
    };
    let up = templates.get_template("up.sql.j2")?.render(context! {
        sql => &sql, state, source => &plan.source,
        up_drops => Value::from(Serde(&migration.up_drops)),
        state_begin => STATE_BEGIN, state_end => STATE_END,
    })?;
    let down = templates.get_template("down.sql.j2")?.render(context! {
        sql => &sql, body, up => file_name(&migration.up),
        down_drops => Value::from(Serde(&migration.down_drops)),
        previous => previous.map(|previous| file_name(&previous.up)),
    })?;
    Ok(Some(NewMigration {
        lock: MigrationLock {
            up: migration.up.clone(),
            up_sha256: sha256_hex(&up),
            down: migration.down.clone(),
            down_sha256: sha256_hex(&down),
            state: fingerprint,
            triggers: migration.triggers.clone(),
            functions: migration.functions.clone(),
        },
        up,
        down,
    }))
}

/// The SQL that installs the state, and the probes.
pub(super) fn trial(plan: &Plan) -> Result<String, RenderError> {
    let sql = Value::from(Serde(&plan.sql));
    let state = templates()?
        .get_template("state.sql.j2")?
        .render(context! { sql => &sql })?;
    // The search path is that of the functions.
    let mut trial = format!(
        "SET LOCAL lock_timeout = {};\n{state}SET LOCAL search_path = pg_catalog, pg_temp;\n",
        plan.sql.lock_timeout
    );
    for probe in &plan.sql.probes {
        trial += probe;
        trial += ";\n";
    }
    Ok(trial)
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn templates() -> Result<Environment<'static>, RenderError> {
    layout::environment(&[
        (
            "macros.sql.j2",
            include_str!("../../templates/sql/macros.sql.j2"),
        ),
        (
            "state.sql.j2",
            include_str!("../../templates/sql/state.sql.j2"),
        ),
        ("up.sql.j2", include_str!("../../templates/sql/up.sql.j2")),
        (
            "down.sql.j2",
            include_str!("../../templates/sql/down.sql.j2"),
        ),
    ])
}
