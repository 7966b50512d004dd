//! What is found, as values.

use serde::Serialize;

use crate::diagnostic::Span;

/// A change, and what it does to a system that is running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of change.
    pub kind: Kind,
    /// What has changed, in one line.
    pub what: String,
    /// Where, in the new schema; `None` for what is not there any more.
    pub span: Option<Span>,
    /// Notifications that wait from before: does the new code decode and process them?
    pub waiting: Verdict,
    /// Programs of before while the new ones start: what do they do with what is written after the migration?
    pub workers: Verdict,
    /// Programs of before that write and publish: does it still work, and mean the same?
    pub publishers: Verdict,
    /// What to do.
    pub advice: Vec<String>,
}

/// One of three verdicts on a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// In one word.
    #[serde(rename = "verdict")]
    pub outcome: Outcome,
    /// In one sentence.
    pub reason: String,
}

/// A verdict in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Nothing to think about.
    Ok,
    /// Nothing fails, and something is other than before.
    Note,
    /// Something fails, is lost, or waits for ever.
    Breaks,
}

impl Outcome {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Breaks => "breaks",
        }
    }
}

impl Verdict {
    pub(super) fn ok(reason: impl Into<String>) -> Self {
        Self::new(Outcome::Ok, reason)
    }

    pub(super) fn note(reason: impl Into<String>) -> Self {
        Self::new(Outcome::Note, reason)
    }

    pub(super) fn breaks(reason: impl Into<String>) -> Self {
        Self::new(Outcome::Breaks, reason)
    }

    fn new(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self {
            outcome,
            reason: reason.into(),
        }
    }

    /// The worse of two.
    #[must_use]
    pub(super) fn or(self, other: Self) -> Self {
        if other.outcome > self.outcome {
            other
        } else {
            self
        }
    }
}

impl Finding {
    /// The worst of the verdicts.
    pub fn outcome(&self) -> Outcome {
        self.verdicts()
            .map(|(_, verdict)| verdict.outcome)
            .max()
            .unwrap_or(Outcome::Ok)
    }

    /// The verdicts with what they are about.
    pub fn verdicts(&self) -> impl Iterator<Item = (&'static str, &Verdict)> {
        [
            ("waiting", &self.waiting),
            ("old workers", &self.workers),
            ("old publishers", &self.publishers),
        ]
        .into_iter()
    }
}

/// Kinds with their words, which programs may rely on.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $kind:ident $word:literal,)*) => {
        /// What kind of change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[doc = $doc])* $kind,)*
        }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// Its word.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $word,)*
                }
            }
        }
    };
}

