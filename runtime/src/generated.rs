//! What generated code links to. Applications need none of it by name.

pub mod composite;

mod enumeration;

use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde_json::Value;
use tokio_postgres::GenericClient;
use tokio_postgres::types::Type;

use crate::payload::{DecodeError, Encode};
use crate::{
    BatchCx, Cx, Delivery, Error, Lazy, LeaseCx, ListenerError, Notification, Op, Received, Retry,
    TransientCx,
};

pub use bytes::BytesMut;

pub use crate::options::MessageOptions;
pub use enumeration::is_enum;

/// An error of a binary value.
pub type Boxed = Box<dyn StdError + Send + Sync>;

/// Format of generated code and of the storage schema that this runtime works with.
pub const FORMAT: u32 = 1;

/// Fails to compile, if generated code was made for another format.
pub const fn require_format(format: u32) {
    assert!(
        format == FORMAT,
        "the generated code and pgpubsub-runtime have different formats: use the same version of pgpubsub-gen and pgpubsub-runtime"
    );
}

/// Everything that a schema file declares.
#[derive(Clone, Copy, Debug)]
pub struct Catalog {
    /// Schema of the notification table, unquoted.
    pub storage_schema: &'static str,
    /// Channels.
    pub channels: &'static [Channel],
    /// Listeners.
    pub listeners: &'static [ListenerSpec],
    /// Models.
    pub models: &'static [Model],
    /// Names of the channels that send by themselves (`schedule`).
    pub scheduled: &'static [&'static str],
}

/// A channel.
#[derive(Clone, Copy, Debug)]
pub struct Channel {
    /// Name in the schema file and in the notification table.
    pub name: &'static str,
    /// Name for LISTEN and NOTIFY.
    pub wire: &'static str,
    /// How it delivers.
    pub delivery: Delivery,
    /// How its writers wake workers.
    pub wake: Wake,
    /// Its function in the storage schema, unquoted.
    pub function: &'static str,
    /// Highest version of what it carries that this code reads: of its model, or of the message.
    pub version: u32,
    /// Former names, under which notifications may still wait.
    pub was: &'static [&'static str],
    /// Whether some of its notifications come one after the other (`key`, `order`).
    pub ordered: bool,
    /// Whether senders may say that a message is urgent (`priority`).
    pub urgent: bool,
    /// How long its notifications are kept after they were processed, for replay; None: not at all.
    pub retain: Option<Duration>,
}

/// How the writers of a durable channel wake workers. What they store is found in any case, by the poll of an idle worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// NOTIFY, if a worker sleeps.
    Door,
    /// NOTIFY at each commit.
    Commit,
    /// Not at all; workers poll often.
    Poll,
    /// Not at all.
    None,
}

/// A model.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    /// Name in the schema file.
    pub name: &'static str,
    /// Version of its shape.
    pub version: u32,
    /// Names of the channels on it.
    pub channels: &'static [&'static str],
}

/// A listener.
#[derive(Clone, Copy, Debug)]
pub struct ListenerSpec {
    /// Name in the schema file.
    pub name: &'static str,
    /// Listeners of one group share one copy of each durable notification.
    pub group: &'static str,
    /// Former groups, for which notifications may still wait.
    pub was: &'static [&'static str],
    /// What it takes of which channels; at least one, all with the same delivery.
    pub subscriptions: &'static [Subscription],
    /// What the context must hold.
    pub filter: &'static [ContextFilter],
    /// How often a durable notification is tried.
    pub retry: Retry,
    /// How long the listener may run.
    pub timeout: Option<Duration>,
}

impl ListenerSpec {
    pub(crate) fn wires(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.subscriptions
            .iter()
            .map(|subscription| subscription.channel.wire)
    }

    /// Where writers of a durable listener's channels ring, and how.
    pub(crate) fn bells(&self) -> impl Iterator<Item = (&'static str, Wake)> + use<> {
        self.subscriptions
            .iter()
            .map(|subscription| (subscription.channel.wire, subscription.channel.wake))
            .filter(|(_, wake)| matches!(wake, Wake::Door | Wake::Commit))
    }

    pub(crate) fn wakes(&self) -> impl Iterator<Item = Wake> + use<> {
        self.subscriptions
            .iter()
            .map(|subscription| subscription.channel.wake)
    }

    pub(crate) fn channels(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.subscriptions
            .iter()
            .map(|subscription| subscription.channel.name)
    }
}

/// What a listener takes of a channel.
#[derive(Clone, Copy, Debug)]
pub struct Subscription {
    /// The channel.
    pub channel: Channel,
    /// The operations that it asked for.
    pub ops: &'static [Op],
}

