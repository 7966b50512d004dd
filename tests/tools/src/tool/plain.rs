//! psql, and a table in the place of somebody's memory.

use std::fs;
use std::path::{Path, PathBuf};

use super::Tool;
use crate::{Error, program, session};

const TOOL: Tool = Tool::Plain;

pub(super) async fn up(url: &str, folder: &Path) -> Result<(), Error> {
    let table = "CREATE TABLE IF NOT EXISTS public.applied_by_hand (file text PRIMARY KEY)";
    let client = session::connect(TOOL, url).await?;
    let made = client.batch_execute(table).await;
    made.map_err(|error| Error::of(TOOL)(&error))?;
    let applied = applied(url).await?;
    let mut files = files(folder)?;
    files.retain(|file| !applied.contains(&name(file)));
    for file in files {
        psql(url, &file).await?;
        let remember = "INSERT INTO public.applied_by_hand VALUES ($1)";
        let done = client.execute(remember, &[&name(&file)]).await;
        done.map_err(|error| Error::of(TOOL)(&error))?;
    }
    Ok(())
}

pub(super) async fn down(url: &str, folder: &Path, steps: usize) -> Result<(), Error> {
    let client = session::connect(TOOL, url).await?;
    for name in applied(url).await?.iter().rev().take(steps) {
        let file = name.trim_end_matches(".up.sql");
        psql(url, &folder.join(format!("{file}.down.sql"))).await?;
        let forget = "DELETE FROM public.applied_by_hand WHERE file = $1";
        let done = client.execute(forget, &[name]).await;
        done.map_err(|error| Error::of(TOOL)(&error))?;
    }
    Ok(())
}

pub(super) async fn applied(url: &str) -> Result<Vec<String>, Error> {
    let query = "SELECT file FROM public.applied_by_hand ORDER BY file COLLATE \"C\"";
    session::column(TOOL, url, "public.applied_by_hand", query).await
}

async fn psql(url: &str, file: &Path) -> Result<(), Error> {
    let file = file.to_string_lossy();
    let arguments = ["-qX", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", &file];
    program::run(TOOL, "psql", &arguments).await
}

/// The files for the way up, in order of their names; one without a way down is called `.sql` only.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(folder).map_err(|error| Error::of(TOOL)(&error))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = paths
        .filter(|path| name(path).ends_with(".sql") && !name(path).ends_with(".down.sql"))
        .collect();
    files.sort();
    Ok(files)
}

fn name(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
