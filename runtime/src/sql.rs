//! The statements of the runtime, for one storage schema.

mod claimed;
mod order;
mod part;
mod processed;

use claimed::claimed;
pub(crate) use claimed::{Json, Place, TransactionId, column};
pub(crate) use part::{BEFORE_ALL, Part};

/// Statements with the storage schema written in.
#[derive(Clone, Debug)]
pub(crate) struct Sql {
    schema: String,
    unquoted: String,
}

impl Sql {
    pub(crate) fn new(storage_schema: &str) -> Self {
        Self {
            schema: quote_identifier(storage_schema),
            unquoted: storage_schema.to_owned(),
        }
    }

    /// Unquoted.
    pub(crate) fn storage_schema(&self) -> &str {
        &self.unquoted
    }

    /// A table or function of the storage schema, for a message.
    pub(crate) fn name(&self, name: &str) -> String {
        format!("{}.{}", self.schema, quote_identifier(name))
    }

    pub(crate) fn storage_version(&self) -> String {
        format!("SELECT \"version\" FROM {}.\"storage\"", self.schema)
    }

    pub(crate) fn installed_listeners(&self) -> String {
        format!(
            "SELECT \"name\", \"channel\", \"listener_group\", \"ops\" FROM {}.\"listener\"",
            self.schema
        )
    }

    /// `$1` names of tables, `$2` a right on each: those that this role lacks.
    pub(crate) const MISSING_RIGHTS: &str = "SELECT wanted || ' on ' || name \
         FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS rights (name, wanted) \
         WHERE NOT pg_catalog.has_table_privilege(pg_catalog.to_regclass(name)::oid, wanted)";

    /// What is stored for later has a negative one.
    pub(crate) fn newest_id(&self) -> String {
        format!(
            "SELECT coalesce(pg_catalog.max(pg_catalog.abs(\"id\")), 0) FROM {}.\"notification\"",
            self.schema
        )
    }

    /// `$1` groups, `$2` for each the position behind which to look, `$3` the [`Part`] of it; `floor` is the id up to which
    /// everything is left alone.
    ///
    /// For each place in `$1` whether something is due, perhaps held by another worker; and of [`Part::Due`], in how many seconds
    /// the next one will be. Nothing is between the two, as both go by the time of the statement.
    ///
    /// Not EXISTS, which would drop the order and with it [`Sql::WALK_THE_KEY`].
    pub(crate) fn ready(&self, floor: i64) -> String {
        let mut ready = String::new();
        for part in [
            Part::All,
            Part::Unordered,
            Part::Left,
            Part::Due,
            Part::Urgent,
        ] {
            let first = format!(
                "WHEN '{}' THEN (SELECT true FROM {}.\"notification\" AS \"n\" \
                   WHERE \"n\".\"listener_group\" = \"g\".\"name\" AND {} AND {} LIMIT 1) ",
                part.word(),
                self.schema,
                part.time(),
                part.behind("\"g\".\"after\"", floor)
            );
            ready.push_str(&first);
        }
        let heads = self.heads(
            "\"g\".\"name\"",
            "''::text",
            "\"g\".\"after\"",
            Part::Ordered.time(),
        );
        format!(
            "SELECT \"g\".\"place\", coalesce(CASE \"g\".\"part\" {ready}\
                 WHEN '{ordered}' THEN ({heads} SELECT true FROM \"walk\" WHERE \"ready\" OR \"place\" = {most} LIMIT 1) END, false) AS \"ready\", \
               CASE WHEN \"g\".\"part\" = '{due}' THEN ({next}) END AS \"next\" \
             FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::bigint[]), pg_catalog.unnest($3::text[])) \
               WITH ORDINALITY AS \"g\" (\"name\", \"after\", \"part\", \"place\")",
            ordered = Part::Ordered.word(),
            most = Self::HEADS,
            due = Part::Due.word(),
            next = self.next_due("\"g\".\"name\""),
        )
    }

