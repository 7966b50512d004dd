//! Types of columns: those of the language by name, those of the database as declarations.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::model::{builtin::BUILTINS, is_column_type};

use super::catalog::{Catalog, Column, TypeInfo};
use super::naming::Names;
use super::sql_part;
use super::yaml::scalar;

/// Types that were met, with their declarations in an order in which each follows what it needs.
pub(super) struct Types<'c> {
    catalog: &'c Catalog,
    names: Names,
    known: BTreeMap<u32, String>,
    declared: Vec<(String, String)>,
}

impl<'c> Types<'c> {
    pub(super) fn new(catalog: &'c Catalog) -> Self {
        Self {
            catalog,
            names: Names::of_types(),
            known: BTreeMap::new(),
            declared: Vec::new(),
        }
    }

    /// Name of a model.
    pub(super) fn model_name(&mut self, schema: &str, table: &str) -> String {
        self.names.add(table, &[&format!("{schema}_{table}")])
    }

    /// The entries of `types:`.
    pub(super) fn declared(&self) -> String {
        let width = self.declared.iter().map(|(name, _)| name.len()).max();
        let width = width.unwrap_or(0) + 1;
        let mut text = String::new();
        for (name, declaration) in &self.declared {
            let _ = writeln!(text, "  {:<width$} {declaration}", format!("{name}:"));
        }
        text
    }

    /// Text of a column's type; `None` if no column can be captured with it.
    pub(super) fn of_column(&mut self, column: &Column) -> Option<String> {
        self.of(column.ty, &column.type_text)
    }

    fn of(&mut self, ty: u32, text: &str) -> Option<String> {
        let Some(info) = self.catalog.types.get(&ty) else {
            // One of PostgreSQL's own.
            return is_column_type(text).then(|| text.to_owned());
        };
        if let Some(element) = info.element {
            let inner = text.strip_suffix("[]").unwrap_or(text);
            return Some(format!("{}[]", self.of(element, inner)?));
        }
        let of_language = BUILTINS.iter().any(|builtin| builtin.name == info.name);
        if info.of_extension && of_language {
            // With what stands in parentheses.
            let modifier = text.find('(').map_or("", |at| &text[at..]);
            return Some(format!("{}{modifier}", info.name));
        }
        if let Some(name) = self.known.get(&ty) {
            return Some(name.clone());
        }
        // A declared type hides one of the language with the same name.
        self.names
            .reserve(BUILTINS.iter().map(|builtin| builtin.name).collect());
        let name = self
            .names
            .add(&info.name, &[&format!("{}_{}", info.schema, info.name)]);
        self.names.reserve(Vec::new());
        self.known.insert(ty, name.clone());
        let declaration = self.declaration(info);
        self.declared.push((name.clone(), declaration));
        Some(name)
    }

    fn declaration(&mut self, info: &'c TypeInfo) -> String {
        let mut parts = Vec::new();
        match info.kind {
            'e' if !info.labels.is_empty() => parts.push(format!("enum: {}", labels(&info.labels))),
            'c' => {
                let attributes: Option<Vec<String>> = info
                    .attributes
                    .iter()
                    .map(|attribute| {
                        let ty = self.of_column(attribute)?;
                        // Names of catalog objects have no text of their own in a composite value.
                        let oid = ty.trim_end_matches("[]").starts_with("reg");
                        (!oid).then(|| {
                            format!("{}: {}", scalar(&attribute.name), scalar(&format!("{ty}?")))
                        })
                    })
                    .collect();
                // Without attributes that can be said, it arrives as text.
                if let Some(attributes) = attributes.filter(|attributes| {
                    !attributes.is_empty() && fields_are_distinct(&info.attributes)
                }) {
                    parts.push(format!("composite: {{{}}}", attributes.join(", ")));
                }
            }
            'd' => {
                if let Some((base, text)) = &info.base
                    && let Some(base) = self.of(*base, text)
                {
                    parts.push(format!("domain: {}", scalar(&base)));
                }
            }
            _ => {}
        }
        let sql = format!("{}.{}", sql_part(&info.schema), sql_part(&info.name));
        parts.push(format!("sql: {}", scalar(&sql)));
        if let Some(doc) = &info.doc {
            parts.push(format!("doc: {}", scalar(doc)));
        }
        format!("{{{}}}", parts.join(", "))
    }
}

/// A list, or Rust names with the labels where no name can be made of one.
fn labels(labels: &[String]) -> String {
    use heck::ToPascalCase as _;
    let mut seen = std::collections::BTreeSet::new();
    let plain = labels.iter().all(|label| {
        let variant = label.to_pascal_case();
        crate::model::identifier::is_rust_name(&variant)
            && !["Self", "Unknown"].contains(&variant.as_str())
            && seen.insert(variant)
    });
    if plain {
        let labels: Vec<String> = labels.iter().map(|label| scalar(label)).collect();
        return format!("[{}]", labels.join(", "));
    }
    let mut names = Names::of_fields();
    let labels: Vec<String> = labels
        .iter()
        .enumerate()
        .map(|(index, label)| {
            let name = names.add(label, &[&format!("label_{}", index + 1)]);
            let name = match name.to_pascal_case().as_str() {
                "Unknown" | "Self" => format!("{name}_label"),
                _ => name,
            };
            format!("{}: {}", name.to_pascal_case(), scalar(label))
        })
        .collect();
    format!("{{{}}}", labels.join(", "))
}

fn fields_are_distinct(attributes: &[Column]) -> bool {
    use heck::ToSnakeCase as _;
    let mut seen = std::collections::BTreeSet::new();
    attributes.iter().all(|attribute| {
        let field = attribute.name.to_snake_case();
        crate::model::identifier::is_rust_name(&field)
            && !crate::model::identifier::is_never_raw(&field)
            && seen.insert(field)
    })
}
