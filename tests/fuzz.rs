//! Random input: no panic, and no SQL that PostgreSQL reads as something else.
//!
//! A few seconds each by default. The long form: `PGPUBSUB_FUZZ_SECONDS=600 cargo test --release --test fuzz`. A failure prints its
//! seed; `PGPUBSUB_SEED` repeats it.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use pgpubsub_gen::diagnostic::{Format, Sources};
use pgpubsub_gen::history::History;
use pgpubsub_gen::plan::{ident, plan};
use pgpubsub_gen::render::{FileKind, Mode, render};
use pgpubsub_gen::schema;
use pgpubsub_testkit::Database;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

fn duration() -> Duration {
    let seconds = std::env::var("PGPUBSUB_FUZZ_SECONDS").ok();
    Duration::from_secs(seconds.map_or(5, |seconds| seconds.parse().expect("a number of seconds")))
}

/// Calls `round` with a seed of its own until the time is over; returns how often.
fn rounds(mut round: impl FnMut(u64)) -> usize {
    if let Ok(seed) = std::env::var("PGPUBSUB_SEED") {
        round(seed.parse().expect("a number"));
        return 1;
    }
    let end = Instant::now() + duration();
    let mut count = 0;
    while Instant::now() < end {
        round(rand::rng().random());
        count += 1;
    }
    println!("{count} rounds");
    count
}

/// Every schema of the tests, valid and invalid.
fn corpus() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts: Vec<String> = [
        "schema.example.yaml",
        "src/cli/starter.yaml",
        "tests/roundtrip/schema.yaml",
        "tests/imported/schema.yaml",
        "tests/golden/names.yaml",
        "tests/golden/all_types.yaml",
        "tests/golden/triggers.yaml",
    ]
    .iter()
    .map(|path| fs::read_to_string(root.join(path)).unwrap())
    .collect();
    let mut fixtures: Vec<_> = fs::read_dir(root.join("tests/diagnostics"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    fixtures.sort();
    for path in fixtures {
        if path.extension().is_some_and(|kind| kind == "yaml") {
            texts.push(fs::read_to_string(path).unwrap());
        }
    }
    texts
}

/// Pieces that mean something in YAML, in SQL, in types.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ": ",
    ",",
    "- ",
    "\n",
    "\t",
    " ",
    "\"",
    "'",
    "\\",
    "#",
    "&a",
    "*a",
    "<<: *a",
    "!!str ",
    "|\n",
    ">\n",
    "?",
    "~",
    "null",
    "true",
    "0x1f",
    "1e999",
    "-0",
    "é",
    "💡",
    "\u{202e}",
    "\u{feff}",
    "\0",
    "pk",
    "parent",
    "[]",
    "numeric(",
    "(99999999999999999999)",
    "map<",
    "tuple<int,",
    "= \"",
    "$$",
    "$a$",
    "--",
    "/*",
    ";",
    "new.",
    "old.",
    "old.* *<> new.*",
    "E'\\'",
    "version: 1\n",
    "models:\n",
    "channels:\n",
    "types:\n",
    "include: x\n",
    "after: ",
    "{update_of: [id]}",
    "changed: {any: [id]}",
    "level: statement",
    "payload: {new: []}",
    "extends: ",
    "mixin: ",
    "enum: [a, b]",
    "composite: {a: b}",
];

fn mutated(corpus: &[String], rng: &mut StdRng) -> String {
    let mut text: Vec<char> = corpus.choose(rng).unwrap().chars().collect();
    for _ in 0..rng.random_range(1..4) {
        let at = rng.random_range(0..=text.len());
        let until = (at + rng.random_range(0..20)).min(text.len());
        match rng.random_range(0..5) {
            0 => drop(text.drain(at..until)),
            1 => {
                let piece: Vec<char> = text[at..until].to_vec();
                let to = rng.random_range(0..=text.len());
                text.splice(to..to, piece);
            }
            2 => {
                let other: Vec<char> = corpus.choose(rng).unwrap().chars().collect();
                let from = rng.random_range(0..=other.len());
                let piece = other[from..(from + 60).min(other.len())].to_vec();
                text.splice(at..until, piece);
            }
            _ => {
                let piece: Vec<char> = PIECES.choose(rng).unwrap().chars().collect();
                text.splice(at..at, piece);
            }
        }
    }
    text.into_iter().collect()
}

