//! Statements on the quarantine.

use crate::sql::Sql;

/// What a notification is, there and here.
const KEPT: &str = "\"id\", \"listener_group\", \"channel\", \"op\", \"model_version\", \"db_version\", \"txid\", \"created_at\", \"payload\", \"context\"";

/// And how it is delivered.
const MANNER: &str = "\"priority\", \"order_key\", \"expires_at\", \"dedup_key\"";

/// The same for one that is put back. Who puts it back wants it delivered, also if it has expired meanwhile. Then it stands for
/// itself only: a message that is sent now must not be folded into it, as it would not be into any other that has expired.
const MANNER_AGAIN: &str = "\"priority\", \"order_key\", \
     CASE WHEN \"expires_at\" > pg_catalog.statement_timestamp() THEN \"expires_at\" END, \
     CASE WHEN \"expires_at\" <= pg_catalog.statement_timestamp() THEN NULL ELSE \"dedup_key\" END";

/// What a filter asks for: `$1` id, `$2` channel, `$3` group, each perhaps null.
const FILTER: &str = "($1::bigint IS NULL OR \"id\" = $1) AND ($2::text IS NULL OR \"channel\" = $2) \
     AND ($3::text IS NULL OR \"listener_group\" = $3)";

impl Sql {
    /// `$1` group, `$2` id, `$3` attempts, `$4` error, `$5` reason, `$6` limit or null: moves a notification to
    /// quarantine, in one statement, so that it is never in both tables and never in none.
    ///
    /// No row is affected if the quarantine is full, or has another of this id (the identity was set back by somebody).
    pub(crate) fn quarantine(&self) -> String {
        let (waiting, quarantine) = (self.name("notification"), self.name("quarantine"));
        format!(
            "WITH \"held\" AS (\
               SELECT {KEPT}, {MANNER} FROM {waiting} WHERE \"listener_group\" = $1::text AND \"id\" = $2::bigint FOR UPDATE), \
             \"moved\" AS (\
               INSERT INTO {quarantine} ({KEPT}, {MANNER}, \"attempts\", \"last_error\", \"reason\") \
               SELECT {KEPT}, {MANNER}, $3::integer, $4::text, $5::text FROM \"held\" \
               WHERE ($6::bigint IS NULL OR \
                 (SELECT pg_catalog.count(*) FROM (SELECT FROM {quarantine} LIMIT $6::bigint) AS \"there\") < $6::bigint) \
               ON CONFLICT DO NOTHING RETURNING \"listener_group\", \"id\") \
             DELETE FROM {waiting} AS \"w\" USING \"moved\" \
             WHERE \"w\".\"listener_group\" = \"moved\".\"listener_group\" AND \"w\".\"id\" = \"moved\".\"id\""
        )
    }

    /// `$1` to `$3` filter, `$4` number.
    pub(crate) fn quarantined(&self) -> String {
        self.select_quarantined("")
    }

    /// `$1` to `$3` filter, `$4` number: with what they carry.
    pub(crate) fn quarantined_whole(&self) -> String {
        self.select_quarantined(", \"payload\"::text, \"context\"")
    }

    fn select_quarantined(&self, more: &str) -> String {
        format!(
            "SELECT \"id\", \"listener_group\", \"channel\", \"op\", \"model_version\", \"db_version\", \"txid\"::text, \"created_at\", \
               \"attempts\", \"last_error\", \"reason\", \"quarantined_at\", {MANNER}{more} \
             FROM {} WHERE {FILTER} ORDER BY \"id\" LIMIT $4::bigint",
            self.name("quarantine")
        )
    }

    /// `$1` to `$3` filter, `$4` number, `$5` time: puts notifications back that were in quarantine at that time.
    pub(crate) fn redrive(&self) -> String {
        let (waiting, quarantine) = (self.name("notification"), self.name("quarantine"));
        format!(
            "WITH \"picked\" AS (\
               SELECT {KEPT}, {MANNER}, \"last_error\" FROM {quarantine} \
               WHERE {FILTER} AND \"quarantined_at\" <= $5::timestamptz ORDER BY \"id\" LIMIT $4::bigint FOR UPDATE SKIP LOCKED), \
             \"moved\" AS (\
               INSERT INTO {waiting} ({KEPT}, {MANNER}, \"last_error\", \"not_before\") OVERRIDING SYSTEM VALUE \
               SELECT {KEPT}, {MANNER_AGAIN}, \"last_error\", CASE WHEN \"id\" < 0 THEN '-infinity'::timestamptz END FROM \"picked\" \
               ON CONFLICT DO NOTHING RETURNING \"listener_group\", \"id\") \
             DELETE FROM {quarantine} AS \"q\" USING \"moved\" \
             WHERE \"q\".\"listener_group\" = \"moved\".\"listener_group\" AND \"q\".\"id\" = \"moved\".\"id\""
        )
    }

    /// `$1` to `$3` filter.
    pub(crate) fn purge(&self) -> String {
        format!("DELETE FROM {} WHERE {FILTER}", self.name("quarantine"))
    }
}
