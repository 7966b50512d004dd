//! What the workers of a program do with a notification, by the rules of the runtime.

use std::time::Duration;

use pgpubsub_breaking::{Client, Op, Program, Value};
use pgpubsub_runtime::Delivery;
use pgpubsub_runtime::generated::{FilterValue, ListenerSpec};
use pgpubsub_runtime::tokio_postgres::{AsyncMessage, NoTls};
use pgpubsub_testkit::Database;
use tokio::sync::mpsc;

/// A notification, stored or heard.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Of a stored one; 0 of one that was heard.
    pub(crate) id: i64,
    /// Group of a stored one.
    group: Option<String>,
    /// Channel, or the wire on which it was heard.
    channel: String,
    pub(crate) op: String,
    version: u32,
    payload: Value,
    context: Value,
    /// Of a stored one that comes in an order.
    pub(crate) order_key: Option<String>,
}

/// Notifications that are stored behind an id; none if there is no storage.
pub(crate) async fn rows(client: &Client, program: &Program, id: i64) -> Vec<Row> {
    let sql = format!(
        "SELECT id, listener_group, channel, op, model_version, payload::text, coalesce(context, '{{}}'), nullif(order_key, '') FROM {}.notification \
         WHERE id > $1 ORDER BY id",
        program.catalog.storage_schema
    );
    let rows = client.query(&sql, &[&id]).await.unwrap_or_default();
    let json = |text: &str| serde_json::from_str(text).unwrap();
    rows.iter()
        .map(|row| Row {
            id: row.get(0),
            group: Some(row.get(1)),
            channel: row.get(2),
            op: row.get(3),
            version: u32::try_from(row.get::<_, i32>(4)).unwrap(),
            payload: json(row.get(5)),
            context: json(row.get(6)),
            order_key: row.get(7),
        })
        .collect()
}

/// The last id that was given.
pub(crate) async fn newest(client: &Client, program: &Program) -> i64 {
    let rows = rows(client, program, 0).await;
    rows.iter().map(|row| row.id).max().unwrap_or(0)
}

/// What a program's workers make of a notification; `None` if they leave it to others.
pub(crate) fn takes(program: &Program, row: &Row) -> Option<Result<String, String>> {
    let mut taken = None;
    for listener in program.catalog.listeners {
        let Some((channel, op)) = claims(listener, row) else {
            continue;
        };
        let matches = listener.filter.iter().all(|filter| match filter.value {
            FilterValue::Literal(value) => row.context[filter.key] == value,
            FilterValue::Environment(_) => true,
        });
        if !matches {
            continue;
        }
        let decoded = (program.decode)(listener.name, channel, op, row.version, &row.payload);
        taken = match taken {
            Some(Err(why)) => Some(Err(why)),
            _ => Some(decoded),
        };
    }
    taken
}

/// The channel under which a listener claims a notification, or hears it, and its operation.
fn claims<'r>(listener: &ListenerSpec, row: &'r Row) -> Option<(&'r str, Op)> {
    if let Some(group) = &row.group {
        let mut groups = std::iter::once(&listener.group).chain(listener.was);
        if !groups.any(|mine| mine == group) {
            return None;
        }
    }
    listener.subscriptions.iter().find_map(|subscription| {
        let channel = &subscription.channel;
        let is_of = match (channel.delivery, &row.group) {
            (Delivery::Durable, Some(_)) => {
                let mut names = std::iter::once(&channel.name).chain(channel.was);
                names.any(|name| *name == row.channel)
            }
            (Delivery::Transient, None) => channel.wire == row.channel,
            _ => false,
        };
        let op = subscription
            .ops
            .iter()
            .find(|op| op.to_string() == row.op)?;
        let name = match row.group {
            Some(_) => row.channel.as_str(),
            None => channel.name,
        };
        (is_of && row.version <= channel.version).then_some((name, *op))
    })
}

/// Whether the registry is as a program's worker wants it when it starts.
pub(crate) async fn fits(client: &Client, program: &Program) -> bool {
    let sql = format!(
        "SELECT name, channel, listener_group, ops FROM {}.listener",
        program.catalog.storage_schema
    );
    let Ok(rows) = client.query(&sql, &[]).await else {
        return true;
    };
    program.catalog.listeners.iter().all(|listener| {
        listener.subscriptions.iter().all(|subscription| {
            rows.iter().any(|row| {
                let ops: Vec<&str> = row.get(3);
                row.get::<_, &str>(0) == listener.name
                    && row.get::<_, &str>(1) == subscription.channel.name
                    && row.get::<_, &str>(2) == listener.group
                    && subscription
                        .ops
                        .iter()
                        .all(|op| ops.contains(&op.to_string().as_str()))
            })
        })
    })
}

/// A session that hears what is transient.
pub(crate) struct Heard {
    received: mpsc::UnboundedReceiver<(String, String)>,
    /// A wire of its own, on which it hears that it has heard all.
    end: &'static str,
    _client: Client,
}

impl Heard {
    pub(crate) async fn new(database: &Database, programs: &[&Program]) -> Self {
        let (client, mut connection) = database.config().connect(NoTls).await.unwrap();
        let (sender, received) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                let next = std::future::poll_fn(|cx| connection.poll_message(cx)).await;
                let Some(Ok(message)) = next else {
                    return;
                };
                if let AsyncMessage::Notification(heard) = message {
                    let heard = (heard.channel().to_owned(), heard.payload().to_owned());
                    if sender.send(heard).is_err() {
                        return;
                    }
                }
            }
        });
        let end = "end_of_the_test";
        let mut listen = format!("LISTEN {end};");
        for program in programs {
            for channel in program.catalog.channels {
                listen += &format!("LISTEN \"{}\";", channel.wire);
            }
        }
        client.batch_execute(&listen).await.unwrap();
        Self {
            received,
            end,
            _client: client,
        }
    }

    /// All that was sent until now; hints that something is stored are none.
    pub(crate) async fn all(&mut self, client: &Client) -> Vec<Row> {
        client
            .batch_execute(&format!("NOTIFY {}", self.end))
            .await
            .unwrap();
        let mut all = Vec::new();
        loop {
            let received = tokio::time::timeout(Duration::from_secs(60), self.received.recv());
            let (wire, text) = received.await.expect("no hang").unwrap();
            if wire == self.end {
                return all;
            }
            if text.is_empty() {
                continue;
            }
            let envelope: Value = serde_json::from_str(&text).unwrap();
            let context = envelope["context"].as_str().unwrap_or("{}");
            all.push(Row {
                id: 0,
                group: None,
                channel: wire,
                op: envelope["op"].as_str().unwrap().to_owned(),
                version: u32::try_from(envelope["model_version"].as_u64().unwrap()).unwrap(),
                payload: envelope["payload"].clone(),
                context: serde_json::from_str(context).unwrap(),
                order_key: None,
            });
        }
    }
}
