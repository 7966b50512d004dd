//! The golden Rust files compile against the runtime, without a warning.
#![deny(warnings, clippy::all)]

#[path = "../../golden/all_types/project/src/pubsub.rs"]
pub mod all_types;
#[path = "../../golden/example/project/generated-example/src/pubsub.rs"]
pub mod example;
#[path = "../../golden/names/project/src/pubsub.rs"]
pub mod names;

#[test]
fn the_catalogs_name_what_the_schemas_declare() {
    assert_eq!(example::CATALOG.storage_schema, "pgpubsub");
    for catalog in [all_types::CATALOG, example::CATALOG, names::CATALOG] {
        assert!(!catalog.channels.is_empty());
        for listener in catalog.listeners {
            assert!(
                catalog
                    .channels
                    .iter()
                    .any(|channel| channel.name == listener.channel)
            );
        }
    }
}
