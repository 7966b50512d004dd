//! Names that the schema file can use, for names that PostgreSQL has.

use std::collections::BTreeSet;

use heck::{ToPascalCase as _, ToSnakeCase as _};

use crate::model::identifier;

/// Names of one kind, each once.
pub(super) struct Names {
    fallback: &'static str,
    types: bool,
    taken: BTreeSet<String>,
    reserved: Vec<&'static str>,
}

impl Names {
    /// Models and types of the database: both become Rust types.
    pub(super) fn of_types() -> Self {
        Self::new("model", true)
    }

    /// Columns: they become Rust fields.
    pub(super) fn of_fields() -> Self {
        Self::new("field", false)
    }

    fn new(fallback: &'static str, types: bool) -> Self {
        Self {
            fallback,
            types,
            taken: BTreeSet::new(),
            reserved: Vec::new(),
        }
    }

    /// Names that the next ones must not have, too.
    pub(super) fn reserve(&mut self, names: Vec<&'static str>) {
        self.reserved = names;
    }

    /// The name itself where it can be used, or something like it, or like one of the others.
    pub(super) fn add(&mut self, wanted: &str, others: &[&str]) -> String {
        let mut candidates = Vec::new();
        for wanted in std::iter::once(wanted).chain(others.iter().copied()) {
            // A column keeps its name, if that is one for Rust.
            if identifier::is_rust_name(wanted) && wanted.to_snake_case() == wanted {
                candidates.push(wanted.to_owned());
            }
            candidates.push(usable(wanted));
        }
        let base = match candidates.iter().find(|name| !name.is_empty()) {
            Some(name) => name.clone(),
            None => self.fallback.to_owned(),
        };
        candidates.push(base.clone());
        candidates.extend((2..10_000).map(|number| format!("{base}_{number}")));
        let name = candidates
            .into_iter()
            .find(|name| self.is_free(name))
            .unwrap_or(base);
        self.taken.insert(name.to_snake_case());
        name
    }

    fn is_free(&self, name: &str) -> bool {
        let field = name.to_snake_case();
        let hides = self.types && identifier::hides_a_type(&name.to_pascal_case());
        let taken = hides || self.reserved.contains(&name) || self.taken.contains(&field);
        identifier::is_rust_name(name) && !identifier::is_never_raw(&field) && !taken
    }
}

/// The letters and digits of a name in snake_case.
fn usable(name: &str) -> String {
    let ascii: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let snake = ascii.to_snake_case();
    match snake.chars().next() {
        Some(first) if first.is_ascii_digit() => format!("n{snake}"),
        _ => snake,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_becomes_one_that_can_be_used() {
        let mut names = Names::of_fields();
        for (name, expected) in [
            ("id", "id"),
            ("Nick Name", "nick_name"),
            ("nick_name", "nick_name_2"),
            ("or\"der", "or_der"),
            ("self", "self_2"),
            ("type", "type"),
            ("1st", "n1st"),
            ("日本", "field"),
            ("💡", "field_2"),
            ("ID", "id_2"),
        ] {
            assert_eq!(names.add(name, &[]), expected, "{name}");
        }
        let mut names = Names::of_types();
        assert_eq!(names.add("option", &["app_option"]), "app_option");
    }
}