    /// `$1` group, `$2` channels and operations (`CHANNEL OP`), `$3` the highest version of each that can be read, `$4` the
    /// position behind which to look, `$5` how many at most, `$6` whether with the payload, `$7` filter as JSON text if `filtered`.
    ///
    /// SKIP LOCKED leaves what other workers hold; the locks end with this transaction, however it ends.
    pub(crate) fn claim(&self, part: Part, filtered: bool, floor: i64) -> String {
        format!(
            "SELECT {}, NULL::text AS \"key\", {} AS \"position\" FROM {}.\"notification\" AS \"n\" \
             WHERE \"n\".\"listener_group\" = $1 AND {} AND {} LIMIT $5::bigint FOR UPDATE SKIP LOCKED",
            claimed("$6"),
            part.position(),
            self.schema,
            self.claimable(part, filtered.then_some("$7")),
            part.behind("$4::bigint", floor)
        )
    }

    /// What this code reads and what is due. `$2` channels and operations, `$3` the highest version of each that can be read.
    ///
    /// A newer version is left for newer workers. What is none of `$2` has no version there, and null is no match.
    fn claimable(&self, part: Part, filter: Option<&str>) -> String {
        let filter = filter.map_or_else(String::new, |filter| {
            format!(
                " AND {}.\"context_matches\"(\"n\".\"context\", {filter}::text::jsonb)",
                self.schema
            )
        });
        format!(
            "\"n\".\"model_version\" <= ($3::bigint[])[pg_catalog.array_position($2::text[], \"n\".\"channel\" || ' ' || \"n\".\"op\")] \
             AND {}{filter}",
            part.time()
        )
    }

    /// `$1` group, `$2` channels and operations, `$3` the highest version of each that can be read: the highest version that is
    /// due and cannot be read.
    pub(crate) fn newest_unread(&self) -> String {
        let newest = |part: Part, after: String| {
            format!(
                "(SELECT pg_catalog.max(\"version\") FROM (SELECT \"n\".\"model_version\" AS \"version\" FROM {}.\"notification\" AS \"n\" \
                   WHERE \"n\".\"listener_group\" = $1 AND {} \
                     AND \"n\".\"model_version\" > ($3::bigint[])[pg_catalog.array_position($2::text[], \"n\".\"channel\" || ' ' || \"n\".\"op\")] \
                     AND {}) AS \"unread\")",
                self.schema,
                part.time(),
                part.behind(&after, 0)
            )
        };
        format!(
            "SELECT greatest({}, {})",
            newest(Part::All, "0".to_owned()),
            newest(Part::Due, format!("({BEFORE_ALL})"))
        )
    }

    /// `$1` places of rows that this transaction holds.
    ///
    /// By their places, no index is looked at, however many dead entries it has; and there is no other condition, as a planner who has
    /// no statistics would take an index for that and read all that it has. What has been written anew since it was claimed is no
    /// more at its place, and stays: that is a message that a listener has folded into its own.
    pub(crate) fn remove(&self) -> String {
        format!(
            "DELETE FROM {}.\"notification\" AS \"n\" WHERE \"n\".ctid = ANY ($1::pg_catalog.tid[])",
            self.schema
        )
    }

    /// `$1` group, `$2` ids of rows that have been written since they were claimed.
    ///
    /// Each is looked up by itself, and what was found is removed by its place: there is no other plan for this, whatever the
    /// planner believes.
    pub(crate) fn remove_written(&self) -> String {
        format!(
            "DELETE FROM {0}.\"notification\" AS \"n\" USING pg_catalog.unnest($2::bigint[]) AS \"done\" (\"id\") \
             CROSS JOIN LATERAL (SELECT \"m\".ctid AS \"at\" FROM {0}.\"notification\" AS \"m\" \
               WHERE \"m\".\"listener_group\" = $1 AND \"m\".\"id\" = \"done\".\"id\" LIMIT 1) AS \"found\" \
             WHERE \"n\".ctid = \"found\".\"at\"",
            self.schema
        )
    }

