//! Types whose payloads read alike, so that a change from one to the other needs no conversion.

use crate::model::builtin::Builtin;

/// Columns: a type of PostgreSQL that is captured in the same form and read as the same Rust type, with whatever stands in
/// parentheses; and integers that became wider.
pub(super) fn columns(from: &str, to: &str) -> bool {
    if let (Some(from), Some(to)) = (from.strip_suffix("[]"), to.strip_suffix("[]")) {
        return columns(from, to);
    }
    let (Some(from), Some(to)) = (builtin(from), builtin(to)) else {
        return false;
    };
    let integers = ["smallint", "integer", "bigint"];
    let width = |name: &str| integers.iter().position(|integer| *integer == name);
    match (width(from.name), width(to.name)) {
        (Some(from), Some(to)) => from <= to,
        _ => from.rust == to.rust && from.capture == to.capture,
    }
}

/// Fields of messages: none but equal ones.
pub(super) fn fields(from: &str, to: &str) -> bool {
    from == to
}

fn builtin(name: &str) -> Option<&'static Builtin> {
    Builtin::find(name.split('(').next().unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_alike_needs_no_conversion() {
        for (from, to) in [
            ("character varying(20)", "text"),
            ("numeric(10,2)", "numeric(20,4)"),
            ("smallint", "bigint"),
            ("json", "jsonb"),
            ("integer[]", "bigint[]"),
        ] {
            assert!(columns(from, to), "{from} to {to}");
        }
        for (from, to) in [
            ("bigint", "integer"),
            ("text", "integer"),
            ("numeric(10,2)", "double precision"),
            ("date", "timestamptz"),
            ("public.mood", "text"),
            ("text[]", "text"),
        ] {
            assert!(!columns(from, to), "{from} to {to}");
        }
    }
}
