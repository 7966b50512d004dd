//! `pgpubsub-gen import`.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};

use crate::database::{read_catalog, with_session};
use crate::import::{Selection, import};

use super::args::Import;
use super::{OK, output};

pub(super) fn run(args: &Import) -> anyhow::Result<u8> {
    let catalog = with_session(&args.database.url()?, async |client| {
        read_catalog(client).await
    })?;
    let selection = Selection {
        schemas: args.schema.clone(),
        tables: args.table.clone(),
        channels: args.channels.clone(),
    };
    let text = import(&catalog, &selection)?;
    let Some(path) = &args.output else {
        output::line(text.trim_end())?;
        return Ok(OK);
    };
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => anyhow::anyhow!(
            "{} is there already; `import` overwrites nothing",
            path.display()
        ),
        _ => anyhow::anyhow!("cannot write {}: {error}", path.display()),
    })?;
    output::line(&format!(
        "wrote {}; next: say which channels there shall be",
        path.display()
    ))?;
    Ok(OK)
}
