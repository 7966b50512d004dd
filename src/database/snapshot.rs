//! Reads what the live check compares. Nothing here locks a table of the user's in a way that a writer could notice.

use std::collections::BTreeMap;

use tokio_postgres::{Client, Row, Transaction};

use super::session::chain;
use super::{storage, trials};
use crate::live::snapshot::{Column, Function, Snapshot, Table, Trigger, Type};
use crate::model::QualifiedName;
use crate::plan::Plan;

/// One moment for all catalogs. With this search path, every name that is not PostgreSQL's own is printed with its schema.
const BEGIN: &str =
    "SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL quote_all_identifiers = off";

const FUNCTIONS: &str = "
    SELECT p.proname::text, ARRAY(SELECT t.typname::text FROM pg_catalog.unnest(p.proargtypes) WITH ORDINALITY AS a (oid, place)
            JOIN pg_catalog.pg_type AS t ON t.oid = a.oid ORDER BY a.place),
        coalesce(p.proargnames, '{}'), r.typname::text, l.lanname::text, p.provolatile::text, p.prosecdef, coalesce(p.proconfig, '{}'),
        p.prosrc, pg_catalog.obj_description(p.oid, 'pg_proc'),
        EXISTS (SELECT FROM pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) AS a
            WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE'),
        pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(p.proowner)),
        coalesce((SELECT pg_catalog.has_table_privilege(p.proowner, c.oid, 'INSERT') FROM pg_catalog.pg_class AS c
            WHERE c.relnamespace = p.pronamespace AND c.relname = 'notification'), true),
        coalesce(pg_catalog.pg_get_expr(p.proargdefaults, 0), '')
    FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
    JOIN pg_catalog.pg_type AS r ON r.oid = p.prorettype JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
    WHERE n.nspname = $1 AND p.prokind = 'f' ORDER BY p.proname, p.oid";

/// Copies on partitions are counted with the trigger that they are of.
const TRIGGERS: &str = "
    SELECT n.nspname::text, c.relname::text, t.tgname::text, f.nspname::text, p.proname::text, t.tgenabled::text,
        t.tgrelid, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
        t.tgconstraint <> 0, pg_catalog.obj_description(t.oid, 'pg_trigger'),
        ARRAY(WITH RECURSIVE copies AS (
                SELECT k.oid, k.tgrelid, k.tgenabled FROM pg_catalog.pg_trigger AS k WHERE k.tgparentid = t.oid
                UNION ALL SELECT k.oid, k.tgrelid, k.tgenabled FROM pg_catalog.pg_trigger AS k JOIN copies ON k.tgparentid = copies.oid)
            SELECT pg_catalog.quote_ident(kn.nspname) || '.' || pg_catalog.quote_ident(kc.relname) FROM copies
            JOIN pg_catalog.pg_class AS kc ON kc.oid = copies.tgrelid JOIN pg_catalog.pg_namespace AS kn ON kn.oid = kc.relnamespace
            WHERE copies.tgenabled = 'D' AND t.tgenabled <> 'D' ORDER BY 1)
    FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid JOIN pg_catalog.pg_namespace AS f ON f.oid = p.pronamespace
    WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND (f.nspname = $1 OR t.tgname ~ '^(zz_)?pgpubsub_')
    ORDER BY n.nspname, c.relname, t.tgname";

/// The one thing in the catalogs that locks a table to be read, in ACCESS SHARE.
const DEFINITIONS: &str =
    "SELECT t.tgname::text, pg_catalog.pg_get_triggerdef(t.oid) FROM pg_catalog.pg_trigger AS t
    WHERE t.tgrelid = $1 AND t.tgname::text = ANY ($2)";

const TABLES: &str = "
    SELECT n.nspname::text, c.relname::text, c.relkind::text, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod),
        a.attnotnull OR (t.typtype = 'd' AND t.typnotnull),
        EXISTS (SELECT FROM pg_catalog.pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey))
    FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS wanted (schema, name)
    JOIN pg_catalog.pg_namespace AS n ON n.nspname = wanted.schema
    JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.name
    LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid";

