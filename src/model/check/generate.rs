//! `generate:`.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::schema::{GenerateDecl, Spanned};

use crate::schema::language::TOOLS;

use super::super::identifier;
use super::super::{Generate, QualifiedName, Tool};
use super::extra;

pub(super) fn check(declared: &GenerateDecl, diagnostics: &mut Diagnostics) -> Generate {
    let tool = tool(declared.migrations_tool.as_ref(), diagnostics);
    let rust_out = path(declared.rust_out.as_ref(), "src/pubsub.rs", diagnostics);
    if let Some(out) = &declared.rust_out
        && !out.value.ends_with(".rs")
    {
        let help = format!(
            "write `{}.rs`: everything is in one file",
            out.value.trim_end_matches('/')
        );
        invalid(out, "`out` is the path of a Rust file", help, diagnostics);
    }
    let migrations_dir = path(declared.migrations_dir.as_ref(), "migrations", diagnostics);
    let stubs = declared
        .stubs
        .as_ref()
        .map(|stubs| path(Some(stubs), "src/listeners.rs", diagnostics));
    if let Some(declared) = &declared.stubs
        && stubs.as_ref() == Some(&rust_out)
    {
        invalid(
            declared,
            "the listener skeletons cannot be in the generated file",
            "give them another path",
            diagnostics,
        );
    }
    Generate {
        rust_out,
        rust_in_project: !declared.no_rust,
        rust_derive: extra::derives(&declared.rust_derive, diagnostics),
        chrono: declared
            .datetime
            .as_ref()
            .is_some_and(|word| word.value == "chrono"),
        migrations_dir: (!declared.no_migrations).then_some(migrations_dir),
        reversible: !declared.irreversible,
        database: declared.database.as_ref().map(|name| name.value.clone()),
        lock_timeout: lock_timeout(declared.lock_timeout.as_ref(), diagnostics),
        tool,
        version_table: version_table(declared.version_table.as_ref(), tool, diagnostics),
        stubs,
        lock: lock(declared.database.as_ref(), diagnostics),
        storage_schema: storage_schema(declared.storage_schema.as_ref(), diagnostics),
        settings: declared.settings.clone(),
    }
}

fn invalid(
    at: &Spanned<String>,
    message: impl Into<String>,
    help: impl Into<String>,
    diagnostics: &mut Diagnostics,
) {
    diagnostics.push(Diagnostic::new(Code::InvalidValue, at.span.clone(), message).help(help));
}

fn tool(declared: Option<&Spanned<String>>, diagnostics: &mut Diagnostics) -> Tool {
    let Some(declared) = declared else {
        return Tool::default();
    };
    Tool::from_word(&declared.value).unwrap_or_else(|| {
        let unknown = &declared.value;
        let message = format!("there is no migration tool `{unknown}`");
        let diagnostic = Diagnostic::new(Code::InvalidValue, declared.span.clone(), message);
        diagnostics.push(diagnostic.help_nearest(unknown, TOOLS.iter().copied()));
        Tool::default()
    })
}

/// Relative to the schema file, with `/`, without `.` and empty parts.
fn path(
    declared: Option<&Spanned<String>>,
    default: &str,
    diagnostics: &mut Diagnostics,
) -> String {
    let Some(declared) = declared else {
        return default.to_owned();
    };
    let text = &declared.value;
    let drive = text.as_bytes().get(1) == Some(&b':');
    if text.starts_with('/') || text.contains('\\') || text.contains('\0') || drive {
        let help = "write a path relative to the schema file, with `/`";
        invalid(
            declared,
            "this path cannot be used on every machine",
            help,
            diagnostics,
        );
    }
    let parts: Vec<&str> = text
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    if parts.is_empty() {
        invalid(
            declared,
            "this path is empty",
            format!("write for instance `{default}`"),
            diagnostics,
        );
    }
    parts.join("/")
}

fn lock_timeout(declared: Option<&Spanned<String>>, diagnostics: &mut Diagnostics) -> String {
    let Some(declared) = declared else {
        return "3s".to_owned();
    };
    let digits = declared
        .value
        .trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &declared.value[digits.len()..];
    let number = digits.parse::<u32>().is_ok_and(|number| number > 0);
    if !number || !["ms", "s", "min"].contains(&unit) {
        let message = format!("`{}` is no time to wait for a lock", declared.value);
        invalid(
            declared,
            message,
            "write for instance `3s` or `500ms`",
            diagnostics,
        );
    }
    declared.value.clone()
}

fn version_table(
    declared: Option<&Spanned<String>>,
    tool: Tool,
    diagnostics: &mut Diagnostics,
) -> Option<QualifiedName> {
    match declared {
        None => tool.version_table(),
        Some(none) if none.value == "none" => None,
        Some(declared) => match identifier::table(&declared.value) {
            Ok(table) => Some(table),
            Err(problem) => {
                let message = format!("`{}` is no table: {problem}", declared.value);
                diagnostics.push(Diagnostic::new(
                    Code::InvalidIdentifier,
                    declared.span.clone(),
                    message,
                ));
                None
            }
        },
    }
}

/// Schema files of several databases in one folder each have their own.
fn lock(declared: Option<&Spanned<String>>, diagnostics: &mut Diagnostics) -> String {
    let Some(database) = declared else {
        return crate::lock::FILE_NAME.to_owned();
    };
    let usual = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if database.value.is_empty() || !database.value.chars().all(usual) {
        let message = format!("`{}` is no name for a database here", database.value);
        let help = "use letters, digits, `_` and `-`: it becomes part of a file name";
        invalid(database, message, help, diagnostics);
    }
    format!("pgpubsub.{}.lock", database.value)
}

fn storage_schema(declared: Option<&Spanned<String>>, diagnostics: &mut Diagnostics) -> String {
    let Some(declared) = declared else {
        return "pgpubsub".to_owned();
    };
    let problem = match identifier::check(&declared.value) {
        Err(problem) => Some(problem),
        Ok(()) if declared.value.starts_with("pg_") => {
            Some("PostgreSQL keeps `pg_` for itself".to_owned())
        }
        Ok(()) => None,
    };
    if let Some(problem) = problem {
        let message = format!("`{}` is no name for a schema: {problem}", declared.value);
        diagnostics.push(Diagnostic::new(
            Code::InvalidIdentifier,
            declared.span.clone(),
            message,
        ));
    }
    declared.value.clone()
}
