//! Reads the catalogs.

use std::collections::BTreeMap;

use tokio_postgres::{Client, Row};

use super::session::chain;
use crate::import::{Catalog, Column, Kind, Table, TypeInfo};

/// With an empty search path, every name that is not PostgreSQL's own is printed with its schema.
const BEGIN: &str = "BEGIN READ ONLY; SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '60s'";

const TABLES: &str = "
    SELECT c.oid, n.nspname::text, c.relname::text, c.relkind::text, pg_catalog.obj_description(c.oid, 'pg_class'), c.relispartition,
        EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS s WHERE s.relnamespace = n.oid AND s.relname = 'notification'
            AND EXISTS (SELECT FROM pg_catalog.pg_class AS t WHERE t.relnamespace = n.oid AND t.relname = 'spill'))
    ORDER BY n.nspname, c.relname";

/// Columns of tables and attributes of composite types.
const COLUMNS: &str = "
    SELECT a.attrelid, a.attname::text, a.atttypid, pg_catalog.format_type(a.atttypid, a.atttypmod),
        a.attnotnull OR (t.typtype = 'd' AND t.typnotnull),
        EXISTS (SELECT FROM pg_catalog.pg_index AS i WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey)),
        a.attgenerated::text, pg_catalog.col_description(a.attrelid, a.attnum)
    FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
    WHERE a.attnum > 0 AND NOT a.attisdropped AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
    ORDER BY a.attrelid, a.attnum";

/// Arrays, and every type that is not PostgreSQL's own.
const TYPES: &str = "
    SELECT t.oid, n.nspname::text, t.typname::text, t.typtype::text, pg_catalog.obj_description(t.oid, 'pg_type'),
        EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'),
        t.typcategory = 'A' AND t.typelem <> 0, t.typelem, t.typbasetype,
        CASE WHEN t.typbasetype <> 0 THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END, t.typrelid
    FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
    WHERE n.nspname <> 'pg_catalog' OR t.typcategory = 'A'
    ORDER BY t.oid";

const LABELS: &str =
    "SELECT enumtypid, enumlabel::text FROM pg_catalog.pg_enum ORDER BY enumtypid, enumsortorder";

/// The catalogs, as of one moment; nothing is written.
pub(crate) async fn read(client: &mut Client) -> anyhow::Result<Catalog> {
    let failed = |error| anyhow::anyhow!("cannot read the catalogs: {}", chain(&error));
    client.batch_execute(BEGIN).await.map_err(failed)?;
    let mut columns: BTreeMap<u32, Vec<Column>> = BTreeMap::new();
    for row in client.query(COLUMNS, &[]).await.map_err(failed)? {
        columns.entry(row.get(0)).or_default().push(column(&row));
    }
    let tables = client.query(TABLES, &[]).await.map_err(failed)?;
    let tables = tables
        .iter()
        .map(|row| Table {
            schema: row.get(1),
            name: row.get(2),
            kind: match row.get(3) {
                "p" => Kind::Partitioned,
                "v" => Kind::View,
                "m" => Kind::MaterializedView,
                "f" => Kind::Foreign,
                _ => Kind::Table,
            },
            doc: row.get(4),
            is_partition: row.get(5),
            of_extension: row.get(6),
            columns: columns.get(&row.get(0)).cloned().unwrap_or_default(),
        })
        .collect();
    let mut labels: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for row in client.query(LABELS, &[]).await.map_err(failed)? {
        labels.entry(row.get(0)).or_default().push(row.get(1));
    }
    let mut types = BTreeMap::new();
    for row in client.query(TYPES, &[]).await.map_err(failed)? {
        let oid: u32 = row.get(0);
        let text: Option<String> = row.get(9);
        types.insert(
            oid,
            TypeInfo {
                schema: row.get(1),
                name: row.get(2),
                kind: first(&row, 3),
                doc: row.get(4),
                of_extension: row.get(5),
                element: row.get::<_, bool>(6).then(|| row.get(7)),
                base: text.map(|text| (row.get(8), text)),
                labels: labels.remove(&oid).unwrap_or_default(),
                attributes: columns.get(&row.get(10)).cloned().unwrap_or_default(),
            },
        );
    }
    client.batch_execute("COMMIT").await.map_err(failed)?;
    Ok(Catalog { tables, types })
}

fn column(row: &Row) -> Column {
    Column {
        name: row.get(1),
        ty: row.get(2),
        type_text: row.get(3),
        not_null: row.get(4),
        primary_key: row.get(5),
        generated: first(row, 6),
        doc: row.get(7),
    }
}

/// The one character of a `"char"`.
fn first(row: &Row, index: usize) -> char {
    row.get::<_, &str>(index).chars().next().unwrap_or(' ')
}
