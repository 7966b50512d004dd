//! Every option of a channel on a model, on a real PostgreSQL: what is stored is what happened, and the write goes on.

#[path = "golden/runs.rs"]
#[allow(dead_code)] // Each test file uses some of it.
mod runs;
#[path = "golden/session.rs"]
#[allow(dead_code)] // Each test file uses some of it.
mod session;

use pgpubsub_gen::diagnostic::{Format, Sources};
use pgpubsub_gen::schema;
use pgpubsub_testkit::Database;
use tokio_postgres::Client;

struct Case {
    database: Database,
    client: Client,
}

const ITEM: &str =
    "CREATE SCHEMA app; CREATE TABLE app.item (id bigint PRIMARY KEY, a text, b text, n integer);";
const ITEM_MODEL: &str = "item: {table: app.item, columns: {id: bigint pk, a: \"text?\", b: \"text?\", n: \"integer?\"}}";

impl Case {
    /// A database with these tables and what a schema with these channels installs.
    async fn new(tables: &str, models: &str, channels: &str) -> Self {
        let text = format!(
            "version: 1\ndefaults: {{allow: [W0001, W0002, W0003, W0004, W0005, W0007]}}\nmodels:\n  {models}\nchannels:\n  {channels}\n"
        );
        let sources = Sources::new("schema.yaml", text);
        let schema = match schema::load_text(&sources) {
            Ok(loaded) => loaded.schema,
            Err(mistakes) => panic!(
                "{}",
                mistakes.render(&sources, Format::Text { colour: false })
            ),
        };
        let (database, client) = session::session(tables).await;
        session::up(&client, &session::first(&schema)).await;
        Self { database, client }
    }

    /// The same on the table `app.item`.
    async fn item(channels: &str) -> Self {
        Self::new(ITEM, ITEM_MODEL, channels).await
    }

