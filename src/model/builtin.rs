//! PostgreSQL's types: the one table that the parser, the plan, the book and the tests read.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A type that PostgreSQL or a well-known extension brings.
#[derive(Debug)]
pub struct Builtin {
    /// Name in the YAML, as `format_type` prints it or shorter.
    pub name: &'static str,
    /// Other spellings that SQL allows.
    pub aliases: &'static [&'static str],
    /// What may stand in parentheses.
    pub modifier: Modifier,
    /// Rust type, as generated code names it.
    pub rust: &'static str,
    /// Words for `rust:` and the types that they choose.
    pub choices: &'static [(&'static str, &'static str)],
    /// How a capture function sends it.
    pub capture: Capture,
    /// Settings that its text depends on.
    pub settings: &'static [Setting],
    /// How a trigger finds out whether a value has changed.
    pub equality: Equality,
    /// Traits that its Rust type does not have.
    pub lacks: &'static [&'static str],
    /// For the book: what is kept that others lose.
    pub exact: &'static str,
}

/// What may stand in parentheses behind a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modifier {
    /// Nothing.
    None,
    /// `(n)`.
    Length,
    /// `(n)`, 0 to 6 digits of a second.
    Precision,
    /// `(precision, scale)`.
    Numeric,
    /// Whatever an extension makes of it.
    Any,
}

/// How a capture function sends a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capture {
    /// As `to_json` renders it.
    Plain,
    /// As the text that PostgreSQL prints: what `to_json` makes of it loses something in a JSON parser.
    Text,
    /// As the number of the object: its name would depend on the search path.
    Oid,
}

/// A setting that the text of a value depends on; capture functions pin those they need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    /// `TimeZone`.
    TimeZone,
    /// `DateStyle`.
    DateStyle,
    /// `IntervalStyle`.
    IntervalStyle,
    /// `extra_float_digits`.
    ExtraFloatDigits,
    /// `bytea_output`.
    ByteaOutput,
    /// `lc_monetary`.
    LcMonetary,
}

/// Whether `IS DISTINCT FROM` tells every two values apart, in a trigger's `WHEN`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Equality {
    /// It does.
    Operator,
    /// There is no `=`, or it compares something else (an area, a number of points): the texts are compared, in the
    /// function, where the settings are pinned.
    Text,
}

const FLOATS: &[&str] = &["Eq", "Hash", "Ord"];
const EQUAL_ONLY: &[&str] = &["Eq", "Hash", "PartialOrd", "Ord"];
const UNORDERED: &[&str] = &["PartialOrd", "Ord"];

const PLAIN: Builtin = Builtin {
    name: "",
    aliases: &[],
    modifier: Modifier::None,
    rust: "",
    choices: &[],
    capture: Capture::Plain,
    settings: &[],
    equality: Equality::Operator,
    lacks: &[],
    exact: "",
};

/// A type that `to_json` renders exactly.
const fn plain(
    name: &'static str,
    aliases: &'static [&'static str],
    rust: &'static str,
    exact: &'static str,
) -> Builtin {
    Builtin {
        name,
        aliases,
        rust,
        exact,
        ..PLAIN
    }
}

/// A name in the catalogs, which travels as its number.
const fn reg(name: &'static str) -> Builtin {
    Builtin {
        name,
        rust: "u32",
        capture: Capture::Oid,
        exact: "the object's number: its name depends on the search path",
        ..PLAIN
    }
}

/// A type whose structure is PostgreSQL's own.
const fn opaque(name: &'static str, equality: Equality, exact: &'static str) -> Builtin {
    Builtin {
        name,
        rust: "runtime::types::PgText",
        choices: &[("string", "String")],
        equality,
        exact,
        ..PLAIN
    }
}

/// A geometric type.
const fn geometric(name: &'static str, rust: &'static str) -> Builtin {
    Builtin {
        name,
        rust,
        settings: &[Setting::ExtraFloatDigits],
        equality: Equality::Text,
        lacks: EQUAL_ONLY,
        exact: "every coordinate bit for bit",
        ..PLAIN
    }
}

const RANGE: &str = "empty, unbounded, and which bounds belong to it";
const MULTIRANGE: &str = "every range of it";
const ZONED: &[Setting] = &[Setting::DateStyle, Setting::TimeZone];
const DATED: &[Setting] = &[Setting::DateStyle];

