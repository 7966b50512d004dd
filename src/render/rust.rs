//! The Rust file and the listener skeletons.

use minijinja::value::{Serde, Value};
use minijinja::{Environment, context};

use crate::plan::Plan;

use super::error::RenderError;
use super::{Mode, layout};

/// The Rust file. The template lays it out as rustfmt would. Tests prove that it is Rust: to parse it each time
/// would take longer than all the rest.
pub(super) fn file(plan: &Plan, mode: Mode) -> Result<String, RenderError> {
    let text = templates()?.get_template("file.rs.j2")?.render(context! {
        rust => Value::from(Serde(&plan.rust)), source => &plan.source, inner => mode == Mode::Project,
    })?;
    Ok(layout::skip_long_items(&text))
}

/// The listener skeletons.
pub(super) fn stubs(plan: &Plan) -> Result<String, RenderError> {
    Ok(templates()?.get_template("stubs.rs.j2")?.render(context! {
        rust => Value::from(Serde(&plan.rust)), source => &plan.source, rust_path => &plan.rust_path,
    })?)
}

fn templates() -> Result<Environment<'static>, RenderError> {
    macro_rules! template {
        ($name:literal) => {
            ($name, include_str!(concat!("../../templates/rust/", $name)))
        };
    }
    layout::environment(&[
        template!("file.rs.j2"),
        template!("types.rs.j2"),
        template!("channels.rs.j2"),
        template!("listeners.rs.j2"),
        template!("stubs.rs.j2"),
    ])
}
