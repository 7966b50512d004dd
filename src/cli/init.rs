//! `pgpubsub-gen init` and `pgpubsub-gen json-schema`.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use super::{OK, output};

const STARTER: &str = include_str!("starter.yaml");

/// Name that the first line of the starter gives it.
const JSON_SCHEMA: &str = "pgpubsub.schema.json";

pub(super) fn run(schema: Option<&Path>) -> anyhow::Result<u8> {
    let path = schema.unwrap_or(Path::new("schema.yaml"));
    if !create(path, STARTER)? {
        anyhow::bail!(
            "{} is there already; `init` overwrites nothing",
            path.display()
        );
    }
    let json_schema = path.with_file_name(JSON_SCHEMA);
    create(&json_schema, &json_schema_text()?)?;
    output::line(&format!(
        "wrote {}, and {} for editors; next: `pgpubsub-gen {}`",
        path.display(),
        json_schema.display(),
        path.display()
    ))?;
    Ok(OK)
}

/// `pgpubsub-gen json-schema`.
pub(super) fn json_schema() -> anyhow::Result<u8> {
    output::line(json_schema_text()?.trim_end())?;
    Ok(OK)
}

fn json_schema_text() -> anyhow::Result<String> {
    let schema = crate::schema::json_schema();
    Ok(serde_json::to_string_pretty(&schema)? + "\n")
}

/// False if a file is there already.
fn create(path: &Path, text: &str) -> anyhow::Result<bool> {
    // `create_new` leaves no moment between looking and writing.
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = match file {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => Err(error),
        Ok(mut file) => file.write_all(text.as_bytes()),
    };
    written.map_err(|error| anyhow::anyhow!("cannot write {}: {error}", path.display()))?;
    Ok(true)
}
