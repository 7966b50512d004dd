//! `generate.postgres.settings`: storage parameters of the notification table, those that every supported version of PostgreSQL
//! has, with the values that it takes.

use super::language::{Key, Mapping, Shape, key};

const MOST: i64 = i32::MAX as i64;
/// Percent and factors.
const SHARE: Shape = Shape::Decimal(0.0, 100.0);
const COUNT: Shape = Shape::Whole(0, MOST);
const INSERTS: Shape = Shape::Whole(-1, MOST);
const COST_LIMIT: Shape = Shape::Whole(1, 10_000);
const MIN_AGE: Shape = Shape::Whole(0, 1_000_000_000);
const MAX_AGE: Shape = Shape::Whole(100_000, 2_000_000_000);
const MULTIXACT_MAX_AGE: Shape = Shape::Whole(10_000, 2_000_000_000);
const TABLE_AGE: Shape = Shape::Whole(0, 2_000_000_000);
/// Words of `vacuum_index_cleanup`.
const INDEX_CLEANUP: Shape = Shape::Word(&["auto", "on", "off"]);

/// A parameter of the table, and the same of where PostgreSQL keeps its long values.
macro_rules! keys {
    (own: { $($own:literal $own_shape:expr, $own_doc:literal;)* } both: { $($both:literal $shape:expr, $doc:literal;)* }) => {
        &[
            $(key($own, $own_shape, $own_doc),)*
            $(
                key($both, $shape, $doc),
                key(concat!("toast.", $both), $shape, concat!("The same for long payloads: ", $doc)),
            )*
        ]
    };
}

/// `generate.postgres.settings`.
pub static SETTINGS: Mapping = Mapping { keys: KEYS };

const KEYS: &[Key] = keys! {
    own: {
        "fillfactor" Shape::Whole(10, 100), "How full a page gets by inserts, in percent.";
        "toast_tuple_target" Shape::Whole(128, 8160), "From how many bytes on a row is compressed, or its payload kept apart.";
        "parallel_workers" Shape::Whole(0, 1024), "Workers of a parallel scan.";
        "autovacuum_analyze_threshold" COUNT, "Changed rows before statistics are made anew.";
        "autovacuum_analyze_scale_factor" SHARE, "Share of the table that is added to autovacuum_analyze_threshold.";
    }
    both: {
        "autovacuum_enabled" Shape::Bool, "Whether autovacuum looks after it.";
        "autovacuum_vacuum_threshold" COUNT, "Dead rows before it is vacuumed.";
        "autovacuum_vacuum_scale_factor" SHARE, "Share of the table that is added to autovacuum_vacuum_threshold.";
        "autovacuum_vacuum_insert_threshold" INSERTS, "Inserted rows before it is vacuumed; -1: they are no reason.";
        "autovacuum_vacuum_insert_scale_factor" SHARE, "Share of the table that is added to autovacuum_vacuum_insert_threshold.";
        "autovacuum_vacuum_cost_delay" SHARE, "Milliseconds that vacuum rests each time; 0: it does not.";
        "autovacuum_vacuum_cost_limit" COST_LIMIT, "Work between two rests of vacuum.";
        "autovacuum_freeze_min_age" MIN_AGE, "Age in transactions from which on vacuum freezes a row.";
        "autovacuum_freeze_max_age" MAX_AGE, "Age in transactions at which it is vacuumed in any case.";
        "autovacuum_freeze_table_age" TABLE_AGE, "Age in transactions from which on vacuum reads all of it.";
        "autovacuum_multixact_freeze_min_age" MIN_AGE, "As autovacuum_freeze_min_age, for shared row locks.";
        "autovacuum_multixact_freeze_max_age" MULTIXACT_MAX_AGE, "As autovacuum_freeze_max_age, for shared row locks.";
        "autovacuum_multixact_freeze_table_age" TABLE_AGE, "As autovacuum_freeze_table_age, for shared row locks.";
        "log_autovacuum_min_duration" INSERTS, "Milliseconds from which on a vacuum is logged; -1: never.";
        "vacuum_index_cleanup" INDEX_CLEANUP, "Whether vacuum cleans the indexes.";
        "vacuum_truncate" Shape::Bool, "Whether vacuum gives empty space at the end back, for which writers wait.";
    }
};
