//! Schemas of the golden cases, read from their files.

use pgpubsub_gen::diagnostic::{Format, Sources};
use pgpubsub_gen::model::*;
use pgpubsub_gen::schema;

fn read(source: &str, text: &str) -> Schema {
    let sources = Sources::new(source, text);
    match schema::load_text(&sources) {
        Ok(loaded) => loaded.schema,
        Err(mistakes) => panic!(
            "{}",
            mistakes.render(&sources, Format::Text { colour: false })
        ),
    }
}

/// What `schema.example.yaml` says.
pub(crate) fn example() -> Schema {
    read(
        "schema.example.yaml",
        include_str!("../../schema.example.yaml"),
    )
}

/// The example with a renamed channel, another type of a column and a model on another table.
pub(crate) fn changed() -> Schema {
    let text = include_str!("../../schema.example.yaml")
        .replace("author_created", "author_added")
        .replace("email:      text?", "email:      varchar(200)?")
        // The function of a channel that was not renamed moves to another table.
        .replace("table: app.post", "table: app.article");
    read("schema.example.yaml", &text)
}

/// The example with other texts; each is there once.
pub(crate) fn edited(edits: &[(&str, &str)]) -> Schema {
    let mut text = include_str!("../../schema.example.yaml").to_owned();
    for (from, to) in edits {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        // In the block style, another key is on a line of its own.
        let to = to.replacen(", ", "\n    ", 1);
        text = text.replace(from, &to);
    }
    read("schema.example.yaml", &text)
}

/// Names that need quotes, escapes or hashes.
pub(crate) fn names() -> Schema {
    read("schema.yaml", include_str!("names.yaml"))
}

/// Every type of a column and of a field.
pub(crate) fn all_types() -> Schema {
    read("schema.yaml", include_str!("all_types.yaml"))
}

/// Every option of a channel on a model.
pub(crate) fn triggers() -> Schema {
    read("schema.yaml", include_str!("triggers.yaml"))
}

/// Every option of a message channel.
pub(crate) fn messages() -> Schema {
    read("schema.yaml", include_str!("messages.yaml"))
}

/// Schedules of every kind.
pub(crate) fn schedules() -> Schema {
    read("schema.yaml", include_str!("schedules.yaml"))
}

/// A schema with a past.
pub(crate) fn evolution() -> Schema {
    read("schema.yaml", include_str!("../evolution/schema.yaml"))
}
