//! Models of an existing database: what its catalogs say, as a schema file.

mod catalog;
mod naming;
mod types;
mod yaml;

pub use catalog::{Catalog, Column, Kind, Table, TypeInfo};

use std::fmt::Write as _;

use crate::diagnostic::nearest;

use naming::Names;
use types::Types;
use yaml::scalar;

/// Which tables are wanted.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Schemas; empty: all that are not PostgreSQL's, a tool's or ours.
    pub schemas: Vec<String>,
    /// Tables, `name` or `schema.name`; empty: all of the schemas.
    pub tables: Vec<String>,
    /// Events of a channel for each model; empty: no channels.
    pub channels: Vec<String>,
}

/// Why there is nothing to write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A table that is named is not there.
    #[error("there is no table `{name}`{hint}")]
    NoTable {
        /// As it was named.
        name: String,
        /// The nearest one.
        hint: String,
    },
    /// A relation that no trigger can capture.
    #[error("`{name}` is {what}: {reason}")]
    NoTriggers {
        /// As it was named.
        name: String,
        /// What it is.
        what: &'static str,
        /// Why that does not do.
        reason: &'static str,
    },
    /// The selection is empty.
    #[error("there are no tables to import; `--schema` and `--table` choose others")]
    Nothing,
}

/// Tables of migration tools.
const TOOLS: [&str; 8] = [
    "_sqlx_migrations",
    "refinery_schema_history",
    "__diesel_schema_migrations",
    "schema_migrations",
    "atlas_schema_revisions",
    "seaql_migrations",
    "_prisma_migrations",
    "flyway_schema_history",
];

/// The schema file.
///
/// # Errors
/// A named table is not there or cannot be captured, or there is none at all.
pub fn import(catalog: &Catalog, selection: &Selection) -> Result<String, ImportError> {
    let (tables, skipped) = select(catalog, selection)?;
    let mut types = Types::new(catalog);
    let mut first = None;
    let mut models = String::new();
    let mut channels = String::new();
    for table in &tables {
        let name = types.model_name(&table.schema, &table.name);
        first.get_or_insert_with(|| name.clone());
        model(&mut models, &name, table, &mut types);
        if !selection.channels.is_empty() {
            let events = selection.channels.join(", ");
            let _ = writeln!(
                channels,
                "  {name}_changed: {{on: {name}, after: [{events}]}}"
            );
        }
    }
    let mut text = String::from(
        "# yaml-language-server: $schema=pgpubsub.schema.json\n# Written by `pgpubsub-gen import`; edit it as you like.\nversion: 1\n",
    );
    let declared = types.declared();
    if !declared.is_empty() {
        let _ = write!(text, "types:\n{declared}");
    }
    let _ = write!(text, "models:\n{models}");
    if channels.is_empty() {
        let first = first.unwrap_or_default();
        let _ = write!(
            text,
            "# Say what shall be heard:\n# channels:\n#   {first}_changed: {{on: {first}, after: [insert, update, delete]}}\n"
        );
    } else {
        let _ = write!(text, "channels:\n{channels}");
    }
    for line in skipped {
        let _ = writeln!(text, "# Left out: {line}");
    }
    Ok(text)
}

/// The tables that are wanted, and what is left out with the reason.
fn select<'c>(
    catalog: &'c Catalog,
    selection: &Selection,
) -> Result<(Vec<&'c Table>, Vec<String>), ImportError> {
    let mut skipped = Vec::new();
    if !selection.tables.is_empty() {
        let mut tables = Vec::new();
        for name in &selection.tables {
            let table = find(catalog, name)?;
            if let Some((what, reason)) = no_triggers(table.kind) {
                return Err(ImportError::NoTriggers {
                    name: name.clone(),
                    what,
                    reason,
                });
            }
            if !tables.contains(&table) {
                tables.push(table);
            }
        }
        return Ok((tables, skipped));
    }
    let mut tables = Vec::new();
    for table in &catalog.tables {
        let wanted = selection.schemas.is_empty() || selection.schemas.contains(&table.schema);
        // A partition belongs to its table, whose triggers it gets.
        if !wanted
            || table.of_extension
            || table.is_partition
            || TOOLS.contains(&table.name.as_str())
        {
            continue;
        }
        let name = format!("{}.{}", table.schema, table.name).replace(['\n', '\r'], " ");
        match no_triggers(table.kind) {
            Some((what, reason)) => skipped.push(format!("{name} is {what}: {reason}")),
            None if table.columns.is_empty() => skipped.push(format!("{name} has no columns")),
            None => tables.push(table),
        }
    }
    if tables.is_empty() {
        return Err(ImportError::Nothing);
    }
    Ok((tables, skipped))
}

