//! Successive runs of the generator, without a disk.

use pgpubsub_gen::history::{Emitted, History, Placed, Shapes, State};
use pgpubsub_gen::lock::{FILE_NAME, Lock};
use pgpubsub_gen::model::Schema;
use pgpubsub_gen::plan::plan;
use pgpubsub_gen::render::{FileKind, Files, Mode, render};

pub(crate) fn files(schema: &Schema, history: &History) -> Files {
    let plan = plan(schema, history).expect("a plan");
    render(&plan, Mode::Project).expect("files")
}

pub(crate) fn migrations(files: &Files) -> Vec<(&str, &str)> {
    files
        .iter()
        .filter(|(_, file)| file.kind == FileKind::Migration)
        .map(|(path, file)| (path, file.text.as_str()))
        .collect()
}

/// All up files, in order, or all down files, in reverse.
pub(crate) fn ends_with<'a>(files: &'a Files, end: &str) -> Vec<&'a str> {
    let mut texts: Vec<&str> = migrations(files)
        .into_iter()
        .filter(|(path, _)| path.ends_with(end))
        .map(|(_, text)| text)
        .collect();
    if end == ".down.sql" {
        texts.reverse();
    }
    texts
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
        let name = path.rsplit('/').next().expect("a name");
        history.migration_names.push(name.to_owned());
        if let Some(emitted) = Emitted::parse(text) {
            assert!(emitted.intact, "{path}");
            history.migrations.push(Placed {
                paths: vec![path.to_owned()],
                number: name[..4].trim_start_matches('0').to_owned(),
                emitted,
            });
        }
    }
    history.migration_names.sort();
    history.state = State::replay(&history.migrations);
    history.shapes = Shapes::of_migrations(&history.migrations);
    history
}
