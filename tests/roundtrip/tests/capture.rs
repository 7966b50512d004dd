//! A user's write never fails because of a channel, and each change arrives as what it was.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

mod support;

use pgpubsub_roundtrip::pubsub::{
    Item, ItemChanged, ItemGoing, ItemInsertedEvent, ItemSeen, ItemUpdatedEvent,
};
use pgpubsub_runtime::{Context, set_context};
use support::{Fixture, MIGRATIONS, Seen};

fn item(id: i64, name: &str) -> Item {
    Item {
        id,
        name: name.into(),
        body: None,
    }
}

const WAITING: &str = "SELECT count(*) FROM pgpubsub.notification";

#[tokio::test]
async fn a_row_deleted_under_a_before_delete_channel_is_gone_and_delivered() {
    let fixture = Fixture::migrated().await;
    let mut work = fixture.work(&["item_going"]).await;
    fixture.sql("INSERT INTO app.item VALUES (1, 'a')").await;
    fixture.sql("DELETE FROM app.item WHERE id = 1").await;
    let Seen::OnItemGoing(event, notification) = work.one().await else {
        panic!("another listener")
    };
    assert_eq!(event, ItemGoing { old: item(1, "a") });
    assert_eq!(notification.channel, "item_going");
    assert_eq!(fixture.count("SELECT count(*) FROM app.item").await, 0);
    assert!(work.stop().await.is_empty());
}

