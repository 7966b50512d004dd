//! Channels that send a part, tell of a whole statement, or extend each other; listeners on several of them.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

mod support;

use std::collections::BTreeMap;

use pgpubsub_roundtrip::pubsub::*;
use support::{Fixture, Seen};

#[tokio::test]
async fn a_listener_on_a_base_channel_gets_every_sub_channel_each_as_its_own_type() {
    let fixture = Fixture::migrated().await;
    let mut work = fixture.work(&["all_noise", "plain_noise"]).await;
    let noise = Noise { level: 1 };
    let loud = LoudNoise {
        level: 2,
        mood: Mood::Fine,
        moods: BTreeMap::from([(Mood::Ok, vec![Mood::Sad, Mood::Unknown("new".into())])]),
    };
    let louder = LouderNoise::new(3, BTreeMap::new());
    noise.notify(&fixture.writer).await.unwrap();
    loud.notify(&fixture.writer).await.unwrap();
    louder.notify(&fixture.writer).await.unwrap();
    let (mut all, mut plain) = (Vec::new(), Vec::new());
    for seen in work.next(4).await {
        match seen {
            Seen::AllNoise(event, notification) => all.push((notification.id, event)),
            Seen::PlainNoise(event, _) => plain.push(event),
            other => panic!("{other:?}"),
        }
    }
    all.sort_by_key(|(id, _)| *id);
    let all: Vec<AllNoiseEvent> = all.into_iter().map(|(_, event)| event).collect();
    assert_eq!(
        all,
        [
            AllNoiseEvent::Noise(noise.clone()),
            AllNoiseEvent::LoudNoise(loud),
            AllNoiseEvent::LouderNoise(louder),
        ]
    );
    assert_eq!(plain, [noise]);
    assert!(work.stop().await.is_empty());
}

#[tokio::test]
async fn a_transient_base_channel_gives_its_sub_channels_too() {
    let fixture = Fixture::migrated().await;
    let mut work = fixture.work(&["all_hiss"]).await;
    let long = Hiss {
        text: "x".repeat(10_000),
    };
    long.notify(&fixture.writer).await.unwrap();
    LoudHiss::new("psst".into())
        .notify(&fixture.writer)
        .await
        .unwrap();
    let seen = work.next(2).await;
    let [
        Seen::AllHiss(AllHissEvent::Hiss(first), _),
        Seen::AllHiss(AllHissEvent::LoudHiss(second), notification),
    ] = &seen[..]
    else {
        panic!("{seen:?}")
    };
    assert_eq!((first, second.by.as_str()), (&long, "me"));
    assert_eq!(notification.channel, "loud_hiss");
    work.stop().await;
}

#[tokio::test]
async fn a_listener_on_several_channels_gets_the_events_it_asked_for() {
    let fixture = Fixture::migrated().await;
    let mut work = fixture.work(&["several"]).await;
    fixture
        .sql("INSERT INTO app.item VALUES (1, 'a'), (2, 'b')")
        .await;
    fixture.sql("UPDATE app.item SET name = 'c' WHERE id = 1; UPDATE app.item SET id = 3 WHERE id = 2; DELETE FROM app.item WHERE id = 1").await;
    Noise { level: 7 }.notify(&fixture.writer).await.unwrap();
    let mut seen: Vec<(i64, SeveralEvent)> = work
        .next(7)
        .await
        .into_iter()
        .map(|seen| match seen {
            Seen::Several(event, notification) => (notification.id, event),
            other => panic!("{other:?}"),
        })
        .collect();
    seen.sort_by_key(|(id, _)| *id);
    let item = |id, name: &str| Item {
        id,
        name: name.into(),
        body: None,
    };
    let (old, new) = (
        |id| ItemBulkOld { id },
        |id, name: &str| ItemBulkNew {
            id,
            name: name.into(),
        },
    );
    let events: Vec<SeveralEvent> = seen.into_iter().map(|(_, event)| event).collect();
    for expected in [
        SeveralEvent::ItemBulk(SeveralItemBulk::Update {
            old: old(1),
            new: new(1, "c"),
        }),
        SeveralEvent::ItemLog(SeveralItemLog::Update {
            old: item(1, "a"),
            new: item(1, "c"),
        }),
        SeveralEvent::ItemBulk(SeveralItemBulk::UpdatedFrom { old: old(2) }),
        SeveralEvent::ItemBulk(SeveralItemBulk::UpdatedTo { new: new(3, "b") }),
        SeveralEvent::ItemLog(SeveralItemLog::Update {
            old: item(2, "b"),
            new: item(3, "b"),
        }),
        SeveralEvent::ItemLog(SeveralItemLog::Delete { old: item(1, "c") }),
        SeveralEvent::Noise(Noise { level: 7 }),
    ] {
        assert!(events.contains(&expected), "{expected:?} in {events:?}");
    }
    assert!(work.stop().await.is_empty());
}

#[tokio::test]
async fn a_channel_is_ignored_for_the_rest_of_the_transaction_only() {
    let mut fixture = Fixture::migrated().await;
    let mut work = fixture.work(&["on_item_fickle"]).await;
    let transaction = fixture.writer.transaction().await.unwrap();
    transaction
        .batch_execute("INSERT INTO app.item VALUES (1, 'a')")
        .await
        .unwrap();
    ItemFickle::ignore(&transaction).await.unwrap();
    transaction
        .batch_execute("INSERT INTO app.item VALUES (2, 'b')")
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    fixture.sql("INSERT INTO app.item VALUES (3, 'c')").await;
    let mut ids: Vec<i64> = work
        .next(2)
        .await
        .into_iter()
        .map(|seen| match seen {
            Seen::OnItemFickle(event, _) => event.new.id,
            other => panic!("{other:?}"),
        })
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, [1, 3]);
    assert!(work.stop().await.is_empty());
}
