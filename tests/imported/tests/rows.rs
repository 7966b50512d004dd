//! `import` of a database with a table for each kind of type: the schema file is the committed one, and a row written into each
//! table arrives equal to what the driver reads.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

use std::path::Path;

use pgpubsub_imported::pubsub::*;
use pgpubsub_runtime::generated::Event as _;
use pgpubsub_runtime::{serde_json, Op};
use pgpubsub_testkit::Database;

const TABLES: &str = include_str!("../tables.sql");
const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");

async fn database() -> (Database, pgpubsub_runtime::tokio_postgres::Client) {
    let database = Database::create().await.unwrap();
    let client = database.connect().await.unwrap();
    client.batch_execute(TABLES).await.unwrap();
    (database, client)
}

#[tokio::test]
async fn the_imported_schema_is_the_committed_one() {
    let (database, _client) = database().await;
    let url = database.url();
    let imported =
        tokio::task::spawn_blocking(move || pgpubsub_gen::import_text(&url, &["insert", "update"]));
    let imported = imported.await.unwrap().unwrap();
    // Of this crate: migrations only, as the build script makes the Rust.
    let imported = imported.replacen(
        "version: 1\n",
        "version: 1\ndefaults: {allow: W0007}\ngenerate: {rust: none}\n",
        1,
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.yaml");
    if std::fs::read_to_string(&path).unwrap() != imported {
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&path, &imported).unwrap();
        }
        panic!(
            "schema.yaml is not what `import` writes; run with UPDATE_EXPECT=1 and look at the diff"
        );
    }
}

macro_rules! row {
    ($all:ident, $model:ident, $event:ident, $channel:literal, $table:literal, $values:literal, $select:literal: $($field:ident)*) => {
        $all.client.batch_execute(&format!("INSERT INTO {} VALUES ({})", $table, $values)).await
            .unwrap_or_else(|error| panic!("{}: {error:?}", $table));
        let row = $all.client.query_one(&format!("SELECT {} FROM {}", $select, $table), &[]).await.unwrap();
        let stored = format!("{}", $channel);
        let payload: String = $all.client
            .query_one("SELECT payload::text FROM pgpubsub.notification WHERE channel = $1", &[&stored]).await.unwrap().get(0);
        let event = $event::decode_event(Op::Insert, 1, &serde_json::from_str(&payload).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}: {payload}", $table));
        let mut names = [$(stringify!($field)),*].into_iter();
        let expected = $model { $($field: row.get(names.next().unwrap().trim_start_matches("r#"))),* };
        assert_eq!(format!("{event:#?}"), format!("{:#?}", $event::Insert { new: expected }), "{}", $table);
        $all.tables += 1;
    };
}

struct All {
    client: pgpubsub_runtime::tokio_postgres::Client,
    tables: usize,
}

