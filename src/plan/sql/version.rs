//! How the function `db_version` asks the table of a migration tool.

use crate::model::Tool;

/// Statements of PL/pgSQL that read the table named by `_table` into `_version`, a line each.
///
/// They name the columns of the tool's own table, so that a table of another tool under the same name is a mistake, which leaves
/// `_version` NULL: dbmate's version has a collation and golang-migrate's has none, only the latter's table has `dirty`.
pub(super) fn statements(tool: Tool) -> Vec<&'static str> {
    match tool {
        Tool::Sqlx => vec![
            r#"EXECUTE 'SELECT pg_catalog.max("version")::pg_catalog.text FROM ' || _table || ' WHERE "success"' INTO _version;"#,
        ],
        Tool::Plain | Tool::Refinery => vec![
            r#"EXECUTE 'SELECT pg_catalog.max("version")::pg_catalog.text FROM ' || _table INTO _version;"#,
        ],
        // Texts, which these tools sort by their bytes, whatever the collation of the database.
        Tool::Diesel | Tool::Dbmate => vec![
            r#"EXECUTE 'SELECT pg_catalog.max("version" COLLATE pg_catalog."C")::pg_catalog.text FROM ' || _table INTO _version;"#,
        ],
        Tool::GolangMigrate => vec![
            r#"EXECUTE 'SELECT "version"::pg_catalog.text FROM ' || _table || ' WHERE NOT "dirty"' INTO _version;"#,
            "-- golang-migrate truncates its table, and would wait for every transaction that has read it. A mistake gives the lock back.",
            "RAISE EXCEPTION 'the version is known';",
        ],
        // A file that failed in the middle stands in the table, too.
        Tool::Atlas => vec![
            r#"EXECUTE 'SELECT pg_catalog.max("version" COLLATE pg_catalog."C")::pg_catalog.text FROM ' || _table || ' WHERE "applied" = "total"' INTO _version;"#,
        ],
    }
}

/// What the function answers after a mistake.
pub(super) fn after_mistake(tool: Tool) -> &'static str {
    match tool {
        Tool::GolangMigrate => "_version",
        Tool::Plain | Tool::Sqlx | Tool::Refinery | Tool::Diesel | Tool::Dbmate | Tool::Atlas => {
            "NULL"
        }
    }
}
