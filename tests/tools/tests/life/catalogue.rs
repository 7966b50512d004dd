//! What is in a database: to compare it with what was there, and with what the schema says.

use std::collections::BTreeSet;

use pgpubsub_gen::live_findings;
use pgpubsub_gen::plan::Plan;
use tokio_postgres::Client;

/// Everything that a migration can touch, but for the tables of the tools, as text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Snapshot(BTreeSet<String>);

const CATALOGUE: &str = r"
    WITH spaces AS (
        SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    ), relations AS (
        SELECT c.* FROM pg_class AS c JOIN spaces AS s ON s.oid = relnamespace
        WHERE relname !~ '^(_sqlx|refinery|__diesel|schema_migrations|applied_by_hand)'
    )
    SELECT 'function ' || pg_get_functiondef(p.oid) || coalesce(proacl::text, '') || coalesce(obj_description(p.oid, 'pg_proc'), '')
        FROM pg_proc AS p JOIN spaces AS s ON s.oid = pronamespace
    UNION ALL SELECT 'trigger ' || pg_get_triggerdef(t.oid) || ' enabled ' || tgenabled::text
            || coalesce(obj_description(t.oid, 'pg_trigger'), '')
        FROM pg_trigger AS t JOIN relations AS r ON r.oid = tgrelid WHERE NOT tgisinternal
    UNION ALL SELECT 'relation ' || oid::regclass::text || ' ' || relkind::text || coalesce(relacl::text, '')
            || coalesce(obj_description(oid, 'pg_class'), '')
        FROM relations
    UNION ALL SELECT 'column ' || r.oid::regclass::text || '.' || attname || ' ' || format_type(atttypid, atttypmod)
            || attnotnull || attidentity::text || coalesce(pg_get_expr(adbin, adrelid), '') || coalesce(attacl::text, '')
            || coalesce(col_description(r.oid, attnum), '')
        FROM pg_attribute AS a JOIN relations AS r ON r.oid = attrelid
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attnum > 0 AND NOT attisdropped AND relkind <> 'i'
    UNION ALL SELECT 'constraint ' || r.oid::regclass::text || ' ' || conname || ' ' || pg_get_constraintdef(c.oid)
        FROM pg_constraint AS c JOIN relations AS r ON r.oid = conrelid
    UNION ALL SELECT 'schema ' || nspname || coalesce(nspacl::text, '') || coalesce(obj_description(n.oid, 'pg_namespace'), '')
        FROM pg_namespace AS n WHERE nspname !~ '^pg_(temp|toast)'";

impl Snapshot {
    pub(crate) async fn of(client: &Client) -> Self {
        let rows = client.query(CATALOGUE, &[]).await.expect("the catalogue");
        let mut lines: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
        // The registry of each storage, with its format.
        let storages = "SELECT quote_ident(n.nspname) FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
            WHERE relname = 'storage' AND relkind = 'r'";
        for row in client.query(storages, &[]).await.expect("the storages") {
            let schema: String = row.get(0);
            for table in ["storage", "listener"] {
                let query =
                    format!("SELECT '{schema} {table} ' || t::text FROM {schema}.{table} AS t");
                let rows = client.query(&query, &[]).await.expect("the registry");
                lines.extend(rows.iter().map(|row| row.get::<_, String>(0)));
            }
        }
        Self(lines)
    }

    /// Fails with what differs.
    pub(crate) fn is(&self, other: &Self, what: &str) {
        let gone: Vec<&String> = self.0.difference(&other.0).collect();
        let new: Vec<&String> = other.0.difference(&self.0).collect();
        assert!(
            gone.is_empty() && new.is_empty(),
            "{what}: was {gone:#?} is {new:#?}"
        );
    }
}

/// The live check finds nothing, and there is one storage.
pub(crate) async fn check(client: &Client, url: &str, plan: &Plan, what: &str) {
    let (owned, url) = (plan.clone(), url.to_owned());
    // It brings a runtime of its own.
    let findings = tokio::task::spawn_blocking(move || live_findings(&owned, &url)).await;
    let findings = findings.expect("it does not panic").expect("a session");
    assert_eq!(findings, [""; 0], "{what}");
    let storages = "SELECT count(*) FROM pg_class WHERE relname = 'notification' AND relkind = 'r'";
    let row = client.query_one(storages, &[]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 1, "{what}: storages");
}
