//! Functions: body, header, rights and comment of those that the schema wants, and those that it does not.

use similar::TextDiff;

use crate::history::Key;
use crate::plan::ident::sql_ident;

use super::finding::{Finding, Place, State, Subject};
use super::snapshot::{Function, Snapshot};
use super::text::FunctionText;

/// Lines of a diff that are shown.
const DIFF_LINES: usize = 40;

/// Compares a function that the schema wants; `sql` creates or replaces it.
pub(super) fn compare(
    wanted: &FunctionText,
    snapshot: &Snapshot,
    subject: Subject,
    storage: &str,
    sql: &str,
) -> Option<Finding> {
    let function = &wanted.function;
    let found = snapshot
        .functions
        .iter()
        .find(|found| found.name == function.name && found.arguments == function.arguments);
    let Some(found) = found else {
        return Some(
            Finding::new(State::Missing, subject, "is not there").repair(Place::Ours, sql),
        );
    };
    let mut differences = Vec::new();
    let replaceable =
        function.returns == found.returns && function.argument_names == found.argument_names;
    if !replaceable {
        differences.push(format!(
            "has other names of arguments or returns {} and not {}",
            found.returns, function.returns
        ));
    }
    differences.extend(header(function, found));
    let body = function.body != found.body;
    if body {
        differences.push("has another body".to_owned());
    }
    if wanted.says_public && function.public != found.public {
        differences.push(
            if found.public {
                "can be called by everybody"
            } else {
                "cannot be called by everybody (EXECUTE is not granted to PUBLIC)"
            }
            .to_owned(),
        );
    }
    if function.comment.is_some() && function.comment != found.comment {
        differences.push("has another comment".to_owned());
    }
    let mut repair = String::new();
    let signature = signature(storage, found);
    if !replaceable {
        repair += &format!("DROP FUNCTION {signature};\n");
    }
    repair += sql;
    let owner = snapshot.storage.as_ref().map(|storage| &storage.owner);
    if function.definer
        && !found.owner_may_store
        && let Some(owner) = owner
    {
        differences.push(format!(
            "belongs to {}, who may not store notifications",
            found.owner
        ));
        repair += &format!("ALTER FUNCTION {signature} OWNER TO {owner};\n");
    }
    if differences.is_empty() {
        return None;
    }
    let mut finding =
        Finding::new(State::Outdated, subject, differences.join("; ")).repair(Place::Ours, repair);
    if body {
        finding.detail = diff(&found.body, &function.body);
    }
    Some(finding)
}

fn header(wanted: &Function, found: &Function) -> Vec<String> {
    let mut differences = Vec::new();
    if wanted.language != found.language {
        differences.push(format!("is in the language {}", found.language));
    }
    if wanted.volatility != found.volatility {
        differences.push("has another volatility".to_owned());
    }
    if wanted.defaults != found.defaults {
        differences.push(format!(
            "takes {} for what a caller leaves out",
            if found.defaults.is_empty() {
                "nothing"
            } else {
                &found.defaults
            }
        ));
    }
    if wanted.definer != found.definer {
        differences.push(
            if wanted.definer {
                "runs with the rights of its caller (SECURITY DEFINER is gone)"
            } else {
                "runs with the rights of its owner (SECURITY DEFINER)"
            }
            .to_owned(),
        );
    }
    let (there, here) = (settings(found), settings(wanted));
    for setting in here.iter().filter(|setting| !there.contains(setting)) {
        differences.push(format!("lacks SET {setting}"));
    }
    for setting in there.iter().filter(|setting| !here.contains(setting)) {
        differences.push(format!("has SET {setting}"));
    }
    differences
}

/// PostgreSQL keeps names of settings in its own spelling.
fn settings(function: &Function) -> Vec<String> {
    let mut settings: Vec<String> = function
        .settings
        .iter()
        .map(|setting| match setting.split_once('=') {
            Some((name, value)) => format!("{} = {value}", name.to_lowercase()),
            None => setting.clone(),
        })
        .collect();
    settings.sort_unstable();
    settings
}

/// What is there, and what the schema makes.
pub(super) fn diff(there: &str, wanted: &str) -> String {
    let diff = TextDiff::from_lines(there, wanted);
    let text = diff
        .unified_diff()
        .context_radius(2)
        .header("(there)", "(of the schema)")
        .to_string();
    let mut lines: Vec<&str> = text.lines().collect();
    if lines.len() > DIFF_LINES {
        lines.truncate(DIFF_LINES);
        lines.push("...");
    }
    lines.join("\n")
}

fn signature(storage: &str, function: &Function) -> String {
    format!(
        "{}.{}({})",
        sql_ident(storage),
        sql_ident(&function.name),
        function.arguments.join(", ")
    )
}

/// Functions of channels that the schema does not have.
pub(super) fn orphans(storage: &str, wanted: &[FunctionText], snapshot: &Snapshot) -> Vec<Finding> {
    snapshot
        .functions
        .iter()
        .filter(|found| is_ours(found))
        .filter(|found| {
            !wanted.iter().any(|wanted| {
                wanted.function.name == found.name && wanted.function.arguments == found.arguments
            })
        })
        .map(|found| {
            let (schema, function) = (storage.to_owned(), found.name.clone());
            let subject = match found.arguments.join(", ").as_str() {
                "" => Subject::Object(Key::Capture { schema, function }),
                "text, int4, json" => Subject::Object(Key::Notify { schema, function }),
                other => Subject::Function(format!("{storage}.{function}"), other.to_owned()),
            };
            Finding::new(
                State::Orphan,
                subject,
                "is of a channel that the schema does not have",
            )
            .repair(
                Place::Last,
                format!("DROP FUNCTION {};\n", signature(storage, found)),
            )
        })
        .collect()
}

/// Others may have put functions of their own into our schema.
fn is_ours(found: &Function) -> bool {
    let named = found.name.starts_with("capture_") || found.name.starts_with("notify_");
    let comment = found.comment.as_deref().unwrap_or_default();
    named || comment.starts_with("pgpubsub channel ")
}
