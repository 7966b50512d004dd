//! The commands on a database, with the real binary: exit codes, formats, and what they say.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

#[path = "live/project.rs"]
#[allow(dead_code)] // Each test file uses some of it.
mod project;

use std::process::Output;

use project::{Project, SCHEMA, TABLES, text};

/// An exit code, and words on standard output, or with 2 on standard error.
fn says(output: &Output, code: i32, words: &[&str]) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    let shown = if code == 2 { &err } else { &out };
    for word in words {
        assert!(shown.contains(word), "no {word:?} in:\n{shown}");
    }
}

#[tokio::test]
async fn check_reports_files_and_database_in_one_run() {
    let project = Project::installed(TABLES, SCHEMA).await;
    says(
        &project.on_database(&["check"]),
        0,
        &["files are up to date", "objects are as the schema says"],
    );
    assert_eq!(text(&project.on_database(&["check", "--quiet"]).stdout), "");
    std::fs::write(project.folder.path().join("src/pubsub.rs"), "// mine\n").unwrap();
    project
        .execute("DROP FUNCTION pgpubsub.notify_said(text, int, json)")
        .await;
    says(
        &project.on_database(&["check"]),
        1,
        &[
            "differs: src/pubsub.rs",
            "1 file differs",
            "MISSING        function pgpubsub.notify_said: is not there",
            "database: 1 finding\n\n-- repair\nBEGIN;\nSET LOCAL lock_timeout = '3s';\n",
        ],
    );
    says(
        &project.on_database(&["check", "--message-format", "json"]),
        1,
        &[
            "\"file\":\"src/pubsub.rs\"",
            "\"state\":\"missing\"",
            "\"object\":\"function pgpubsub.notify_said\"",
        ],
    );
    says(
        &project.on_database(&["check", "--message-format", "github"]),
        1,
        &[
            "::error file=src/pubsub.rs,",
            "::error title=check missing::function pgpubsub.notify_said: is not there\n",
        ],
    );
    says(
        &project.run(&["check", "--database-url", "postgres://u@127.0.0.1:1/db"]),
        2,
        &["cannot connect to 127.0.0.1:1"],
    );
}

#[tokio::test]
async fn warnings_of_the_database_fail_if_they_are_denied() {
    let project = Project::installed(TABLES, SCHEMA).await;
    project
        .execute("ALTER TABLE app.author ALTER at DROP NOT NULL")
        .await;
    says(
        &project.on_database(&["check"]),
        0,
        &["COLUMN CHANGED column app.author.at (warning)"],
    );
    says(
        &project.on_database(&["check", "--message-format", "github"]),
        0,
        &["::warning title=check column_changed::"],
    );
    says(&project.on_database(&["check", "--deny-warnings"]), 1, &[]);
}

#[tokio::test]
async fn ls_lists_what_there_is_and_where_it_was_written() {
    let project = Project::installed(TABLES, SCHEMA).await;
    let output = project.run(&["ls"]);
    says(
        &output,
        0,
        &[
            "OBJECT",
            "storage pgpubsub",
            "trigger pgpubsub_author_copy_after_insert on app.author",
        ],
    );
    let shown = text(&output.stdout);
    let line = shown
        .lines()
        .find(|line| line.starts_with("listener hear on channel said"))
        .unwrap();
    let words: Vec<&str> = line.split("  ").filter(|word| !word.is_empty()).collect();
    assert_eq!(words[1..3], [" said", "emitted"].map(str::trim), "{line}");
    assert!(words[3].trim().starts_with("migrations/"), "{line}");
    project
        .execute(
            "ALTER TABLE app.author DISABLE TRIGGER pgpubsub_author_copy_after_insert;
             CREATE FUNCTION pgpubsub.notify_gone(text, int, json) RETURNS void LANGUAGE sql AS ''; ALTER TABLE app.post DROP author_id",
        )
        .await;
    says(
        &project.on_database(&["ls"]),
        1,
        &[
            "disabled",
            "function pgpubsub.notify_gone",
            "orphan",
            "column_changed",
        ],
    );
    says(
        &project.on_database(&["ls", "--message-format", "json"]),
        1,
        &["{\"channel\":\"author_copy\",\"migration\":\"migrations/"],
    );
    // What the next migration will hold.
    std::fs::write(
        project.folder.path().join("schema.yaml"),
        SCHEMA.replace(
            "hear: {channel: said, group: ears}",
            "heard: {channel: said, was: ears}",
        ),
    )
    .unwrap();
    let shown = text(&project.run(&["ls"]).stdout);
    assert!(
        shown.contains(" new ") && shown.contains(" changed "),
        "{shown}"
    );
}

