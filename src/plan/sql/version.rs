//! How the function `db_version` asks the table of a migration tool.

use crate::model::Tool;

/// The query, as an expression that puts it together around the variable `_table`.
///
/// It names the columns of the tool's own table, so that a table of another tool under the same name is a mistake, which the function
/// answers with NULL: dbmate's version has a collation and golang-migrate's has none, only the latter's table has `dirty`.
pub(super) fn query(tool: Tool) -> &'static str {
    match tool {
        Tool::Sqlx => {
            r#"'SELECT pg_catalog.max("version")::pg_catalog.text FROM ' || _table || ' WHERE "success"'"#
        }
        Tool::Plain | Tool::Refinery => {
            r#"'SELECT pg_catalog.max("version")::pg_catalog.text FROM ' || _table"#
        }
        // Texts, which these tools sort by their bytes, whatever the collation of the database.
        Tool::Diesel | Tool::Dbmate => {
            r#"'SELECT pg_catalog.max("version" COLLATE pg_catalog."C")::pg_catalog.text FROM ' || _table"#
        }
        Tool::GolangMigrate => {
            r#"'SELECT "version"::pg_catalog.text FROM ' || _table || ' WHERE NOT "dirty"'"#
        }
        // A file that failed in the middle stands in the table, too.
        Tool::Atlas => {
            r#"'SELECT pg_catalog.max("version" COLLATE pg_catalog."C")::pg_catalog.text FROM ' || _table || ' WHERE "applied" = "total"'"#
        }
    }
}
