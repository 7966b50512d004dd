//! Random pairs of schemas, A and B, on a real PostgreSQL: migrating from A to B leaves what a fresh B does, and the way back leaves A.
//!
//! `PGPUBSUB_PAIRS=500 cargo test --release --test pairs` is the long form; `PGPUBSUB_SEED` repeats a run.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

#[path = "golden/runs.rs"]
#[allow(dead_code)] // Each test uses some of it.
mod runs;
#[path = "golden/session.rs"]
#[allow(dead_code)] // Each test uses some of it.
mod session;

use std::fmt::Write as _;

use pgpubsub_gen::breaking::compare;
use pgpubsub_gen::diagnostic::{Format, Sources};
use pgpubsub_gen::history::History;
use pgpubsub_gen::model::Schema;
use pgpubsub_gen::schema;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use runs::{after, files};
use session::{apply, catalogue, registry, session};

const TABLES: &str = "
    CREATE SCHEMA app;
    CREATE TABLE app.a (id bigint PRIMARY KEY, x int, y text, z numeric);
    CREATE TABLE app.b (id bigint PRIMARY KEY, x int, y text, z numeric);
    CREATE TABLE app.c (id bigint PRIMARY KEY, x int, y text, z numeric) PARTITION BY RANGE (id);
    CREATE TABLE app.c1 PARTITION OF app.c DEFAULT;";

/// A schema with some of the models and channels that there can be, each in some form.
fn random_schema(rng: &mut StdRng) -> String {
    let mut text = String::from(
        "version: 1\ndefaults: {allow: [W0001, W0002, W0003, W0004, W0005, W0006, W0007]}\nmodels:\n",
    );
    for model in ["a", "b", "c"] {
        let more = ["", ", x: int?", ", x: int?, y: text?", ", z: numeric?"]
            .choose(rng)
            .unwrap();
        let partitioned = if model == "c" {
            ", partitioned: true"
        } else {
            ""
        };
        // A model may be on another table than usual.
        let table = if model == "b" && rng.random_ratio(1, 4) {
            "a"
        } else {
            model
        };
        writeln!(
            text,
            "  {model}: {{table: app.{table}{partitioned}, columns: {{id: bigint pk{more}}}}}"
        )
        .unwrap();
    }
    text += "channels:\n  always: {message: {n: int}}\n";
    for channel in ["timed", "other"] {
        let schedule = [
            "\"0 3 * * mon\"",
            "{cron: \"0 3 * * mon\", timezone: Europe/Berlin}",
            "{every: 1h}",
            "{every: 1h, missed: skip, with: {n: 2}}",
        ];
        let schedule = schedule.choose(rng).unwrap();
        match rng.random_range(0..3) {
            0 => {}
            1 => writeln!(text, "  {channel}: {{message: {{n: \"int = 1\"}}}}").unwrap(),
            _ => writeln!(
                text,
                "  {channel}: {{message: {{n: \"int = 1\"}}, schedule: {schedule}}}"
            )
            .unwrap(),
        }
    }
    for channel in 0..6 {
        if rng.random_ratio(1, 3) {
            continue;
        }
        let name = format!("ch{channel}");
        if channel == 5 {
            let delivery = ["durable", "transient"].choose(rng).unwrap();
            writeln!(
                text,
                "  {name}: {{delivery: {delivery}, message: {{n: int}}}}"
            )
            .unwrap();
            continue;
        }
        let on = ["a", "b", "c"].choose(rng).unwrap();
        let options = [
            "after: insert",
            "after: [insert, update, delete]",
            "after: update, changed: {any: [id]}",
            "after: update, changed: whole_row",
            "after: save, when: new.id > 5",
            "after: save, when: new.id > 6, condition_in: function",
            "after: insert, level: statement",
            "after: [update, delete], level: statement",
            "after: delete, deferred: true",
            "after: insert, deferred: true, when: new.id > 1",
            "before: [insert, delete]",
            "after: truncate, delivery: transient",
            "after: insert, delivery: transient",
            "after: insert, fire: always",
            "after: insert, ignorable: true",
            "after: save, payload: {old: [id], new: [id]}",
            "after: insert, on_capture_error: skip",
            "after: save, key: id",
            "after: [insert, update], level: statement, order: total",
        ];
        let options = options.choose(rng).unwrap();
        let doc = ["", ", doc: A text."].choose(rng).unwrap();
        writeln!(text, "  {name}: {{on: {on}, {options}{doc}}}").unwrap();
    }
    text += "listeners:\n  first: {channel: always}\n";
    if rng.random() {
        let group = ["", ", group: other"].choose(rng).unwrap();
        writeln!(text, "  second: {{channel: always{group}}}").unwrap();
    }
    text
}

