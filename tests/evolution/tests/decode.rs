//! Payloads of every earlier version become events of today.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

use pgpubsub_evolution::Cents;
use pgpubsub_evolution::pubsub::*;
use pgpubsub_runtime::Op;
use pgpubsub_runtime::chrono::NaiveDate;
use pgpubsub_runtime::generated::{ChannelEvent, Event};
use pgpubsub_runtime::serde_json::{Value, json};

fn saved(version: u32, new: Value) -> Result<Account, String> {
    let event = AccountSaved::decode_event(Op::Insert, version, &json!({"new": new}));
    match event.map_err(|error| error.to_string())? {
        AccountSaved::Insert { new } => Ok(new),
        other => panic!("{other:?}"),
    }
}

fn message<M: Event>(version: u32, payload: Value) -> M {
    M::decode_event(Op::Message, version, &payload).unwrap()
}

/// What an account has that says nothing but its number, owner and balance.
fn assert_defaults(account: &Account) {
    assert_eq!(account.email, "nobody@example.org");
    assert_eq!(account.level, 1);
    assert_eq!(account.note, None);
    assert_eq!(account.born, NaiveDate::from_ymd_opt(2000, 2, 29).unwrap());
    assert_eq!(
        account.tags.clone().into_elements(),
        [Some("new".to_owned()), Some("a \"b\"".to_owned())]
    );
    assert_eq!(account.extra.as_str(), "{\"a\":1}");
    assert_eq!((account.limit, account.worth), (-1, Cents(7)));
    assert_eq!(account.rank, None);
}

#[test]
fn a_removed_version_is_an_error_that_names_it() {
    let error = saved(1, json!({"id": 1, "name": "Ann"})).unwrap_err();
    assert_eq!(
        error,
        "the payload does not decode: it has version 1, and this program reads version 2 and newer ones; run an older program on it"
    );
}

#[test]
fn renamed_twice_retyped_and_gone_columns_are_read_from_the_second_version() {
    let account = saved(
        2,
        json!({
            "id": 1, "customer_name": "Ann", "balance": "12.50", "email": null, "pic": 5,
            "credit_limit": null, "worth": null, "rank": null,
        }),
    )
    .unwrap();
    assert_eq!((account.id, account.owner.as_str()), (1, "Ann"));
    assert_eq!((account.balance, account.pic), (1250, Some(5)));
    assert_defaults(&account);
    let account = saved(
        2,
        json!({
            "id": 1, "customer_name": "Ann", "balance": "0.01", "email": "a@b", "pic": 5,
            "credit_limit": "3.00", "worth": "4.00", "rank": "second",
        }),
    )
    .unwrap();
    assert_eq!((account.balance, account.email.as_str()), (1, "a@b"));
    assert_eq!((account.limit, account.worth), (300, Cents(400)));
    assert_eq!(account.rank, Some(2));
}

#[test]
fn a_function_that_refuses_a_value_is_an_error_with_its_place() {
    let error = saved(
        2,
        json!({
            "id": 1, "customer_name": "Ann", "balance": "much", "email": null, "pic": 5,
            "credit_limit": null, "worth": null, "rank": null,
        }),
    )
    .unwrap_err();
    assert_eq!(
        error,
        "the payload does not decode: new.balance: `much` is no amount"
    );
}

#[test]
fn each_version_has_the_types_of_its_own() {
    let account = saved(
        3,
        json!({"id": 1, "holder": "Ann", "balance": "12.50", "email": null, "pic": null}),
    )
    .unwrap();
    assert_eq!((account.owner.as_str(), account.balance), ("Ann", 1250));
    assert_eq!(account.pic, None);
    assert_defaults(&account);
    let account = saved(
        4,
        json!({"id": 1, "owner": "Ann", "balance": 1250, "level": 3}),
    )
    .unwrap();
    assert_eq!((account.balance, account.level), (1250, 3));
    // A text where this version has a number is none.
    assert!(
        saved(
            4,
            json!({"id": 1, "owner": "Ann", "balance": "12.50", "level": 3})
        )
        .is_err()
    );
    let account = saved(
        5,
        json!({
            "id": 1, "owner": "Ann", "balance": 5, "email": "a@b", "level": 2, "note": "n", "born": "2001-01-01",
            "tags": "{}", "extra": "null", "credit_limit": 6, "worth": 8, "rank": 9,
        }),
    )
    .unwrap();
    assert_eq!(
        (account.limit, account.worth, account.rank),
        (6, Cents(8), Some(9))
    );
    assert_eq!(account.note.as_deref(), Some("n"));
}

#[test]
fn a_channel_that_sends_more_than_it_did_takes_defaults_for_the_rest() {
    let image = |id: i64, name: &str| json!({"id": id, "customer_name": name});
    let payload = json!({"old": image(1, "Ann"), "new": image(1, "Bea")});
    let event = AccountTouched::decode_event(Op::Update, 2, &payload).unwrap();
    let AccountTouched::Update { old, new } = event else {
        panic!("an update")
    };
    assert_eq!((old.owner.as_str(), old.level), ("Ann", 1));
    assert_eq!((new.owner.as_str(), new.level), ("Bea", 1));
    let payload = json!({"old": {"id": 1, "owner": "Ann", "level": 2}, "new": {"id": 1, "owner": "Ann", "level": 4}});
    let event = AccountTouched::decode_event(Op::Update, 4, &payload).unwrap();
    let AccountTouched::Update { old, new } = event else {
        panic!("an update")
    };
    assert_eq!((old.level, new.level), (2, 4));
    // An image that was not sent at all.
    let event = AccountLeveled::decode_event(Op::Update, 4, &json!({"new": {"level": 4}})).unwrap();
    assert_eq!((event.old.level, event.old.note), (1, None));
    assert_eq!(event.new.level, 4);
}

