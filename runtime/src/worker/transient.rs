//! Transient notifications: handed to every listener that is connected, in order, at most once.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::bounds::Role;
use super::connect::Session;
use super::delivery::begin;
use super::failure::report_transient;
use super::inbox::{Inbox, Next};
use super::panic::guard;
use super::shared::{Shared, Transient};
use super::timeout::limited;
use super::{SessionState, WorkerEvent};
use crate::payload::{DecodeError, Object};
use crate::{Context, Error, Op, PgTimestampTz, TransientCx, TransientNotification};

/// How many notifications may wait for one listener. What comes beyond that is counted, and the application told of it: to hold up
/// the listening session instead would fill the queue of the server, and then writers fail; to keep everything, our memory.
const WAITING: usize = 1_024;

/// A payload, and which subscription of its listener it is for.
type Received = (usize, Arc<str>);

/// A subscription of a listener, and what waits for that.
struct Queue {
    subscription: usize,
    inbox: Arc<Inbox<Received>>,
}

/// Distributes what the listening session receives to one task a listener.
pub(super) struct Dispatcher {
    /// By wire name.
    queues: HashMap<&'static str, Vec<Queue>>,
}

impl Dispatcher {
    /// Starts a task for each transient listener.
    pub(super) fn spawn(shared: &Arc<Shared>, tasks: &mut JoinSet<()>) -> Self {
        let mut queues: HashMap<_, Vec<_>> = HashMap::new();
        let spills = Arc::new(Spills {
            shared: Arc::clone(shared),
            session: Mutex::new(None),
        });
        for (index, entry) in shared.transient.iter().enumerate() {
            let inbox = Arc::new(Inbox::new(WAITING));
            for (subscription, subscribed) in entry.spec.subscriptions.iter().enumerate() {
                queues
                    .entry(subscribed.channel.wire)
                    .or_default()
                    .push(Queue {
                        subscription,
                        inbox: Arc::clone(&inbox),
                    });
            }
            tasks.spawn(run(Arc::clone(shared), index, inbox, Arc::clone(&spills)));
        }
        Self { queues }
    }

    /// Never waits.
    pub(super) fn dispatch(&self, wire: &str, payload: &str) {
        let payload: Arc<str> = payload.into();
        for queue in self.queues.get(wire).into_iter().flatten() {
            queue.inbox.put((queue.subscription, Arc::clone(&payload)));
        }
    }
}

/// Calls one listener, notification by notification.
async fn run(shared: Arc<Shared>, index: usize, inbox: Arc<Inbox<Received>>, spills: Arc<Spills>) {
    let entry = &shared.transient[index];
    loop {
        let (subscription, payload) = tokio::select! {
            biased;
            () = shared.stop.cancelled() => return,
            next = inbox.next() => match next {
                Next::One(received) => received,
                Next::Missed(count) => {
                    missed(&shared, entry, count, "too many were waiting for this listener");
                    continue;
                }
            },
        };
        if let Err(problem) = handle(&shared, entry, subscription, &payload, &spills).await {
            // Anybody may NOTIFY anything on this channel, so this need not be our fault.
            tracing::warn!(
                listener = entry.spec.name,
                "ignored a transient notification: {problem}"
            );
        }
    }
}

/// Tells that a listener did not get everything.
fn missed(shared: &Shared, entry: &Transient, count: u64, why: &str) {
    let listener = entry.spec.name;
    tracing::warn!(
        listener,
        count,
        "transient notifications were missed: {why}"
    );
    shared.session(SessionState::Missed { listener, count });
}