/// One that the generator accepts.
fn schema(rng: &mut StdRng) -> (String, Schema) {
    loop {
        let text = random_schema(rng);
        let sources = Sources::new("schema.yaml", text.as_str());
        match schema::load_text(&sources) {
            Ok(loaded) => return (text, loaded.schema),
            Err(mistakes) => {
                let shown = mistakes.render(&sources, Format::Text { colour: false });
                // Combinations that PostgreSQL refuses are refused here; anything else is a mistake of this test.
                assert!(
                    shown.contains("[E03") || shown.contains("cannot"),
                    "{shown}\n{text}"
                );
            }
        }
    }
}

/// Indexes that only some schemas need.
const LEFT: [&str; 3] = [
    "pgpubsub.notification_dedup ",
    "pgpubsub.notification_order ",
    "pgpubsub.notification_urgent ",
];

#[tokio::test]
async fn from_any_schema_to_any_other_and_back() {
    let pairs: usize = std::env::var("PGPUBSUB_PAIRS").map_or(25, |number| number.parse().unwrap());
    let seed = std::env::var("PGPUBSUB_SEED")
        .map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    println!("PGPUBSUB_SEED={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let (_first, one) = session(TABLES).await;
    let (_second, two) = session(TABLES).await;
    let empty = catalogue(&one).await;
    for pair in 0..pairs {
        let ((text_a, a), (text_b, b)) = (schema(&mut rng), schema(&mut rng));
        let what = format!("pair {pair}, from\n{text_a}\nto\n{text_b}");
        let history = History::default();
        // Nothing differs from itself, whether it is on record or not; and every pair can be compared.
        assert_eq!(compare(&a, &a, &history.shapes), [], "{what}");
        let findings = compare(&a, &b, &history.shapes);
        let files_a = files(&a, &history);
        let files_ab = files(&b, &after(&files_a, &history));
        // The versions of the models go on where A was.
        let history_a = after(&files_a, &history);
        assert_eq!(compare(&a, &a, &history_a.shapes), [], "{what}");
        for known in [&history_a, &after(&files_ab, &history_a)] {
            assert_eq!(compare(&a, &b, &known.shapes), findings, "{what}");
        }
        let files_b = files(
            &b,
            &History {
                shapes: history_a.shapes.clone(),
                ..history
            },
        );

        apply(&one, &files_a, ".up.sql")
            .await
            .unwrap_or_else(|error| panic!("A: {error:?}\n{what}"));
        let was = (catalogue(&one).await, registry(&one).await);
        apply(&one, &files_ab, ".up.sql")
            .await
            .unwrap_or_else(|error| panic!("A to B: {error:?}\n{what}"));
        apply(&two, &files_b, ".up.sql")
            .await
            .unwrap_or_else(|error| panic!("B: {error:?}\n{what}"));
        let is = (catalogue(&one).await, registry(&one).await);
        let fresh = (catalogue(&two).await, registry(&two).await);
        let mut needed = is.clone();
        // An index that nothing needs any more stays.
        needed.0.retain(|line| {
            fresh.0.contains(line) || !LEFT.iter().any(|left| line.starts_with(left))
        });
        assert!(needed == fresh, "B differs: {what}");
        apply(&one, &files_ab, ".down.sql")
            .await
            .unwrap_or_else(|error| panic!("B to A: {error:?}\n{what}"));
        assert!(
            was == (catalogue(&one).await, registry(&one).await),
            "A differs: {what}"
        );
        apply(&one, &files_ab, ".up.sql")
            .await
            .unwrap_or_else(|error| panic!("A to B again: {error:?}\n{what}"));
        assert!(
            is == (catalogue(&one).await, registry(&one).await),
            "B differs again: {what}"
        );

        // And everything back to nothing.
        for files in [&files_ab, &files_a] {
            apply(&one, files, ".down.sql")
                .await
                .unwrap_or_else(|error| panic!("down: {error:?}\n{what}"));
        }
        apply(&two, &files_b, ".down.sql")
            .await
            .unwrap_or_else(|error| panic!("down: {error:?}\n{what}"));
        assert_eq!(catalogue(&one).await, empty, "{what}");
    }
}