    /// `$1` group, `$2` id, `$3` attempts: takes hold of a notification though its time has not come, unless it was tried
    /// meanwhile.
    ///
    /// It waits: a claim that came upon the row before its time was set, and left it, has locked it nevertheless.
    pub(crate) fn hold_again(&self) -> String {
        format!(
            "SELECT FROM {}.\"notification\" WHERE \"listener_group\" = $1 AND \"id\" = $2 AND \"attempts\" = $3 FOR UPDATE",
            self.schema
        )
    }

    /// `$1` group, `$2` id, `$3` error, `$4` seconds until the next attempt, `$5` number of this one, which may have been counted.
    pub(crate) fn record_failure(&self) -> String {
        format!(
            "UPDATE {}.\"notification\" SET \"attempts\" = $5, \"last_error\" = $3, \
               \"not_before\" = pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $4::float8) \
             WHERE \"listener_group\" = $1 AND \"id\" = $2",
            self.schema
        )
    }

    /// `$1` group, `$2` id, `$3` seconds: leases what this transaction holds. Nobody claims it before `not_before`, and no message is
    /// folded into it: attempts without an error say that it is in hand.
    pub(crate) fn take_lease(&self) -> String {
        format!(
            "UPDATE {}.\"notification\" SET \"attempts\" = \"attempts\" + 1, \"last_error\" = NULL, \
               \"not_before\" = pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $3) \
             WHERE \"listener_group\" = $1 AND \"id\" = $2",
            self.schema
        )
    }

    /// `$1` group, `$2` id, `$3` attempt that has the lease, `$4` seconds.
    pub(crate) fn renew_lease(&self) -> String {
        format!(
            "UPDATE {}.\"notification\" SET \"not_before\" = pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $4) \
             WHERE \"listener_group\" = $1 AND \"id\" = $2 AND \"attempts\" = $3",
            self.schema
        )
    }

    /// `$1` group, `$2` id, `$3` attempt that has the lease.
    pub(crate) fn remove_leased(&self) -> String {
        format!(
            "DELETE FROM {}.\"notification\" WHERE \"listener_group\" = $1 AND \"id\" = $2 AND \"attempts\" = $3",
            self.schema
        )
    }

    /// `$1` group, `$2` id, `$3` seconds until it is due again, `$4` attempts without this one, which may have been counted.
    pub(crate) fn snooze(&self) -> String {
        format!(
            "UPDATE {}.\"notification\" SET \"attempts\" = $4, \
               \"not_before\" = pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $3::float8) \
             WHERE \"listener_group\" = $1 AND \"id\" = $2",
            self.schema
        )
    }

    /// `$1` group, `$2` id, `$3` attempts till now, `$4` seconds until another one if this one does not come to an end.
    pub(crate) fn count_attempt(&self) -> String {
        format!(
            "UPDATE {}.\"notification\" SET \"attempts\" = $3::integer + 1, \
               \"not_before\" = pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $4::float8) \
             WHERE \"listener_group\" = $1 AND \"id\" = $2",
            self.schema
        )
    }

    /// `$1` group, `$2` id, `$3` attempts with the one that is taken back.
    pub(crate) fn take_back_attempt(&self) -> String {
        format!(
            "UPDATE {}.\"notification\" SET \"attempts\" = \"attempts\" - 1, \"not_before\" = NULL \
             WHERE \"listener_group\" = $1 AND \"id\" = $2 AND \"attempts\" = $3",
            self.schema
        )
    }

    /// `$1` group, `$2` id: what a claim has left out.
    pub(crate) fn payload(&self) -> String {
        format!(
            "SELECT \"payload\"::text FROM {}.\"notification\" WHERE \"listener_group\" = $1 AND \"id\" = $2",
            self.schema
        )
    }

    /// `$1` group, `$2` id.
    pub(crate) fn last_error(&self) -> String {
        format!(
            "SELECT \"last_error\" FROM {}.\"notification\" WHERE \"listener_group\" = $1 AND \"id\" = $2",
            self.schema
        )
    }

