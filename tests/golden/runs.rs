//! Successive runs of the generator, without a disk.

use pgpubsub_gen::history::History;
use pgpubsub_gen::lock::{FILE_NAME, Lock};
use pgpubsub_gen::model::Schema;
use pgpubsub_gen::plan::plan;
use pgpubsub_gen::render::{FileKind, Files, Mode, RenderError, render};

pub(crate) fn files(schema: &Schema, history: &History) -> Files {
    try_files(schema, history).expect("files")
}

pub(crate) fn try_files(schema: &Schema, history: &History) -> Result<Files, RenderError> {
    render(&plan(schema, history).expect("a plan"), Mode::Project)
}

pub(crate) fn migrations(files: &Files) -> Vec<(&str, &str)> {
    files
        .iter()
        .filter(|(_, file)| file.kind == FileKind::Migration)
        .map(|(path, file)| (path, file.text.as_str()))
        .collect()
}

pub(crate) fn lock(files: &Files) -> Lock {
    serde_json::from_str(&files.get(FILE_NAME).expect("a lock").text).expect("JSON")
}

/// The history after these files were written.
pub(crate) fn after(files: &Files, before: &History) -> History {
    let mut history = History {
        lock: Some(lock(files)),
        ..before.clone()
    };
    for (path, text) in migrations(files) {
        history
            .migration_names
            .push(path.rsplit('/').next().expect("a name").to_owned());
        if path.ends_with(".up.sql") {
            history.newest_up = Some(text.to_owned());
        }
    }
    history.migration_names.sort();
    history
}
