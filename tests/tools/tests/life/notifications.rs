//! Writes into every table of a schema, and what must be told of them.

use std::collections::{BTreeMap, BTreeSet};

use pgpubsub_gen::model::{ChannelKind, Column, Delivery, Fire, Model, Op, PgType, Schema};
use pgpubsub_gen::plan::ident::sql_ident;
use pgpubsub_gen::plan::names::wire_name;
use pgpubsub_testkit::Database;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_postgres::{AsyncMessage, Client, NoTls, Notification};

/// A session that writes, and hears what it is told.
pub(crate) struct Session {
    client: Client,
    heard: UnboundedReceiver<Notification>,
    /// No row is written twice.
    number: i64,
}

/// Channel, operation and, of a durable one, group, with how often.
type Told = BTreeMap<(String, String, String), i64>;

impl Session {
    pub(crate) async fn new(database: &Database) -> Self {
        let (client, mut connection) = database.config().connect(NoTls).await.expect("a session");
        let (sender, heard) = unbounded_channel();
        tokio::spawn(async move {
            while let Some(message) =
                std::future::poll_fn(|context| connection.poll_message(context)).await
            {
                match message {
                    Ok(AsyncMessage::Notification(notification)) => drop(sender.send(notification)),
                    Ok(_) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        });
        Self {
            client,
            heard,
            number: 0,
        }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Inserts, updates, deletes and truncates in each table, publishes on each message channel: each group has each notification
    /// once, and so has who listens to a transient channel.
    pub(crate) async fn every_write_is_told_once(&mut self, schema: &Schema, what: &str) {
        let storage = &schema.generate.storage_schema;
        let wires: BTreeMap<String, &str> = schema
            .channels
            .iter()
            .map(|channel| (wire_name(storage, &channel.name), channel.name.as_str()))
            .collect();
        for wire in wires.keys() {
            self.execute(&format!("LISTEN {}", sql_ident(wire)), what)
                .await;
        }
        self.number += 1;
        let mut tables = BTreeSet::new();
        for model in &schema.models {
            if tables.insert(&model.table) {
                for write in writes(model, self.number) {
                    self.execute(&write, what).await;
                }
            }
        }
        for channel in &schema.channels {
            if matches!(channel.kind, ChannelKind::Message { .. }) {
                let publish = format!("SELECT \"{storage}\".\"notify_{}\"('{{}}')", channel.name);
                self.execute(&publish, what).await;
            }
        }
        let stored = format!(
            "SELECT channel, op, listener_group, count(*) FROM \"{storage}\".notification GROUP BY 1, 2, 3"
        );
        let rows = self
            .client
            .query(&stored, &[])
            .await
            .expect("the notifications");
        let mut told: Told = rows
            .iter()
            .map(|row| ((row.get(0), row.get(1), row.get(2)), row.get(3)))
            .collect();
        let mut woken = BTreeSet::new();
        for notification in self.heard().await {
            let channel = wires[notification.channel()].to_owned();
            if notification.payload().is_empty() {
                woken.insert(channel);
            } else {
                let told = told.entry((channel, operation(notification.payload()), String::new()));
                *told.or_default() += 1;
            }
        }
        let expected = expected(schema);
        assert_eq!(told, expected, "{what}");
        let durable = expected.keys().filter(|(_, _, group)| !group.is_empty());
        let durable: BTreeSet<String> = durable.map(|(channel, _, _)| channel.clone()).collect();
        assert_eq!(woken, durable, "{what}: woken up");
        // What waits keeps the storage from going.
        self.execute(&format!("DELETE FROM \"{storage}\".notification"), what)
            .await;
        self.execute("UNLISTEN *", what).await;
    }

    async fn execute(&self, sql: &str, what: &str) {
        let done = self.client.batch_execute(sql).await;
        done.unwrap_or_else(|error| panic!("{what}: {sql}: {error:?}"));
    }

    /// All that was sent before this.
    async fn heard(&mut self) -> Vec<Notification> {
        self.execute("LISTEN all_of_them; NOTIFY all_of_them", "the end")
            .await;
        let mut all = Vec::new();
        while let Some(notification) = self.heard.recv().await {
            if notification.channel() == "all_of_them" {
                break;
            }
            all.push(notification);
        }
        all
    }
}

/// The word in a transient notification.
fn operation(payload: &str) -> String {
    let json: serde_json::Value = serde_json::from_str(payload).expect("JSON");
    json["op"].as_str().expect("an operation").to_owned()
}

fn word(op: Op) -> &'static str {
    match op {
        Op::Insert => "insert",
        Op::Update => "update",
        Op::Delete => "delete",
        Op::Truncate => "truncate",
        Op::Message => "message",
    }
}

fn expected(schema: &Schema) -> Told {
    let mut told = Told::new();
    for (index, channel) in schema.channels.iter().enumerate() {
        if let ChannelKind::Trigger(trigger) = &channel.kind
            && trigger.fire == Fire::Replica
        {
            continue;
        }
        let subscriptions = schema.listeners.iter().flat_map(|listener| {
            let subscriptions = listener
                .channels
                .iter()
                .filter(|subscription| subscription.channel == index);
            subscriptions.map(|subscription| (&listener.group, &subscription.ops))
        });
        for (group, ops) in subscriptions {
            for op in ops {
                let group = match channel.delivery {
                    Delivery::Durable => group.clone(),
                    // Whoever listens gets the same one.
                    Delivery::Transient => String::new(),
                };
                told.insert((channel.name.clone(), word(*op).to_owned(), group), 1);
            }
        }
    }
    told
}

fn type_name(column: &Column) -> &str {
    match &column.ty {
        PgType::Builtin { builtin, .. } => builtin.name,
        _ => "",
    }
}

/// A row that comes, changes and goes. Columns that no write mentions have a default in the table.
fn writes(model: &Model, number: i64) -> Vec<String> {
    let table = format!(
        "{}.{}",
        sql_ident(&model.table.schema),
        sql_ident(&model.table.name)
    );
    let keys: Vec<&Column> = model
        .columns
        .iter()
        .filter(|column| column.primary_key)
        .collect();
    let value = |column: &Column| match type_name(column) {
        "date" => "'2026-01-31'".to_owned(),
        _ => number.to_string(),
    };
    let names: Vec<String> = keys
        .iter()
        .map(|column| sql_ident(&column.column))
        .collect();
    let values: Vec<String> = keys.iter().map(|column| value(column)).collect();
    let this: Vec<String> = names
        .iter()
        .zip(&values)
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    let sets: Vec<String> = model
        .columns
        .iter()
        .filter(|column| !column.primary_key)
        .filter_map(|column| {
            let name = sql_ident(&column.column);
            let other = match type_name(column) {
                "integer" | "bigint" | "numeric" | "double precision" => format!("{name} + 1"),
                "text" => format!("coalesce({name}, '') || 'x'"),
                _ => return None,
            };
            Some(format!("{name} = {other}"))
        })
        .collect();
    vec![
        format!(
            "INSERT INTO {table} ({}) VALUES ({})",
            names.join(", "),
            values.join(", ")
        ),
        format!(
            "UPDATE {table} SET {} WHERE {}",
            sets.join(", "),
            this.join(" AND ")
        ),
        format!("DELETE FROM {table} WHERE {}", this.join(" AND ")),
        format!("TRUNCATE {table}"),
    ]
}
