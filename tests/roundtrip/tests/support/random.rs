//! Random values of every type, as texts that PostgreSQL reads; many of them on the edges of their ranges.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;

/// A text that PostgreSQL reads as a value of a column of `schema.yaml`, named without its `a_`.
pub(crate) fn value(name: &str, rng: &mut StdRng) -> String {
    let edges = edges(name);
    if !edges.is_empty() && rng.random_bool(0.3) {
        return (*edges.choose(rng).unwrap()).to_owned();
    }
    match name {
        "smallint" => rng.random::<i16>().to_string(),
        "integer" => rng.random::<i32>().to_string(),
        "bigint" | "cents" => rng.random::<i64>().to_string(),
        "numeric" => {
            let (whole, fraction) = (rng.random_range(1..300), rng.random_range(0..300));
            decimal(whole, fraction, rng)
        }
        "numeric_scaled" => {
            let (whole, fraction) = (rng.random_range(1..=20), rng.random_range(0..=20));
            decimal(whole, fraction, rng)
        }
        "real" => float(f32::from_bits(rng.random()).into(), |number| {
            (number as f32).to_string()
        }),
        "double" => number(rng),
        "money" => {
            let number: i64 = rng.random();
            let sign = if number < 0 { "-" } else { "" };
            let number = number.unsigned_abs();
            format!("{sign}{}.{:02}", number / 100, number % 100)
        }
        "boolean" => rng.random::<bool>().to_string(),
        "text" | "citext" => text(40, rng),
        "refcursor" => text(10, rng),
        "varchar" => text(20, rng),
        "char" => text(5, rng),
        "one_char" => char::from(rng.random_range(1..127_u8)).to_string(),
        "name" => text(15, rng),
        "uuid" => {
            let hex = hex(16, rng);
            let parts = [
                &hex[..8],
                &hex[8..12],
                &hex[12..16],
                &hex[16..20],
                &hex[20..],
            ];
            parts.join("-")
        }
        "bytea" => {
            let length = rng.random_range(0..50);
            format!("\\x{}", hex(length, rng))
        }
        "bit" => bits(7, rng),
        "varbit" => {
            let length = rng.random_range(0..40);
            bits(length, rng)
        }
        "date" => format!("J{}", rng.random_range(0..2_147_483_000_u32)),
        "time" => clock(rng),
        "timetz" => clock(rng) + &offset(rng),
        "timestamp" => {
            let year = rng.random_range(-4_700..294_000);
            moment(year, rng)
        }
        "timestamptz" => {
            let year = rng.random_range(-4_700..294_000);
            let moment = moment(year, rng);
            match moment.strip_suffix(" BC") {
                Some(moment) => format!("{moment}{} BC", offset(rng)),
                None => moment + &offset(rng),
            }
        }
        "interval" => {
            let micros = rng.random_range(0..9_000_000_000_000_000_u64);
            // Not as so many microseconds: PostgreSQL 14 reads four bytes only.
            format!(
                "{} mons {} days {}{}:{:02}:{:02}.{:06}",
                rng.random::<i32>() / 2,
                rng.random::<i32>(),
                if rng.random_bool(0.5) { "-" } else { "" },
                micros / 3_600_000_000,
                micros / 60_000_000 % 60,
                micros / 1_000_000 % 60,
                micros % 1_000_000,
            )
        }
        "json" | "jsonb" => json(3, rng),
        "inet" | "cidr" => network(name == "cidr", rng),
        "macaddr" => colons(&hex(6, rng)),
        "macaddr8" => colons(&hex(8, rng)),
        "oid" | "xid" | "cid" => rng.random::<u32>().to_string(),
        "xid8" => rng.random::<u64>().to_string(),
        "tid" => format!("({},{})", rng.random::<u32>(), rng.random::<u16>()),
        "pg_lsn" => format!("{:X}/{:X}", rng.random::<u32>(), rng.random::<u32>()),
        "regclass" | "regtype" | "regrole" | "regnamespace" => {
            rng.random_range(1_000_000..u32::MAX).to_string()
        }
        "point" => point(rng),
        "line" => format!("{{{},{},1}}", number_of(1e9, rng), number_of(1e9, rng)),
        "lseg" => format!("[{},{}]", point(rng), point(rng)),
        "box" => format!("{},{}", point(rng), point(rng)),
        "path" => {
            let points = points(rng);
            if rng.random() {
                format!("({points})")
            } else {
                format!("[{points}]")
            }
        }
        "polygon" => format!("({})", points(rng)),
        "circle" => format!(
            "<{},{}>",
            point(rng),
            number_of(1e9, rng).trim_start_matches('-')
        ),
        _ if name.ends_with("multirange") => {
            let range = name.replace("multirange", "range");
            let ranges: Vec<String> = (0..rng.random_range(0..4))
                .map(|_| value(&range, rng))
                .collect();
            format!("{{{}}}", ranges.join(","))
        }
        _ if name.ends_with("range") => range(name, rng),
        "xml" => {
            let text = text(20, rng)
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;");
            // XML knows no other control characters.
            let text: String = text.chars().filter(|c| !c.is_control()).collect();
            format!("<a b=\"1\">{text}</a><c/>")
        }
        "jsonpath" => format!("$.a[*] ? (@.x > {})", rng.random::<i32>()),
        "tsvector" => format!("'{}':1A,7 'x':2", word(rng)),
        "tsquery" => format!("'{}' & !'b' | 'c':*A", word(rng)),
        "pg_snapshot" => "10:20:10,14,15".to_owned(),
        "hstore" => {
            let pairs: Vec<String> = (0..rng.random_range(0..4))
                .map(|_| {
                    let value = if rng.random_bool(0.2) {
                        "NULL".to_owned()
                    } else {
                        quoted(&text(8, rng))
                    };
                    format!("{}=>{value}", quoted(&text(8, rng)))
                })
                .collect();
            pairs.join(", ")
        }
        "ltree" => format!("{}.{}", word(rng), word(rng)),
        "mood" => "sad".to_owned(),
        "address" => {
            let moods = array(
                &["sad".to_owned(), "it's \"fine\"".to_owned()].map(Some),
                ',',
            );
            let attributes = [
                text(10, rng),
                value("integer", rng),
                value("timestamptz", rng),
                moods,
                value("numeric", rng),
            ];
            record(&attributes.map(|attribute| rng.random_bool(0.8).then_some(attribute)))
        }
        "house" => {
            let others = [Some(value("address", rng)), None];
            record(&[
                Some(text(5, rng)),
                Some(value("address", rng)),
                Some(array(&others, ',')),
            ])
        }
        "words" => list("text", rng),
        "shape" => format!("({}),({})", number_of(1e9, rng), number_of(1e9, rng)),
        other => panic!("no values for {other}"),
    }
}