    /// `$1` id.
    pub(crate) fn spilled(&self) -> String {
        format!(
            "SELECT \"body\" FROM {}.\"spill\" WHERE \"id\" = $1",
            self.schema
        )
    }

    /// Everybody who was connected has fetched them by then.
    pub(crate) fn remove_old_spills(&self) -> String {
        format!(
            "DELETE FROM {}.\"spill\" WHERE \"created_at\" < pg_catalog.clock_timestamp() - pg_catalog.make_interval(mins => 10)",
            self.schema
        )
    }

    /// `$1` scope, `$2` id: inserts one row the first time.
    ///
    /// Without the name of the index, which would need the right to SELECT.
    pub(crate) fn remember(&self) -> String {
        format!(
            "INSERT INTO {}.\"inbox\" (\"scope\", \"id\") VALUES ($1, $2) ON CONFLICT DO NOTHING",
            self.schema
        )
    }

    /// `$1` age in seconds. Several workers may do it at the same time.
    pub(crate) fn forget(&self) -> String {
        format!(
            "DELETE FROM {0}.\"inbox\" WHERE (\"scope\", \"id\") IN (SELECT \"scope\", \"id\" FROM {0}.\"inbox\" \
               WHERE \"at\" < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => $1) \
               ORDER BY \"at\" LIMIT 10000 FOR UPDATE SKIP LOCKED)",
            self.schema
        )
    }

    /// As the generator writes it into the storage.
    pub(crate) fn create_inbox(&self) -> String {
        format!(
            "CREATE TABLE IF NOT EXISTS {0}.\"inbox\" (\n  \
               \"scope\" text NOT NULL,\n  \
               \"id\"    text NOT NULL,\n  \
               \"at\"    timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),\n  \
               PRIMARY KEY (\"scope\", \"id\")\n\
             );\n\
             CREATE INDEX IF NOT EXISTS \"inbox_at\" ON {0}.\"inbox\" (\"at\");\n",
            self.schema
        )
    }

    /// Fires what is due; gives JSON text.
    pub(crate) fn fire_schedules(&self) -> String {
        format!("SELECT {}.\"fire_schedules\"()::text", self.schema)
    }

    /// Channels that send by themselves.
    pub(crate) fn schedules(&self) -> String {
        format!("SELECT \"channel\" FROM {}.\"schedule\"", self.schema)
    }

    /// `$1` channels, `$2` model version.
    pub(crate) fn older_than_model(&self) -> String {
        format!(
            "SELECT pg_catalog.count(*) FROM {}.\"notification\" WHERE \"channel\" = ANY ($1::text[]) AND \"model_version\" < $2::integer",
            self.schema
        )
    }

    /// Each db version with the number of notifications that wait.
    pub(crate) fn waiting_by_db_version(&self) -> String {
        format!(
            "SELECT \"db_version\", pg_catalog.count(*) FROM {}.\"notification\" GROUP BY \"db_version\"",
            self.schema
        )
    }

    /// `$1` id.
    ///
    /// The lock of a row is kept in the row, as the number of the transaction in `xmax`, and stays there when that has ended. A
    /// transaction that has not ended holds a lock on its own number.
    pub(crate) fn holder(&self) -> String {
        format!(
            "SELECT \"l\".\"pid\", \"a\".\"application_name\", pg_catalog.host(\"a\".\"client_addr\"), \"a\".\"xact_start\", \"a\".\"state\", \"a\".\"state_change\" \
             FROM {}.\"notification\" AS \"n\" \
             JOIN pg_catalog.pg_locks AS \"l\" ON \"l\".\"locktype\" = 'transactionid' AND \"l\".\"transactionid\" = \"n\".xmax \
               AND \"l\".\"mode\" = 'ExclusiveLock' AND \"l\".\"granted\" AND \"l\".\"pid\" IS NOT NULL \
             LEFT JOIN pg_catalog.pg_stat_activity AS \"a\" ON \"a\".\"pid\" = \"l\".\"pid\" \
             WHERE \"n\".\"id\" = $1 LIMIT 1",
            self.schema
        )
    }

