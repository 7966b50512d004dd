//! Reads the storage: its tables, and what they hold as far as this role may see it.

use tokio_postgres::{Error, Transaction};

use crate::live::snapshot::{Content, Storage};
use crate::plan::ident::sql_ident;

const SCHEMA: &str = "
    SELECT EXISTS (SELECT FROM pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) AS a
            WHERE a.grantee = 0 AND a.privilege_type = 'USAGE'),
        coalesce((SELECT pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(c.relowner)) FROM pg_catalog.pg_class AS c
            WHERE c.relnamespace = n.oid AND c.relname = 'notification'),
            pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(n.nspowner))),
        pg_catalog.has_schema_privilege(n.oid, 'USAGE')
    FROM pg_catalog.pg_namespace AS n WHERE n.nspname = $1";

const TABLES: &str = "
    SELECT c.relname::text, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod),
        pg_catalog.has_table_privilege(c.oid, 'SELECT')
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')";

const INDEXES: &str = "
    SELECT c.relname::text FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND i.indisvalid";
const SETTINGS: &str = "
    SELECT o.prefix || s.option_name, s.option_value
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid
    CROSS JOIN LATERAL (VALUES ('', c.reloptions), ('toast.', t.reloptions)) AS o (prefix, options)
    CROSS JOIN LATERAL pg_catalog.pg_options_to_table(o.options) AS s
    WHERE n.nspname = $1 AND c.relname = 'notification'";

/// `None`: there is no such schema.
pub(super) async fn read(
    transaction: &Transaction<'_>,
    schema: &str,
    notes: &mut Vec<String>,
) -> Result<Option<Storage>, Error> {
    let Some(row) = transaction.query_opt(SCHEMA, &[&schema]).await? else {
        return Ok(None);
    };
    let mut storage = Storage {
        usage_public: row.get(0),
        owner: row.get(1),
        ..Storage::default()
    };
    let mut readable = row.get(2);
    for row in transaction.query(TABLES, &[&schema]).await? {
        let table: String = row.get(0);
        if ["storage", "listener", "notification", "schedule"].contains(&table.as_str()) {
            readable &= row.get::<_, bool>(3);
        }
        let columns = storage.tables.entry(table).or_default();
        columns.insert(row.get(1), row.get(2));
    }
    for row in transaction.query(INDEXES, &[&schema]).await? {
        storage.indexes.insert(row.get(0));
    }
    for row in transaction.query(SETTINGS, &[&schema]).await? {
        storage.settings.insert(row.get(0), row.get(1));
    }
    if readable {
        storage.content = Some(content(transaction, schema, &storage).await?);
    } else {
        notes.push(format!(
            "this role may not read the tables of the storage {schema}: its format, the registry and what waits were not looked at"
        ));
    }
    Ok(Some(storage))
}

async fn content(
    transaction: &Transaction<'_>,
    schema: &str,
    storage: &Storage,
) -> Result<Content, Error> {
    let schema = sql_ident(schema);
    // A table of another format is reported as such, and not read.
    let has = |table: &str, columns: &[&str]| {
        storage
            .tables
            .get(table)
            .is_some_and(|there| columns.iter().all(|column| there.contains_key(*column)))
    };
    let mut content = Content::default();
    if has("storage", &["version"]) {
        let sql = format!("SELECT \"version\"::integer FROM {schema}.\"storage\" LIMIT 1");
        content.version = transaction
            .query_opt(&sql, &[])
            .await?
            .and_then(|row| row.get(0));
    }
    if has("listener", &["name", "channel", "listener_group", "ops"]) {
        let sql = format!(
            "SELECT \"name\"::text, \"channel\"::text, \"listener_group\"::text, \"ops\"::text[] FROM {schema}.\"listener\""
        );
        for row in transaction.query(&sql, &[]).await? {
            content
                .listeners
                .insert((row.get(0), row.get(1)), (row.get(2), row.get(3)));
        }
    }
    const COLUMNS: [&str; 6] = ["cron", "timezone", "every", "missed", "function", "message"];
    if has("schedule", &COLUMNS) {
        // As the plan writes it.
        let every = "(extract(epoch FROM \"every\") * 1000)::bigint || ' milliseconds'";
        let sql = format!(
            "SELECT \"channel\"::text, \"cron\"::text, \"timezone\"::text, {every}, \"missed\"::text, \"function\"::text, \"message\"::text \
             FROM {schema}.\"schedule\""
        );
        for row in transaction.query(&sql, &[]).await? {
            let values = COLUMNS
                .iter()
                .zip(1..)
                .map(|(column, place)| (*column, row.get(place)));
            content.schedules.insert(row.get(0), values.collect());
        }
    }
    if has("notification", &["channel", "model_version"]) {
        let sql = format!(
            "SELECT \"channel\"::text, \"model_version\"::integer, pg_catalog.count(*) FROM {schema}.\"notification\" GROUP BY 1, 2 ORDER BY 1, 2"
        );
        for row in transaction.query(&sql, &[]).await? {
            content.waiting.push((row.get(0), row.get(1), row.get(2)));
        }
    }
    Ok(content)
}
