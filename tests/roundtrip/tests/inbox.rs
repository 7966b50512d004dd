//! The inbox that the generator writes is the one that the runtime knows.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

mod support;

use pgpubsub_roundtrip::pubsub::CATALOG;
use pgpubsub_runtime::Inbox;
use support::Fixture;

#[tokio::test]
async fn the_inbox_of_the_migration_is_that_of_create_table_and_remembers() {
    let fixture = Fixture::migrated().await;
    fixture.sql("CREATE SCHEMA elsewhere").await;
    let elsewhere = Inbox::in_schema("elsewhere", "sender").create_table();
    fixture.sql(&elsewhere).await;
    let differences = "SELECT count(*) FROM (
        SELECT n.nspname, a.attname, a.atttypid, a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
            (SELECT array_agg(pg_get_indexdef(i.indexrelid, 0, true) ORDER BY 1) FROM pg_index AS i WHERE i.indrelid = c.oid)
        FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
        LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relname = 'inbox' AND a.attnum > 0) AS x (schema, name, type, not_null, value, indexes)
        GROUP BY name, type, not_null, value, replace(indexes::text, schema || '.', '') HAVING count(*) <> 2";
    let rows = fixture.writer.query(differences, &[]).await.unwrap();
    assert!(rows.is_empty(), "{rows:?}");
    let inbox = Inbox::of(&CATALOG, "sender");
    assert!(inbox.once(&fixture.writer, "1").await.unwrap());
    assert!(!inbox.once(&fixture.writer, "1").await.unwrap());
}
