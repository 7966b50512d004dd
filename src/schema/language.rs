//! The language, as data: every mapping of a schema file with its keys. The reader accepts these keys and no others, and the
//! JSON Schema for editors is made of the same tables.

mod channels;
mod generate;
mod listeners;
mod models;
mod words;

pub use super::storage_parameters::SETTINGS;
pub use channels::{CHANGED, CHANNEL, DEDUP, FIELD, PAYLOAD, SCHEDULE, UPDATE_OF, WHEN};
pub use generate::{GENERATE, MIGRATIONS, POSTGRES, RUST, STUBS};
pub use listeners::{LISTENER, RETRY};
pub use models::{COLUMN, MODEL, TABLE, TYPE};
pub use words::*;

use listeners::{RETRIES, TIMEOUT};

/// A mapping with known keys.
#[derive(Debug)]
pub struct Mapping {
    /// In the order of the documentation.
    pub keys: &'static [Key],
}

/// A key of a mapping.
#[derive(Debug)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What its value can be; `None`: the language will have it, this generator does not.
    pub value: Option<Shape>,
    /// One line for editors.
    pub doc: &'static str,
}

/// What a value can be.
#[derive(Debug)]
pub enum Shape {
    /// The number 1.
    Version,
    /// Any text.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Bool,
    /// A whole number from 1 on.
    Number,
    /// A whole number between two.
    Whole(i64, i64),
    /// A number between two.
    Decimal(f64, f64),
    /// A list.
    List(&'static Shape),
    /// A mapping with names of the user's.
    Named(&'static Shape),
    /// A mapping with known keys.
    Mapping(&'static Mapping),
    /// One of several.
    Either(&'static [Shape]),
    /// Anything.
    Any,
}

/// A text, or a list of texts.
const TEXTS: Shape = Shape::Either(&[Shape::Text, Shape::List(&Shape::Text)]);

const WAS: Key = key(
    "was",
    TEXTS,
    "Former name or names, so that what was stored under them is still read. `[]`: it is new, and no renaming.",
);
const OLDEST: Key = key(
    "oldest",
    Shape::Number,
    "Oldest version whose notifications are still decoded. Default: 1.",
);
const UNTIL: Key = key(
    "until",
    Shape::Number,
    "Last version that had it: it is gone, and optional in Rust, filled from older notifications.",
);
const FROM: Key = key(
    "from",
    Shape::Named(&Shape::Text),
    "Types that it had before, each with the path of a Rust function that converts them.",
);

pub(super) const fn key(name: &'static str, value: Shape, doc: &'static str) -> Key {
    Key {
        name,
        value: Some(value),
        doc,
    }
}

const fn later(name: &'static str) -> Key {
    Key {
        name,
        value: None,
        doc: "",
    }
}

const DOC: Key = key(
    "doc",
    Shape::Text,
    "Documentation: goes into Rust docs and SQL comments.",
);
const ALLOW: Key = key(
    "allow",
    TEXTS,
    "Codes of warnings that are known and accepted here.",
);
const DERIVE: Key = key(
    "derive",
    TEXTS,
    "More derives for the Rust types made of this, beside Clone, Debug and PartialEq.",
);
const ATTRIBUTES: Key = key(
    "attributes",
    TEXTS,
    "Attributes for the Rust types made of this, without `#[` and `]`.",
);

/// The file.
pub static FILE: Mapping = Mapping {
    keys: &[
        key("version", Shape::Version, "Version of the language: 1."),
        key(
            "include",
            TEXTS,
            "Other files whose types, models, channels and listeners belong to this schema; paths relative to this file.",
        ),
        key(
            "generate",
            Shape::Mapping(&GENERATE),
            "What is generated, and where.",
        ),
        key(
            "defaults",
            Shape::Mapping(&DEFAULTS),
            "What channels are when they do not say.",
        ),
        key(
            "types",
            Shape::Named(&Shape::Mapping(&TYPE)),
            "Types of the database: enums, composites, domains, others.",
        ),
        key(
            "models",
            Shape::Named(&Shape::Mapping(&MODEL)),
            "Tables and their columns.",
        ),
        key(
            "channels",
            Shape::Named(&Shape::Mapping(&CHANNEL)),
            "Channels: on a model, or with fields of their own.",
        ),
        key(
            "listeners",
            Shape::Named(&Shape::Mapping(&LISTENER)),
            "Your functions that process what channels carry.",
        ),
    ],
};

/// `defaults`.
pub static DEFAULTS: Mapping = Mapping {
    keys: &[
        key(
            "delivery",
            Shape::Word(DELIVERIES),
            "Delivery of channels that do not say. Default: durable.",
        ),
        key(
            "level",
            Shape::Word(LEVELS),
            "Level of trigger channels that do not say. Default: row.",
        ),
        key(
            "fire",
            Shape::Word(FIRES),
            "When triggers fire in replication. Default: origin.",
        ),
        key(
            "on_capture_error",
            Shape::Word(ON_CAPTURE_ERROR),
            "What an error in a capture function does to the write. Default: fail.",
        ),
        key(
            "ignorable",
            Shape::Bool,
            "Whether a transaction may switch channels off for itself. Default: false.",
        ),
        key(
            "wake",
            Shape::Word(WAKES),
            "How durable channels wake workers that do not say. Default: door.",
        ),
        ALLOW,
        RETRIES,
        TIMEOUT,
    ],
};

impl Mapping {
    /// The key of this name.
    pub fn get(&self, name: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// Names of the keys that can be used.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.keys
            .iter()
            .filter(|key| key.value.is_some())
            .map(|key| key.name)
    }
}