#[test]
fn no_schema_makes_the_generator_panic_and_what_it_accepts_it_can_write() {
    let corpus = corpus();
    let mut accepted = 0;
    let count = rounds(|seed| {
        let mut rng = StdRng::seed_from_u64(seed);
        let text = mutated(&corpus, &mut rng);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let sources = Sources::new("schema.yaml", text.as_str());
            match schema::load_text(&sources) {
                Err(mistakes) => {
                    assert!(mistakes.has_errors());
                    for format in [Format::Text { colour: true }, Format::Json, Format::Github] {
                        assert!(!mistakes.render(&sources, format).is_empty());
                    }
                    false
                }
                Ok(loaded) => {
                    let plan = plan(&loaded.schema, &History::default()).expect("a plan");
                    let files = render(&plan, Mode::Project).expect("files");
                    for (path, file) in files.iter() {
                        if file.kind == FileKind::Generated && path.ends_with(".rs") {
                            syn::parse_file(&file.text).expect("Rust");
                        }
                    }
                    true
                }
            }
        }));
        match outcome {
            Ok(valid) => accepted += usize::from(valid),
            Err(_) => panic!("PGPUBSUB_SEED={seed} panics:\n{text}"),
        }
    });
    println!("{accepted} of {count} were valid");
}

/// Characters that end something in SQL, YAML or Rust.
const HOSTILE: &[char] = &[
    '"', '\'', '\\', '$', ';', '-', '/', '*', '(', ')', '{', '}', '[', ']', '%', ':', ',', '.',
    '`', '#', '@', '?', '<', '>', '=', '&', '|', '!', '~', '^', ' ', '\t', '\n', '\r', 'a', 'Z',
    '0', '_', 'é', '日', '💡', '\u{202e}', '\u{200b}', '\u{a0}', '\u{feff}', '\u{1}', '\u{7f}',
];
const WORDS: &[&str] = &[
    "$pgpubsub$",
    "$pgpubsub1$",
    "new",
    "old",
    "select",
    "--",
    "/*",
    "*/",
    "');",
    "NULL",
    "_row",
    "_payload",
    "_context",
    "E'",
    "U&\"",
    "\\n",
    "%I",
    "$1",
    "{{ x }}",
    "{% if %}",
];

fn hostile(bytes: usize, rng: &mut StdRng) -> String {
    let mut text = String::new();
    let target = rng.random_range(1..=bytes);
    loop {
        let piece: String = if rng.random_bool(0.2) {
            (*WORDS.choose(rng).unwrap()).to_owned()
        } else {
            HOSTILE.choose(rng).unwrap().to_string()
        };
        if text.len() + piece.len() > target {
            break;
        }
        text += &piece;
    }
    if text.is_empty() {
        "x".to_owned()
    } else {
        text
    }
}

/// A text in YAML; what it may not print is escaped.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text)
        .to_string()
        .chars()
        .map(|c| match c {
            '\u{7f}'..='\u{a0}' | '\u{2000}'..='\u{206f}' | '\u{feff}' => {
                format!("\\u{:04x}", u32::from(c))
            }
            c => c.to_string(),
        })
        .collect()
}

