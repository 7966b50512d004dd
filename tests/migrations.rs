//! Which migration a changed schema gives, without a database.

#[path = "golden/runs.rs"]
#[allow(dead_code)] // Each test uses some of it.
mod runs;
#[path = "golden/schemas.rs"]
#[allow(dead_code)] // Each test uses some of them.
mod schemas;

use pgpubsub_gen::history::History;
use pgpubsub_gen::lock::FILE_NAME;
use pgpubsub_gen::model::{ChannelKind, Op, Timing, TriggerEvent};
use pgpubsub_gen::plan::{check_renames, plan};
use runs::{after, ends_with, files, migrations};

#[test]
fn an_unchanged_schema_gives_no_migration_and_the_same_lock() {
    let schema = schemas::example();
    let first = files(&schema, &History::default());
    assert!(!migrations(&first).is_empty());
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
fn a_changed_schema_gives_what_changed_and_what_takes_it_back() {
    let first = files(&schemas::example(), &History::default());
    let second = files(&schemas::changed(), &after(&first, &History::default()));
    let (up, down) = (
        ends_with(&second, ".up.sql").concat(),
        ends_with(&second, ".down.sql").concat(),
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
    for untouched in [
        "media_saved",
        "CREATE TABLE",
        "DROP TABLE",
        "notify_model_reads",
    ] {
        assert!(
            !up.contains(untouched) && !down.contains(untouched),
            "{untouched}"
        );
    }
}

#[test]
fn another_storage_schema_renames_no_channel_and_leaves_no_gap() {
    let history = after(
        &files(&schemas::example(), &History::default()),
        &History::default(),
    );
    let mut schema = schemas::example();
    schema.generate.storage_schema = "other".into();
    let planned = plan(&schema, &history).expect("a plan");
    assert!(check_renames(&schema, &history.state, &planned.objects).is_empty());
    let second = files(&schema, &history);
    let ups = ends_with(&second, ".up.sql");
    // What captures into the old one does so until the triggers call the new one, and what publishes there until it goes.
    assert!(!ups.concat().contains("The channel is gone"));
    let (last, before) = ups.split_last().expect("several files");
    let drop = r#"DROP FUNCTION IF EXISTS "pgpubsub"."capture_author_created"()"#;
    assert!(last.contains(drop) && last.contains(r#"DROP SCHEMA IF EXISTS "pgpubsub""#));
    assert!(!before.concat().contains("DROP"));
}

/// What a change of the example's text gives, file by file.
fn change(from: &str, to: &str) -> Vec<String> {
    let first = files(&schemas::example(), &History::default());
    let changed = schemas::edited(&[(from, to)]);
    let second = files(&changed, &after(&first, &History::default()));
    ends_with(&second, ".up.sql")
        .into_iter()
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_change_of_a_payload_replaces_a_function_and_locks_nothing() {
    let files = change(
        "after: save",
        "after: save, payload: {old: [id], new: [id, name]}",
    );
    let [up] = files.as_slice() else {
        panic!("one file: {files:?}")
    };
    assert!(up.contains("CREATE OR REPLACE FUNCTION"));
    for word in [
        "TRIGGER \"",
        "TABLE ",
        "DROP",
        "INSERT INTO \"pgpubsub\".\"listener\"",
    ] {
        assert!(!up.contains(word), "{word}: {up}");
    }
}

#[test]
fn a_condition_in_the_trigger_locks_its_table_alone() {
    let files = change("after: save", "after: save, when: new.size > 0");
    let [up] = files.as_slice() else {
        panic!("one file: {files:?}")
    };
    assert!(
        up.contains(r#"-- Locks "app"."media" in SHARE ROW EXCLUSIVE"#),
        "{up}"
    );
    assert!(!up.contains("DROP"), "{up}");
}

#[test]
fn an_index_of_the_notifications_is_built_before_any_table_is_locked() {
    // A writer locks its own table first. Who has the other one and waits for that would be its deadlock.
    let files = change(
        "after: save",
        "after: save\n    key: id\n    when: new.size > 0",
    );
    let [index, table] = files.as_slice() else {
        panic!("two files: {files:?}")
    };
    assert!(index.contains("CREATE INDEX \"notification_order\"") && !index.contains("TRIGGER"));
    assert!(table.contains("TRIGGER") && !table.contains("CREATE INDEX"));
}

#[test]
fn a_channel_goes_in_two_steps() {
    let text = include_str!("../schema.example.yaml");
    let channel: String = text
        .split_inclusive('\n')
        .skip_while(|line| !line.starts_with("  post_deleted:"))
        .take(5)
        .collect();
    let listener = "  mail_author:\n    doc: Tells the author that a post is gone.\n    channel: post_deleted\n";
    let first = files(&schemas::example(), &History::default());
    let changed = schemas::edited(&[(&channel, ""), (listener, "")]);
    let second = files(&changed, &after(&first, &History::default()));
    let ups = ends_with(&second, ".up.sql");
    let [quiet, locking] = ups.as_slice() else {
        panic!("two files: {ups:?}")
    };
    assert!(
        quiet.contains("The channel is gone") && !quiet.contains("TRIGGER \""),
        "{quiet}"
    );
    assert!(
        locking.contains("DROP TRIGGER") && locking.contains("DROP FUNCTION"),
        "{locking}"
    );
}

#[test]
fn a_file_locks_one_table_at_the_most() {
    let files = files(&schemas::example(), &History::default());
    let ups = ends_with(&files, ".up.sql");
    assert_eq!(ups.len(), 4);
    for up in ups {
        let locks = up
            .lines()
            .filter(|line| line.starts_with("-- Locks "))
            .count();
        let tables: std::collections::BTreeSet<&str> = up
            .lines()
            .filter_map(|line| {
                line.split_once("COMMENT ON TRIGGER")?
                    .1
                    .split(" ON ")
                    .nth(1)
            })
            .filter_map(|rest| rest.split(" IS ").next())
            .collect();
        assert!(locks <= 1 && tables.len() == locks, "{up}");
    }
}

#[test]
fn the_bytes_depend_on_nothing_but_the_two_plans() {
    let first = files(&schemas::example(), &History::default());
    let history = after(&first, &History::default());
    let mut elsewhere = history.clone();
    // Other files of the user's, other numbers.
    elsewhere.migration_names.push("0099_mine.up.sql".into());
    let texts = |history| {
        let files = files(&schemas::changed(), history);
        migrations(&files)
            .into_iter()
            .map(|(_, text)| text.to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(texts(&history), texts(&elsewhere));
}

#[test]
fn what_two_branches_did_to_one_object_is_said_again() {
    let base = after(
        &files(&schemas::example(), &History::default()),
        &History::default(),
    );
    let left = schemas::edited(&[("after: save", "after: save, when: new.size > 1")]);
    let right = schemas::edited(&[("after: save", "after: save, when: new.size > 2")]);
    let other = schemas::edited(&[("doc: A new author.", "doc: A fresh author.")]);
    let with = |history: &History, schema| after(&files(schema, &base), history);

    // Of one object: the schema decides, in a migration that follows both.
    let merged = with(&with(&base, &left), &right);
    assert_eq!(merged.state.heads.len(), 2);
    let again = files(&left, &merged);
    let ups = ends_with(&again, ".up.sql");
    assert_eq!(ups.len(), 1, "{ups:?}");
    let settled = after(&again, &merged);
    assert_eq!(settled.state.heads.len(), 1);
    assert_eq!(migrations(&files(&left, &settled)), []);

    // Of different ones: nothing is left to do.
    let merged = with(&with(&base, &left), &other);
    let both = schemas::edited(&[
        ("after: save", "after: save, when: new.size > 1"),
        ("doc: A new author.", "doc: A fresh author."),
    ]);
    assert_eq!(migrations(&files(&both, &merged)), []);
}

#[test]
fn without_migrations_there_is_only_code_and_lock() {
    let mut schema = schemas::example();
    schema.generate.migrations_dir = None;
    let files = files(&schema, &History::default());
    assert_eq!(migrations(&files), []);
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
    let up = ends_with(&files, ".up.sql").concat();
    assert!(!up.contains("pgpubsub_media_saved_after_delete"), "{up}");
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
