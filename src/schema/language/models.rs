//! Models and types.

use super::words::CAPTURES;
use super::{ATTRIBUTES, DERIVE, DOC, FROM, Mapping, OLDEST, Shape, TEXTS, UNTIL, WAS, key};

/// An entry of `types`.
pub static TYPE: Mapping = Mapping {
    keys: &[
        DOC,
        key(
            "enum",
            Shape::Either(&[Shape::List(&Shape::Text), Shape::Named(&Shape::Text)]),
            "Labels of an enum, in order; or Rust names with their labels.",
        ),
        key(
            "composite",
            Shape::Named(&Shape::Text),
            "Attributes of a composite type, in order, with their types.",
        ),
        key("domain", Shape::Text, "Type that a domain is over."),
        key(
            "sql",
            Shape::Text,
            "Name in the database. Default: the key, in the schema public.",
        ),
        key(
            "rust",
            Shape::Text,
            "Your Rust type for it: a path like `crate::Cents` that is TryFrom of the usual type.",
        ),
        DERIVE,
        ATTRIBUTES,
    ],
};

/// An entry of `models`.
pub static MODEL: Mapping = Mapping {
    keys: &[
        DOC,
        key(
            "table",
            Shape::Either(&[Shape::Text, Shape::Mapping(&TABLE)]),
            "Table, as in SQL: author, app.author, app.\"Author Table\". Default: the key.",
        ),
        key(
            "abstract",
            Shape::Bool,
            "No table of its own: columns for others to mix in.",
        ),
        key("mixin", TEXTS, "Abstract models whose columns come first."),
        key(
            "extends",
            Shape::Text,
            "Model whose row every row of this one belongs to (multi-table inheritance).",
        ),
        key(
            "partitioned",
            Shape::Bool,
            "Whether the table is partitioned.",
        ),
        key(
            "columns",
            Shape::Named(&Shape::Either(&[Shape::Text, Shape::Mapping(&COLUMN)])),
            "Columns with their types; `?` may be null, `pk` belongs to the primary key.",
        ),
        DERIVE,
        ATTRIBUTES,
        WAS,
        OLDEST,
    ],
};

/// A table in its long form.
pub static TABLE: Mapping = Mapping {
    keys: &[
        key("name", Shape::Text, "The table, as in SQL."),
        key(
            "was",
            TEXTS,
            "Former name or names of the table, which another migration of yours renames.",
        ),
    ],
};

/// A column in its long form.
pub static COLUMN: Mapping = Mapping {
    keys: &[
        DOC,
        key(
            "type",
            Shape::Text,
            "Type as in SQL; `?` behind it: may be null, `pk`: part of the primary key.",
        ),
        key(
            "column",
            Shape::Text,
            "Name in the table. Default: the key.",
        ),
        key("pk", Shape::Bool, "Part of the primary key."),
        key(
            "parent",
            Shape::Bool,
            "Holds the primary key of the row that this one extends.",
        ),
        key(
            "capture",
            Shape::Word(CAPTURES),
            "`never`: its value never leaves the table.",
        ),
        key(
            "rust",
            Shape::Text,
            "Another Rust type: a word like `chrono`, or a path that is TryFrom of the usual type.",
        ),
        key(
            "default",
            Shape::Any,
            "Value for notifications of versions that lack the column, or have null in it.",
        ),
        WAS,
        UNTIL,
        FROM,
    ],
};