#[tokio::test]
async fn a_row_of_every_imported_table_arrives_as_the_driver_reads_it() {
    let (database, client) = database().await;
    database.migrate(MIGRATIONS).await.unwrap();
    let mut all = All { client, tables: 0 };
    row!(all, SelEct, SelEctChanged, "sel_ect_changed", r##""Odd Schema"."Sel""ect é""##, r##"1, 'n', 'o', 'm'"##, r##""id", "new", "old", "Mixed Case" AS mixed_case"##: id new old mixed_case);
    row!(all, Integers, IntegersChanged, "integers_changed", r##""Odd Schema".integers"##, r##"1, 7"##, r##""id", "a""##: id a);
    row!(all, Arrays, ArraysChanged, "arrays_changed", r##"shop.arrays"##, r##"1, '{1,NULL}', '{{a,b},{c,NULL}}', '[2:3]={1.50,NULL}', '{infinity}', '{draft,+}', ARRAY[ROW('s', 'z', NULL, '{s,l}')::shop.place], '{5}', '{Aa}'"##, r##""id", "a", "b", "c", "d", "e", "f", "g", "h""##: id a b c d e f g h);
    row!(all, Binaries, BinariesChanged, "binaries_changed", r##"shop.binaries"##, r##"1, '\x00ff', B'1010101', B'1'"##, r##""id", "a", "b", "c""##: id a b c);
    row!(all, Composites, CompositesChanged, "composites_changed", r##"shop.composites"##, r##"1, ROW('a "b"', NULL, '2024-02-29', '{m}'), ROW(ROW('x', 'y', 'infinity', NULL)::shop.place, ARRAY[NULL, ROW(NULL, NULL, NULL, NULL)::shop.place], '2024-01-01 00:00:00+05')"##, r##""id", "a", "b""##: id a b);
    row!(all, Documents, DocumentsChanged, "documents_changed", r##"shop.documents"##, r##"1, '{"a": 1,  "a": 2}', '{"b": 1.50}', '<a/>', '$.a', 'k=>v, n=>NULL', 'a.b', '''x'':1A', '''a'' & ''b'''"##, r##""id", "a", "b", "c", "d"::text AS d, "e", "f", "g"::text AS g, "h"::text AS h"##: id a b c d e f g h);
    row!(all, Domains, DomainsChanged, "domains_changed", r##"shop.domains"##, r##"1, 5, 6, '{a,b}'"##, r##""id", "a", "b", "c""##: id a b c);
    row!(all, Enums, EnumsChanged, "enums_changed", r##"shop.enums"##, r##"1, 'it''s gone', 'l'"##, r##""id", "a", "b""##: id a b);
    row!(all, Generated, GeneratedChanged, "generated_changed", r##"shop.generated"##, r##"DEFAULT, 21, DEFAULT"##, r##""id", "a", "b""##: id a b);
    row!(all, ShopIntegers, ShopIntegersChanged, "shop_integers_changed", r##"shop.integers"##, r##"1, -32768, 2147483647, 9007199254740993, 4294967295, true"##, r##""id", "a", "b", "c", "d", "e""##: id a b c d e);
    row!(all, Internals, InternalsChanged, "internals_changed", r##"shop.internals"##, r##"1, '4294967295', '7', '18446744073709551615', '(1,2)', 'FFFFFFFF/1', 'shop.enums', 'integer', '10:20:15'"##, r##""id", "a", "b", "c", "d", "e", "f"::oid AS f, "g"::oid AS g, "h"::text AS h"##: id a b c d e f g h);
    row!(all, Keyless, KeylessChanged, "keyless_changed", r##"shop.keyless"##, r##"'x'"##, r##""a""##: a);
    row!(all, Multiranges, MultirangesChanged, "multiranges_changed", r##"shop.multiranges"##, r##"1, '{[1,3),[5,9)}', '{}', '{[1.5,2.50)}', '{[2024-01-01,infinity)}', '{(,)}', '{[2024-01-01 00:00+00,)}'"##, r##""id", "a", "b", "c", "d", "e", "f""##: id a b c d e f);
    row!(all, Networks, NetworksChanged, "networks_changed", r##"shop.networks"##, r##"1, '10.0.0.1/8', '::/0', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05'"##, r##""id", "a", "b", "c", "d""##: id a b c d);
    row!(all, Numbers, NumbersChanged, "numbers_changed", r##"shop.numbers"##, r##"1, '1e400', 12345678901234567890.12345678901234567890, 3.4028235e38, 5e-324, '-0.01'"##, r##""id", "a", "b", "c", "d", "e""##: id a b c d e);
    // A query of a table gives the rows of its heirs, too: these come later.
    row!(all, Heirs, HeirsChanged, "heirs_changed", r##"shop.heirs"##, r##"1, 'NaN', 1.5, 0.1, '-0', 12.34, 'x'"##, r##""id", "a", "b", "c", "d", "e", "extra""##: id a b c d e extra);
    row!(all, ShopOption, ShopOptionChanged, "shop_option_changed", r##"shop."option""##, r##"1, 't', 's', 's2', 'o', '1', 'g', 'j'"##, r##""id", "type", "self" AS self_2, "Self 2" AS self_2_2, "or""der" AS or_der, "1st" AS n1st, "Größe" AS gr_e, "日本" AS field"##: id r#type self_2 self_2_2 or_der n1st gr_e field);
    row!(all, Parts, PartsChanged, "parts_changed", r##"shop.parts"##, r##"1, '2024-05-05', 7"##, r##""id", "day", "n""##: id day n);
    row!(all, Ranges, RangesChanged, "ranges_changed", r##"shop.ranges"##, r##"1, '[1,5)', 'empty', '(,1.50]', '[2024-01-01,2024-02-01)', '[2024-01-01,)', '[2024-01-01 00:00+00,infinity]', '[1.5,2.5)'"##, r##""id", "a", "b", "c", "d", "e", "f", "g"::text AS g"##: id a b c d e f g);
    row!(all, Shapes, ShapesChanged, "shapes_changed", r##"shop.shapes"##, r##"1, '(0.1,0.2)', '{1,-1,0}', '[(0,0),(1,1)]', '(1,1),(0,0)', '[(0,0),(1,1)]', '((0,0),(1,1))', '<(0,0),1>', '(1,2)'"##, r##""id", "a", "b", "c", "d", "e", "f", "g", "h"::text AS h"##: id a b c d e f g h);
    row!(all, Texts, TextsChanged, "texts_changed", r##"shop.texts"##, r##"'00000000-0000-0000-0000-000000000001', 'é\"', 'v', 'ab', 'c', 'n', 'Aa'"##, r##""id", "a", "b", "c", "d", "e", "f""##: id a b c d e f);
    row!(all, Times, TimesChanged, "times_changed", r##"shop.times"##, r##"1, '0044-03-15 BC', '24:00', '03:04:05+05:30:15', '294276-12-31 23:59:59.999999', '1900-01-01 00:00 Europe/Amsterdam', '1 day 02:03:04.5'"##, r##""id", "a", "b", "c", "d", "e", "f""##: id a b c d e f);
    assert_eq!(all.tables, CATALOG.models.len());
    assert!(all.tables >= 20);
}
