//! Statements that keep what was processed.

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

/// The columns of [`KEPT`] of a table.
fn kept(of: &str) -> String {
    KEPT.map(|column| format!("{of}\"{column}\"")).join(", ")
}

impl Sql {
    /// As [`Sql::remove`], and keeps them: `$5` channels that keep theirs, `$6` for how many seconds each, `$7` ids that are removed
    /// only.
    pub(crate) fn keep(&self) -> String {
        let delete = format!(
            "DELETE FROM {} AS \"n\" WHERE \"listener_group\" = $1 AND \"id\" = ANY ($2::bigint[]) \
               AND \"id\" >= $3::bigint AND \"id\" <= $4::bigint",
            self.name("notification")
        );
        self.keeping(&delete, "$5", "$6", "\"done\".\"id\" <> ALL ($7::bigint[])")
    }

    /// As [`Sql::remove_scattered`], and keeps them: `$3` channels that keep theirs, `$4` for how many seconds each, `$5` ids that
    /// are removed only.
    pub(crate) fn keep_scattered(&self) -> String {
        let delete = self.remove_scattered();
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
