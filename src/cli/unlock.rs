//! `pgpubsub-gen unlock`.

use std::path::Path;

use crate::history::Key;
use crate::model::identifier;
use crate::plan::ident::sql_ident;

use super::args::Display;
use super::{OK, output};

/// Prints what has to stand around an ALTER TABLE of a column that triggers name: they would block it.
pub(super) fn run(schema: Option<&Path>, column: &str, display: &Display) -> anyhow::Result<u8> {
    let source = output::source(schema)?;
    let result = output::run(&source, display)?;
    let (table, column) = split(column)?;
    let table = match result
        .plan
        .live
        .tables
        .iter()
        .find(|known| known.model == table)
    {
        Some(known) => known.table.clone(),
        None => identifier::table(table).map_err(|problem| {
            anyhow::anyhow!("`{table}` is neither a model nor a table: {problem}")
        })?,
    };
    let triggers: Vec<(&Key, &str)> = result
        .history
        .state
        .objects
        .iter()
        .filter(|(key, _)| {
            matches!(key, Key::Trigger { schema, table: name, .. } if *schema == table.schema && *name == table.name)
        })
        .map(|(key, installed)| (key, installed.text.as_str()))
        .filter(|(_, text)| names(text, column))
        .collect();
    if triggers.is_empty() {
        output::line(&format!(
            "-- No trigger of ours names {}.{}: nothing blocks an ALTER TABLE.",
            table.name, column
        ))?;
        return Ok(OK);
    }
    output::line(
        "-- Before your ALTER TABLE, in the same transaction (it locks the table anyway, so no write gets past the triggers):",
    )?;
    for (key, _) in &triggers {
        if let Key::Trigger {
            schema,
            table,
            trigger,
        } = key
        {
            output::line(&format!(
                "DROP TRIGGER IF EXISTS {} ON {}.{};",
                sql_ident(trigger),
                sql_ident(schema),
                sql_ident(table)
            ))?;
        }
    }
    output::line("\n-- After it:")?;
    for (_, text) in &triggers {
        output::line(text.trim_end())?;
    }
    Ok(OK)
}

/// `TABLE.COLUMN`; the column may be quoted.
fn split(text: &str) -> anyhow::Result<(&str, &str)> {
    let wrong = || anyhow::anyhow!("`{text}` names no column: write MODEL.COLUMN or TABLE.COLUMN");
    let (table, column) = match text.strip_suffix('"') {
        Some(quoted) => {
            let (table, column) = quoted.rsplit_once(".\"").ok_or_else(wrong)?;
            (table, column)
        }
        None => text.rsplit_once('.').ok_or_else(wrong)?,
    };
    if table.is_empty() || column.is_empty() {
        return Err(wrong());
    }
    Ok((table, column))
}

/// Whether the definition of a trigger names a column, as far as that can be told without a parser: one too many does no harm.
fn names(text: &str, column: &str) -> bool {
    let definition = text.split("COMMENT ON TRIGGER").next().unwrap_or(text);
    if definition.contains(&sql_ident(column)) || definition.contains(".*") {
        return true;
    }
    definition
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|word| word.eq_ignore_ascii_case(column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_split_off() {
        for (text, table, column) in [
            ("author.name", "author", "name"),
            ("app.author.name", "app.author", "name"),
            ("app.\"A.b\".\"c.d\"", "app.\"A.b\"", "c.d"),
        ] {
            assert_eq!(split(text).ok(), Some((table, column)));
        }
        assert!(split("author").is_err());
    }

    #[test]
    fn columns_are_found_in_conditions() {
        let text = "CREATE OR REPLACE TRIGGER x\n  AFTER UPDATE OF \"state\" ON \"a\".\"b\"\n  WHEN (new.Balance >= 0)\nCOMMENT ON TRIGGER x IS 'other';";
        assert!(names(text, "state") && names(text, "balance"));
        assert!(!names(text, "other") && !names(text, "bal"));
    }
}
