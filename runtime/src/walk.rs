//! The orders in which what waits for a group is looked at, as SQL: each has an index in its order, and reads no more of it than
//! it can claim.

use crate::sql::Sql;

/// An order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walk {
    /// By id, from a position on: what is due at once. What was stored for later has a negative id, so that nobody steps over it.
    ById,
    /// By the time at which it is due, from a position on: what was stored for later, and what is tried again.
    Due,
    /// The most urgent first, then by id.
    Urgent,
}

/// When something is due that is not due at once; in this form it is in the index. An operator may say "at once" of something
/// that was stored for later.
const DUE: &str = "coalesce(\"not_before\", '-infinity'::timestamptz)";

/// What the index by that time holds.
const IN_DUE: &str = "(\"not_before\" IS NOT NULL OR \"id\" < 0)";

/// Of [`Walk::Due`]: before every time.
pub(crate) const BEFORE_ALL: i64 = i64::MIN;

impl Walk {
    pub(crate) const ALL: [Self; 3] = [Self::ById, Self::Due, Self::Urgent];

    /// Its number in [`Sql::ready`].
    pub(crate) fn number(self) -> i16 {
        self as i16
    }

    /// What is to be looked at of a group, from the position `start` on.
    ///
    /// The time is that of the statement: one that changes while the statement runs could not bound a walk through an index.
    fn condition(self, start: &str, floor: i64) -> String {
        match self {
            Self::ById => format!("\"id\" > {start} AND \"not_before\" IS NULL"),
            // Counted in microseconds from 1970, as there is no smaller part of a time.
            Self::Due => format!(
                "{IN_DUE} AND pg_catalog.abs(\"id\") > {floor} AND {DUE} <= pg_catalog.statement_timestamp() \
                   AND {DUE} >= CASE WHEN {start} = {BEFORE_ALL} THEN '-infinity'::timestamptz \
                     ELSE 'epoch'::timestamptz + {start} * '1 microsecond'::interval END"
            ),
            Self::Urgent => {
                format!("\"priority\" IS NOT NULL AND \"not_before\" IS NULL AND \"id\" > {start}")
            }
        }
    }

    fn order(self) -> &'static str {
        match self {
            Self::ById => "\"id\"",
            Self::Due => DUE,
            Self::Urgent => "\"priority\" DESC, \"id\"",
        }
    }
}

impl Sql {
    /// `$1` groups, `$2` for each the number of a walk, `$3` its position; `floor` is the id up to which everything is left alone.
    ///
    /// For each place in `$1` whether something is due, perhaps held by another worker; and of [`Walk::Due`], in how many seconds
    /// the next one will be. Nothing is between the two, as both go by the time of the statement.
    ///
    /// Not EXISTS, which would drop the order and with it [`Sql::WALK_THE_KEY`].
    pub(crate) fn ready(&self, floor: i64) -> String {
        let mut ready = String::new();
        for walk in Walk::ALL {
            ready += &format!(
                "WHEN {} THEN (SELECT true FROM {} WHERE \"listener_group\" = \"name\" AND {} ORDER BY {} LIMIT 1) ",
                walk.number(),
                self.notifications(),
                walk.condition("\"start\"", floor),
                walk.order()
            );
        }
        let next = format!(
            "(SELECT extract(epoch FROM least({DUE}, pg_catalog.statement_timestamp() + '1 day'::interval) - pg_catalog.statement_timestamp())::float8 \
              FROM {} WHERE \"listener_group\" = \"name\" AND {IN_DUE} AND {DUE} > pg_catalog.statement_timestamp() ORDER BY {DUE} LIMIT 1)",
            self.notifications()
        );
        format!(
            "SELECT \"place\", coalesce(CASE \"walk\" {ready}END, false) AS \"ready\", CASE WHEN \"walk\" = {} THEN {next} END AS \"next\" \
             FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::smallint[]), pg_catalog.unnest($3::bigint[])) \
               WITH ORDINALITY AS \"g\" (\"name\", \"walk\", \"start\", \"place\")",
            Walk::Due.number()
        )
    }

    /// `$1` group, `$2` channels and operations (`CHANNEL OP`), `$3` the highest version of each that can be read, `$4` the
    /// position from which to look, `$5` how many at most, `$6` filter as JSON text if `filtered`.
    ///
    /// A newer version is left for newer workers. What is none of `$2` has no version there, and null is no match.
    /// SKIP LOCKED leaves what other workers hold; the locks end with this transaction, however it ends.
    pub(crate) fn claim(&self, walk: Walk, filtered: bool, floor: i64) -> String {
        let filter = if filtered {
            format!(
                "AND {}(\"context\", $6::text::jsonb) ",
                self.name("context_matches")
            )
        } else {
            String::new()
        };
        let position = match walk {
            Walk::Due => format!(
                "CASE WHEN {DUE} = '-infinity' THEN {BEFORE_ALL} ELSE (extract(epoch FROM {DUE}) * 1000000)::bigint END"
            ),
            Walk::ById | Walk::Urgent => "\"id\"".to_owned(),
        };
        format!(
            "SELECT \"id\", \"channel\", \"op\", \"model_version\", \"db_version\", \"txid\"::text, \"created_at\", \
               \"payload\"::text, \"context\", \"attempts\", {position} AS \"position\", \
               CASE WHEN \"expires_at\" <= pg_catalog.statement_timestamp() THEN 0 \
                 WHEN \"expires_at\" < pg_catalog.statement_timestamp() + '1 day'::interval \
                 THEN extract(epoch FROM \"expires_at\" - pg_catalog.statement_timestamp())::float8 END AS \"expires_in\" \
             FROM {} \
             WHERE \"listener_group\" = $1 AND {} \
               AND \"model_version\" <= ($3::bigint[])[pg_catalog.array_position($2::text[], \"channel\" || ' ' || \"op\")] {filter}\
             ORDER BY {} LIMIT $5::bigint FOR UPDATE SKIP LOCKED",
            self.notifications(),
            walk.condition("$4::bigint", floor),
            walk.order()
        )
    }

    /// `$1` group, `$2` channels and operations, `$3` the highest version of each that can be read: the highest version that is
    /// due and cannot be read.
    pub(crate) fn newest_unread(&self) -> String {
        let newest = |walk: Walk, start: String| {
            format!(
                "(SELECT pg_catalog.max(\"model_version\") FROM {} WHERE \"listener_group\" = $1 AND {} \
                   AND \"model_version\" > ($3::bigint[])[pg_catalog.array_position($2::text[], \"channel\" || ' ' || \"op\")])",
                self.notifications(),
                walk.condition(&start, 0)
            )
        };
        format!(
            "SELECT greatest({}, {})",
            newest(Walk::ById, "0".to_owned()),
            newest(Walk::Due, format!("({BEFORE_ALL})"))
        )
    }
}