#[tokio::test]
async fn apply_brings_a_database_to_the_schema_and_says_what_it_did() {
    let project = Project::new(TABLES, SCHEMA).await;
    says(
        &project.on_database(&["apply"]),
        0,
        &[
            "created  storage pgpubsub",
            "created  trigger pgpubsub_measured_after_insert on app.measure",
        ],
    );
    project.is_clean();
    says(&project.on_database(&["apply"]), 0, &["nothing to do"]);
    project
        .execute("ALTER TABLE app.author DISABLE TRIGGER pgpubsub_author_copy_after_insert")
        .await;
    project.generate(&SCHEMA.replace(
        "  shouted:      {message: {x: int}, delivery: transient}\n",
        "",
    ));
    says(
        &project.on_database(&["apply"]),
        0,
        &[
            "enabled  trigger pgpubsub_author_copy_after_insert on app.author (is switched off",
            "dropped  function pgpubsub.notify_shouted",
        ],
    );
    project.is_clean();
    project
        .execute("DROP FUNCTION pgpubsub.notify_said(text, int, json); ALTER TABLE app.measure RENAME value TO other")
        .await;
    says(
        &project.on_database(&["apply"]),
        2,
        &["the tables are not what the models say; nothing was applied"],
    );
    says(&project.run(&["apply"]), 2, &["no database is named"]);
}

#[tokio::test]
async fn enable_and_disable_switch_the_triggers_of_a_channel() {
    let project = Project::installed(TABLES, SCHEMA).await;
    let switch = |command: &str, channel: &str| project.on_database(&[command, channel]);
    says(
        &switch("disable", "author_saved"),
        0,
        &["disabled  trigger \"pgpubsub_author_saved_after_insert\" on \"app\".\"author\""],
    );
    assert_eq!(
        project.states(),
        [
            "disabled trigger pgpubsub_author_saved_after_insert on app.author",
            "disabled trigger pgpubsub_author_saved_after_update on app.author",
        ]
    );
    says(&switch("enable", "author_saved"), 0, &["enabled"]);
    project.is_clean();
    // The declared mode comes back.
    says(&switch("disable", "author_copy"), 0, &[]);
    says(&switch("disable", "measured"), 0, &[]);
    assert_eq!(project.states().len(), 2);
    says(&switch("enable", "author_copy"), 0, &[]);
    says(&switch("enable", "measured"), 0, &[]);
    project.is_clean();
    for (channel, words) in [
        ("author_savd", "did you mean author_saved?"),
        ("said", "it carries messages"),
        ("post_own", "are yours"),
    ] {
        says(&switch("disable", channel), 2, &[words]);
    }
}