    async fn write(&self, sql: &str) {
        self.client
            .batch_execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// What was stored since the last call: operation and payload, in order.
    async fn events(&self) -> Vec<String> {
        let take = "WITH taken AS (DELETE FROM pgpubsub.notification RETURNING *) \
                    SELECT op || ' ' || payload::jsonb::text FROM taken ORDER BY id";
        let rows = self.client.query(take, &[]).await.expect("the events");
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// The write, and what it stored.
    async fn after(&self, sql: &str) -> Vec<String> {
        self.write(sql).await;
        self.events().await
    }
}

#[tokio::test]
async fn changed_any_fires_on_real_changes_only_and_knows_nulls() {
    let case =
        Case::item("c: {on: item, after: update, changed: {any: [a, b]}, payload: [a, b]}").await;
    case.write("INSERT INTO app.item VALUES (1, NULL, 'x', 1)")
        .await;
    for (update, fires) in [
        ("a = a", false),
        ("a = NULL", false),
        ("a = 'v'", true),
        ("a = 'v'", false),
        ("a = NULL", true),
        ("n = 2", false),
        ("n = 3, b = 'y'", true),
    ] {
        let events = case.after(&format!("UPDATE app.item SET {update}")).await;
        assert_eq!(events.len(), usize::from(fires), "{update}: {events:?}");
    }
}

#[tokio::test]
async fn changed_all_and_none_are_what_they_say() {
    let case = Case::item(
        "all: {on: item, after: update, changed: {all: [a, b]}, payload: [a]}\n  same: {on: item, after: update, changed: {none: [a]}, payload: [n]}",
    )
    .await;
    case.write("INSERT INTO app.item VALUES (1, 'a', 'b', 1)")
        .await;
    assert_eq!(case.after("UPDATE app.item SET a = 'x'").await.len(), 0);
    assert_eq!(
        case.after("UPDATE app.item SET a = 'y', b = 'y'").await,
        [r#"update {"new": {"a": "y"}, "old": {"a": "x"}}"#]
    );
    assert_eq!(
        case.after("UPDATE app.item SET n = 2").await,
        [r#"update {"new": {"n": 2}, "old": {"n": 1}}"#]
    );
}

#[tokio::test]
async fn whole_row_notices_a_change_of_types_without_equality_and_no_other() {
    let case = Case::new(
        "CREATE TABLE odd (id bigint PRIMARY KEY, j json, x xml, p point)",
        "odd: {columns: {id: bigint pk, j: \"json?\", x: \"xml?\", p: \"point?\"}}",
        "c: {on: odd, after: update, changed: whole_row, payload: [id]}\n  texts: {on: odd, after: update, changed: {any: [j, x, p]}, payload: [j]}",
    )
    .await;
    case.write("INSERT INTO odd VALUES (1, '{}', '<a/>', '(0.1,0.30000000000000004)')")
        .await;
    assert_eq!(
        case.after("UPDATE odd SET j = '{}', x = '<a/>', p = p")
            .await
            .len(),
        0
    );
    for update in [
        "j = '{ }'",
        "x = '<b/>'",
        "p = '(0.1,0.3)'",
        "p = NULL",
        "j = NULL",
    ] {
        // A setting that makes the points look equal.
        let update = format!("SET extra_float_digits = -15; UPDATE odd SET {update}");
        assert_eq!(case.after(&update).await.len(), 2, "{update}");
    }
}

#[tokio::test]
async fn update_of_fires_for_a_column_that_is_set_whatever_its_value() {
    let case = Case::item("c: {on: item, after: {update_of: [a]}, payload: [id]}").await;
    case.write("INSERT INTO app.item VALUES (1, 'a', 'b', 1)")
        .await;
    assert_eq!(case.after("UPDATE app.item SET a = a").await.len(), 1);
    assert_eq!(case.after("UPDATE app.item SET b = 'c'").await.len(), 0);
}

#[tokio::test]
async fn conditions_hold_in_the_trigger_in_the_function_and_over_a_statement() {
    for options in ["", ", condition_in: function", ", level: statement"] {
        let case = Case::item(&format!(
            "c: {{on: item, after: [insert, update, delete], payload: [id, n], when: {{insert: \"new.n > 1\", update: \"new.n > old.n or new.a = $$it's$$\", delete: \"OLD.\\\"n\\\" > 1\"}}{options}}}"
        ))
        .await;
        let events = case
            .after("INSERT INTO app.item VALUES (1, 'a', 'b', 1), (2, 'a', 'b', 2)")
            .await;
        assert_eq!(
            events,
            [r#"insert {"new": {"n": 2, "id": 2}}"#],
            "{options}"
        );
        assert_eq!(
            case.after("UPDATE app.item SET n = 3 - n").await,
            [r#"update {"new": {"n": 2, "id": 1}, "old": {"n": 1, "id": 1}}"#],
            "{options}"
        );
        assert_eq!(
            case.after("UPDATE app.item SET a = 'it''s'").await.len(),
            2,
            "{options}"
        );
        assert_eq!(
            case.after("DELETE FROM app.item").await,
            [r#"delete {"old": {"n": 2, "id": 1}}"#],
            "{options}"
        );
    }
}

#[tokio::test]
async fn separate_lists_are_sent_of_old_and_new() {
    let case = Case::item(
        "c: {on: item, after: [insert, update, delete], payload: {new: [id, a], old: [b]}}",
    )
    .await;
    let write = "INSERT INTO app.item VALUES (1, 'a', 'b', 1); UPDATE app.item SET n = 2; DELETE FROM app.item";
    assert_eq!(
        case.after(write).await,
        [
            r#"insert {"new": {"a": "a", "id": 1}}"#,
            r#"update {"new": {"a": "a", "id": 1}, "old": {"b": "b"}}"#,
            r#"delete {"old": {"b": "b"}}"#,
        ]
    );
}

#[tokio::test]
async fn a_column_that_is_never_captured_is_in_no_payload() {
    let case = Case::new(
        "CREATE TABLE person (id bigint PRIMARY KEY, secret text); ALTER TABLE person ENABLE ROW LEVEL SECURITY;
         CREATE POLICY all_of_them ON person USING (true); ALTER TABLE person FORCE ROW LEVEL SECURITY",
        "person: {columns: {id: bigint pk, secret: {type: \"text?\", capture: never}}}",
        "c: {on: person, after: [insert, update, delete], changed: {any: [secret]}}\n  s: {on: person, after: insert, level: statement}",
    )
    .await;
    let write = "INSERT INTO person VALUES (1, 'hush'); UPDATE person SET secret = 'hush hush'; DELETE FROM person";
    let events = case.after(write).await;
    assert_eq!(events.len(), 4);
    assert!(
        events
            .iter()
            .all(|event| !event.contains("hush") && !event.contains("secret"))
    );
}

#[tokio::test]
async fn a_statement_gives_one_event_a_row_and_none_for_no_row() {
    let case = Case::item(
        "c: {on: item, after: [insert, update, delete], level: statement, payload: [id, n]}",
    )
    .await;
    assert_eq!(
        case.after("INSERT INTO app.item SELECT i, 'a', 'b', i FROM generate_series(1, 2) AS i")
            .await,
        [
            r#"insert {"new": {"n": 1, "id": 1}}"#,
            r#"insert {"new": {"n": 2, "id": 2}}"#
        ]
    );
    assert_eq!(
        case.after("UPDATE app.item SET n = 0 WHERE false; DELETE FROM app.item WHERE false")
            .await
            .len(),
        0
    );
    assert_eq!(case.after("UPDATE app.item SET n = n + 1").await.len(), 2);
    // Both updates of one statement.
    assert_eq!(
        case.after("WITH x AS (UPDATE app.item SET n = 7 WHERE id = 1) UPDATE app.item SET n = 8 WHERE id = 2").await.len(),
        2
    );
    let upsert = "INSERT INTO app.item VALUES (2, 'a', 'b', 1), (3, 'a', 'b', 3) ON CONFLICT (id) DO UPDATE SET n = 9";
    let mut events = case.after(upsert).await;
    events.sort();
    assert_eq!(
        events,
        [
            r#"insert {"new": {"n": 3, "id": 3}}"#,
            r#"update {"new": {"n": 9, "id": 2}, "old": {"n": 8, "id": 2}}"#
        ]
    );
    assert_eq!(
        case.after("INSERT INTO app.item VALUES (3) ON CONFLICT DO NOTHING")
            .await
            .len(),
        0
    );
    assert_eq!(case.after("DELETE FROM app.item").await.len(), 3);
}

#[tokio::test]
async fn a_statement_that_changes_primary_keys_loses_nothing() {
    let case = Case::item("c: {on: item, after: update, level: statement, changed: {any: [n]}, when: \"new.n > 100\", payload: [id]}").await;
    case.write("INSERT INTO app.item SELECT i, 'a', 'b', i FROM generate_series(1, 2) AS i")
        .await;
    let mut events = case.after("UPDATE app.item SET id = id + 10").await;
    events.sort();
    // Pairs cannot be told: each half comes alone, whatever the condition says.
    assert_eq!(
        events,
        [
            r#"update {"new": null, "old": {"id": 1}}"#,
            r#"update {"new": null, "old": {"id": 2}}"#,
            r#"update {"new": {"id": 11}, "old": null}"#,
            r#"update {"new": {"id": 12}, "old": null}"#,
        ]
    );
    assert_eq!(
        case.after("UPDATE app.item SET id = -id, n = 200 WHERE false")
            .await
            .len(),
        0
    );
}

#[tokio::test]
async fn merge_tells_what_it_did_at_row_and_statement_level() {
    for level in ["row", "statement"] {
        let case = Case::item(&format!(
            "c: {{on: item, after: [insert, update, delete], level: {level}, payload: [id]}}"
        ))
        .await;
        if session::version(&case.client).await < 15 {
            eprintln!("skipped: MERGE came with PostgreSQL 15");
            return;
        }
        case.write("INSERT INTO app.item VALUES (1), (2)").await;
        drop(case.events().await);
        let merge = "MERGE INTO app.item AS t USING (VALUES (1), (2), (3)) AS s (id) ON t.id = s.id
            WHEN MATCHED AND s.id = 1 THEN UPDATE SET n = 1 WHEN MATCHED THEN DELETE
            WHEN NOT MATCHED THEN INSERT VALUES (s.id)";
        let mut events = case.after(merge).await;
        events.sort();
        assert_eq!(
            events,
            [
                r#"delete {"old": {"id": 2}}"#,
                r#"insert {"new": {"id": 3}}"#,
                r#"update {"new": {"id": 1}, "old": {"id": 1}}"#,
            ],
            "{level}"
        );
        let nothing = "MERGE INTO app.item AS t USING (VALUES (9)) AS s (id) ON t.id = s.id WHEN MATCHED THEN DELETE";
        assert_eq!(case.after(nothing).await.len(), 0, "{level}");
    }
}

#[tokio::test]
async fn copy_and_a_hundred_thousand_rows_give_as_many_events() {
    for level in ["row", "statement"] {
        let case = Case::item(&format!("c: {{on: item, after: insert, level: {level}}}")).await;
        case.write(
            "INSERT INTO app.item SELECT i, 'a', 'b', i FROM generate_series(1, 100000) AS i",
        )
        .await;
        assert_eq!(
            session::count(&case.client, "pgpubsub.notification").await,
            100_000,
            "{level}"
        );
    }
}

#[tokio::test]
async fn a_truncate_is_one_event_for_who_asks_and_none_for_others() {
    let case = Case::item("rows: {on: item, after: delete}\n  wiped: {on: item, after: truncate}\n  early: {on: item, before: truncate}").await;
    case.write("INSERT INTO app.item VALUES (1)").await;
    assert_eq!(
        case.after("TRUNCATE app.item").await,
        ["truncate {}", "truncate {}"]
    );
    assert_eq!(session::count(&case.client, "app.item").await, 0);
}

const PARTS: &str = "CREATE TABLE part (id bigint, day date, n integer, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
    CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
    CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');";
const PARTS_MODEL: &str =
    "part: {partitioned: true, columns: {id: bigint pk, day: date pk, n: \"integer?\"}}";

#[tokio::test]
async fn a_row_that_moves_between_partitions_is_a_pair_or_an_update_and_never_nothing() {
    let rows = "c: {on: part, after: [insert, update, delete], payload: [day]}";
    let case = Case::new(PARTS, PARTS_MODEL, rows).await;
    case.write("INSERT INTO part VALUES (1, '2024-01-05')")
        .await;
    drop(case.events().await);
    let moved = "UPDATE part SET day = '2024-02-05'";
    assert_eq!(
        case.after(moved).await,
        [
            r#"delete {"old": {"day": "2024-01-05"}}"#,
            r#"insert {"new": {"day": "2024-02-05"}}"#
        ]
    );

    let statements =
        "c: {on: part, after: [insert, update, delete], level: statement, payload: [day]}";
    let case = Case::new(PARTS, PARTS_MODEL, statements).await;
    case.write("INSERT INTO part VALUES (1, '2024-01-05')")
        .await;
    drop(case.events().await);
    let mut events = case.after(moved).await;
    events.sort();
    // The day belongs to the primary key, which the statement has changed.
    assert_eq!(
        events,
        [
            r#"update {"new": null, "old": {"day": "2024-01-05"}}"#,
            r#"update {"new": {"day": "2024-02-05"}, "old": null}"#,
        ]
    );
}

#[tokio::test]
async fn writes_to_a_partition_are_captured_by_row_and_not_by_statement() {
    for (level, events) in [("row", 1), ("statement", 0)] {
        let case = Case::new(
            PARTS,
            PARTS_MODEL,
            &format!("c: {{on: part, after: insert, level: {level}}}"),
        )
        .await;
        assert_eq!(
            case.after("INSERT INTO part_1 VALUES (1, '2024-01-05')")
                .await
                .len(),
            events
        );
        // A partition that comes later has the trigger, too.
        case.write("CREATE TABLE part_3 (LIKE part); ALTER TABLE part ATTACH PARTITION part_3 FOR VALUES FROM ('2024-03-01') TO ('2024-04-01')").await;
        assert_eq!(
            case.after("INSERT INTO part VALUES (1, '2024-03-05')")
                .await
                .len(),
            1
        );
    }
}

#[tokio::test]
async fn rows_of_an_inheriting_table_are_seen_by_statement_level_only() {
    let tables = "CREATE TABLE base (id bigint PRIMARY KEY, n integer); CREATE TABLE heir (extra text) INHERITS (base);";
    for (level, events) in [("row", 0), ("statement", 1)] {
        let case = Case::new(
            tables,
            "base: {columns: {id: bigint pk, n: \"integer?\"}}",
            &format!("c: {{on: base, after: update, level: {level}}}"),
        )
        .await;
        case.write("INSERT INTO heir VALUES (1, 1, 'x')").await;
        assert_eq!(
            case.after("UPDATE base SET n = 2").await.len(),
            events,
            "{level}"
        );
    }
}

#[tokio::test]
async fn cascades_reach_the_child_in_the_same_transaction() {
    let tables = "CREATE TABLE mother (id bigint PRIMARY KEY); CREATE TABLE child (id bigint PRIMARY KEY, mother_id bigint REFERENCES mother ON DELETE CASCADE);
        CREATE TABLE pet (id bigint PRIMARY KEY, mother_id bigint REFERENCES mother ON DELETE SET NULL);";
    let models = "mother: {columns: {id: bigint pk}}\n  child: {columns: {id: bigint pk, mother_id: \"bigint?\"}}\n  pet: {columns: {id: bigint pk, mother_id: \"bigint?\"}}";
    for level in ["row", "statement"] {
        let channels = format!(
            "m: {{on: mother, after: delete}}\n  c: {{on: child, after: delete, level: {level}}}\n  p: {{on: pet, after: update, level: {level}}}"
        );
        let case = Case::new(tables, models, &channels).await;
        case.write("INSERT INTO mother VALUES (1), (2); INSERT INTO child VALUES (10, 1), (20, 2); INSERT INTO pet VALUES (1, 1)").await;
        case.write("DELETE FROM mother").await;
        let sql = "SELECT count(DISTINCT txid), count(*) FROM pgpubsub.notification";
        let row = case.client.query_one(sql, &[]).await.expect("the counts");
        assert_eq!(
            (row.get::<_, i64>(0), row.get::<_, i64>(1)),
            (1, 5),
            "{level}"
        );
    }
}

#[tokio::test]
async fn a_deferred_event_has_the_image_of_its_time_and_the_context_of_its_transaction() {
    let case = Case::item(
        "c: {on: item, after: [insert, update], deferred: true, when: \"new.n > 0\", payload: [n]}",
    )
    .await;
    case.write(
        "BEGIN; SET LOCAL pgpubsub.context = '{\"who\": \"me\"}'; INSERT INTO app.item VALUES (1, 'a', 'b', 1);
         UPDATE app.item SET n = 2; UPDATE app.item SET n = 0; DELETE FROM app.item",
    )
    .await;
    assert_eq!(
        session::count(&case.client, "pgpubsub.notification").await,
        0,
        "not before the commit"
    );
    case.write("COMMIT").await;
    let row = case
        .client
        .query_one("SELECT DISTINCT context FROM pgpubsub.notification", &[])
        .await
        .expect("one context");
    assert_eq!(row.get::<_, Option<&str>>(0), Some("{\"who\": \"me\"}"));
    assert_eq!(
        case.events().await,
        [
            r#"insert {"new": {"n": 1}}"#,
            r#"update {"new": {"n": 2}, "old": {"n": 1}}"#
        ]
    );
}

#[tokio::test]
async fn a_transaction_may_ignore_channels_that_say_so() {
    let case = Case::item(
        "a: {on: item, after: insert, ignorable: true}\n  b: {on: item, after: insert}\n  d: {on: item, after: insert, deferred: true, ignorable: true}\n  s: {on: item, after: insert, level: statement, ignorable: true}",
    )
    .await;
    for (ignore, events) in [
        ("a", 3),
        ("*", 1),
        ("b", 4),
        ("x,d", 3),
        ("", 4),
        ("s,a,d", 1),
    ] {
        case.write(&format!("BEGIN; SET LOCAL pgpubsub.ignore = '{ignore}'; INSERT INTO app.item VALUES (1); SET LOCAL pgpubsub.ignore = ''; DELETE FROM app.item; COMMIT")).await;
        assert_eq!(case.events().await.len(), events, "{ignore}");
    }
    assert_eq!(
        case.after("INSERT INTO app.item VALUES (1)").await.len(),
        4,
        "it ended with the transaction"
    );
}

#[tokio::test]
async fn in_replication_a_trigger_fires_where_it_was_told_to() {
    let case = Case::item(
        "origin: {on: item, after: insert, payload: [id]}\n  always: {on: item, after: insert, fire: always, payload: [a]}\n  replica: {on: item, after: insert, fire: replica, payload: [b]}",
    )
    .await;
    assert_eq!(
        case.after("INSERT INTO app.item VALUES (1)").await,
        [
            r#"insert {"new": {"a": null}}"#,
            r#"insert {"new": {"id": 1}}"#
        ]
    );
    // The search path of an apply worker is empty.
    assert_eq!(
        case.after("SET session_replication_role = replica; SET search_path = ''; INSERT INTO app.item VALUES (2)").await,
        [r#"insert {"new": {"a": null}}"#, r#"insert {"new": {"b": null}}"#]
    );
}

#[tokio::test]
async fn an_error_in_the_capture_loses_the_event_or_the_write_as_was_asked() {
    for (option, writes) in [("fail", false), ("skip", true)] {
        for level in ["row", "statement"] {
            let case = Case::item(&format!("c: {{on: item, before: delete, on_capture_error: {option}}}\n  d: {{on: item, after: insert, level: {level}, on_capture_error: {option}}}")).await;
            case.write("INSERT INTO app.item VALUES (1)").await;
            drop(case.events().await);
            // What a migration of somebody else's may do to us.
            case.write("ALTER TABLE app.item DROP COLUMN b").await;
            let insert = case
                .client
                .batch_execute("INSERT INTO app.item VALUES (2)")
                .await;
            let delete = case
                .client
                .batch_execute("DELETE FROM app.item WHERE id = 1")
                .await;
            assert_eq!(
                (insert.is_ok(), delete.is_ok()),
                (writes, writes),
                "{option}, {level}"
            );
            let rows = session::count(&case.client, "app.item").await;
            assert_eq!(rows, 1, "{option}");
            assert_eq!(case.events().await.len(), 0);
        }
    }
}

#[tokio::test]
async fn a_trigger_of_the_users_own_delivers_the_typed_payload() {
    let case =
        Case::item("c: {on: item, after: [insert, delete], trigger: own, payload: [id]}").await;
    assert_eq!(
        case.after("INSERT INTO app.item VALUES (1)").await.len(),
        0,
        "no trigger yet"
    );
    case.write(
        "CREATE TRIGGER mine AFTER INSERT ON app.item FOR EACH ROW WHEN (NEW.id % 2 = 0) EXECUTE FUNCTION pgpubsub.capture_c();
         CREATE TRIGGER also_mine BEFORE DELETE ON app.item FOR EACH ROW EXECUTE FUNCTION pgpubsub.capture_c();",
    )
    .await;
    assert_eq!(
        case.after("INSERT INTO app.item VALUES (2), (3); DELETE FROM app.item WHERE id = 3")
            .await,
        [
            r#"insert {"new": {"id": 2}}"#,
            r#"delete {"old": {"id": 3}}"#
        ]
    );
    assert_eq!(session::count(&case.client, "app.item").await, 2);
}

#[tokio::test]
async fn a_row_comes_with_the_row_that_it_extends() {
    let tables = "CREATE TABLE person (id bigint PRIMARY KEY, name text, score double precision); CREATE TABLE guest (person_id bigint PRIMARY KEY REFERENCES person, host text);
        CREATE TABLE vip (guest_id bigint PRIMARY KEY REFERENCES guest ON DELETE CASCADE);";
    let models = "person: {columns: {id: bigint pk, name: \"text?\", score: \"double precision?\"}}\n  guest: {extends: person, columns: {person_id: bigint pk parent, host: \"text?\"}}\n  vip: {extends: guest, columns: {guest_id: bigint pk parent}}";
    for level in ["row", "statement"] {
        let channels = format!(
            "g: {{on: guest, after: [insert, update], level: {level}}}\n  v: {{on: vip, after: [insert, delete], level: {level}}}"
        );
        let case = Case::new(tables, models, &channels).await;
        let write = "SET extra_float_digits = -10; INSERT INTO person VALUES (1, 'Ann', 0.30000000000000004); INSERT INTO guest VALUES (1, 'x'); INSERT INTO vip VALUES (1)";
        let person = r#"{"id": 1, "name": "Ann", "score": "0.30000000000000004"}"#;
        assert_eq!(
            case.after(write).await,
            [
                format!(r#"insert {{"new": {{"host": "x", "person": {person}, "person_id": 1}}}}"#),
                format!(
                    r#"insert {{"new": {{"guest": {{"host": "x", "person": {person}, "person_id": 1}}, "guest_id": 1}}}}"#
                ),
            ],
            "{level}"
        );
        // The row that it extended is gone when the cascade comes.
        assert_eq!(
            case.after("DELETE FROM guest").await,
            [r#"delete {"old": {"guest": null, "guest_id": 1}}"#],
            "{level}"
        );
    }
}

#[tokio::test]
async fn transient_rows_of_every_length_around_the_limit_are_sent_or_spilled() {
    for level in ["row", "statement"] {
        let case = Case::item(&format!(
            "c: {{on: item, after: insert, delivery: transient, level: {level}, payload: [a]}}"
        ))
        .await;
        for (id, sql) in (7_600..8_100)
            .step_by(7)
            .map(|length| format!("repeat('x', {length})"))
            .chain([
                "repeat('é', 4000)".to_owned(),
                "repeat('é', 500000)".to_owned(),
            ])
            .enumerate()
        {
            case.write(&format!("INSERT INTO app.item VALUES ({id}, {sql})"))
                .await;
        }
        assert!(
            session::count(&case.client, "pgpubsub.spill").await > 2,
            "{level}"
        );
    }
}

#[tokio::test]
async fn sixteen_hundred_columns_are_captured() {
    let columns: Vec<String> = (2..=1_600).map(|n| format!("c{n} integer")).collect();
    let fields: Vec<String> = (2..=1_600).map(|n| format!("c{n}: \"integer?\"")).collect();
    let case = Case::new(
        &format!(
            "CREATE TABLE wide (id bigint PRIMARY KEY, {})",
            columns.join(", ")
        ),
        &format!(
            "wide: {{columns: {{id: bigint pk, {}}}}}",
            fields.join(", ")
        ),
        "c: {on: wide, after: insert}\n  s: {on: wide, after: insert, level: statement}",
    )
    .await;
    let events = case
        .after("INSERT INTO wide (id, c1600) VALUES (1, 7)")
        .await;
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|event| event.contains("\"c1600\": 7")));
}

#[tokio::test]
async fn a_restored_dump_captures_and_the_restore_itself_does_not() {
    let case = Case::item("c: {on: item, after: [insert, update], changed: {any: [a]}, when: \"new.id > 0\"}\n  d: {on: item, after: insert, deferred: true}\n  s: {on: item, after: insert, level: statement}").await;
    case.write("INSERT INTO app.item VALUES (1, 'a', 'b', 1)")
        .await;
    drop(case.events().await);
    // Not the rights: a dump leaves out those that are the usual ones.
    let ours = async |client: &Client| -> Vec<String> {
        let sql = "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'pgpubsub'::regnamespace
            UNION ALL SELECT pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1";
        let rows = client.query(sql, &[]).await.expect("the catalogue");
        rows.iter().map(|row| row.get(0)).collect()
    };
    let before = ours(&case.client).await;
    let Some(dump) = dump(&case.database.url()) else {
        eprintln!("skipped: there is no pg_dump beside this server");
        return;
    };
    let other = Database::create().await.expect("a database");
    let client = other.connect().await.expect("a session");
    client.batch_execute(&dump).await.expect("the restore");
    client
        .batch_execute("RESET ALL")
        .await
        .expect("a clean session");
    let restored = Case {
        database: other,
        client,
    };
    assert_eq!(restored.events().await.len(), 0);
    assert_eq!(ours(&restored.client).await, before);
    assert_eq!(
        restored
            .after("INSERT INTO app.item VALUES (2, 'a', 'b', 1)")
            .await
            .len(),
        3
    );
}

/// The database as SQL; the program stands beside the server's, or is not there.
fn dump(url: &str) -> Option<String> {
    let folders = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let mut programs: Vec<std::path::PathBuf> = folders
        .filter_map(|folder| Some(folder.ok()?.path().join("bin/pg_dump")))
        .filter(|program| program.exists())
        .collect();
    programs.sort();
    let given = std::env::var_os("PGPUBSUB_PG_BIN")
        .map(|folder| std::path::Path::new(&folder).join("pg_dump"));
    if given.as_ref().is_some_and(|program| !program.exists()) {
        return None;
    }
    let program = given.or(programs.pop()).unwrap_or_else(|| "pg_dump".into());
    let output = std::process::Command::new(program)
        .args(["--inserts", "--dbname", url])
        .output()
        .expect("pg_dump");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    // Lines for psql only.
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with('\\'))
        .collect();
    Some(lines.join("\n"))
}