/// Values that something has been known to break on.
fn edges(name: &str) -> &'static [&'static str] {
    match name {
        "smallint" => &["-32768", "32767", "0"],
        "integer" => &["-2147483648", "2147483647", "0"],
        "bigint" | "cents" => &[
            "-9223372036854775808",
            "9223372036854775807",
            "9007199254740993",
        ],
        "numeric" => &[
            "NaN",
            "Infinity",
            "-Infinity",
            "0",
            "-0.000",
            "1.50",
            "1e400",
            "1e-300",
        ],
        "numeric_scaled" => &["NaN", "99999999999999999999.99999999999999999999", "0"],
        "real" => &[
            "NaN",
            "Infinity",
            "-Infinity",
            "-0",
            "1.17549435e-38",
            "3.4028235e38",
            "0.1",
        ],
        "double" => &[
            "NaN",
            "Infinity",
            "-Infinity",
            "-0",
            "5e-324",
            "0.30000000000000004",
            "1e300",
        ],
        "money" => &[
            "-92233720368547758.08",
            "92233720368547758.07",
            "0",
            "-0.01",
        ],
        "text" | "citext" | "varchar" | "refcursor" => {
            &["", "NULL", "null", "{}", "\\", "\"", "'", " "]
        }
        "char" => &["", "a", "ab   "],
        "one_char" => &["", "\\", "\\351", "\\377"],
        "name" => &["", "pg_class"],
        "uuid" => &["00000000-0000-0000-0000-000000000000"],
        "bytea" => &["\\x", "\\x00", "\\x5c27"],
        "date" => &[
            "infinity",
            "-infinity",
            "4713-01-01 BC",
            "5874897-12-31",
            "0044-03-15 BC",
        ],
        "time" => &["24:00:00", "00:00:00", "23:59:59.999999"],
        "timetz" => &[
            "24:00:00+00",
            "00:00:00-15:59:59",
            "03:04:05.123456+05:30:15",
        ],
        "timestamp" => &[
            "infinity",
            "-infinity",
            "4713-01-01 BC",
            "294276-12-31 23:59:59.999999",
        ],
        "timestamptz" => &[
            "infinity",
            "-infinity",
            "0044-03-15 12:00:00+00 BC",
            "1900-01-01 00:00:00 Europe/Amsterdam",
        ],
        "interval" => &[
            "0",
            "1 year -3 days",
            "-1 year +3 days -04:05:06.000001",
            "178000000 years",
        ],
        "json" => &[
            r#""a\u0000b""#,
            r#""\ud800""#,
            "1e1000000",
            r#"{"a":1,  "a":2}"#,
            "null",
            r#""""#,
        ],
        "jsonb" => &[
            "null",
            "1.50",
            r#"{"b": [1, 2.50, null], "a": {}}"#,
            "1e300",
        ],
        "inet" => &[
            "0.0.0.0",
            "255.255.255.255/0",
            "::/0",
            "::ffff:1.2.3.4",
            "192.168.1.5/24",
        ],
        "cidr" => &["0.0.0.0/0", "10.0.0.1/32", "::/128"],
        "oid" | "xid" | "cid" => &["0", "4294967295"],
        "xid8" => &["0", "18446744073709551615"],
        "tid" => &["(0,0)", "(4294967295,65535)"],
        "pg_lsn" => &["0/0", "FFFFFFFF/FFFFFFFF"],
        "regclass" => &["pg_class", "app.item", "-", "4294967295"],
        "regtype" => &["integer", "app.mood", "text[]", "citext"],
        "regrole" => &["-", "10"],
        "regnamespace" => &["pg_catalog", "app", "\"odd schema\""],
        "point" => &["(NaN,Infinity)", "(-0,5e-324)"],
        "path" => &["[(0,0)]", "((0,0))"],
        "jsonpath" => &["$", "strict $.a.b", "lax $.\"a b\"[last]"],
        "tsvector" => &["", "'a':1,2,16383", "'it''s' 'b\\\\c'"],
        "tsquery" => &["", "'a' <-> 'b'"],
        "hstore" => &["", "\"a\"=>NULL", "\"\"=>\"\"", "\"NULL\"=>\"NULL\""],
        "ltree" => &["", "a.b.c"],
        "mood" => &["ok", "it's \"fine\""],
        "address" => &["(,,,,)", "(\"\",0,,{},NaN)"],
        "house" => &["(,,)", "(,\"(,,,,)\",{})"],
        "xml" => &["", "text only", "<a/>"],
        "shape" => &["(0)", "(1,2,3)"],
        _ if name.ends_with("multirange") => &["{}", "{(,)}"],
        _ if name.ends_with("range") => &["empty", "(,)"],
        _ => &[],
    }
}

