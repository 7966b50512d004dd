//! The golden Rust files compile against the runtime, without a warning; so does a listener skeleton without its comment marks.
#![deny(warnings, clippy::all, clippy::pedantic)]
// Texts and numbers of a user's schema; a long schema has a long `all`.
#![allow(
    clippy::doc_markdown,
    clippy::too_many_lines,
    clippy::unnecessary_wraps,
    clippy::unreadable_literal
)]

#[path = "../../golden/all_types/project/src/pubsub.rs"]
pub mod all_types;
#[path = "../../golden/example/project/generated-example/src/pubsub.rs"]
pub mod example;
#[path = "../../golden/names/project/src/pubsub.rs"]
pub mod names;

#[path = "../../golden/triggers/project/src/pubsub.rs"]
pub mod triggers;

pub use example as pubsub;

/// Types of an application that `all_types` chooses.
#[derive(Clone, Debug, PartialEq)]
pub struct Cents(pub i64);

impl From<i64> for Cents {
    fn from(cents: i64) -> Self {
        Self(cents)
    }
}

/// The same.
#[derive(Clone, Debug, PartialEq)]
pub struct Own(pub String);

impl From<String> for Own {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// What a user has after removing the comment marks.
pub mod skeleton {
    include!(concat!(env!("OUT_DIR"), "/skeleton.rs"));
}

#[test]
fn the_skeleton_implements_every_listener() {
    let listeners = pubsub::Listeners::all(skeleton::App);
    for listener in example::CATALOG.listeners {
        assert!(format!("{listeners:?}").contains(listener.name));
    }
}

#[test]
fn the_catalogs_name_what_the_schemas_declare() {
    assert_eq!(example::CATALOG.storage_schema, "pgpubsub");
    for catalog in [
        all_types::CATALOG,
        example::CATALOG,
        names::CATALOG,
        triggers::CATALOG,
    ] {
        assert!(!catalog.channels.is_empty());
        for listener in catalog.listeners {
            assert!(
                catalog
                    .channels
                    .iter()
                    .any(|channel| channel.name == listener.subscriptions[0].channel.name)
            );
        }
    }
}
