//! Which migration a changed schema gives, without a database.

#[path = "golden/runs.rs"]
mod runs;
#[path = "golden/schemas.rs"]
#[allow(dead_code)] // Each test uses some of them.
mod schemas;

use pgpubsub_gen::history::History;
use pgpubsub_gen::lock::FILE_NAME;
use pgpubsub_gen::model::{ChannelKind, Op, Timing, TriggerEvent};
use pgpubsub_gen::plan::plan;
use pgpubsub_gen::render::RenderError;
use runs::{after, files, lock, migrations, try_files};
use schemas::changed;

#[test]
fn an_unchanged_schema_gives_no_migration_and_the_same_lock() {
    let schema = schemas::example();
    let first = files(&schema, &History::default());
    assert_eq!(migrations(&first).len(), 2);
    let second = files(&schema, &after(&first, &History::default()));
    assert_eq!(migrations(&second), []);
    assert_eq!(second.get(FILE_NAME), first.get(FILE_NAME));
}

#[test]
fn documentation_of_a_listener_gives_no_migration() {
    let schema = schemas::example();
    let history = after(&files(&schema, &History::default()), &History::default());
    let mut schema = schema;
    schema.listeners[0].doc = Some("Another text.".into());
    assert_eq!(migrations(&files(&schema, &history)), []);
}

#[test]
fn a_changed_schema_gives_the_next_number_and_drops_what_is_gone() {
    let first = files(&schemas::example(), &History::default());
    let second = files(&changed(), &after(&first, &History::default()));
    let migrations = migrations(&second);
    let [(down_path, down), (up_path, up)] = migrations.as_slice() else {
        panic!("two files: {migrations:?}")
    };
    assert!(up_path.ends_with("/0002_pgpubsub.up.sql"), "{up_path}");
    assert!(
        down_path.ends_with("/0002_pgpubsub.down.sql"),
        "{down_path}"
    );
    for line in [
        r#"DROP TRIGGER IF EXISTS "pgpubsub_author_created_after_insert" ON "app"."author";"#,
        r#"DROP TRIGGER IF EXISTS "zz_pgpubsub_post_deleted_before_delete" ON "app"."post";"#,
        r#"DROP FUNCTION IF EXISTS "pgpubsub"."capture_author_created"();"#,
    ] {
        assert!(up.lines().any(|other| other == line), "{line}");
    }
    for line in [
        r#"DROP TRIGGER IF EXISTS "pgpubsub_author_added_after_insert" ON "app"."author";"#,
        r#"DROP TRIGGER IF EXISTS "zz_pgpubsub_post_deleted_before_delete" ON "app"."article";"#,
        r#"DROP FUNCTION IF EXISTS "pgpubsub"."capture_author_added"();"#,
    ] {
        assert!(down.lines().any(|other| other == line), "{line}");
    }
    assert!(
        !down.contains("DROP TABLE"),
        "the down file of a later migration keeps notifications"
    );
    assert_eq!(lock(&second).migrations.len(), 2);
}

#[test]
fn an_edited_newest_migration_is_refused_only_when_a_new_one_is_due() {
    let first = files(&schemas::example(), &History::default());
    let mut history = after(&first, &History::default());
    history.newest_up = Some("-- edited\n".into());
    assert!(try_files(&schemas::example(), &history).is_ok());
    assert!(matches!(
        try_files(&changed(), &history),
        Err(RenderError::PreviousMigration(path)) if path.ends_with("0001_pgpubsub.up.sql")
    ));
}

#[test]
fn without_migrations_there_is_only_code_and_lock() {
    let mut schema = schemas::example();
    schema.generate.migrations_dir = None;
    let files = files(&schema, &History::default());
    assert_eq!(migrations(&files), []);
    assert_eq!(lock(&files).migrations, []);
}

#[test]
fn an_operation_that_nobody_listens_to_has_no_trigger() {
    let mut schema = schemas::example();
    let ChannelKind::Trigger(on) = &mut schema.channels[2].kind else {
        panic!("a trigger channel")
    };
    on.events.push(TriggerEvent {
        timing: Timing::After,
        op: Op::Delete,
    });
    let files = files(&schema, &History::default());
    let triggers = &lock(&files).migrations[0].triggers;
    assert!(
        triggers
            .iter()
            .all(|trigger| trigger.trigger != "pgpubsub_media_saved_after_delete")
    );
}

#[test]
fn two_names_that_become_one_in_rust_are_refused() {
    let mut schema = schemas::example();
    schema.channels[0].name = "Author".into();
    let error = plan(&schema, &History::default()).expect_err("a clash");
    assert_eq!(
        error.to_string(),
        "model `author` and channel `Author` would both be `Author`; rename one of them"
    );
}

#[test]
fn two_files_at_one_path_are_refused() {
    let mut schema = schemas::example();
    schema.generate.stubs = Some(schema.generate.rust_out.clone());
    assert!(plan(&schema, &History::default()).is_err());
}

#[test]
fn a_listener_of_one_letter_is_no_clash() {
    let mut schema = schemas::example();
    schema.listeners[0].name = "x".into();
    assert!(plan(&schema, &History::default()).is_ok());
}