async fn handle(
    shared: &Shared,
    entry: &Transient,
    subscription: usize,
    payload: &str,
    spills: &Spills,
) -> Result<(), String> {
    let parse = |text: &str| {
        serde_json::from_str::<Value>(text).map_err(|error| format!("no JSON: {error}"))
    };
    let mut envelope = parse(payload)?;
    if let Some(id) = envelope.get("spill").and_then(Value::as_i64) {
        match spills.fetch(id).await {
            Ok(body) => envelope = parse(&body)?,
            Err(why) => {
                missed(shared, entry, 1, &why);
                return Ok(());
            }
        }
    }
    let Some(notification) = notification(entry, subscription, &envelope)? else {
        return Ok(());
    };
    let version = notification.model_version;
    if version > entry.spec.subscriptions[subscription].channel.version {
        shared.too_new(entry.spec.name, version);
        return Ok(());
    }
    if !notification.context.contains(&entry.filter) {
        return Ok(());
    }
    let op = notification.op;
    let payload = envelope.get("payload").unwrap_or(&Value::Null);
    let mut cx = TransientCx::new(notification);
    let call = guard(entry.handler.call(op, payload, &mut cx));
    match limited(entry.spec.timeout, call).await {
        Ok(()) => shared.emit(WorkerEvent::Delivered {
            listener: entry.spec.name,
            id: None,
        }),
        Err(failure) => report_transient(shared, entry.spec.name, &failure),
    }
    Ok(())
}

/// `None` for an operation that the listener did not ask for.
fn notification(
    entry: &Transient,
    subscription: usize,
    envelope: &Value,
) -> Result<Option<TransientNotification>, String> {
    let text = |error: DecodeError| error.to_string();
    let object = Object::new(envelope).map_err(text)?;
    let op: String = object.field("op").map_err(text)?;
    let op = Op::from_word(&op).ok_or_else(|| format!("unknown operation `{op}`"))?;
    let subscribed = &entry.spec.subscriptions[subscription];
    if !subscribed.ops.contains(&op) {
        return Ok(None);
    }
    let created_at: PgTimestampTz = object.field("created_at").map_err(text)?;
    Ok(Some(TransientNotification {
        id: object.field("id").map_err(text)?,
        channel: subscribed.channel.name.to_owned(),
        listener: entry.spec.name.to_owned(),
        op,
        model_version: object.field_or("model_version", || 0).map_err(text)?,
        db_version: object.field_or("db_version", || None).map_err(text)?,
        created_at: created_at.to_chrono().unwrap_or_default(),
        context: Context::from_raw(object.field_or("context", || None).map_err(text)?),
    }))
}

/// Fetches bodies that were too long for NOTIFY, on one session that all transient listeners share.
struct Spills {
    shared: Arc<Shared>,
    session: Mutex<Option<Session>>,
}

impl Spills {
    async fn fetch(&self, id: i64) -> Result<String, String> {
        let mut session = self.session.lock().await;
        // A session may have died since the last time: then once more with a new one.
        for fresh in [false, true] {
            if fresh || session.is_none() {
                *session = Some(
                    self.shared
                        .connect(Role::Spills)
                        .await
                        .map_err(|error| error.to_string())?,
                );
            }
            let Some(open) = session.as_mut() else {
                continue;
            };
            match fetch(open, &self.shared, id).await {
                Ok(Some(body)) => return Ok(body),
                Ok(None) => return Err(format!("its body (spill {id}) is gone")),
                Err(error) => {
                    *session = None;
                    if fresh {
                        return Err(error.to_string());
                    }
                }
            }
        }
        Err("no connection".to_owned())
    }
}

async fn fetch(session: &mut Session, shared: &Shared, id: i64) -> Result<Option<String>, Error> {
    let failed = |error| Error::postgres("fetch a spilled notification", error);
    // As with a consumer: to begin takes no time, so here a dead connection shows.
    let deadline = shared.options.heartbeat;
    let begun = tokio::time::timeout(deadline, begin(&mut session.client, &shared.connector)).await;
    let transaction = begun
        .map_err(|_| Error::no_answer(deadline))?
        .map_err(failed)?;
    let row = transaction
        .query_opt(&shared.sql.spilled(), &[&id])
        .await
        .map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    Ok(row.map(|row| row.get(0)))
}