/// An array of such values, perhaps with nulls, several dimensions, or other bounds.
pub(crate) fn list(name: &str, rng: &mut StdRng) -> String {
    let delimiter = if name == "box" { ';' } else { ',' };
    let items = |count: usize, rng: &mut StdRng| -> Vec<Option<String>> {
        (0..count)
            .map(|_| rng.random_bool(0.85).then(|| value(name, rng)))
            .collect()
    };
    match rng.random_range(0..10) {
        0 => "{}".to_owned(),
        1 => format!("[-3:-2]={}", array(&items(2, rng), delimiter)),
        2 => {
            let rows = [items(2, rng), items(2, rng)].map(|row| array(&row, delimiter));
            format!("{{{}}}", rows.join(&delimiter.to_string()))
        }
        3 => {
            let rows = [items(1, rng), items(1, rng)].map(|row| array(&row, delimiter));
            format!("[5:6][0:0]={{{}}}", rows.join(&delimiter.to_string()))
        }
        _ => {
            let count = rng.random_range(1..4);
            array(&items(count, rng), delimiter)
        }
    }
}

fn array(items: &[Option<String>], delimiter: char) -> String {
    let items: Vec<String> = items
        .iter()
        .map(|item| item.as_deref().map_or("NULL".to_owned(), quoted))
        .collect();
    format!("{{{}}}", items.join(&delimiter.to_string()))
}

