//! What a valid schema can still run into.

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Two declarations become one name, in Rust or in the database.
    #[error("{first} and {second} would both be `{name}`; rename one of them")]
    NameClash {
        /// The name.
        name: String,
        /// What had it first.
        first: String,
        /// What wants it too.
        second: String,
    },
    /// Two of our files at one path.
    #[error("two generated files would have the path `{0}`")]
    PathClash(String),
    /// The emitted migrations are laid out for another tool.
    #[error(
        "{path} is a migration for another tool than `{tool}`, which would pass over it or refuse it; give `migrations.dir` a new folder for that tool (the first migration there installs everything over what is in the database), or keep `migrations.tool` as it was"
    )]
    OtherTool {
        /// The migration.
        path: String,
        /// The tool of the schema.
        tool: &'static str,
    },
    /// sqlx reads the number of a migration as a 64-bit integer.
    #[error("no migration number is left after `{0}`")]
    MigrationNumber(String),
}