/// A name in YAML, as SQL quotes it.
fn sql_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[tokio::test]
async fn postgresql_reads_every_name_and_text_as_what_it_is() {
    let mut database = Database::create().await.unwrap();
    let mut client = database.connect().await.unwrap();
    let end = Instant::now() + duration();
    let fixed = std::env::var("PGPUBSUB_SEED")
        .ok()
        .map(|seed| seed.parse().expect("a number"));
    let mut count = 0;
    while Instant::now() < end {
        let seed = fixed.unwrap_or_else(|| rand::rng().random());
        round(&client, seed).await;
        count += 1;
        // Its catalogs grow with everything that comes and goes.
        if count % 100 == 0 {
            database = Database::create().await.unwrap();
            client = database.connect().await.unwrap();
        }
        if fixed.is_some() {
            break;
        }
    }
    println!("{count} rounds");
}

async fn round(client: &tokio_postgres::Client, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let what = format!("PGPUBSUB_SEED={seed}");
    let [
        schema_name,
        table,
        column,
        second,
        storage,
        enum_name,
        label,
    ] = std::array::from_fn(|index| {
        // Distinct, and within PostgreSQL's 63 bytes.
        format!("{index}{}", hostile(40, &mut rng))
    });
    let (doc, group, key, value) = (
        hostile(80, &mut rng),
        hostile(40, &mut rng),
        hostile(20, &mut rng),
        hostile(20, &mut rng).replace('$', "S"),
    );
    let group = if group.trim().is_empty() {
        "g".to_owned()
    } else {
        group
    };
    let full = |name: &str| format!("{}.{}", sql_name(&schema_name), sql_name(name));
    let text = format!(
        "version: 1\ndefaults: {{allow: [W0002, W0003, W0004, W0007]}}\ngenerate: {{postgres: {{schema: {}}}}}\ntypes: {{state: {{enum: {{One: {}}}, sql: {}}}}}\nmodels:\n  thing:\n    doc: {}\n    table: {}\n    columns:\n      id: {{type: bigint pk, column: {}}}\n      state: {{type: \"state?\", column: {}, doc: {}}}\nchannels:\n  row_channel: {{doc: {}, on: thing, after: [insert, update], changed: {{any: [state]}}, ignorable: true}}\n  bulk_channel: {{on: thing, after: [insert, update], level: statement}}\n  late_channel: {{on: thing, after: insert, deferred: true, doc: {}}}\n  words: {{message: {{text: {{type: string, default: {}}}}}}}\nlisteners:\n  one: {{channel: row_channel, group: {}, doc: {}, filter: {{{}: {}}}}}\n",
        quoted(&storage),
        quoted(&label),
        quoted(&full(&enum_name)),
        quoted(&doc),
        quoted(&full(&table)),
        quoted(&column),
        quoted(&second),
        quoted(&doc),
        quoted(&doc),
        quoted(&doc),
        quoted(&doc),
        quoted(&group),
        quoted(&doc),
        quoted(&format!("context.{key}")),
        quoted(&value),
    );
    let sources = Sources::new("schema.yaml", text.as_str());
    let loaded = schema::load_text(&sources).unwrap_or_else(|mistakes| {
        panic!(
            "{what}: {}",
            mistakes.render(&sources, Format::Text { colour: false })
        )
    });
    let files = render(
        &plan(&loaded.schema, &History::default()).expect("a plan"),
        Mode::Project,
    )
    .expect("files");
    // There may be several of a kind.
    let file = |end: &str| -> String {
        files
            .iter()
            .filter(|(path, _)| path.ends_with(end))
            .map(|(_, file)| file.text.as_str())
            .collect()
    };
    syn::parse_file(&file("pubsub.rs")).unwrap_or_else(|error| panic!("{what}: {error}"));
    // The server quotes for itself.
    let make = "SELECT format('CREATE SCHEMA %1$I; CREATE TYPE %1$I.%5$I AS ENUM (%6$L); CREATE TABLE %1$I.%2$I (%3$I bigint PRIMARY KEY, %4$I %1$I.%5$I)', $1::text, $2::text, $3::text, $4::text, $5::text, $6::text)";
    let make: String = client
        .query_one(
            make,
            &[&schema_name, &table, &column, &second, &enum_name, &label],
        )
        .await
        .unwrap()
        .get(0);
    client
        .batch_execute(&make)
        .await
        .unwrap_or_else(|error| panic!("{what}: {error:?}"));
    for settings in [
        "SET standard_conforming_strings = on",
        "SET standard_conforming_strings = off; SET quote_all_identifiers = on; SET search_path = ''",
    ] {
        let up = format!("{settings}; BEGIN; {}; COMMIT; RESET ALL", file(".up.sql"));
        client
            .batch_execute(&up)
            .await
            .unwrap_or_else(|error| panic!("{what}: {error:?}\n{up}"));
        let write = "SELECT format('INSERT INTO %1$I.%2$I VALUES (1, %3$L); UPDATE %1$I.%2$I SET %4$I = NULL; DELETE FROM %1$I.%2$I', $1::text, $2::text, $3::text, $4::text)";
        let write: String = client
            .query_one(write, &[&schema_name, &table, &label, &second])
            .await
            .unwrap()
            .get(0);
        client
            .batch_execute(&write)
            .await
            .unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let storage_name: String = client
            .query_one("SELECT quote_ident($1)", &[&storage])
            .await
            .unwrap()
            .get(0);
        let select = format!(
            "SELECT listener_group, payload -> 'new' ->> $1, (SELECT count(*) FROM json_object_keys(payload -> 'new')), payload -> 'new' ->> $2 FROM {storage_name}.notification WHERE channel = 'row_channel' AND op = 'insert'"
        );
        let row = client
            .query_one(&select, &[&column, &second])
            .await
            .unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert_eq!(row.get::<_, &str>(0), group, "{what}");
        assert_eq!(row.get::<_, &str>(1), "1", "{what}");
        assert_eq!(row.get::<_, i64>(2), 2, "{what}");
        assert_eq!(row.get::<_, &str>(3), label, "{what}");
        let count = format!("SELECT count(*) FROM {storage_name}.notification");
        let count: i64 = client.query_one(&count, &[]).await.unwrap().get(0);
        assert_eq!(
            count, 5,
            "{what}: two by row, two by statement, one deferred"
        );
        client
            .batch_execute(&format!("TRUNCATE {storage_name}.notification"))
            .await
            .unwrap();
    }
    let down = format!("BEGIN; {}; COMMIT", file(".down.sql"));
    client
        .batch_execute(&down)
        .await
        .unwrap_or_else(|error| panic!("{what}: {error:?}"));
    let drop: String = client
        .query_one(
            "SELECT format('DROP SCHEMA %I CASCADE', $1::text)",
            &[&schema_name],
        )
        .await
        .unwrap()
        .get(0);
    client.batch_execute(&drop).await.unwrap();
    let left = "SELECT count(*) FROM pg_proc WHERE proname ~ '^(capture|notify)_'";
    assert_eq!(
        client.query_one(left, &[]).await.unwrap().get::<_, i64>(0),
        0,
        "{what}"
    );

    // The functions that everything is quoted with, under both ways to read a backslash.
    let texts: Vec<String> = (0..50).map(|_| hostile(200, &mut rng)).collect();
    for settings in ["on", "off"] {
        let literals: Vec<String> = texts.iter().map(|text| ident::sql_literal(text)).collect();
        let dollars: Vec<String> = texts
            .iter()
            .map(|text| {
                let tag = ident::dollar_tag(text);
                format!("{tag}{text}{tag}")
            })
            .collect();
        let sql = format!(
            "SELECT ARRAY[{}], ARRAY[{}]",
            literals.join(", "),
            dollars.join(", ")
        );
        client
            .batch_execute(&format!(
                "SET standard_conforming_strings = {settings}; SET escape_string_warning = off"
            ))
            .await
            .unwrap();
        let row = client
            .query_one(&sql, &[])
            .await
            .unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert_eq!(row.get::<_, Vec<String>>(0), texts, "{what}");
        assert_eq!(row.get::<_, Vec<String>>(1), texts, "{what}");
    }
    client.batch_execute("RESET ALL").await.unwrap();
}