#[tokio::test]
async fn pending_is_a_gate() {
    let project = Project::installed(TABLES, SCHEMA).await;
    let pending = |args: &[&str]| {
        let mut all = vec!["pending"];
        all.extend(args);
        project.on_database(&all)
    };
    says(&pending(&[]), 0, &["0 waiting"]);
    project
        .execute(
            "INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, db_version, payload) VALUES
               ('a', 'author_saved', 'insert', 2, '9', '{}'), ('b', 'author_saved', 'insert', 2, '9', '{}'),
               ('a', 'author_bulk', 'insert', 3, '10', '{}'), ('m', 'measured', 'insert', 1, NULL, '{}'), ('ears', 'said', 'message', 0, NULL, '{}')",
        )
        .await;
    says(
        &pending(&[]),
        1,
        &[
            "5 waiting",
            "1 of the channel author_saved for the group b, version 2, db version 9",
        ],
    );
    for (args, code, words) in [
        (&["--before", "2", "--model", "author"][..], 0, "0 waiting"),
        (&["--before", "3", "--model", "author"], 1, "2 waiting"),
        (&["--before", "9", "--model", "author"], 1, "3 waiting"),
        (
            &["--before", "9", "--channel", "author_bulk"],
            1,
            "1 waiting",
        ),
        (&["--channel", "post_own"], 0, "0 waiting"),
        (&["--model", "measure"], 1, "1 waiting"),
        (
            &["--db", "--before", "9"],
            0,
            "2 were written while the db version could not be told",
        ),
        (&["--db", "--before", "10"], 1, "2 waiting"),
        (
            &["--db", "--before", "11", "--model", "author"],
            1,
            "3 waiting",
        ),
    ] {
        says(&pending(args), code, &[words]);
    }
    says(
        &pending(&["--channel", "author_bulk", "--message-format", "json"]),
        1,
        &[
            "{\"channel\":\"author_bulk\",\"count\":1,\"db_version\":\"10\",\"group\":\"a\",\"model_version\":3,\"oldest\":\"",
        ],
    );
    for (args, words) in [
        (&["--before", "2"][..], "add --model NAME"),
        (
            &["--before", "x", "--model", "author"],
            "is no version of a model",
        ),
        (&["--model", "autor"], "did you mean author?"),
        (&["--db"], "--before"),
        (&["--model", "author", "--channel", "said"], "--channel"),
    ] {
        says(&pending(args), 2, &[words]);
    }
    project.execute("DROP SCHEMA pgpubsub CASCADE").await;
    says(
        &pending(&[]),
        2,
        &["there is no table pgpubsub.notification"],
    );
}

#[tokio::test]
async fn who_holds_names_the_session() {
    let project = Project::installed(TABLES, SCHEMA).await;
    project
        .execute(
            "INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload)
               VALUES ('a', 'author_saved', 'insert', 1, '{}')",
        )
        .await;
    let ask = |args: &[&str]| {
        let mut all = vec!["who-holds"];
        all.extend(args);
        project.on_database(&all)
    };
    let nobody =
        "notification 1 of the channel author_saved for the group a is held by nobody: it waits";
    says(&ask(&["1"]), 0, &[nobody]);
    says(&ask(&["2"]), 1, &["there is no notification 2"]);
    says(&ask(&["one"]), 2, &["invalid value"]);
    let holder = project.database.connect().await.unwrap();
    let hold = "SET application_name = 'me'; BEGIN; SELECT FROM pgpubsub.notification FOR UPDATE";
    holder.batch_execute(hold).await.unwrap();
    let pid: i32 = holder
        .query_one("SELECT pg_backend_pid()", &[])
        .await
        .unwrap()
        .get(0);
    let held = format!("for the group a is held by the backend {pid} (me)");
    says(
        &ask(&["1"]),
        0,
        &[&held, "it is idle in transaction since 20"],
    );
    let record = format!("\"pid\":{pid},");
    says(
        &ask(&["1", "--message-format", "json"]),
        0,
        &[&record, "\"there\":true"],
    );
    holder.batch_execute("ROLLBACK").await.unwrap();
    says(&ask(&["1"]), 0, &[nobody]);
}

