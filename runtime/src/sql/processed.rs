//! Statements that keep what was processed, and put it back.

use super::Sql;

/// What a notification is, as long as it waits and after that.
const KEPT: [&str; 11] = [
    "id",
    "listener_group",
    "channel",
    "op",
    "model_version",
    "db_version",
    "txid",
    "created_at",
    "payload",
    "context",
    "order_key",
];

/// What a filter asks for: `$1` id, `$2` channel, `$3` group, `$4` and `$5` when it was processed, `$6` and `$7` when it was written,
/// each perhaps null.
const FILTER: &str = "($1::bigint IS NULL OR \"id\" = $1) AND ($2::text IS NULL OR \"channel\" = $2) \
     AND ($3::text IS NULL OR \"listener_group\" = $3) \
     AND ($4::timestamptz IS NULL OR \"processed_at\" >= $4) AND ($5::timestamptz IS NULL OR \"processed_at\" < $5) \
     AND ($6::timestamptz IS NULL OR \"created_at\" >= $6) AND ($7::timestamptz IS NULL OR \"created_at\" < $7)";

/// The columns of [`KEPT`] of a table.
fn kept(of: &str) -> String {
    KEPT.map(|column| format!("{of}\"{column}\"")).join(", ")
}

impl Sql {
    /// As [`Sql::remove`], and keeps them: `$3` channels that keep theirs, `$4` for how many seconds each, `$5` ids that are removed
    /// only.
    pub(crate) fn keep(&self) -> String {
        let delete = self.remove();
        self.keeping(&delete, "$3", "$4", "\"done\".\"id\" <> ALL ($5::bigint[])")
    }

    /// As [`Sql::remove_written`], and keeps them: `$3` channels that keep theirs, `$4` for how many seconds each, `$5` ids that
    /// are removed only.
    pub(crate) fn keep_written(&self) -> String {
        let delete = self.remove_written();
        self.keeping(&delete, "$3", "$4", "\"done\".\"id\" <> ALL ($5::bigint[])")
    }

    /// As [`Sql::remove_leased`], and keeps it: `$4` channels that keep theirs, `$5` for how many seconds each.
    pub(crate) fn keep_leased(&self) -> String {
        let delete = format!(
            "DELETE FROM {} AS \"n\" WHERE \"listener_group\" = $1 AND \"id\" = $2 AND \"attempts\" = $3",
            self.name("notification")
        );
        self.keeping(&delete, "$4", "$5", "true")
    }

    /// What `delete` takes from the notifications `"n"` goes to the processed ones, in one statement: it is always in one of the
    /// tables. Gives a row, if anything was taken.
    fn keeping(&self, delete: &str, channels: &str, seconds: &str, condition: &str) -> String {
        format!(
            "WITH \"done\" AS ({delete} RETURNING {}), \
             \"kept\" AS (\
               INSERT INTO {} (\"retention\", {}) SELECT \"keeps\".\"retention\", {} FROM \"done\" \
               JOIN ROWS FROM (pg_catalog.unnest({channels}::text[]), pg_catalog.unnest({seconds}::bigint[])) AS \"keeps\" (\"channel\", \"retention\") \
                 ON \"keeps\".\"channel\" = \"done\".\"channel\" WHERE {condition}) \
             SELECT FROM \"done\" LIMIT 1",
            kept("\"n\"."),
            self.name("processed"),
            kept(""),
            kept("\"done\"."),
        )
    }

    /// `$1` to `$7`, see [`FILTER`].
    pub(crate) fn count_processed(&self) -> String {
        format!(
            "SELECT pg_catalog.count(*) FROM {} WHERE {FILTER}",
            self.name("processed")
        )
    }

    /// `$1` to `$7`, see [`FILTER`]; `$8` time at which they were there, `$9` group and `$10` number behind which to go on, `$11` how
    /// many at most: puts them back as new ones, or under their numbers. Gives how many were put back, how many were looked at, and
    /// the last of those.
    ///
    /// One statement, so that a notification is never in both tables and never in none.
    pub(crate) fn replay(&self, keep_ids: bool) -> String {
        let (waiting, processed) = (self.name("notification"), self.name("processed"));
        let (all, kept) = (kept(""), KEPT[1..].join("\", \""));
        let (insert, conflict, moved) = match keep_ids {
            false => (
                format!("(\"{kept}\") SELECT \"{kept}\""),
                "RETURNING true",
                "\"picked\"",
            ),
            true => (
                // What was stored for later is found by its time.
                format!(
                    "({all}, \"not_before\") OVERRIDING SYSTEM VALUE \
                     SELECT {all}, CASE WHEN \"id\" < 0 THEN '-infinity'::timestamptz END"
                ),
                "ON CONFLICT DO NOTHING RETURNING \"listener_group\", \"id\"",
                "\"put\" JOIN \"picked\" USING (\"listener_group\", \"id\")",
            ),
        };
        format!(
            "WITH \"picked\" AS (\
               SELECT \"processed_at\", {all} FROM {processed} \
               WHERE {FILTER} AND \"processed_at\" <= $8::timestamptz AND (\"listener_group\", \"id\") > ($9::text, $10::bigint) \
               ORDER BY \"listener_group\", \"id\" LIMIT $11::bigint FOR UPDATE SKIP LOCKED), \
             \"put\" AS (\
               INSERT INTO {waiting} {insert} FROM \"picked\" ORDER BY \"listener_group\", \"id\" {conflict}), \
             \"moved\" AS (SELECT \"listener_group\", \"id\", \"processed_at\" FROM {moved}), \
             \"gone\" AS (\
               DELETE FROM {processed} AS \"p\" USING \"moved\" \
               WHERE \"p\".\"listener_group\" = \"moved\".\"listener_group\" AND \"p\".\"id\" = \"moved\".\"id\" \
                 AND \"p\".\"processed_at\" = \"moved\".\"processed_at\") \
             SELECT (SELECT pg_catalog.count(*) FROM \"put\") AS \"put\", (SELECT pg_catalog.count(*) FROM \"picked\") AS \"picked\", \
               \"last\".\"listener_group\", \"last\".\"id\" \
             FROM (SELECT) AS \"one\" LEFT JOIN LATERAL (\
               SELECT \"listener_group\", \"id\" FROM \"picked\" ORDER BY \"listener_group\" DESC, \"id\" DESC LIMIT 1) AS \"last\" ON true"
        )
    }

    /// The table of processed notifications, and the function that makes and drops its partitions, as texts.
    pub(crate) fn processed(&self) -> (String, String) {
        let function = self.name("maintain_processed");
        (
            self.name("processed"),
            format!("{function}(bigint[], timestamptz)"),
        )
    }

    /// `$1` and `$2`: [`Sql::processed`]. Whether the table is there, and whether this role may call the function.
    pub(crate) const KEEPS_PROCESSED: &str = "SELECT pg_catalog.to_regclass($1) IS NOT NULL, \
         coalesce(pg_catalog.has_function_privilege(pg_catalog.to_regprocedure($2)::oid, 'EXECUTE'), false)";

    /// `$1` for how many seconds something is kept.
    pub(crate) fn maintain_processed(&self) -> String {
        format!(
            "SELECT {}($1::bigint[], NULL)",
            self.name("maintain_processed")
        )
    }
}