/// All types, in the order of the book.
pub static BUILTINS: &[Builtin] = &[
    plain("smallint", &["int2"], "i16", "every value"),
    plain("integer", &["int", "int4"], "i32", "every value"),
    plain("bigint", &["int8"], "i64", "every value, also beyond 2^53"),
    Builtin {
        modifier: Modifier::Numeric,
        choices: &[("decimal", "runtime::rust_decimal::Decimal")],
        capture: Capture::Text,
        ..plain(
            "numeric",
            &["decimal", "dec"],
            "runtime::types::PgNumeric",
            "every digit, the scale, NaN and the infinities",
        )
    },
    Builtin {
        settings: &[Setting::ExtraFloatDigits],
        lacks: FLOATS,
        capture: Capture::Text,
        ..plain(
            "real",
            &["float4"],
            "f32",
            "bit for bit, with -0, NaN and the infinities",
        )
    },
    Builtin {
        settings: &[Setting::ExtraFloatDigits],
        lacks: FLOATS,
        capture: Capture::Text,
        ..plain(
            "double precision",
            &["float8", "float"],
            "f64",
            "bit for bit, with -0, NaN and the infinities",
        )
    },
    Builtin {
        settings: &[Setting::LcMonetary],
        ..plain(
            "money",
            &[],
            "runtime::types::PgMoney",
            "the whole number that is stored",
        )
    },
    plain("boolean", &["bool"], "bool", "every value"),
    plain("text", &[], "String", "every character"),
    Builtin {
        modifier: Modifier::Length,
        ..plain(
            "character varying",
            &["varchar", "char varying"],
            "String",
            "every character",
        )
    },
    Builtin {
        modifier: Modifier::Length,
        ..plain(
            "character",
            &["char", "bpchar"],
            "String",
            "with its padding",
        )
    },
    plain("\"char\"", &[], "runtime::types::PgChar", "the one byte"),
    plain("name", &[], "String", "every character"),
    plain("uuid", &[], "runtime::uuid::Uuid", "every value"),
    Builtin {
        settings: &[Setting::ByteaOutput],
        choices: &[("vec", "Vec<u8>")],
        ..plain("bytea", &[], "runtime::types::PgBytes", "every byte")
    },
    Builtin {
        modifier: Modifier::Length,
        ..plain("bit", &[], "runtime::types::PgBit", "every bit")
    },
    Builtin {
        modifier: Modifier::Length,
        ..plain(
            "bit varying",
            &["varbit"],
            "runtime::types::PgBit",
            "every bit",
        )
    },
    Builtin {
        settings: DATED,
        choices: &[("chrono", "runtime::chrono::NaiveDate")],
        ..plain(
            "date",
            &[],
            "runtime::types::PgDate",
            "BC, years of seven digits, the infinities",
        )
    },
    Builtin {
        modifier: Modifier::Precision,
        choices: &[("chrono", "runtime::chrono::NaiveTime")],
        ..plain(
            "time",
            &["time without time zone"],
            "runtime::types::PgTime",
            "24:00",
        )
    },
    Builtin {
        modifier: Modifier::Precision,
        lacks: UNORDERED,
        ..plain(
            "timetz",
            &["time with time zone"],
            "runtime::types::PgTimeTz",
            "24:00, offsets with seconds",
        )
    },
    Builtin {
        modifier: Modifier::Precision,
        settings: DATED,
        choices: &[("chrono", "runtime::chrono::NaiveDateTime")],
        ..plain(
            "timestamp",
            &["timestamp without time zone"],
            "runtime::types::PgTimestamp",
            "BC, years of six digits, the infinities",
        )
    },
    Builtin {
        modifier: Modifier::Precision,
        settings: ZONED,
        choices: &[("chrono", "runtime::chrono::DateTime<runtime::chrono::Utc>")],
        ..plain(
            "timestamptz",
            &["timestamp with time zone"],
            "runtime::types::PgTimestampTz",
            "BC, years of six digits, the infinities",
        )
    },
    Builtin {
        modifier: Modifier::Precision,
        settings: &[Setting::IntervalStyle],
        choices: &[("chrono", "runtime::chrono::TimeDelta")],
        lacks: UNORDERED,
        ..plain(
            "interval",
            &[],
            "runtime::types::PgInterval",
            "months, days and microseconds, each with its sign",
        )
    },
    Builtin {
        equality: Equality::Text,
        choices: &[("value", "runtime::serde_json::Value")],
        lacks: UNORDERED,
        capture: Capture::Text,
        ..plain(
            "json",
            &[],
            "runtime::types::PgJson",
            "the very text; JSON null is not SQL NULL",
        )
    },
    Builtin {
        choices: &[("value", "runtime::serde_json::Value")],
        lacks: UNORDERED,
        capture: Capture::Text,
        ..plain(
            "jsonb",
            &[],
            "runtime::types::PgJson",
            "every digit; JSON null is not SQL NULL",
        )
    },
    Builtin {
        choices: &[("ip", "::std::net::IpAddr")],
        lacks: UNORDERED,
        ..plain(
            "inet",
            &[],
            "runtime::types::PgInet",
            "the address and the length of its prefix",
        )
    },
    Builtin {
        lacks: UNORDERED,
        ..plain(
            "cidr",
            &[],
            "runtime::types::PgCidr",
            "the network and the length of its prefix",
        )
    },
    plain("macaddr", &[], "runtime::types::PgMacAddr", "every byte"),
    plain("macaddr8", &[], "runtime::types::PgMacAddr8", "every byte"),
    plain("oid", &[], "u32", "every value"),
    Builtin {
        lacks: UNORDERED,
        ..plain("xid", &[], "runtime::types::PgXid", "every value")
    },
    Builtin {
        lacks: UNORDERED,
        ..plain("cid", &[], "runtime::types::PgXid", "every value")
    },
    plain("xid8", &[], "runtime::types::PgXid8", "every value"),
    plain("tid", &[], "runtime::types::PgTid", "every value"),
    plain("pg_lsn", &[], "runtime::types::PgLsn", "every value"),
    reg("regclass"),
    reg("regproc"),
    reg("regprocedure"),
    reg("regoper"),
    reg("regoperator"),
    reg("regtype"),
    reg("regrole"),
    reg("regnamespace"),
    reg("regcollation"),
    reg("regconfig"),
    reg("regdictionary"),
    geometric("point", "runtime::types::PgPoint"),
    geometric("line", "runtime::types::PgLine"),
    geometric("lseg", "runtime::types::PgLseg"),
    geometric("box", "runtime::types::PgBox"),
    geometric("path", "runtime::types::PgPath"),
    geometric("polygon", "runtime::types::PgPolygon"),
    geometric("circle", "runtime::types::PgCircle"),
    Builtin {
        lacks: UNORDERED,
        ..plain("int4range", &[], "runtime::types::PgRange<i32>", RANGE)
    },
    Builtin {
        lacks: UNORDERED,
        ..plain("int8range", &[], "runtime::types::PgRange<i64>", RANGE)
    },
    Builtin {
        lacks: UNORDERED,
        ..plain(
            "numrange",
            &[],
            "runtime::types::PgRange<runtime::types::PgNumeric>",
            RANGE,
        )
    },
    Builtin {
        settings: DATED,
        lacks: UNORDERED,
        ..plain(
            "daterange",
            &[],
            "runtime::types::PgRange<runtime::types::PgDate>",
            RANGE,
        )
    },
    Builtin {
        settings: DATED,
        lacks: UNORDERED,
        ..plain(
            "tsrange",
            &[],
            "runtime::types::PgRange<runtime::types::PgTimestamp>",
            RANGE,
        )
    },
    Builtin {
        settings: ZONED,
        lacks: UNORDERED,
        ..plain(
            "tstzrange",
            &[],
            "runtime::types::PgRange<runtime::types::PgTimestampTz>",
            RANGE,
        )
    },
    Builtin {
        lacks: UNORDERED,
        ..plain(
            "int4multirange",
            &[],
            "runtime::types::PgMultirange<i32>",
            MULTIRANGE,
        )
    },
    Builtin {
        lacks: UNORDERED,
        ..plain(
            "int8multirange",
            &[],
            "runtime::types::PgMultirange<i64>",
            MULTIRANGE,
        )
    },
    Builtin {
        lacks: UNORDERED,
        ..plain(
            "nummultirange",
            &[],
            "runtime::types::PgMultirange<runtime::types::PgNumeric>",
            MULTIRANGE,
        )
    },
    Builtin {
        settings: DATED,
        lacks: UNORDERED,
        ..plain(
            "datemultirange",
            &[],
            "runtime::types::PgMultirange<runtime::types::PgDate>",
            MULTIRANGE,
        )
    },
    Builtin {
        settings: DATED,
        lacks: UNORDERED,
        ..plain(
            "tsmultirange",
            &[],
            "runtime::types::PgMultirange<runtime::types::PgTimestamp>",
            MULTIRANGE,
        )
    },
    Builtin {
        settings: ZONED,
        lacks: UNORDERED,
        ..plain(
            "tstzmultirange",
            &[],
            "runtime::types::PgMultirange<runtime::types::PgTimestampTz>",
            MULTIRANGE,
        )
    },
    opaque("xml", Equality::Text, "the very text"),
    opaque(
        "jsonpath",
        Equality::Text,
        "the path as PostgreSQL prints it",
    ),
    opaque(
        "tsvector",
        Equality::Operator,
        "every lexeme with its positions and weights",
    ),
    opaque("tsquery", Equality::Operator, "every lexeme and operator"),
    opaque("pg_snapshot", Equality::Text, "every transaction"),
    opaque("txid_snapshot", Equality::Text, "every transaction"),
    opaque("refcursor", Equality::Text, "the name of the cursor"),
    Builtin {
        equality: Equality::Text,
        ..plain("citext", &[], "String", "upper and lower case as written")
    },
    Builtin {
        equality: Equality::Text,
        choices: &[(
            "map",
            "::std::collections::BTreeMap<String, Option<String>>",
        )],
        capture: Capture::Text,
        ..plain(
            "hstore",
            &[],
            "runtime::types::PgHstore",
            "every pair; a null value is not a text",
        )
    },
    Builtin {
        equality: Equality::Text,
        ..plain("ltree", &[], "String", "every label")
    },
    Builtin {
        equality: Equality::Text,
        ..plain("lquery", &[], "String", "the query as PostgreSQL prints it")
    },
    Builtin {
        equality: Equality::Text,
        ..plain(
            "ltxtquery",
            &[],
            "String",
            "the query as PostgreSQL prints it",
        )
    },
    Builtin {
        modifier: Modifier::Any,
        settings: &[Setting::ExtraFloatDigits],
        capture: Capture::Text,
        ..opaque("vector", Equality::Text, "every dimension bit for bit")
    },
    Builtin {
        modifier: Modifier::Any,
        capture: Capture::Text,
        ..opaque("geometry", Equality::Text, "EWKB in hexadecimal")
    },
    Builtin {
        modifier: Modifier::Any,
        capture: Capture::Text,
        ..opaque("geography", Equality::Text, "EWKB in hexadecimal")
    },
];