#[tokio::test]
async fn several_events_on_one_channel_all_fire_and_each_listener_sees_only_its_own() {
    let fixture = Fixture::migrated().await;
    let mut work = fixture.work(&["item_changed"]).await;
    fixture.sql("INSERT INTO app.item VALUES (1, 'a'); UPDATE app.item SET name = 'b'; DELETE FROM app.item").await;
    let (mut inserted, mut updated, mut audit) = (Vec::new(), Vec::new(), Vec::new());
    for seen in work.next(5).await {
        match seen {
            Seen::ItemInserted(event, _) => inserted.push(event),
            Seen::ItemUpdated(event, _) => updated.push(event),
            Seen::ItemAudit(event, notification) => audit.push((notification.id, event)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(inserted, [ItemInsertedEvent { new: item(1, "a") }]);
    assert_eq!(
        updated,
        [ItemUpdatedEvent {
            old: item(1, "a"),
            new: item(1, "b")
        }]
    );
    audit.sort_by_key(|(id, _)| *id);
    let audit: Vec<ItemChanged> = audit.into_iter().map(|(_, event)| event).collect();
    assert_eq!(
        audit,
        [
            ItemChanged::Insert { new: item(1, "a") },
            ItemChanged::Update {
                old: item(1, "a"),
                new: item(1, "b")
            },
            ItemChanged::Delete { old: item(1, "b") },
        ]
    );
    assert!(work.stop().await.is_empty());
}

#[tokio::test]
async fn several_channels_on_one_table_all_fire() {
    let fixture = Fixture::migrated().await;
    let listeners = [
        "item_inserted",
        "item_audit",
        "all_seen",
        "on_a_channel_with_a_name_that_is_longer_than_postgresql_lets_an_identifier_be_one",
        "on_a_channel_with_a_name_that_is_longer_than_postgresql_lets_an_identifier_be_two",
    ];
    let mut work = fixture.work(&listeners).await;
    fixture.sql("INSERT INTO app.item VALUES (1, 'a')").await;
    let seen = work.next(5).await;
    assert_eq!(
        seen.iter()
            .filter(|seen| matches!(seen, Seen::LongOne(..)))
            .count(),
        1
    );
    assert_eq!(
        seen.iter()
            .filter(|seen| matches!(seen, Seen::LongTwo(..)))
            .count(),
        1
    );
    assert_eq!(
        seen.iter()
            .filter(|seen| matches!(seen, Seen::AllSeen(..)))
            .count(),
        1
    );
    assert!(work.stop().await.is_empty());
}

#[tokio::test]
async fn a_row_of_one_megabyte_is_written_and_delivered_durable_and_transient() {
    let fixture = Fixture::migrated().await;
    let mut work = fixture.work(&["item_audit", "all_seen"]).await;
    for (id, bytes) in [(1, 7_999), (2, 8_000), (3, 1_000_000)] {
        // Two bytes a character: the limit is one of bytes.
        let characters = bytes / 2;
        fixture
            .sql(&format!(
                "INSERT INTO app.item VALUES ({id}, 'big', repeat('é', {characters}))"
            ))
            .await;
        let mut kinds = 0;
        for seen in work.next(2).await {
            let new = match seen {
                Seen::ItemAudit(ItemChanged::Insert { new }, _) => {
                    kinds |= 1;
                    new
                }
                Seen::AllSeen(ItemSeen::Insert { new }, _) => {
                    kinds |= 2;
                    new
                }
                other => panic!("{other:?}"),
            };
            assert_eq!(new.id, id);
            assert_eq!(new.body.as_deref(), Some("é".repeat(characters).as_str()));
        }
        assert_eq!(kinds, 3);
    }
    assert!(work.stop().await.is_empty());
}

#[tokio::test]
async fn a_malformed_context_never_fails_the_write_and_reaches_the_listener_as_text() {
    let fixture = Fixture::migrated().await;
    let mut work = fixture
        .work(&["item_audit", "all_seen", "tenant_items", "tenant_seen"])
        .await;
    let mut id = 0;
    for context in [
        "{bad",
        "[]",
        "1",
        r#"{"a": "\u0000"}"#,
        &"x".repeat(1_000_000),
    ] {
        id += 1;
        let quoted = context.replace('\'', "''");
        fixture.sql(&format!("BEGIN; SET LOCAL pgpubsub.context = '{quoted}'; INSERT INTO app.item VALUES ({id}, 'a'); COMMIT")).await;
        for seen in work.next(2).await {
            let raw = match &seen {
                Seen::ItemAudit(_, notification) => notification.context.raw(),
                Seen::AllSeen(_, notification) => notification.context.raw(),
                other => panic!("{other:?}"),
            };
            assert_eq!(raw, Some(context));
        }
    }
    fixture
        .sql("INSERT INTO app.item VALUES (100, 'after a SET LOCAL the setting is empty')")
        .await;
    for seen in work.next(2).await {
        match &seen {
            Seen::ItemAudit(_, notification) => assert_eq!(notification.context.raw(), None),
            Seen::AllSeen(_, notification) => assert_eq!(notification.context.raw(), None),
            other => panic!("{other:?}"),
        }
    }
    assert!(
        work.stop().await.is_empty(),
        "the filtered listeners saw nothing"
    );
    assert_eq!(
        fixture
            .count(
                "SELECT count(*) FROM pgpubsub.notification WHERE listener_group = 'tenant_items'"
            )
            .await,
        6
    );
}

#[tokio::test]
async fn the_context_of_a_transaction_reaches_and_filters_both_kinds_of_delivery() {
    let mut fixture = Fixture::migrated().await;
    let mut work = fixture.work(&["tenant_items", "tenant_seen"]).await;
    for (id, tenant) in [(1_i64, "acme"), (2, "other"), (3, "it's \"quoted\"")] {
        let transaction = fixture.writer.transaction().await.unwrap();
        set_context(
            &transaction,
            &Context::new().with("tenant", tenant).with("user", "7"),
        )
        .await
        .unwrap();
        transaction
            .execute("INSERT INTO app.item VALUES ($1, 'a')", &[&id])
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }
    for seen in work.next(2).await {
        match seen {
            Seen::TenantItems(_, notification) => {
                assert_eq!(notification.context.get("user").as_deref(), Some("7"))
            }
            Seen::TenantSeen(event, notification) => {
                assert_eq!(event, ItemSeen::Insert { new: item(1, "a") });
                assert_eq!(notification.context.get("tenant").as_deref(), Some("acme"));
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(work.stop().await.is_empty());
    assert_eq!(
        fixture
            .count(
                "SELECT count(*) FROM pgpubsub.notification WHERE listener_group = 'tenant_items'"
            )
            .await,
        2,
        "other tenants' rows stay for other workers"
    );
}

#[tokio::test]
async fn a_writer_without_any_grant_on_our_schema_writes_and_cannot_read_what_is_stored() {
    let fixture = Fixture::migrated().await;
    let role = format!("writer_{}", std::process::id());
    fixture.sql(&format!("DROP ROLE IF EXISTS {role}; CREATE ROLE {role}; GRANT USAGE ON SCHEMA app TO {role}; GRANT ALL ON app.item TO {role}")).await;
    fixture.sql(&format!("SET ROLE {role}; INSERT INTO app.item VALUES (1, 'a'); UPDATE app.item SET name = 'b'; DELETE FROM app.item")).await;
    let denied = fixture
        .writer
        .batch_execute("SELECT * FROM pgpubsub.notification")
        .await
        .unwrap_err();
    assert_eq!(denied.code().map(|code| code.code()), Some("42501"));
    fixture.sql("RESET ROLE").await;
    assert_eq!(
        fixture
            .count("SELECT count(*) FROM pgpubsub.notification WHERE listener_group = 'item_audit'")
            .await,
        3
    );
    fixture
        .sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))
        .await;
}

#[tokio::test]
async fn only_what_committed_is_delivered() {
    let fixture = Fixture::migrated().await;
    let mut work = fixture.work(&["item_audit", "all_seen"]).await;
    fixture
        .sql("BEGIN; INSERT INTO app.item VALUES (1, 'a'); ROLLBACK")
        .await;
    fixture.sql("BEGIN; INSERT INTO app.item VALUES (2, 'b'); SAVEPOINT s; INSERT INTO app.item VALUES (3, 'c'); ROLLBACK TO s; COMMIT").await;
    for seen in work.next(2).await {
        match seen {
            Seen::ItemAudit(event, _) => {
                assert_eq!(event, ItemChanged::Insert { new: item(2, "b") })
            }
            Seen::AllSeen(event, _) => assert_eq!(event, ItemSeen::Insert { new: item(2, "b") }),
            other => panic!("{other:?}"),
        }
    }
    assert!(work.stop().await.is_empty());
}

#[tokio::test]
async fn bulk_conflicts_and_cascades_give_one_event_for_each_real_change() {
    let fixture = Fixture::migrated().await;
    let audit = "SELECT count(*) FROM pgpubsub.notification WHERE listener_group = 'item_audit'";
    fixture
        .sql("INSERT INTO app.item SELECT n, 'bulk' FROM generate_series(1, 1000) AS n")
        .await;
    assert_eq!(fixture.count(audit).await, 1000);
    fixture
        .sql("INSERT INTO app.item VALUES (1, 'again') ON CONFLICT DO NOTHING")
        .await;
    assert_eq!(fixture.count(audit).await, 1000);
    fixture.sql("INSERT INTO app.item VALUES (1, 'again'), (2001, 'new') ON CONFLICT (id) DO UPDATE SET name = excluded.name").await;
    assert_eq!(
        fixture.count(&format!("{audit} AND op = 'update'")).await,
        1
    );
    assert_eq!(
        fixture.count(&format!("{audit} AND op = 'insert'")).await,
        1001
    );
    fixture
        .sql("UPDATE app.item SET name = name WHERE false")
        .await;
    let same = "SELECT count(DISTINCT txid) FROM pgpubsub.notification WHERE listener_group = 'item_audit' AND payload::text LIKE '%bulk%' AND op = 'insert'";
    assert_eq!(fixture.count(same).await, 1);
    let merges = "SELECT count(*) FROM pg_settings WHERE name = 'server_version_num' AND setting::int4 >= 150000";
    if fixture.count(merges).await == 0 {
        eprintln!("skipped: MERGE came with PostgreSQL 15");
        return;
    }
    fixture.sql("MERGE INTO app.item AS t USING (VALUES (1), (3001)) AS s(id) ON t.id = s.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.id, 'merged')").await;
    assert_eq!(
        fixture.count(&format!("{audit} AND op = 'delete'")).await,
        1
    );
    assert_eq!(
        fixture.count(&format!("{audit} AND op = 'insert'")).await,
        1002
    );
}

#[tokio::test]
async fn writes_by_copy_in_a_procedure_and_in_a_serializable_transaction_are_captured() {
    let fixture = Fixture::migrated().await;
    fixture.sql("BEGIN ISOLATION LEVEL SERIALIZABLE; SET LOCAL search_path = ''; INSERT INTO app.item VALUES (1, 'a'); COMMIT").await;
    fixture.sql("DO $$ BEGIN BEGIN INSERT INTO app.item VALUES (2, 'b'); EXCEPTION WHEN others THEN RAISE; END; COMMIT; INSERT INTO app.item VALUES (3, 'c'); END $$").await;
    fixture
        .sql("COPY app.item (id, name) FROM PROGRAM 'echo 4,d' (FORMAT csv)")
        .await;
    assert_eq!(
        fixture
            .count("SELECT count(*) FROM pgpubsub.notification WHERE listener_group = 'item_audit'")
            .await,
        4
    );
}

#[tokio::test]
async fn stored_notifications_carry_model_version_and_db_version() {
    let fixture = Fixture::migrated().await;
    fixture
        .sql("INSERT INTO app.item VALUES (1, 'before the table of the tool exists')")
        .await;
    fixture.sql(
        "CREATE TABLE public._sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL, installed_on timestamptz NOT NULL DEFAULT now(), success boolean NOT NULL, checksum bytea NOT NULL, execution_time bigint NOT NULL)",
    )
    .await;
    fixture.sql("INSERT INTO public._sqlx_migrations VALUES (7, '', now(), true, '', 0), (9, '', now(), false, '', 0)").await;
    fixture
        .sql("SET pgpubsub.db_version = ''; INSERT INTO app.item VALUES (2, 'at 7'), (3, 'at 7')")
        .await;
    fixture
        .sql("UPDATE public._sqlx_migrations SET success = true")
        .await;
    // As if a second had gone by, each time.
    fixture
        .sql("SET pgpubsub.db_version = ''; INSERT INTO app.item VALUES (4, 'at 9')")
        .await;
    let versions = fixture
        .writer
        .query("SELECT db_version, count(*) FROM pgpubsub.notification WHERE listener_group = 'item_audit' AND model_version = 1 GROUP BY 1 ORDER BY 1", &[])
        .await
        .unwrap();
    let versions: Vec<(Option<String>, i64)> = versions
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    assert_eq!(
        versions,
        [(Some("7".into()), 2), (Some("9".into()), 1), (None, 1)]
    );

    let catalog = pgpubsub_roundtrip::pubsub::CATALOG;
    let total = fixture.count(WAITING).await;
    let waiting =
        pgpubsub_runtime::pending::older_than_model(&fixture.writer, &catalog, &Item::MODEL, 2)
            .await
            .unwrap();
    assert_eq!(waiting, total);
    assert_eq!(
        pgpubsub_runtime::pending::older_than_model(&fixture.writer, &catalog, &Item::MODEL, 1)
            .await
            .unwrap(),
        0
    );
    let below = pgpubsub_runtime::pending::older_than_db(&fixture.writer, &catalog, "9")
        .await
        .unwrap();
    assert_eq!(
        below,
        fixture
            .count("SELECT count(*) FROM pgpubsub.notification WHERE db_version = '7'")
            .await
    );
    // Numbers, not texts: 10 is above 9.
    let below = pgpubsub_runtime::pending::older_than_db(&fixture.writer, &catalog, "10")
        .await
        .unwrap();
    assert_eq!(
        below,
        fixture
            .count("SELECT count(*) FROM pgpubsub.notification WHERE db_version IS NOT NULL")
            .await
    );
}

#[tokio::test]
async fn down_refuses_to_drop_waiting_notifications_and_otherwise_leaves_nothing() {
    let fixture = Fixture::migrated().await;
    fixture.sql("INSERT INTO app.item VALUES (1, 'a')").await;
    let refused = fixture.database.migrate_back(MIGRATIONS).await.unwrap_err();
    assert!(format!("{refused:?}").contains("waiting"), "{refused:?}");
    fixture.sql("DELETE FROM pgpubsub.notification").await;
    fixture.database.migrate_back(MIGRATIONS).await.unwrap();
    assert_eq!(
        fixture
            .count("SELECT count(*) FROM pg_namespace WHERE nspname = 'pgpubsub'")
            .await,
        0
    );
    assert_eq!(
        fixture
            .count("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal")
            .await,
        0
    );
    fixture.sql("INSERT INTO app.item VALUES (2, 'b')").await;
}