#[test]
fn the_row_that_a_row_extends_is_read_by_its_own_version_and_former_name() {
    let customer = json!({
        "id": 1, "customer_name": "Ann", "balance": "12.50", "email": null, "pic": 5,
        "credit_limit": null, "worth": null, "rank": null,
    });
    let made = |version, new: Value| {
        SavingsMade::decode_event(Op::Insert, version, &json!({"new": new}))
            .unwrap()
            .new
    };
    let savings = made(1, json!({"account_id": 1, "customer": customer}));
    assert_eq!(savings.rate, 0.5);
    let account = savings.account.unwrap();
    assert_eq!((account.owner.as_str(), account.balance), ("Ann", 1250));
    let account = json!({"id": 1, "owner": "Ann", "balance": 5, "level": 2});
    let savings = made(
        2,
        json!({"account_id": 1, "rate": "1.5", "account": account}),
    );
    assert_eq!(savings.account.unwrap().balance, 5);
    let savings = made(2, json!({"account_id": 1, "rate": "1.5", "account": null}));
    assert_eq!((savings.rate, savings.account), (1.5, None));
}

#[test]
fn a_name_that_another_column_had_is_told_apart_by_the_version() {
    let made = |version, new: Value| {
        MovedMade::decode_event(Op::Insert, version, &json!({"new": new}))
            .unwrap()
            .new
    };
    let old = made(1, json!({"id": 1, "x": "first"}));
    assert_eq!((old.y.as_str(), old.x.as_str()), ("first", "new"));
    let new = made(2, json!({"id": 1, "x": "second", "y": "first"}));
    assert_eq!((new.y.as_str(), new.x.as_str()), ("first", "second"));
}

#[test]
fn messages_of_every_version_become_that_of_today() {
    let reads: Reads = message(1, json!({"post": 7, "sort": "page", "seen": true}));
    assert_eq!((reads.post_id, reads.kind.as_str()), (7, "page"));
    assert_eq!((reads.seen, reads.weight), (Some(true), Some(5)));
    assert!(reads.per_day.is_empty() && reads.note.is_none());
    let reads: Reads = message(2, json!({"post_id": "8", "kind": null, "weight": "9"}));
    assert_eq!((reads.post_id, reads.kind.as_str()), (8, "any"));
    assert_eq!((reads.seen, reads.weight), (None, Some(9)));
    let reads: Reads = message(2, json!({"post_id": "8", "kind": "k", "weight": null}));
    assert_eq!(reads.weight, None);
    let reads: Reads = message(
        3,
        json!({"post_id": 8, "kind": "k", "per_day": {"2024-01-01": 1}, "note": "n", "weight": null}),
    );
    assert_eq!((reads.weight, reads.per_day.len()), (None, 1));
    // A field that is gone is not published.
    let reads = Reads {
        seen: Some(true),
        ..Reads::new(1)
    };
    let published = pgpubsub_runtime::payload::Encode::encode(&reads);
    assert!(published.get("seen").is_none(), "{published}");
}

#[test]
fn a_listener_on_several_channels_knows_their_former_names() {
    let decode = |channel: &str, version, payload: Value| {
        CountEvent::decode_event(channel, Op::Message, version, &payload).unwrap()
    };
    let reads = decode("views", 1, json!({"post": 7, "sort": "page", "seen": true}));
    assert!(matches!(reads, CountEvent::Reads(reads) if reads.post_id == 7));
    let answered = decode("replied", 1, json!({"id": 7}));
    assert!(matches!(answered, CountEvent::Answered(answered) if answered.id == 7));
}

#[test]
fn the_catalog_names_versions_and_former_names() {
    assert_eq!(Account::MODEL.version, 5);
    assert_eq!(AccountSaved::CHANNEL.version, 5);
    assert_eq!(
        (Reads::CHANNEL.version, Reads::CHANNEL.was),
        (3, &["views"][..])
    );
    assert_eq!(Pinged::CHANNEL.version, 1);
    assert_eq!(AUDIT.was, ["check"]);
    // The listener that a channel gets by itself takes the groups of its former names.
    assert_eq!(ON_ACCOUNT_TOUCHED.was, ["on_account_poked"]);
    assert!(Account::MODEL.channels.contains(&"account_poked"));
}

#[test]
fn a_recorded_version_is_part_of_what_functions_store() {
    // Shapes of earlier versions name what is gone.
    let lines = pgpubsub_evolution::UP.lines();
    let up: Vec<&str> = lines
        .filter(|line| !line.starts_with("-- shape "))
        .collect();
    let up = up.join("\n");
    for line in [
        // A program says the version of what it publishes; this is for who does not.
        "\"model_version\" pg_catalog.int4 DEFAULT 3, \"options\" pg_catalog.json DEFAULT NULL",
        "('counting', 'reads', 'message', $2,",
        "('audit', 'account_saved', 'insert', 5,",
        "'op', 'message', 'model_version', $2,",
    ] {
        assert!(up.contains(line), "{line}");
    }
    assert!(!up.contains("\"pic\"") && !up.contains("AS \"seen\""));
}