/// One condition on the context.
#[derive(Clone, Copy, Debug)]
pub struct ContextFilter {
    /// Key in the context.
    pub key: &'static str,
    /// Its value.
    pub value: FilterValue,
}

/// Where the value of a filter comes from.
#[derive(Clone, Copy, Debug)]
pub enum FilterValue {
    /// The schema file.
    Literal(&'static str),
    /// An environment variable, read when the worker starts.
    Environment(&'static str),
}

/// A type that a listener receives.
pub trait Event: Sized {
    /// From a payload that a version of the model or message wrote.
    ///
    /// # Errors
    /// The payload does not fit, or the operation is none of this event's.
    fn decode_event(op: Op, version: u32, payload: &Value) -> Result<Self, DecodeError>;
}

/// What a listener of several channels receives.
pub trait ChannelEvent: Sized {
    /// From a payload that a version of the channel's model or message wrote.
    ///
    /// # Errors
    /// The payload does not fit, or the channel or operation is none of the listener's.
    fn decode_event(
        channel: &str,
        op: Op,
        version: u32,
        payload: &Value,
    ) -> Result<Self, DecodeError>;
}

/// A row of a table, or a part of it.
pub trait Row: Sized {
    /// From a row that a version of the model wrote.
    ///
    /// # Errors
    /// The value does not fit.
    fn decode_row(value: &Value, version: u32) -> Result<Self, DecodeError>;
}

/// A boxed future.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A listener of a durable channel, without its types.
pub trait DurableHandler: Send + Sync {
    /// Decodes the payload and calls the listener.
    fn call<'a>(
        &'a self,
        op: Op,
        payload: &'a Value,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, Result<(), ListenerError>>;
}

/// A listener of a durable channel that receives batches.
pub trait BatchHandler: Send + Sync {
    /// What it gets of each notification.
    type Event: Send + Sync + 'static;

    /// Decodes a payload.
    ///
    /// # Errors
    /// It does not fit. The notification is left out of the batch then, and has failed by itself.
    fn decode(notification: &Notification, payload: &Value) -> Result<Self::Event, DecodeError>;

    /// Calls the listener.
    fn call<'a>(
        &'a self,
        events: &'a [Received<Self::Event>],
        cx: &'a mut BatchCx<'_>,
    ) -> BoxFuture<'a, Result<(), ListenerError>>;
}

/// A listener of a durable channel that loads payloads itself.
pub trait LazyHandler: Send + Sync {
    /// What it loads.
    type Event: 'static;

    /// Decodes a payload.
    ///
    /// # Errors
    /// It does not fit.
    fn decode(notification: &Notification, payload: &Value) -> Result<Self::Event, DecodeError>;

    /// Calls the listener.
    fn call<'a>(
        &'a self,
        event: Lazy<Self::Event>,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, Result<(), ListenerError>>;
}

/// A listener of a durable channel that holds a lease, without its types.
pub trait LeaseHandler: Send + Sync {
    /// Decodes the payload and calls the listener.
    fn call<'a>(
        &'a self,
        op: Op,
        payload: &'a Value,
        cx: &'a mut LeaseCx,
    ) -> BoxFuture<'a, Result<(), ListenerError>>;
}

/// A listener of a transient channel, without its types.
pub trait TransientHandler: Send + Sync {
    /// Decodes the payload and calls the listener.
    fn call<'a>(
        &'a self,
        op: Op,
        payload: &'a Value,
        cx: &'a mut TransientCx,
    ) -> BoxFuture<'a, Result<(), ListenerError>>;
}

/// Publishes a message through the function of its channel.
///
/// # Errors
/// The statement failed: the connection is gone, the migration is missing, or the transaction had failed before.
pub async fn notify(
    client: &impl GenericClient,
    statement: &str,
    message: &impl Encode,
) -> Result<(), Error> {
    let payload = message.encode().to_string();
    // Typed, and so without a prepared statement: it works through any pooler, in one round trip.
    client
        .execute_typed(statement, &[(&payload, Type::TEXT)])
        .await
        .map_err(Error::publish)?;
    Ok(())
}

/// The same with what the sender says of the message.
///
/// # Errors
/// As [`notify`].
pub async fn notify_with(
    client: &impl GenericClient,
    statement: &str,
    message: &impl Encode,
    options: &MessageOptions,
) -> Result<(), Error> {
    let payload = message.encode().to_string();
    client
        .execute(statement, &[&payload, &options.argument()])
        .await
        .map_err(Error::publish)?;
    Ok(())
}

/// A default of the schema, from its text in a payload. The generator has checked it against the type.
pub fn literal<T: crate::payload::Decode>(text: &str) -> T {
    let value = serde_json::from_str(text).expect("the generator wrote JSON");
    T::decode(&value).expect("the generator checked the default against its type")
}