kinds! {
    /// The schema of the stored notifications is another one.
    StorageMoved "storage-moved",
    /// An enum has a new label.
    LabelAdded "label-added",
    /// An enum lacks a label.
    LabelRemoved "label-removed",
    /// A model is new.
    ModelAdded "model-added",
    /// A model is gone.
    ModelRemoved "model-removed",
    /// A model has another name.
    ModelRenamed "model-renamed",
    /// The table of a model has another name.
    TableRenamed "table-renamed",
    /// A model is on another table.
    TableReplaced "table-replaced",
    /// A model extends another model than before, one, or none.
    ParentChanged "parent-changed",
    /// Earlier versions are no longer decoded.
    OldestRaised "oldest-raised",
    /// A column is new.
    ColumnAdded "column-added",
    /// A column is gone.
    ColumnRemoved "column-removed",
    /// A column is gone and still read from earlier versions.
    ColumnKept "column-kept-until",
    /// A column has another name.
    ColumnRenamed "column-renamed",
    /// A column has another type.
    ColumnRetyped "column-retyped",
    /// A column has another type that reads the values of the former one.
    ColumnWidened "column-widened",
    /// A column cannot be null any more.
    ColumnRequired "column-required",
    /// A column can be null now.
    ColumnOptional "column-optional",
    /// A column does not leave the table any more.
    ColumnHidden "column-hidden",
    /// Another value stands for what earlier versions lack.
    ColumnDefault "column-default",
    /// A composite type has other attributes.
    AttributesChanged "attributes-changed",
    /// A domain is over another type.
    DomainChanged "domain-changed",
    /// A channel is new.
    ChannelAdded "channel-added",
    /// A channel is gone.
    ChannelRemoved "channel-removed",
    /// A channel has another name.
    ChannelRenamed "channel-renamed",
    /// A channel is on another model, or carries messages where it carried rows.
    ChannelReplaced "channel-replaced",
    /// A former name of a channel is forgotten.
    FormerNameDropped "former-name-dropped",
    /// A transient channel is durable now.
    BecameDurable "became-durable",
    /// A durable channel is transient now.
    BecameTransient "became-transient",
    /// A channel carries one more operation.
    EventAdded "event-added",
    /// A channel carries one operation less.
    EventRemoved "event-removed",
    /// An operation is captured before and not after it, or the other way round.
    TimingChanged "timing-changed",
    /// A channel sends more columns.
    PayloadExtended "payload-extended",
    /// A channel sends fewer columns.
    PayloadShrunk "payload-shrunk",
    /// From row triggers to statement triggers.
    LevelStatement "level-statement",
    /// From statement triggers to row triggers.
    LevelRow "level-row",
    /// Other writes are captured.
    ConditionChanged "condition-changed",
    /// The condition is checked elsewhere.
    ConditionMoved "condition-moved",
    /// Captured at another time within the transaction.
    DeferredChanged "deferred-changed",
    /// Captured elsewhere in a replication.
    FireChanged "fire-changed",
    /// A transaction may switch the channel off, or no longer.
    IgnorableChanged "ignorable-changed",
    /// What an error in the capture function does.
    CaptureErrorChanged "capture-error-changed",
    /// Who creates the triggers.
    TriggersChanged "triggers-changed",
    /// A field of a message is new.
    FieldAdded "field-added",
    /// A field of a message is gone.
    FieldRemoved "field-removed",
    /// A field is gone and still read from earlier versions.
    FieldKept "field-kept-until",
    /// A field of a message has another name.
    FieldRenamed "field-renamed",
    /// A field of a message has another type.
    FieldRetyped "field-retyped",
    /// A field of a message cannot be null any more.
    FieldRequired "field-required",
    /// A field of a message can be null now.
    FieldOptional "field-optional",
    /// Another value stands for what is not said.
    FieldDefault "field-default",
    /// Senders of a message may say more of it.
    OptionAdded "option-added",
    /// Senders of a message may not say something any more.
    OptionRemoved "option-removed",
    /// Messages expire at another time, where the sender does not say.
    ExpiryChanged "expiry-changed",
    /// Other messages are folded into one, or in another way.
    DedupChanged "dedup-changed",
    /// What came in no order does.
    OrderAdded "order-added",
    /// It comes in another order.
    OrderChanged "order-changed",
    /// It comes in no order any more.
    OrderRemoved "order-removed",
    /// A channel sends by itself at other times.
    ScheduleChanged "schedule-changed",
    /// What was processed is kept, or for another time, or not any more.
    RetentionChanged "retention-changed",
    /// A listener is new.
    ListenerAdded "listener-added",
    /// A listener is gone.
    ListenerRemoved "listener-removed",
    /// A listener has another name.
    ListenerRenamed "listener-renamed",
    /// A listener is in another group.
    GroupChanged "group-changed",
    /// A former group of a listener is forgotten.
    FormerGroupDropped "former-group-dropped",
    /// A listener takes another operation, too.
    EventsWidened "events-widened",
    /// A listener takes fewer operations.
    EventsNarrowed "events-narrowed",
    /// A listener listens to one more channel.
    SubscriptionAdded "subscription-added",
    /// A listener listens to one channel less.
    SubscriptionRemoved "subscription-removed",
    /// The context must hold something.
    FilterAdded "filter-added",
    /// The context must hold something else.
    FilterChanged "filter-changed",
    /// The context need not hold anything any more.
    FilterRemoved "filter-removed",
    /// Only documentation.
    Documentation "documentation",
    /// Something that the history does not allow.
    Refused "refused",
    /// Notifications that nobody processes any more.
    LeftToNobody "left-to-nobody",
}
