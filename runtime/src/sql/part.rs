//! Parts of what waits for a group, each with an index in the order in which it is looked at: so no more of it is read than can be
//! claimed.

use super::Sql;

/// A part of what waits for a group.
///
/// Without an order: [`Part::All`] and [`Part::Due`] are everything. With an order: [`Part::Ordered`], [`Part::Unordered`],
/// [`Part::Left`] and [`Part::Due`] are. [`Part::Urgent`] is what of them does not wait behind the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// What is due at once, by id. What was stored for later has a negative one, so that nobody steps over it.
    All,
    /// What has an order key.
    Ordered,
    /// What has none, although the group has an order, and is due at once.
    Unordered,
    /// What was stored before the group had an order, and is due at once.
    Left,
    /// What was stored for later or is tried again, and has no order key: by the time at which it is due.
    Due,
    /// What is urgent, the most urgent first, then by id.
    Urgent,
}

/// When `n` is due that is not due at once, or was not. An operator may say "at once" of something that was stored for later; that
/// is `-infinity`.
const DUE_AT: &str = "\"n\".\"not_before\"";

/// What the index by that time holds, and of that what has no order key.
const IN_DUE: &str = "\"n\".\"not_before\" IS NOT NULL AND (\"n\".\"order_key\" IS NULL OR \"n\".\"order_key\" = '')";

/// Position in [`Part::Due`]: before every time.
pub(crate) const BEFORE_ALL: i64 = i64::MIN;

impl Part {
    /// As [`Sql::ready`] knows it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Ordered => "ordered",
            Self::Unordered => "unordered",
            Self::Left => "left",
            Self::Due => "due",
            Self::Urgent => "urgent",
        }
    }

    /// A condition on `n`: the time for an attempt has come. What has a time and no order key is left to [`Part::Due`].
    pub(super) fn time(self) -> &'static str {
        match self {
            Self::Ordered => {
                "(\"n\".\"not_before\" IS NULL OR \"n\".\"not_before\" <= pg_catalog.clock_timestamp())"
            }
            // Order keys, where the group has no order any more.
            Self::All => {
                "(\"n\".\"not_before\" IS NULL OR (\"n\".\"not_before\" <= pg_catalog.clock_timestamp() AND \"n\".\"order_key\" > ''))"
            }
            Self::Unordered | Self::Left | Self::Urgent => "\"n\".\"not_before\" IS NULL",
            Self::Due => "true",
        }
    }

    /// A condition on `n`, behind a position, with the order. Only the index that has this order gives it without a sort, see
    /// [`Sql::WALK_THE_KEY`].
    pub(super) fn behind(self, after: &str, floor: i64) -> String {
        match self {
            Self::All => {
                format!("\"n\".\"id\" > {after} ORDER BY \"n\".\"id\"")
            }
            Self::Left => {
                format!(
                    "\"n\".\"id\" > {after} AND \"n\".\"order_key\" IS NULL ORDER BY \"n\".\"id\""
                )
            }
            // No equality: with that, the order would be one of the primary key, too.
            Self::Unordered => format!(
                "(\"n\".\"order_key\", \"n\".\"id\") > ('', {after}) AND \"n\".\"order_key\" <= '' ORDER BY \"n\".\"order_key\", \"n\".\"id\""
            ),
            Self::Ordered => format!(
                "\"n\".\"id\" > {after} AND \"n\".\"order_key\" > '' ORDER BY \"n\".\"order_key\", \"n\".\"id\""
            ),
            // The time of the statement: one that changes meanwhile could not bound a walk through an index. Several can have the
            // same time; positions count microseconds, as there is no smaller part of one.
            Self::Due => format!(
                "{IN_DUE} AND pg_catalog.abs(\"n\".\"id\") > {floor} AND {DUE_AT} <= pg_catalog.statement_timestamp() \
                   AND {DUE_AT} >= CASE WHEN {after} = ({BEFORE_ALL}) THEN '-infinity'::timestamptz \
                     ELSE 'epoch'::timestamptz + {after} * '1 microsecond'::interval END ORDER BY {DUE_AT}"
            ),
            Self::Urgent => format!(
                "\"n\".\"priority\" IS NOT NULL AND \"n\".\"id\" > {after} ORDER BY \"n\".\"priority\" DESC, \"n\".\"id\""
            ),
        }
    }

    /// The position of `n`.
    pub(super) fn position(self) -> String {
        match self {
            Self::Due => format!(
                "CASE WHEN {DUE_AT} = '-infinity' THEN {BEFORE_ALL} ELSE (extract(epoch FROM {DUE_AT}) * 1000000)::bigint END"
            ),
            _ => "\"n\".\"id\"".to_owned(),
        }
    }
}

impl Sql {
    /// In how many seconds the next of [`Part::Due`] is due that is not due yet; a day is as good as more.
    pub(super) fn next_due(&self, group: &str) -> String {
        format!(
            "SELECT extract(epoch FROM least({DUE_AT}, pg_catalog.statement_timestamp() + '1 day'::interval) - pg_catalog.statement_timestamp())::float8 \
             FROM {}.\"notification\" AS \"n\" WHERE \"n\".\"listener_group\" = {group} AND {IN_DUE} \
               AND {DUE_AT} > pg_catalog.statement_timestamp() ORDER BY {DUE_AT} LIMIT 1",
            self.schema
        )
    }
}
