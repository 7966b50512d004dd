//! What every tool must do with the layout that the generator writes for it.

use super::project::Project;
use pgpubsub_tools::Tool;

/// As in a file of ours: comments first, a lock timeout for this transaction only, a body with semicolons and dollar quotes in dollar
/// quotes.
const UP: &str = "\
-- Made by a generator; do not edit.
-- id: 4f6a

SET LOCAL lock_timeout = '3s';

CREATE TABLE IF NOT EXISTS t2 (id bigint, told text);
CREATE OR REPLACE FUNCTION capture_t2() RETURNS trigger LANGUAGE plpgsql AS $pgpubsub$
DECLARE
  _text text := $$a; b$$; -- a semicolon; in a comment, and one ' quote
BEGIN
  IF current_setting('lock_timeout') <> '0' THEN
    RAISE EXCEPTION 'the setting has survived its migration';
  END IF;
  NEW.told := _text || ';';
  RETURN NEW;
END;
$pgpubsub$;
CREATE TRIGGER capture BEFORE INSERT ON t2 FOR EACH ROW EXECUTE FUNCTION capture_t2();
";

const DOWN: &str = "\
-- Takes it back;

SET LOCAL lock_timeout = '3s';
DROP TABLE t2;
DROP FUNCTION capture_t2();
";

/// Files of the user's first migration and of our second.
fn layout(tool: Tool) -> Vec<(&'static str, String)> {
    let (first, undo) = ("CREATE TABLE t1 (id bigint);\n", "DROP TABLE t1;\n");
    // These two apply a file as it is.
    let wrapped = |sql: &str| format!("BEGIN;\n{sql}COMMIT;\n");
    let sections = |up: &str, down: &str| {
        let mut lines = up.lines().peekable();
        let mut header = String::new();
        while let Some(line) = lines.next_if(|line| line.starts_with("--")) {
            header.push_str(line);
            header.push('\n');
        }
        let up: String = lines.flat_map(|line| [line, "\n"]).collect();
        format!("{header}\n-- migrate:up\n{up}\n-- migrate:down\n{down}")
    };
    match tool {
        Tool::Sqlx => vec![
            ("0001_tables.up.sql", first.into()),
            ("0001_tables.down.sql", undo.into()),
            ("0002_pgpubsub_4f6a.up.sql", UP.into()),
            ("0002_pgpubsub_4f6a.down.sql", DOWN.into()),
        ],
        Tool::Refinery => vec![
            ("V1__tables.sql", first.into()),
            ("V1__tables.down.sql", undo.into()),
            ("V2__pgpubsub_4f6a.sql", UP.into()),
            ("V2__pgpubsub_4f6a.down.sql", DOWN.into()),
        ],
        Tool::Diesel => vec![
            ("2026-01-31-120000_tables/up.sql", first.into()),
            ("2026-01-31-120000_tables/down.sql", undo.into()),
            ("2026-01-31-120001_pgpubsub_4f6a/up.sql", UP.into()),
            ("2026-01-31-120001_pgpubsub_4f6a/down.sql", DOWN.into()),
        ],
        Tool::Dbmate => vec![
            ("0001_tables.sql", sections(first, undo)),
            ("0002_pgpubsub_4f6a.sql", sections(UP, DOWN)),
        ],
        Tool::Plain | Tool::GolangMigrate => vec![
            ("0001_tables.up.sql", wrapped(first)),
            ("0001_tables.down.sql", wrapped(undo)),
            ("0002_pgpubsub_4f6a.up.sql", wrapped(UP)),
            ("0002_pgpubsub_4f6a.down.sql", wrapped(DOWN)),
        ],
    }
}