const TYPES: &str = "
    SELECT n.nspname::text, t.typname::text, t.typtype::text,
        ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder),
        ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum),
        ARRAY(SELECT pg_catalog.format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum),
        CASE WHEN t.typbasetype <> 0 THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END
    FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS wanted (schema, name)
    JOIN pg_catalog.pg_namespace AS n ON n.nspname = wanted.schema
    JOIN pg_catalog.pg_type AS t ON t.typnamespace = n.oid AND t.typname = wanted.name";

/// Roles and databases whose sessions fire no trigger.
const REPLICAS: &str = "
    SELECT coalesce('role ' || r.rolname, 'every role') || coalesce(' in the database ' || d.datname, ''), setting
    FROM pg_catalog.pg_db_role_setting AS s CROSS JOIN pg_catalog.unnest(s.setconfig) AS setting
    LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
    WHERE setting LIKE 'session\\_replication\\_role=%' AND setting <> 'session_replication_role=origin'
        AND (d.oid IS NULL OR d.datname = pg_catalog.current_database())
    UNION ALL SELECT 'this session', 'session_replication_role=' || pg_catalog.current_setting('session_replication_role')
    WHERE pg_catalog.current_setting('session_replication_role') = 'replica'
    ORDER BY 1";

/// What a database holds, and what it says to the expressions of the plan.
pub(crate) async fn read(client: &mut Client, plan: &Plan) -> anyhow::Result<Snapshot> {
    let mut snapshot = read_catalogs(client, plan)
        .await
        .map_err(|error| anyhow::anyhow!("cannot read the catalogs: {}", chain(&error)))?;
    trials::run(client, plan, &mut snapshot).await?;
    Ok(snapshot)
}