/// What is a type of PostgreSQL and cannot be captured: names, the reason, what to do.
pub const REFUSED: &[(&[&str], &str, &str)] = &[
    (
        &["serial", "serial4"],
        "a serial column is an integer with a default",
        "write `integer`",
    ),
    (
        &["bigserial", "serial8"],
        "a serial column is an integer with a default",
        "write `bigint`",
    ),
    (
        &["smallserial", "serial2"],
        "a serial column is an integer with a default",
        "write `smallint`",
    ),
    (
        &[
            "record",
            "anyelement",
            "anyarray",
            "void",
            "trigger",
            "cstring",
            "internal",
            "unknown",
        ],
        "a pseudo-type is not the type of a column",
        "name the type of the column; a composite type is declared under `types`",
    ),
    (
        &[
            "int2vector",
            "oidvector",
            "aclitem",
            "pg_node_tree",
            "gtsvector",
        ],
        "a type of PostgreSQL's own catalogs",
        "capture another column; triggers on catalogs are not possible",
    ),
];

impl Builtin {
    /// By name or alias, in lower case with single spaces.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        static BY_NAME: LazyLock<HashMap<&str, &Builtin>> = LazyLock::new(|| {
            let names = |builtin: &'static Builtin| {
                builtin
                    .aliases
                    .iter()
                    .chain([&builtin.name])
                    .map(move |name| (*name, builtin))
            };
            BUILTINS.iter().flat_map(names).collect()
        });
        BY_NAME.get(name).copied()
    }
}

impl PartialEq for Builtin {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Builtin {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_spelling_belongs_to_one_type() {
        let mut seen = BTreeSet::new();
        let refused = REFUSED.iter().flat_map(|(names, ..)| names.iter());
        for name in BUILTINS
            .iter()
            .flat_map(|builtin| builtin.aliases.iter().chain([&builtin.name]))
            .chain(refused)
        {
            assert!(seen.insert(*name), "{name} is there twice");
        }
    }
}
