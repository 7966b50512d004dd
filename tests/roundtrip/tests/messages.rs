//! Message channels: every type of a field, defaults, and the caller's transaction.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

mod support;

use std::collections::{BTreeMap, BTreeSet};

use std::time::Duration;

use pgpubsub_roundtrip::pubsub::{
    Defaults, Echo, LateEcho, MoreDefaults, Reminder, ReminderOptions, Values, Whisper,
};
use pgpubsub_runtime::Priority;
use pgpubsub_runtime::chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use pgpubsub_runtime::serde_json::json;
use support::{Fixture, Seen};

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn values() -> Values {
    Values {
        an_int: i64::MIN,
        a_float: 0.1 + 0.2,
        a_decimal: "-0.0000000000000000000000000001".parse().unwrap(),
        a_bool: false,
        a_string: "it's \"quoted\", \\ and $1 and é💡\n".into(),
        bytes: vec![0, 255, 39].into(),
        a_date: date("2024-02-29"),
        a_time: NaiveTime::from_hms_micro_opt(23, 59, 59, 1).unwrap(),
        a_datetime: "1999-12-31T23:59:59.000001Z".parse().unwrap(),
        a_duration: TimeDelta::microseconds(-1),
        a_uuid: "123e4567-e89b-12d3-a456-426614174000".parse().unwrap(),
        a_json: json!({"a": [1, null, "x"], "b": {}}),
        a_list: vec![Some(1), None, Some(i64::MAX)],
        a_set: BTreeSet::from([date("2025-01-01"), date("2024-01-01")]),
        by_date: BTreeMap::from([(date("2024-01-01"), 1), (date("2024-01-02"), -2)]),
        by_int: BTreeMap::from([(-5, vec!["a".into()]), (7, vec![])]),
        by_bool: BTreeMap::from([(false, Some("no".into())), (true, None)]),
        a_tuple: (7, "seven".into(), (true, None)),
        nested: BTreeMap::from([(
            "k".into(),
            vec![BTreeMap::from([(1, BTreeSet::from(["s".to_owned()]))])],
        )]),
        maybe: Some("2024-01-01T00:00:00Z".parse::<DateTime<_>>().unwrap()),
    }
}

#[tokio::test]
async fn every_type_of_a_field_arrives_as_it_was_sent() {
    let fixture = Fixture::migrated().await;
    let mut work = fixture.work(&["on_values"]).await;
    for float in [
        0.1 + 0.2,
        f64::INFINITY,
        f64::NEG_INFINITY,
        5e-324,
        -0.0,
        f64::NAN,
    ] {
        let sent = Values {
            a_float: float,
            ..values()
        };
        sent.notify(&fixture.writer).await.unwrap();
        let Seen::OnValues(received, _) = work.one().await else {
            panic!("another listener")
        };
        assert_eq!(format!("{received:?}"), format!("{sent:?}"));
    }
    work.stop().await;
}

#[tokio::test]
async fn defaults_are_those_of_the_schema_and_a_sub_channel_overrides_them() {
    let fixture = Fixture::migrated().await;
    let mut work = fixture.work(&["on_defaults", "on_more_defaults"]).await;
    let sent = Defaults::default();
    assert_eq!(sent.a_string, "it's \"quoted\" \\ é");
    assert_eq!(sent.a_set, BTreeSet::from(["a".to_owned(), "b".to_owned()]));
    assert_eq!(
        (sent.nothing.as_deref(), sent.something.as_deref()),
        (None, Some("there"))
    );
    assert_eq!(sent.a_duration, TimeDelta::milliseconds(1500));
    sent.notify(&fixture.writer).await.unwrap();
    let Seen::OnDefaults(received, _) = work.one().await else {
        panic!("another listener")
    };
    assert_eq!(received, sent);
    let sent = MoreDefaults::default();
    assert_eq!(
        (sent.a_string.as_str(), sent.extra, sent.an_int),
        ("overridden", 1, -5)
    );
    sent.notify(&fixture.writer).await.unwrap();
    let Seen::OnMoreDefaults(received, _) = work.one().await else {
        panic!("another listener")
    };
    assert_eq!(received, sent);
    // A message of an older writer that knew no field at all.
    fixture
        .sql("SELECT pgpubsub.notify_more_defaults('{}')")
        .await;
    let Seen::OnMoreDefaults(received, _) = work.one().await else {
        panic!("another listener")
    };
    assert_eq!(received, MoreDefaults::default());
    work.stop().await;
}

#[tokio::test]
async fn a_missing_migration_is_told_to_the_publisher() {
    let fixture = Fixture::migrated().await;
    fixture
        .sql("DROP FUNCTION pgpubsub.notify_whisper(text, int, json)")
        .await;
    let error = Whisper::new("x".into())
        .notify(&fixture.writer)
        .await
        .unwrap_err();
    assert!(error.is_not_installed());
    assert!(
        error.to_string().contains("apply the migrations"),
        "{error}"
    );
}

