//! Rows of the table as the driver reads them, as the structs that generated code makes of payloads.

use pgpubsub_roundtrip::pubsub::{Everything, Lists, Maybe};
use pgpubsub_runtime::tokio_postgres::Row;

/// Columns of the tables `app.everything`, `app.maybe` and `app.lists`, without their `a_`; the last ones are not in lists.
pub(crate) const TYPES: &[&str] = &[
    "smallint",
    "integer",
    "bigint",
    "numeric",
    "numeric_scaled",
    "real",
    "double",
    "money",
    "boolean",
    "text",
    "varchar",
    "char",
    "one_char",
    "name",
    "uuid",
    "bytea",
    "bit",
    "varbit",
    "date",
    "time",
    "timetz",
    "timestamp",
    "timestamptz",
    "interval",
    "json",
    "jsonb",
    "inet",
    "cidr",
    "macaddr",
    "macaddr8",
    "oid",
    "xid",
    "cid",
    "xid8",
    "tid",
    "pg_lsn",
    "regclass",
    "regtype",
    "regrole",
    "regnamespace",
    "point",
    "line",
    "lseg",
    "box",
    "path",
    "polygon",
    "circle",
    "int4range",
    "int8range",
    "numrange",
    "daterange",
    "tsrange",
    "tstzrange",
    "int4multirange",
    "int8multirange",
    "nummultirange",
    "datemultirange",
    "tsmultirange",
    "tstzmultirange",
    "xml",
    "jsonpath",
    "tsvector",
    "tsquery",
    "pg_snapshot",
    "refcursor",
    "citext",
    "hstore",
    "ltree",
    "mood",
    "address",
    "house",
    "cents",
    "shape",
    "words",
];

/// The driver reads binary results only, and these types have no binary form here.
const AS_TEXT: &[&str] = &[
    "jsonpath",
    "tsvector",
    "tsquery",
    "pg_snapshot",
    "refcursor",
    "shape",
];

/// What a query selects of a column.
pub(crate) fn selected(name: &str, list: bool) -> String {
    let array = if list { "[]" } else { "" };
    if AS_TEXT.contains(&name) {
        format!("a_{name}::text{array} AS a_{name}")
    } else if name.starts_with("reg") {
        format!("a_{name}::oid{array} AS a_{name}")
    } else {
        format!("a_{name}")
    }
}

macro_rules! row {
    ($row:ident, $type:ident: $($field:ident)*) => {
        $type { $($field: $row.get(stringify!($field))),* }
    };
}

pub(crate) fn everything(row: &Row) -> Everything {
    row!(row, Everything:
        id a_smallint a_integer a_bigint a_numeric a_numeric_scaled a_real a_double a_money
        a_boolean a_text a_varchar a_char a_one_char a_name a_uuid a_bytea a_bit a_varbit a_date
        a_time a_timetz a_timestamp a_timestamptz a_interval a_json a_jsonb a_inet a_cidr a_macaddr
        a_macaddr8 a_oid a_xid a_cid a_xid8 a_tid a_pg_lsn a_regclass a_regtype a_regrole
        a_regnamespace a_point a_line a_lseg a_box a_path a_polygon a_circle a_int4range a_int8range
        a_numrange a_daterange a_tsrange a_tstzrange a_int4multirange a_int8multirange
        a_nummultirange a_datemultirange a_tsmultirange a_tstzmultirange a_xml a_jsonpath a_tsvector
        a_tsquery a_pg_snapshot a_refcursor a_citext a_hstore a_ltree a_mood a_address a_house
        a_cents a_words a_shape)
}

pub(crate) fn maybe(row: &Row) -> Maybe {
    row!(row, Maybe:
        id a_smallint a_integer a_bigint a_numeric a_numeric_scaled a_real a_double a_money
        a_boolean a_text a_varchar a_char a_one_char a_name a_uuid a_bytea a_bit a_varbit a_date
        a_time a_timetz a_timestamp a_timestamptz a_interval a_json a_jsonb a_inet a_cidr a_macaddr
        a_macaddr8 a_oid a_xid a_cid a_xid8 a_tid a_pg_lsn a_regclass a_regtype a_regrole
        a_regnamespace a_point a_line a_lseg a_box a_path a_polygon a_circle a_int4range a_int8range
        a_numrange a_daterange a_tsrange a_tstzrange a_int4multirange a_int8multirange
        a_nummultirange a_datemultirange a_tsmultirange a_tstzmultirange a_xml a_jsonpath a_tsvector
        a_tsquery a_pg_snapshot a_refcursor a_citext a_hstore a_ltree a_mood a_address a_house
        a_cents a_words a_shape)
}

pub(crate) fn lists(row: &Row) -> Lists {
    row!(row, Lists:
        id a_smallint a_integer a_bigint a_numeric a_numeric_scaled a_real a_double a_money
        a_boolean a_text a_varchar a_char a_one_char a_name a_uuid a_bytea a_bit a_varbit a_date
        a_time a_timetz a_timestamp a_timestamptz a_interval a_json a_jsonb a_inet a_cidr a_macaddr
        a_macaddr8 a_oid a_xid a_cid a_xid8 a_tid a_pg_lsn a_regclass a_regtype a_regrole
        a_regnamespace a_point a_line a_lseg a_box a_path a_polygon a_circle a_int4range a_int8range
        a_numrange a_daterange a_tsrange a_tstzrange a_int4multirange a_int8multirange
        a_nummultirange a_datemultirange a_tsmultirange a_tstzmultirange a_xml a_jsonpath a_tsvector
        a_tsquery a_pg_snapshot a_refcursor a_citext a_hstore a_ltree a_mood a_address a_house
        a_cents a_shape)
}
