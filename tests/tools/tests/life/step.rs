//! A change of the schema file, with what its author does to the tables.

use crate::project::Sql;

const fn sql(up: &'static str, down: &'static str) -> Option<Sql> {
    Some(Sql { up, down })
}

/// A change.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    pub(crate) what: &'static str,
    /// What the user does to the tables before our migration.
    pub(crate) before: Option<Sql>,
    /// Each text is in the schema file once, and replaced.
    pub(crate) edits: &'static [(&'static str, &'static str)],
    /// What the user does after it.
    pub(crate) after: Option<Sql>,
    /// Whether there is a migration of ours.
    pub(crate) emits: bool,
}

impl Step {
    pub(crate) const fn before(mut self, up: &'static str, down: &'static str) -> Self {
        self.before = sql(up, down);
        self
    }

    pub(crate) const fn after(mut self, up: &'static str, down: &'static str) -> Self {
        self.after = sql(up, down);
        self
    }

    pub(crate) const fn without_a_file(mut self) -> Self {
        self.emits = false;
        self
    }
}

pub(crate) const fn step(
    what: &'static str,
    edits: &'static [(&'static str, &'static str)],
) -> Step {
    Step {
        what,
        before: None,
        edits,
        after: None,
        emits: true,
    }
}