#[tokio::test]
async fn what_the_sender_says_of_a_message_arrives() {
    let fixture = Fixture::migrated().await;
    let mut work = fixture.work(&["on_reminder"]).await;
    let send = async |text: &str, options: ReminderOptions| {
        let message = Reminder::new(text.into());
        message.notify_with(&fixture.writer, options).await.unwrap();
    };
    let options = ReminderOptions::new;
    let yesterday = Utc::now() - TimeDelta::days(1);
    send("expired", options().expires(yesterday)).await;
    send("much later", options().notify_at(Duration::MAX)).await;
    let soon = Duration::from_millis(300);
    send("later", options().notify_at(soon)).await;
    send("urgent", options().priority(Priority::HIGHEST)).await;
    send("at once", options().notify_at(yesterday)).await;
    send("as usual", options()).await;
    let mut received = Vec::new();
    for _ in 0..4 {
        let Seen::OnReminder(message, notification) = work.one().await else {
            panic!("another listener")
        };
        assert_eq!(notification.id < 0, message.text == "later");
        received.push(message.text);
    }
    assert_eq!(received.pop().as_deref(), Some("later"));
    received.sort_unstable();
    assert_eq!(received, ["as usual", "at once", "urgent"]);
    let left = "SELECT count(*) FROM pgpubsub.notification";
    fixture.until(left, 1).await;
    work.stop().await;
    let long = DateTime::<Utc>::MAX_UTC;
    let never = options().notify_at(long);
    let error = Reminder::new("never".into())
        .notify_with(&fixture.writer, never)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("never be due"), "{error}");
    send("much later", options().expires(long)).await;
    assert_eq!(fixture.count(left).await, 1, "folded");
}

#[tokio::test]
async fn a_message_belongs_to_the_callers_transaction() {
    let mut fixture = Fixture::migrated().await;
    let mut work = fixture.work(&["on_more_defaults", "on_whisper"]).await;
    let transaction = fixture.writer.transaction().await.unwrap();
    MoreDefaults::default().notify(&transaction).await.unwrap();
    Whisper::new("never".into())
        .notify(&transaction)
        .await
        .unwrap();
    transaction.rollback().await.unwrap();
    let transaction = fixture.writer.transaction().await.unwrap();
    MoreDefaults {
        extra: 2,
        ..MoreDefaults::default()
    }
    .notify(&transaction)
    .await
    .unwrap();
    Whisper::new("it's".into())
        .notify(&transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    for seen in work.next(2).await {
        match seen {
            Seen::OnMoreDefaults(event, notification) => {
                assert_eq!((event.extra, notification.model_version), (2, 1))
            }
            Seen::OnWhisper(event, _) => assert_eq!(
                event,
                Whisper {
                    text: "it's".into(),
                    count: 0
                }
            ),
            other => panic!("{other:?}"),
        }
    }
    assert!(work.stop().await.is_empty());
}

#[tokio::test]
async fn a_thousand_identical_messages_in_one_transaction_are_a_thousand_deliveries() {
    let mut fixture = Fixture::migrated().await;
    let mut work = fixture.work(&["on_defaults", "on_whisper"]).await;
    let transaction = fixture.writer.transaction().await.unwrap();
    for _ in 0..1000 {
        Defaults::default().notify(&transaction).await.unwrap();
        Whisper::new("same".into())
            .notify(&transaction)
            .await
            .unwrap();
    }
    transaction.commit().await.unwrap();
    let seen = work.next(2000).await;
    assert_eq!(
        seen.iter()
            .filter(|seen| matches!(seen, Seen::OnDefaults(..)))
            .count(),
        1000
    );
    assert!(work.stop().await.is_empty());
}

#[tokio::test]
async fn a_large_message_is_spilled_and_fetched() {
    let fixture = Fixture::migrated().await;
    let mut work = fixture.work(&["on_whisper"]).await;
    let text = "é'\"".repeat(300_000);
    Whisper::new(text.clone())
        .notify(&fixture.writer)
        .await
        .unwrap();
    let Seen::OnWhisper(event, _) = work.one().await else {
        panic!("another listener")
    };
    assert!(event.text == text);
    assert_eq!(
        fixture.count("SELECT count(*) FROM pgpubsub.spill").await,
        1
    );
    work.stop().await;
}

#[tokio::test]
async fn a_listener_that_sends_the_same_again_hears_it_again() {
    let fixture = Fixture::migrated().await;
    let mut work = fixture.work(&["on_echo", "on_late_echo"]).await;
    // A session begins carefully, and what it counts is not folded into anyway: so more than it is careful with.
    let most = 120;
    Echo::new("a".into(), most)
        .notify(&fixture.writer)
        .await
        .unwrap();
    LateEcho::new("a".into(), most)
        .notify(&fixture.writer)
        .await
        .unwrap();
    let mut heard = (vec![], vec![]);
    while heard.0.last() != Some(&0) || heard.1.last() != Some(&0) {
        match work.one().await {
            Seen::OnEcho(event, _) => heard.0.push(event.left),
            Seen::OnLateEcho(event, _) => heard.1.push(event.left),
            other => panic!("another listener: {other:?}"),
        }
    }
    let all: Vec<i64> = (0..=most).rev().collect();
    assert_eq!(heard, (all.clone(), all));
    work.stop().await;
    assert_eq!(
        fixture
            .count("SELECT count(*) FROM pgpubsub.notification")
            .await,
        0
    );
}