fn record(attributes: &[Option<String>]) -> String {
    let attributes: Vec<String> = attributes
        .iter()
        .map(|attribute| attribute.as_deref().map_or(String::new(), quoted))
        .collect();
    format!("({})", attributes.join(","))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn range(name: &str, rng: &mut StdRng) -> String {
    let (lower, upper) = match name {
        "tsrange" | "tstzrange" => {
            let (first, second) = (rng.random_range(1..2_000), rng.random_range(2_001..9_000));
            let zone = if name == "tstzrange" { "+00" } else { "" };
            (
                format!("\"{}{zone}\"", moment(first, rng)),
                format!("\"{}{zone}\"", moment(second, rng)),
            )
        }
        "daterange" => {
            let lower = rng.random_range(0..1_000_000);
            let upper = lower + rng.random_range(1..1_000_000);
            (format!("J{lower}"), format!("J{upper}"))
        }
        "numrange" => (
            format!("-{}.50", rng.random::<u32>()),
            format!("{}.500", rng.random::<u64>()),
        ),
        _ => {
            let lower = rng.random_range(-2_000_000_000..0);
            (
                lower.to_string(),
                rng.random_range(1..2_000_000_000).to_string(),
            )
        }
    };
    let lower = if rng.random_bool(0.1) {
        String::new()
    } else {
        lower
    };
    let upper = if rng.random_bool(0.1) {
        String::new()
    } else {
        upper
    };
    let open = if rng.random() { '[' } else { '(' };
    let close = if rng.random() { ']' } else { ')' };
    format!("{open}{lower},{upper}{close}")
}

fn decimal(whole: usize, fraction: usize, rng: &mut StdRng) -> String {
    let mut digits = |count: usize| -> String {
        (0..count)
            .map(|_| char::from(b'0' + rng.random_range(0..10)))
            .collect()
    };
    let (whole, fraction) = (digits(whole), digits(fraction));
    let sign = if rng.random() { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

fn float(number: f64, text: impl Fn(f64) -> String) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned()
    } else {
        text(number)
    }
}

fn number(rng: &mut StdRng) -> String {
    float(f64::from_bits(rng.random()), |number| format!("{number:e}"))
}

/// Not so large that PostgreSQL's own arithmetic overflows.
fn number_of(limit: f64, rng: &mut StdRng) -> String {
    rng.random_range(-limit..limit).to_string()
}

fn point(rng: &mut StdRng) -> String {
    format!("({},{})", number_of(1e9, rng), number_of(1e9, rng))
}

fn points(rng: &mut StdRng) -> String {
    let points: Vec<String> = (0..rng.random_range(1..5)).map(|_| point(rng)).collect();
    points.join(",")
}

fn clock(rng: &mut StdRng) -> String {
    format!(
        "{:02}:{:02}:{:02}.{:06}",
        rng.random_range(0..24),
        rng.random_range(0..60),
        rng.random_range(0..60),
        rng.random_range(0..1_000_000)
    )
}

fn offset(rng: &mut StdRng) -> String {
    format!(
        "{}{:02}:{:02}:{:02}",
        if rng.random() { '+' } else { '-' },
        rng.random_range(0..15),
        rng.random_range(0..60),
        rng.random_range(0..60)
    )
}

/// Astronomical years: 0 is 1 BC.
fn moment(year: i32, rng: &mut StdRng) -> String {
    let (shown, era) = if year > 0 {
        (year, "")
    } else {
        (1 - year, " BC")
    };
    format!(
        "{shown:04}-{:02}-{:02} {}{era}",
        rng.random_range(1..13),
        rng.random_range(1..29),
        clock(rng)
    )
}

fn text(length: usize, rng: &mut StdRng) -> String {
    const CHARACTERS: &[char] = &[
        'a', 'B', '7', ' ', '"', '\'', '\\', ',', '(', ')', '{', '}', '[', ']', ';', ':', '=', '>',
        '<', '&', '\n', '\t', '\r', '\u{1}', '\u{7f}', 'é', 'ß', '日', '💡', '\u{202e}',
        '\u{feff}', '%', '$', '/', '*', '-',
    ];
    let length = rng.random_range(0..=length);
    (0..length)
        .map(|_| *CHARACTERS.choose(rng).unwrap())
        .collect()
}

fn word(rng: &mut StdRng) -> String {
    let length = rng.random_range(1..10);
    (0..length)
        .map(|_| char::from(rng.random_range(b'a'..=b'z')))
        .collect()
}

fn hex(bytes: usize, rng: &mut StdRng) -> String {
    (0..bytes)
        .map(|_| format!("{:02x}", rng.random::<u8>()))
        .collect()
}

fn bits(count: usize, rng: &mut StdRng) -> String {
    (0..count)
        .map(|_| if rng.random() { '1' } else { '0' })
        .collect()
}

fn colons(hex: &str) -> String {
    let parts: Vec<&str> = (0..hex.len() / 2)
        .map(|index| &hex[index * 2..index * 2 + 2])
        .collect();
    parts.join(":")
}

fn network(only_network: bool, rng: &mut StdRng) -> String {
    if rng.random() {
        let prefix = rng.random_range(0..=32_u32);
        let mask = if only_network {
            u32::MAX.checked_shl(32 - prefix).unwrap_or(0)
        } else {
            u32::MAX
        };
        format!(
            "{}/{prefix}",
            std::net::Ipv4Addr::from(rng.random::<u32>() & mask)
        )
    } else {
        let prefix = rng.random_range(0..=128_u32);
        let mask = if only_network {
            u128::MAX.checked_shl(128 - prefix).unwrap_or(0)
        } else {
            u128::MAX
        };
        format!(
            "{}/{prefix}",
            std::net::Ipv6Addr::from(rng.random::<u128>() & mask)
        )
    }
}

fn json(depth: u32, rng: &mut StdRng) -> String {
    match rng.random_range(0..if depth == 0 { 4 } else { 6 }) {
        0 => "null".to_owned(),
        1 => rng.random::<bool>().to_string(),
        2 => format!("{}.{}0", rng.random::<i64>(), rng.random::<u32>()),
        3 => pgpubsub_runtime::serde_json::Value::from(text(10, rng)).to_string(),
        4 => {
            let items: Vec<String> = (0..rng.random_range(0..4))
                .map(|_| json(depth - 1, rng))
                .collect();
            format!("[{}]", items.join(", "))
        }
        _ => {
            let items: Vec<String> = (0..rng.random_range(0..4))
                .map(|_| {
                    format!(
                        "{}: {}",
                        pgpubsub_runtime::serde_json::Value::from(text(5, rng)),
                        json(depth - 1, rng)
                    )
                })
                .collect();
            format!("{{{}}}", items.join(","))
        }
    }
}
