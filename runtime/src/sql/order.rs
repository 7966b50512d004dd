//! Statements for what comes key by key.

use super::claimed::claimed;
use super::{Part, Sql};

impl Sql {
    /// So many keys are looked at by one statement, at the most.
    pub(crate) const HEADS: i32 = 256;

    /// The first notification of each key behind one, in the order of the keys: `walk`, with the number of each, and whether
    /// it is `ready`, a condition on `n`. No more than are asked for are read, and of a key only the first, however many
    /// wait behind it.
    pub(super) fn heads(&self, group: &str, after: &str, floor: &str, ready: &str) -> String {
        let head = |after: &str, place: &str| {
            format!(
                "SELECT \"n\".\"order_key\", {ready} AS \"ready\", {place} AS \"place\" FROM {}.\"notification\" AS \"n\" \
                 WHERE \"n\".\"listener_group\" = {group} AND \"n\".\"order_key\" > {after} AND \"n\".\"id\" > {floor} \
                 ORDER BY \"n\".\"order_key\", \"n\".\"id\" LIMIT 1",
                self.schema
            )
        };
        format!(
            "WITH RECURSIVE \"walk\" AS (({}) UNION ALL \
               SELECT \"head\".* FROM \"walk\" CROSS JOIN LATERAL ({}) AS \"head\" WHERE \"walk\".\"place\" < {})",
            head(after, "1"),
            head("\"walk\".\"order_key\"", "\"walk\".\"place\" + 1"),
            Self::HEADS
        )
    }

    /// Keys whose first notification has failed, with that and the number of those behind it.
    pub(crate) fn blocked_keys(&self) -> String {
        format!(
            "SELECT \"n\".\"listener_group\", \"n\".\"order_key\", \"n\".\"channel\", \"n\".\"id\", \"n\".\"attempts\", \"n\".\"last_error\", \"n\".\"not_before\", \
               (SELECT pg_catalog.count(*) FROM {0}.\"notification\" AS \"b\" WHERE \"b\".\"listener_group\" = \"n\".\"listener_group\" \
                 AND \"b\".\"order_key\" = \"n\".\"order_key\" AND \"b\".\"id\" > \"n\".\"id\") AS \"behind\" \
             FROM {0}.\"notification\" AS \"n\" WHERE \"n\".\"order_key\" <> '' AND \"n\".\"attempts\" > 0 \
               AND NOT EXISTS (SELECT FROM {0}.\"notification\" AS \"f\" WHERE \"f\".\"listener_group\" = \"n\".\"listener_group\" \
                 AND \"f\".\"order_key\" = \"n\".\"order_key\" AND \"f\".\"id\" < \"n\".\"id\") \
             ORDER BY \"n\".\"listener_group\", \"n\".\"order_key\"",
            self.schema
        )
    }

    /// Takes hold of keys whose first notification can be claimed: the first of two statements, which go out together.
    ///
    /// `$1` group, `$2` channels and operations, `$3` the highest version of each that can be read, `$4` the id behind which
    /// to look, `$5` how many keys at most, `$6` the key behind which to look, `$7` filter as JSON text if `filtered`. Returns
    /// how many it holds, how many rows that and a mark at the last of [`Sql::HEADS`] are, the last key of these, and its number.
    ///
    /// A key is held until the transaction ends, by an advisory lock, as a row lock could not keep others from what is before
    /// that row or comes to be there. Nobody waits for it. The keys are left in a setting, as they are to be read with a new
    /// snapshot: only that shows for certain what was done by the one who held a key before.
    pub(crate) fn hold_keys(&self, filtered: bool) -> String {
        let heads = self.heads(
            "$1",
            "$6::text",
            "$4::bigint",
            &format!(
                "({})",
                self.claimable(Part::Ordered, filtered.then_some("$7"))
            ),
        );
        let lock = self.lock_of_key("\"order_key\"");
        format!(
            "{heads} SELECT pg_catalog.set_config('pgpubsub.held', coalesce(pg_catalog.array_agg(\"order_key\") FILTER (WHERE \"held\"), '{{}}')::text, true), \
               pg_catalog.count(*) FILTER (WHERE \"held\") AS \"holds\", pg_catalog.count(*) AS \"rows\", \
               pg_catalog.max(\"order_key\") AS \"last\", pg_catalog.max(\"place\") AS \"looked_at\" \
             FROM (SELECT * FROM (SELECT \"order_key\", \"place\", CASE WHEN \"ready\" THEN {lock} ELSE false END AS \"held\" FROM \"walk\" OFFSET 0) AS \"tried\" \
               WHERE \"held\" OR \"place\" = {} LIMIT $5::bigint) AS \"keys\"",
            Self::HEADS
        )
    }

    /// `$1` group, `$2` key: whether this transaction holds it now.
    pub(crate) fn hold_key(&self) -> String {
        format!("SELECT {}", self.lock_of_key("$2::text"))
    }

    /// With the group as `$1`.
    fn lock_of_key(&self, key: &str) -> String {
        format!(
            "pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended({} || $1 || ' ' || {key}, 0))",
            quote_literal(&format!("{} ", self.schema))
        )
    }

    /// The second statement: the first notifications of each key that is held, by id, with their `place` in it. What cannot be
    /// claimed, because it is not due, not for this code or locked, is left out: what comes behind such a gap must wait.
    ///
    /// Parameters as for [`Sql::claim`]; the keys share `$5`.
    pub(crate) fn take_of_keys(&self, filtered: bool) -> String {
        let held = "pg_catalog.current_setting('pgpubsub.held')::text[]";
        format!(
            "SELECT \"claimed\".*, \"held\".\"key\", \"first\".\"place\" FROM pg_catalog.unnest({held}) AS \"held\" (\"key\") \
             CROSS JOIN LATERAL (SELECT \"id\", pg_catalog.row_number() OVER (ORDER BY \"order_key\", \"id\") AS \"place\" \
               FROM (SELECT \"n\".\"id\", \"n\".\"order_key\" FROM {0}.\"notification\" AS \"n\" \
                 WHERE \"n\".\"listener_group\" = $1 AND \"n\".\"order_key\" >= \"held\".\"key\" AND \"n\".\"order_key\" <= \"held\".\"key\" \
                   AND \"n\".\"id\" > $4::bigint ORDER BY \"n\".\"order_key\", \"n\".\"id\" \
                 LIMIT greatest(1, $5::bigint / pg_catalog.cardinality({held}))) AS \"of_key\") AS \"first\" \
             CROSS JOIN LATERAL (SELECT {2} FROM {0}.\"notification\" AS \"n\" \
               WHERE \"n\".\"listener_group\" = $1 AND \"n\".\"id\" = \"first\".\"id\" AND {1} \
               LIMIT 1 FOR UPDATE SKIP LOCKED) AS \"claimed\"",
            self.schema,
            self.claimable(Part::Ordered, filtered.then_some("$7")),
            claimed("$6")
        )
    }
}

fn quote_literal(text: &str) -> String {
    // Only for a hash: what a backslash means is not the same everywhere.
    format!("'{}'", text.replace('\\', "/").replace('\'', "''"))
}
