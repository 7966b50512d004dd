//! Listeners, and how they are tried.

use super::words::{EVENTS, HOLDS, RECEIVES};
use super::{DOC, Key, Mapping, Shape, TEXTS, WAS, key, later};

const RETRY_OR_NONE: Shape = Shape::Either(&[Shape::Word(&["none"]), Shape::Mapping(&RETRY)]);

pub(super) const RETRIES: Key = key(
    "retry",
    RETRY_OR_NONE,
    "How often a failing notification of a durable channel is tried, and when; then it goes to quarantine. `none`: once.",
);

pub(super) const TIMEOUT: Key = key(
    "timeout",
    Shape::Text,
    "How long a listener may run, like 30s, 500ms, 5m or 1h; then it is cancelled, and that is a failure. Default: for ever.",
);

/// `retry`.
pub static RETRY: Mapping = Mapping {
    keys: &[
        key(
            "max",
            Shape::Number,
            "Number of attempts, the first one included. Default: 20.",
        ),
        key(
            "backoff",
            Shape::Text,
            "Pauses between the attempts: exp(FIRST, LONGEST) doubles, fixed(PAUSE) does not. Default: exp(1s, 5m), or the worker's.",
        ),
    ],
};

/// An entry of `listeners`.
pub static LISTENER: Mapping = Mapping {
    keys: &[
        DOC,
        key("channel", TEXTS, "Channel or channels that it listens to."),
        key(
            "events",
            Shape::Either(&[Shape::Word(EVENTS), Shape::List(&Shape::Word(EVENTS))]),
            "Events that it asks for. Default: all.",
        ),
        key(
            "group",
            Shape::Text,
            "Listeners of a group share one copy of each notification. Default: the key.",
        ),
        key(
            "hold",
            Shape::Word(HOLDS),
            "How it holds a notification. `transaction`: in the one that removes it, exactly once. `lease`: for minutes, without one, at least once.",
        ),
        key(
            "receives",
            Shape::Word(RECEIVES),
            "What a call gets: `one` event; a `batch` of what was claimed together, as a slice; or a `lazy` one, whose payload it loads itself.",
        ),
        key(
            "filter",
            Shape::Named(&Shape::Text),
            "context.KEY: VALUE or $VARIABLE; what does not match is left to others.",
        ),
        key(
            "include_subchannels",
            Shape::Bool,
            "Whether it gets what every channel carries that extends its channel.",
        ),
        WAS,
        RETRIES,
        TIMEOUT,
        later("batch"),
        later("concurrency"),
    ],
};
