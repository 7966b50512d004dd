//! Codes of mistakes. A code never changes its meaning; a retired one is not used again.

macro_rules! codes {
    ($($name:ident = $code:literal: $title:literal,)*) => {
        /// Kind of a mistake.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $title] $name,)*
        }

        impl Code {
            /// All codes, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// `E0001`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// Whether it is only a warning.
            pub fn is_warning(self) -> bool {
                self.as_str().starts_with('W')
            }

            /// `error` or `warning`.
            pub fn severity(self) -> &'static str {
                if self.is_warning() { "warning" } else { "error" }
            }

            /// What the code stands for, in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    Syntax = "E0001": "the file is not YAML",
    WrongKind = "E0002": "a value of the wrong kind",
    UnknownKey = "E0003": "a key that does not exist",
    DuplicateKey = "E0004": "a key that is there twice",
    MissingKey = "E0005": "a key that is missing",
    Version = "E0006": "a version of the language that is not known",
    NotSupported = "E0007": "a part of the language that is not supported yet",
    InvalidValue = "E0008": "a value that is not possible here",
    Include = "E0009": "a file that cannot be included",
    InvalidName = "E0101": "a name that cannot be used",
    NameClash = "E0102": "two names that would be the same",
    ReservedName = "E0103": "a name that generated code needs itself",
    InvalidIdentifier = "E0104": "not an identifier of PostgreSQL",
    DuplicateColumn = "E0105": "a column that is there twice",
    UnknownColumnType = "E0201": "a column type that does not exist",
    InvalidColumnType = "E0202": "a column type that is not possible",
    UnknownFieldType = "E0203": "a field type that does not exist",
    InvalidFieldType = "E0204": "a field type that is not possible",
    InvalidDefault = "E0205": "a default that does not fit",
    InvalidType = "E0206": "a declared type that is not possible",
    InvalidRust = "E0207": "a Rust type that cannot be chosen",
    UnknownModel = "E0301": "a model that does not exist",
    UnknownEvent = "E0302": "an event that does not exist",
    DuplicateEvent = "E0303": "an event that is there twice",
    ChannelKind = "E0304": "neither a trigger channel nor a message channel",
    InvalidBase = "E0305": "a base that is not possible",
    OverriddenType = "E0306": "an overridden field with another type",
    UnknownColumn = "E0307": "a column that the model does not have",
    Incompatible = "E0308": "options that exclude each other",
    InvalidCondition = "E0309": "a condition that is not possible",
    InvalidSchedule = "E0310": "a schedule that is not possible",
    UnknownChannel = "E0401": "a channel that does not exist",
    EventNotCarried = "E0402": "an event that the channel does not carry",
    GroupOverlap = "E0403": "two listeners for one copy of a notification",
    InvalidFilter = "E0404": "a filter that is not possible",
    InvalidOption = "E0405": "an option that does not fit here",
    Unreadable = "E0501": "a notification of an earlier version that could not be read",
    LooksRenamed = "E0502": "a removal and an addition that look like a rename",
    UnknownVersion = "E0503": "a version that has not been there",
    UnknownFormer = "E0504": "a former name that nothing had",
    LeafPartition = "W0001": "changes that a statement-level channel does not see",
    BeforeTrigger = "W0002": "a before trigger sees a row that is not final",
    TransientPayload = "W0003": "a transient payload that may not fit a notification",
    BlockedAlter = "W0004": "a condition that blocks ALTER TABLE",
    FiredTwice = "W0005": "a channel that fires on both ends of a replication",
    UnknownConditionColumn = "W0006": "a condition on a column that the model does not declare",
    Truncate = "W0007": "a TRUNCATE that nobody hears of",
}
