//! `generate:`.

use crate::schema::document::GenerateDecl;
use crate::schema::language;
use crate::schema::node::{Node, Value};
use crate::schema::reader::Reader;

use super::settings;

pub(super) fn generate(reader: &mut Reader<'_>, node: &Node) -> Option<GenerateDecl> {
    let fields = reader.fields(node, "`generate`", &language::GENERATE)?;
    let mut generate = GenerateDecl::default();
    match fields.get("rust") {
        Some(Node {
            value: Value::Text(text),
            ..
        }) if text == "none" => generate.no_rust = true,
        Some(node) => {
            if let Some(rust) = reader.fields(node, "`rust`", &language::RUST) {
                generate.rust_out = reader.optional_text(&rust, "out");
                generate.rust_derive = reader.optional_texts(&rust, "derive").unwrap_or_default();
                generate.datetime = reader.word(&rust, "datetime", language::DATETIMES);
            }
        }
        None => {}
    }
    match fields.get("migrations") {
        Some(Node {
            value: Value::Text(text),
            ..
        }) if text == "none" => generate.no_migrations = true,
        Some(node) => {
            if let Some(migrations) = reader.fields(node, "`migrations`", &language::MIGRATIONS) {
                generate.migrations_dir = reader.optional_text(&migrations, "dir");
                generate.migrations_tool = reader.optional_text(&migrations, "tool");
                generate.version_table = reader.optional_text(&migrations, "version_table");
                generate.lock_timeout = reader.optional_text(&migrations, "lock_timeout");
                generate.irreversible = migrations.get("reversible").is_some()
                    && !reader.flag(&migrations, "reversible");
            }
        }
        None => {}
    }
    if let Some(stubs) = fields
        .get("listeners")
        .and_then(|node| reader.fields(node, "`listeners`", &language::STUBS))
    {
        generate.stubs = reader.optional_text(&stubs, "stubs");
    }
    if let Some(postgres) = fields
        .get("postgres")
        .and_then(|node| reader.fields(node, "`postgres`", &language::POSTGRES))
    {
        generate.storage_schema = reader.optional_text(&postgres, "schema");
        if let Some(node) = postgres.get("settings") {
            generate.settings = settings::settings(reader, node);
        }
    }
    generate.database = reader.optional_text(&fields, "database");
    Some(generate)
}