#[tokio::test]
async fn blocked_keys_are_listed() {
    let project = Project::installed(TABLES, SCHEMA).await;
    let blocked = |args: &[&str]| {
        let mut all = vec!["blocked"];
        all.extend(args);
        project.on_database(&all)
    };
    says(&blocked(&[]), 0, &["0 blocked"]);
    project
        .execute(
            "INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload, order_key, attempts, last_error, not_before) VALUES
               ('a', 'author_saved', 'insert', 2, '{}', '[\"1\"]', 3, E'no\nluck', '2026-01-31 12:00+00'),
               ('a', 'author_saved', 'insert', 2, '{}', '[\"1\"]', 0, NULL, NULL),
               ('a', 'author_bulk', 'insert', 2, '{}', '[\"1\"]', 1, 'not the first', NULL),
               ('a', 'author_saved', 'insert', 2, '{}', '[\"2\"]', 0, NULL, NULL),
               ('a', 'author_saved', 'insert', 2, '{}', '[\"2\"]', 1, 'not the first', NULL),
               ('b', 'author_saved', 'insert', 2, '{}', '[\"1\"]', 1, 'told to', NULL),
               ('b', 'author_saved', 'insert', 2, '{}', '', 1, 'no key', NULL), ('c', 'author_saved', 'insert', 2, '{}', NULL, 1, 'no order', NULL)",
        )
        .await;
    says(
        &blocked(&[]),
        1,
        &[
            "[\"1\"] of the group a: 2 behind the notification 1 of the channel author_saved, tried 3 times, again 2026-01-31T12:00:00Z: no",
            "[\"1\"] of the group b: 0 behind the notification 6 of the channel author_saved, tried 1 times, again at once: told to",
            "2 blocked",
        ],
    );
    says(&blocked(&["--group", "b"]), 1, &["1 blocked"]);
    says(&blocked(&["--group", "c"]), 0, &["0 blocked"]);
    says(
        &blocked(&["--group", "b", "--message-format", "json"]),
        1,
        &[
            "{\"attempts\":1,\"behind\":0,\"channel\":\"author_saved\",\"group\":\"b\",\"id\":6,\"key\":\"[\\\"1\\\"]\",\"last_error\":\"told to\",\"next_attempt\":null}",
        ],
    );
    project.execute("DROP SCHEMA pgpubsub CASCADE").await;
    says(
        &blocked(&[]),
        2,
        &["there is no table pgpubsub.notification"],
    );
}

#[tokio::test]
async fn schedules_are_listed_and_those_that_are_overdue_told() {
    let schema = "version: 1\nchannels:\n  nightly: {message: {}, schedule: \"0 3 * * *\"}\n  beat: {message: {}, schedule: {every: 15m}}\n";
    let project = Project::installed("", schema).await;
    let schedules = |args: &[&str]| {
        let mut all = vec!["schedules"];
        all.extend(args);
        project.on_database(&all)
    };
    let first = [
        "beat sends at 2",
        "Z (every 00:15:00)\n",
        "nightly sends at 2",
        "03:00:00Z (0 3 * * * UTC)\n",
    ];
    says(&schedules(&[]), 0, &first);
    says(&schedules(&["--quiet"]), 0, &[]);
    let late = "UPDATE pgpubsub.schedule SET next_at = '2026-01-31 12:00+00', last_at = '2026-01-30 12:00+00', fired_at = '2026-01-30 12:00:01+00' WHERE channel = 'beat';
        UPDATE pgpubsub.schedule SET next_at = 'infinity' WHERE channel = 'nightly'";
    project.execute(late).await;
    let overdue = "beat is overdue since 2026-01-31T12:00:00Z: no worker has fired it (every 00:15:00); the last was that of 2026-01-30T12:00:00Z, fired 2026-01-30T12:00:01Z";
    says(
        &schedules(&[]),
        1,
        &[overdue, "nightly is put off for ever (0 3 * * * UTC)"],
    );
    let json = r#"{"channel":"beat","fired":"2026-01-30T12:00:01Z","last":"2026-01-30T12:00:00Z","next":"2026-01-31T12:00:00Z","overdue":true,"when":"every 00:15:00"}"#;
    says(
        &schedules(&["--message-format", "json"]),
        1,
        &[json, r#""next":null"#],
    );
    project.execute("DROP TABLE pgpubsub.schedule").await;
    says(&schedules(&[]), 0, &[]);
    project.execute("DROP SCHEMA pgpubsub CASCADE").await;
    says(&schedules(&[]), 2, &["are the migrations not applied?"]);
}