/// A lock that is not had in time fails the migration, which leaves nothing behind; that needs a transaction of the tool or of the file.
async fn waits_no_longer_than_it_says(tool: Tool) {
    let [first, second] = match tool {
        Tool::Sqlx => ["0001_a.up.sql", "0002_b.up.sql"],
        Tool::Refinery => ["V1__a.sql", "V2__b.sql"],
        Tool::Diesel => ["00000000000001_a/up.sql", "00000000000002_b/up.sql"],
        Tool::Dbmate => ["0001_a.sql", "0002_b.sql"],
        Tool::Plain | Tool::GolangMigrate => ["0001_a.up.sql", "0002_b.up.sql"],
    };
    let around = |sql: &str| match tool {
        Tool::Dbmate => format!("-- migrate:up\n{sql}\n-- migrate:down\n"),
        Tool::Plain | Tool::GolangMigrate => format!("BEGIN;\n{sql}\nCOMMIT;\n"),
        Tool::Sqlx | Tool::Refinery | Tool::Diesel => sql.to_owned(),
    };
    let table = around("CREATE TABLE t1 ();");
    let alter =
        around("SET LOCAL lock_timeout = '50ms';\nCREATE TABLE t2 ();\nALTER TABLE t1 ADD a int;");
    let project = Project::new(tool, &[(first, &table)]).await;
    project.up().await.expect("the table");
    project.write(second, &alter);
    let holder = project.database().connect().await.expect("a session");
    let lock = "BEGIN; LOCK TABLE t1 IN ROW EXCLUSIVE MODE";
    holder.batch_execute(lock).await.expect("the lock");
    let error = project.refused().await;
    assert!(error.contains("lock timeout"), "{error}");
    assert_eq!(project.tables().await, ["t1"]);
    holder.batch_execute("COMMIT").await.expect("the commit");
    if tool != Tool::GolangMigrate {
        // That one wants somebody to say that it is not dirty.
        project.up().await.expect("nobody holds the lock any more");
        assert_eq!(project.tables().await, ["t1", "t2"]);
    }
}

async fn works(tool: Tool) {
    let project = Project::new(tool, &[]).await;
    for (path, text) in layout(tool) {
        project.write(path, &text);
    }
    project.up().await.expect("the first time up");
    assert_eq!(project.tables().await, ["t1", "t2"]);
    let told = "INSERT INTO t2 VALUES (1) RETURNING told";
    assert_eq!(project.texts(told).await, ["a; b;"]);
    let applied = project.applied().await;
    let number = match tool {
        Tool::GolangMigrate => 1,
        _ => 2,
    };
    assert_eq!(applied.len(), number, "{applied:?}");

    project.up().await.expect("nothing to do");
    assert_eq!(project.applied().await, applied);

    project.down(1).await.expect("one back");
    assert_eq!(project.tables().await, ["t1"]);
    assert_ne!(project.applied().await, applied);

    project.up().await.expect("up again");
    assert_eq!(project.applied().await, applied);
    project.down(2).await.expect("both back");
    assert_eq!(project.tables().await, [""; 0]);
    assert_eq!(project.applied().await, [""; 0]);
    let functions = "SELECT proname::text FROM pg_proc WHERE proname LIKE 'capture%'";
    assert_eq!(project.texts(functions).await, [""; 0]);
}

#[tokio::test]
async fn sqlx_applies_its_layout_takes_it_back_and_stops_at_a_lock() {
    works(Tool::Sqlx).await;
    waits_no_longer_than_it_says(Tool::Sqlx).await;
}

#[tokio::test]
async fn refinery_applies_its_layout_leaves_the_down_file_to_us_and_stops_at_a_lock() {
    works(Tool::Refinery).await;
    waits_no_longer_than_it_says(Tool::Refinery).await;
}

#[tokio::test]
async fn diesel_applies_its_layout_takes_it_back_and_stops_at_a_lock() {
    works(Tool::Diesel).await;
    waits_no_longer_than_it_says(Tool::Diesel).await;
}

#[tokio::test]
async fn dbmate_applies_its_layout_takes_it_back_and_stops_at_a_lock() {
    works(Tool::Dbmate).await;
    waits_no_longer_than_it_says(Tool::Dbmate).await;
}

#[tokio::test]
async fn psql_applies_the_plain_layout_takes_it_back_and_stops_at_a_lock() {
    works(Tool::Plain).await;
    waits_no_longer_than_it_says(Tool::Plain).await;
}

#[tokio::test]
async fn golang_migrate_applies_its_layout_takes_it_back_and_stops_at_a_lock() {
    match Tool::GolangMigrate.installed() {
        Ok(()) => {
            works(Tool::GolangMigrate).await;
            waits_no_longer_than_it_says(Tool::GolangMigrate).await;
        }
        Err(error) => eprintln!("skipped: {error}"),
    }
}
