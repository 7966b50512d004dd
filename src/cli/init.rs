//! `pgpubsub-gen init`.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use super::{OK, output};

const STARTER: &str = include_str!("starter.yaml");

pub(super) fn run(schema: Option<&Path>) -> anyhow::Result<u8> {
    let path = schema.unwrap_or(Path::new("schema.yaml"));
    // `create_new` leaves no moment between looking and writing.
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => anyhow::anyhow!(
                "{} is there already; `init` overwrites nothing",
                path.display()
            ),
            _ => anyhow::anyhow!("cannot write {}: {error}", path.display()),
        })?;
    file.write_all(STARTER.as_bytes())
        .map_err(|error| anyhow::anyhow!("cannot write {}: {error}", path.display()))?;
    output::line(&format!(
        "wrote {}; next: `pgpubsub-gen {}`",
        path.display(),
        path.display()
    ))?;
    Ok(OK)
}