    /// Begins a transaction, with [`Sql::WALK_THE_KEY`].
    ///
    /// Whatever the defaults of the database are: under a stricter level a claim would fail where it shall skip, and its reads
    /// would leave predicate locks, which can fail the commit of a serializable writer.
    pub(crate) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
         SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; \
         SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL jit = off";

    /// Ends one and begins the next. If the first part fails, the second is not done.
    pub(crate) const COMMIT_AND_BEGIN: &str = "COMMIT; \
         BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
         SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; \
         SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL jit = off";

    /// Makes the planner walk the primary key in its order, for the rest of the transaction: without a sort, nothing else
    /// gives the order that our statements ask for; the removal has no order and may not read the whole table.
    ///
    /// The notification table is empty most of the time, so its statistics say nothing about a backlog: without this, each
    /// claim would read and sort all of it. Once there are statistics, planning anew each time would be the dearest part: the
    /// planner looks for the lowest id, through all the dead entries that a drain leaves. So the one plan is kept; and it is
    /// not compiled, as its costs are those of a much larger claim.
    pub(crate) const WALK_THE_KEY: &str = "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; \
         SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL jit = off";

    /// Ends [`Sql::WALK_THE_KEY`], so that the listener's own statements are planned as everywhere.
    pub(crate) const PLAN_AS_USUAL: &str = "SET LOCAL enable_seqscan TO DEFAULT; SET LOCAL enable_sort TO DEFAULT; \
         SET LOCAL plan_cache_mode TO DEFAULT; SET LOCAL jit TO DEFAULT; ";

    /// Says whose notifications the transaction holds, for the rest of it: what a listener sends is not folded into one of those, which
    /// are as good as gone.
    pub(crate) fn serving(group: &str) -> String {
        // Whatever the session makes of a backslash.
        let literal = group.replace('\\', "\\\\").replace('\'', "''");
        format!("SET LOCAL pgpubsub.listener_group = E'{literal}'; ")
    }

    /// For a listener that has the transaction for itself, so that the worker cannot give signs of life in it. It counts as
    /// dead after an hour, or what was longer already. In a transaction that has failed this fails too, and changes nothing.
    pub(crate) const WITHOUT_SIGNS_OF_LIFE: &str = "SELECT pg_catalog.set_config('idle_in_transaction_session_timeout', '1h', true) \
         WHERE pg_catalog.current_setting('idle_in_transaction_session_timeout')::pg_catalog.interval BETWEEN '1 ms' AND '1 h'";

    /// `$1` keys of doors: each with who holds it now: `us`, `writers` who have not rung, or a `worker`.
    ///
    /// The order of a CASE is that of its branches. The shared lock ends with the statement.
    pub(crate) const TRY_TO_SHUT: &str = "SELECT k, CASE \
         WHEN pg_catalog.pg_try_advisory_lock(k) THEN 'us' \
         WHEN pg_catalog.pg_try_advisory_xact_lock_shared(k) THEN 'writers' \
         ELSE 'worker' END \
         FROM pg_catalog.unnest($1::pg_catalog.int8[]) AS k";

    /// `$1` keys of doors that we hold, `$2` where workers of the groups ring for each other.
    pub(crate) const OPEN: &str = "SELECT pg_catalog.pg_advisory_unlock(k), pg_catalog.pg_notify(wire, '') \
         FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.int8[]), pg_catalog.unnest($2::pg_catalog.text[])) AS door (k, wire)";

    /// What the session listens to, and how full the queue of the server is.
    pub(crate) const HEARTBEAT: &str = "SELECT ARRAY(SELECT pg_catalog.pg_listening_channels()), \
         pg_catalog.pg_notification_queue_usage()";

    pub(crate) fn listen(wire: &str) -> String {
        format!("LISTEN {}", quote_identifier(wire))
    }
}

fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