fn find<'c>(catalog: &'c Catalog, name: &str) -> Result<&'c Table, ImportError> {
    let full = |table: &Table| format!("{}.{}", table.schema, table.name);
    let found = catalog.tables.iter().find(|table| full(table) == *name);
    // Without a schema, in `public` before others.
    let found = found.or_else(|| {
        let mut same: Vec<&Table> = catalog
            .tables
            .iter()
            .filter(|table| table.name == *name)
            .collect();
        same.sort_by_key(|table| table.schema != "public");
        same.first().copied()
    });
    found.ok_or_else(|| {
        let names: Vec<String> = catalog.tables.iter().map(full).collect();
        let short = catalog.tables.iter().map(|table| table.name.as_str());
        let near = nearest(name, names.iter().map(String::as_str).chain(short));
        ImportError::NoTable {
            name: name.to_owned(),
            hint: near.map_or_else(String::new, |near| format!("; did you mean `{near}`?")),
        }
    })
}

/// What a relation is that row triggers do not capture, and why.
fn no_triggers(kind: Kind) -> Option<(&'static str, &'static str)> {
    match kind {
        Kind::Table | Kind::Partitioned => None,
        Kind::View => Some((
            "a view",
            "its rows change with those of its tables, without a trigger of its own; import the tables",
        )),
        Kind::MaterializedView => Some((
            "a materialized view",
            "PostgreSQL has no triggers on it; import its tables",
        )),
        Kind::Foreign => Some((
            "a foreign table",
            "what others write to it fires no trigger here; capture it where it lives",
        )),
    }
}

fn model(text: &mut String, name: &str, table: &Table, types: &mut Types<'_>) {
    let _ = writeln!(text, "  {name}:");
    if let Some(doc) = &table.doc {
        let _ = writeln!(text, "    doc: {}", scalar(doc));
    }
    let sql = format!("{}.{}", sql_part(&table.schema), sql_part(&table.name));
    let _ = writeln!(text, "    table: {}", scalar(&sql));
    if table.kind == Kind::Partitioned {
        let _ = writeln!(text, "    partitioned: true");
    }
    if !table.columns.iter().any(|column| column.primary_key) {
        let _ = writeln!(text, "    # no primary key: row level only for updates");
    }
    let _ = writeln!(text, "    columns:");
    let mut names = Names::of_fields();
    let mut rows: Vec<(String, String)> = Vec::new();
    for column in &table.columns {
        if column.generated == 'v' {
            let comment = format!(
                "# {} is generated when it is read: a trigger does not see it",
                column.name.replace(['\n', '\r'], " ")
            );
            rows.push((String::new(), comment));
            continue;
        }
        let Some(ty) = types.of_column(column) else {
            let comment = format!(
                "# {}: no column can be captured with the type {}",
                column.name.replace(['\n', '\r'], " "),
                column.type_text.replace(['\n', '\r'], " ")
            );
            rows.push((String::new(), comment));
            continue;
        };
        let marks = match (column.not_null, column.primary_key) {
            (_, true) => " pk",
            (true, false) => "",
            (false, false) => "?",
        };
        let ty = format!("{ty}{marks}");
        let field = names.add(&column.name, &[]);
        let mut long = Vec::new();
        if field != column.name {
            long.push(format!("column: {}", scalar(&column.name)));
        }
        if let Some(doc) = &column.doc {
            long.push(format!("doc: {}", scalar(doc)));
        }
        let value = if long.is_empty() {
            scalar(&ty)
        } else {
            format!("{{type: {}, {}}}", scalar(&ty), long.join(", "))
        };
        let comment = if column.generated == 's' {
            " # generated"
        } else {
            ""
        };
        rows.push((format!("{}:", scalar(&field)), format!("{value}{comment}")));
    }
    let width = rows.iter().map(|(field, _)| field.len()).max().unwrap_or(0);
    for (field, value) in rows {
        let line = if field.is_empty() {
            format!("      {value}")
        } else {
            format!("      {field:<width$} {value}")
        };
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

/// A part of a name as SQL writes it, in quotes where it needs them.
fn sql_part(name: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let first = name
        .chars()
        .next()
        .is_some_and(|c| c.is_ascii_lowercase() || c == '_');
    if first && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}