async fn read_catalogs(
    client: &mut Client,
    plan: &Plan,
) -> Result<Snapshot, tokio_postgres::Error> {
    let mut transaction = client
        .build_transaction()
        .isolation_level(tokio_postgres::IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await?;
    transaction.batch_execute(BEGIN).await?;
    trials::limit(&transaction, plan).await?;
    let mut snapshot = Snapshot::default();
    let live = &plan.live;
    for row in transaction.query(FUNCTIONS, &[&live.storage]).await? {
        snapshot.functions.push(function(&row));
    }
    let mut on_tables: BTreeMap<u32, (String, Vec<usize>)> = BTreeMap::new();
    for row in transaction.query(TRIGGERS, &[&live.storage]).await? {
        let definitions = on_tables
            .entry(row.get(6))
            .or_insert_with(|| (row.get(7), Vec::new()));
        definitions.1.push(snapshot.triggers.len());
        snapshot.triggers.push(trigger(&row));
    }
    for (table, (name, triggers)) in on_tables {
        define(&mut transaction, table, &name, &triggers, &mut snapshot).await?;
    }
    snapshot.tables = tables(&transaction, plan).await?;
    snapshot.types = types(&transaction, plan).await?;
    snapshot.storage = storage::read(&transaction, &live.storage, &mut snapshot.notes).await?;
    for row in transaction.query(REPLICAS, &[]).await? {
        let (who, setting): (String, String) = (row.get(0), row.get(1));
        snapshot.notes.push(format!(
            "{who} has {setting}: what it writes fires no trigger, but those with `fire: always` or `replica`"
        ));
    }
    transaction.rollback().await?;
    Ok(snapshot)
}

fn function(row: &Row) -> Function {
    Function {
        name: row.get(0),
        arguments: row.get(1),
        argument_names: row.get(2),
        defaults: row.get(13),
        returns: row.get(3),
        language: row.get(4),
        volatility: row.get(5),
        definer: row.get(6),
        settings: row.get(7),
        body: row.get(8),
        comment: row.get(9),
        public: row.get(10),
        owner: row.get(11),
        owner_may_store: row.get(12),
    }
}

fn trigger(row: &Row) -> Trigger {
    Trigger {
        table: QualifiedName {
            schema: row.get(0),
            name: row.get(1),
        },
        name: row.get(2),
        function: (row.get(3), row.get(4)),
        enabled: row.get(5),
        definition: None,
        constraint: row.get(8),
        comment: row.get(9),
        disabled_partitions: row.get(10),
    }
}

/// Definitions of the triggers on a table; what is locked is not waited for.
async fn define(
    transaction: &mut Transaction<'_>,
    table: u32,
    name: &str,
    triggers: &[usize],
    snapshot: &mut Snapshot,
) -> Result<(), tokio_postgres::Error> {
    let names: Vec<&str> = triggers
        .iter()
        .map(|index| snapshot.triggers[*index].name.as_str())
        .collect();
    let savepoint = transaction.savepoint("definitions").await?;
    match savepoint.query(DEFINITIONS, &[&table, &names]).await {
        Ok(rows) => {
            savepoint.commit().await?;
            let found: BTreeMap<String, String> =
                rows.iter().map(|row| (row.get(0), row.get(1))).collect();
            for index in triggers {
                let trigger = &mut snapshot.triggers[*index];
                let definition = found.get(&trigger.name);
                trigger.definition = definition.map(|text| without_names(text, name));
            }
        }
        Err(error) if trials::is_ours(&error) => {
            savepoint.rollback().await?;
            snapshot.notes.push(format!(
                "the definitions of the triggers on {name} were not compared: {}",
                chain(&error)
            ));
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// A definition without its table, which is another one on a copy, and without its function, which is compared by itself.
pub(super) fn without_names(definition: &str, table: &str) -> String {
    let text = definition.replacen(&format!(" ON {table} "), " ", 1);
    match text.rsplit_once(" EXECUTE FUNCTION ") {
        // Ours have no arguments.
        Some((text, call)) if call.ends_with("()") => text.to_owned(),
        _ => text,
    }
}

async fn tables(
    transaction: &Transaction<'_>,
    plan: &Plan,
) -> Result<BTreeMap<QualifiedName, Table>, tokio_postgres::Error> {
    let names = plan.live.tables.iter().map(|wanted| &wanted.table);
    let (schemas, names): (Vec<&str>, Vec<&str>) = names
        .map(|name| (name.schema.as_str(), name.name.as_str()))
        .unzip();
    let mut tables: BTreeMap<QualifiedName, Table> = BTreeMap::new();
    for row in transaction.query(TABLES, &[&schemas, &names]).await? {
        let name = QualifiedName {
            schema: row.get(0),
            name: row.get(1),
        };
        let table = tables.entry(name).or_default();
        table.kind = row.get(2);
        let Some(column) = row.get::<_, Option<String>>(3) else {
            continue;
        };
        if row.get(6) {
            table.primary_key.insert(column.clone());
        }
        table.columns.insert(
            column,
            Column {
                type_text: row.get(4),
                not_null: row.get(5),
            },
        );
    }
    Ok(tables)
}

async fn types(
    transaction: &Transaction<'_>,
    plan: &Plan,
) -> Result<BTreeMap<QualifiedName, Type>, tokio_postgres::Error> {
    let names = plan.live.types.iter().map(|wanted| &wanted.name);
    let (schemas, names): (Vec<&str>, Vec<&str>) = names
        .map(|name| (name.schema.as_str(), name.name.as_str()))
        .unzip();
    let rows = transaction.query(TYPES, &[&schemas, &names]).await?;
    Ok(rows
        .iter()
        .map(|row| {
            let name = QualifiedName {
                schema: row.get(0),
                name: row.get(1),
            };
            let ty = Type {
                kind: row.get(2),
                labels: row.get(3),
                attributes: row.get(4),
                attribute_types: row.get(5),
                base: row.get(6),
            };
            (name, ty)
        })
        .collect())
}
