//! Channels: when they send, and what.

use std::time::Duration;

use crate::diagnostic::Span;
use crate::schema::Spanned;

use super::{Extra, FieldType, Literal, MessageOptions, Past, Schedule};

/// A channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// Key in the YAML.
    pub name: String,
    /// Documentation.
    pub doc: Option<String>,
    /// Where it is declared.
    pub span: Span,
    /// Former names; `None`: nothing is said, empty: it is new, and no renaming.
    pub was: Option<Vec<String>>,
    /// Oldest version that is still decoded, of a message channel; `None`: the first.
    pub oldest: Option<Spanned<u32>>,
    /// Durable or transient.
    pub delivery: Delivery,
    /// How a durable one wakes workers.
    pub wake: Wake,
    /// Which of its notifications a group gets one after the other; `None`: any may come beside any other.
    pub order: Option<Order>,
    /// How long its notifications are kept after they were processed; `None`: not at all.
    pub retain: Option<Duration>,
    /// What it carries.
    pub kind: ChannelKind,
    /// More derives and attributes for its Rust types.
    pub extra: Extra,
}

/// Which notifications of a durable channel come one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Those with equal values in these columns of the model, or fields of the message (indexes), in the order of the YAML.
    Key(Vec<usize>),
    /// All.
    Total,
}

/// What a channel carries.
#[derive(Clone, Debug, PartialEq)]
pub enum ChannelKind {
    /// Bound to a model.
    Trigger(TriggerChannel),
    /// Fields of its own; those of the base channel first (`extends`), overridden defaults applied.
    Message {
        /// In order.
        fields: Vec<MessageField>,
        /// Index into [`super::Schema::channels`] of the channel it extends.
        extends: Option<usize>,
        /// What senders may say, and which messages are folded; of durable channels only.
        options: MessageOptions,
        /// When it sends by itself; of durable channels only.
        schedule: Option<Schedule>,
    },
}

/// A channel on a model.
#[derive(Clone, Debug, PartialEq)]
pub struct TriggerChannel {
    /// Index into [`super::Schema::models`].
    pub model: usize,
    /// Sorted, distinct, never empty; `save` is already expanded.
    pub events: Vec<TriggerEvent>,
    /// Columns (indexes) of `update_of`; empty: any update.
    pub update_of: Vec<usize>,
    /// Which updates count.
    pub changed: Option<Changed>,
    /// SQL conditions by operation, sorted; an operation without one always fires.
    pub when: Vec<(Op, String)>,
    /// Columns (indexes) of the row before that are sent; `None`: all that are captured.
    pub old: Option<Vec<usize>>,
    /// Columns (indexes) of the row after that are sent; `None`: all that are captured.
    pub new: Option<Vec<usize>>,
    /// For each row or for each statement.
    pub level: Level,
    /// At the end of the transaction.
    pub deferred: bool,
    /// When in replication.
    pub fire: Fire,
    /// Whether an error in the capture function loses the event and not the write.
    pub skip_errors: bool,
    /// Whether a transaction may switch the channel off.
    pub ignorable: bool,
    /// Whether conditions are checked in the function, so that their columns can be altered.
    pub condition_in_function: bool,
    /// Whether the triggers are the user's own.
    pub own_triggers: bool,
}

/// Which updates count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// One of these columns (indexes) has another value.
    Any(Vec<usize>),
    /// Each of these has.
    All(Vec<usize>),
    /// None of these has.
    None(Vec<usize>),
    /// Anything in the row differs, byte by byte.
    WholeRow,
}

/// Level of a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// `FOR EACH ROW`.
    Row,
    /// `FOR EACH STATEMENT`, with transition tables.
    Statement,
}

/// When a trigger fires in replication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fire {
    /// Where the change was made.
    Origin,
    /// Also where it is applied.
    Always,
    /// Only where it is applied.
    Replica,
}

/// One trigger: when, and on what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TriggerEvent {
    /// Before or after the row operation.
    pub timing: Timing,
    /// The row operation.
    pub op: Op,
}

/// Timing of a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timing {
    /// `BEFORE`.
    Before,
    /// `AFTER`.
    After,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Op {
    /// A row was inserted: `new`.
    Insert,
    /// A row was updated: `old` and `new`.
    Update,
    /// A row was deleted: `old`.
    Delete,
    /// The table was truncated: no row.
    Truncate,
    /// A message was published.
    Message,
}

/// How a channel delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Stored in the writer's transaction; one consumer of each group processes it.
    Durable,
    /// LISTEN/NOTIFY only.
    Transient,
}

/// How a durable channel wakes workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// NOTIFY, if a worker sleeps.
    Door,
    /// NOTIFY at each commit.
    Commit,
    /// Workers look often.
    Poll,
    /// Workers look as seldom as they do anyway.
    None,
}

/// A field of a message channel.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageField {
    /// Key in the YAML, also the key in the JSON payload.
    pub name: String,
    /// Documentation.
    pub doc: Option<String>,
    /// Type; `T?` is [`FieldType::Optional`].
    pub ty: FieldType,
    /// Checked against `ty`. An optional field without a default has `Some(Null)`.
    pub default: Option<Literal>,
    /// What it was before. A field with `until` is optional, and never published again.
    pub past: Past<FieldType>,
}

impl Channel {
    /// Operations that this channel can carry, sorted and distinct; `[Message]` for a message channel.
    pub fn ops(&self) -> Vec<Op> {
        match &self.kind {
            ChannelKind::Message { .. } => vec![Op::Message],
            ChannelKind::Trigger(trigger) => trigger.ops(),
        }
    }
}

impl TriggerChannel {
    /// Operations that it carries, sorted and distinct.
    pub fn ops(&self) -> Vec<Op> {
        let mut ops: Vec<Op> = self.events.iter().map(|event| event.op).collect();
        ops.sort_unstable();
        ops.dedup();
        ops
    }
}

impl TriggerChannel {
    /// Ends of the names of its own row types: `Old` and `New`, or `Row` for both; none if it sends whole rows.
    pub fn image_suffixes(&self) -> Vec<&'static str> {
        let has = |op| self.events.iter().any(|event| event.op == op);
        let old = has(Op::Update) || has(Op::Delete);
        let new = has(Op::Update) || has(Op::Insert);
        let part = |list: &Option<Vec<usize>>| list.as_ref().is_some_and(|list| !list.is_empty());
        let (old, new) = (old && part(&self.old), new && part(&self.new));
        match (old, new) {
            (true, true) if self.old == self.new => vec!["Row"],
            (true, true) => vec!["Old", "New"],
            (true, false) if self.old == self.new => vec!["Row"],
            (false, true) if self.old == self.new => vec!["Row"],
            (true, false) => vec!["Old"],
            (false, true) => vec!["New"],
            (false, false) => Vec::new(),
        }
    }
}

impl Op {
    /// Word of the YAML and of the `op` column: `insert`, `update`, `delete`, `truncate`, `message`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Truncate => "truncate",
            Self::Message => "message",
        }
    }
}
