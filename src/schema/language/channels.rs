//! Channels, and what is said of them.

use super::words::{
    CONDITION_IN, DELIVERIES, EVENTS, FIRES, KEEPS, LEVELS, MISSED, ON_CAPTURE_ERROR, ORDERS,
    TRIGGERS, WAKES,
};
use super::{ALLOW, ATTRIBUTES, DERIVE, DOC, FROM, Mapping, OLDEST, Shape, TEXTS, UNTIL, WAS, key};

/// An entry of `channels`.
pub static CHANNEL: Mapping = Mapping {
    keys: &[
        DOC,
        key(
            "on",
            Shape::Text,
            "Model whose changes the channel carries.",
        ),
        key("after", EVENT, "Events that it fires after."),
        key("before", EVENT, "Events that it fires before."),
        key(
            "delivery",
            Shape::Word(DELIVERIES),
            "`durable`: stored, processed once. `transient`: to whoever is connected.",
        ),
        key(
            "wake",
            Shape::Word(WAKES),
            "How a durable channel wakes workers. `door`: only one that sleeps. `commit`: at each commit. `poll`, `none`: not at all.",
        ),
        key(
            "key",
            TEXTS,
            "Columns (fields of a message): notifications with equal values in them come one after the other. Durable only.",
        ),
        key(
            "order",
            Shape::Word(ORDERS),
            "`total`: all notifications of the channel come one after the other. Durable only.",
        ),
        key(
            "retain",
            Shape::Text,
            "How long notifications are kept after they were processed, for replay: a time like `7d`. Durable only. Default: not at all.",
        ),
        key(
            "changed",
            Shape::Either(&[Shape::Word(&["whole_row"]), Shape::Mapping(&CHANGED)]),
            "Which updates count: by columns whose values really differ, or by the whole row.",
        ),
        key(
            "when",
            Shape::Either(&[Shape::Text, Shape::Mapping(&WHEN)]),
            "SQL condition on `new` and `old`, for all events or by event.",
        ),
        key(
            "payload",
            Shape::Either(&[TEXTS, Shape::Mapping(&PAYLOAD)]),
            "Columns that are sent, of both row images or by image. Default: all of the model.",
        ),
        key(
            "level",
            Shape::Word(LEVELS),
            "`statement`: one call for all rows of a statement, for bulk loads.",
        ),
        key(
            "deferred",
            Shape::Bool,
            "Fires at the end of the transaction.",
        ),
        key(
            "fire",
            Shape::Word(FIRES),
            "`always`: also for replicated changes. `replica`: only for them.",
        ),
        key(
            "on_capture_error",
            Shape::Word(ON_CAPTURE_ERROR),
            "`skip`: an error in the capture function loses the event and not the write.",
        ),
        key(
            "ignorable",
            Shape::Bool,
            "Whether a transaction may switch the channel off for itself.",
        ),
        ALLOW,
        key(
            "condition_in",
            Shape::Word(CONDITION_IN),
            "Where conditions are checked. `trigger` (default) is fastest; `function` lets their columns be altered.",
        ),
        key(
            "trigger",
            Shape::Word(TRIGGERS),
            "`own`: you create the triggers; the function is generated.",
        ),
        key(
            "message",
            Shape::Named(&Shape::Either(&[Shape::Text, Shape::Mapping(&FIELD)])),
            "Fields of a message channel with their types and defaults.",
        ),
        key(
            "extends",
            Shape::Text,
            "Message channel whose fields come first.",
        ),
        key(
            "notify_at",
            Shape::Bool,
            "Whether senders may say when a message is due.",
        ),
        key(
            "expires",
            Shape::Either(&[Shape::Bool, Shape::Text]),
            "Whether senders may say until when a message is worth delivering; a time like `1h` is for those who do not say.",
        ),
        key(
            "priority",
            Shape::Bool,
            "Whether senders may say how urgent a message is, from 1 to 9.",
        ),
        key(
            "dedup",
            Shape::Mapping(&DEDUP),
            "Which messages are folded into one that still waits.",
        ),
        key(
            "schedule",
            Shape::Either(&[Shape::Text, Shape::Mapping(&SCHEDULE)]),
            "When the channel sends by itself: a cron expression in UTC like `0 3 * * *`, or a mapping.",
        ),
        DERIVE,
        ATTRIBUTES,
        WAS,
        OLDEST,
    ],
};

/// `dedup`.
pub static DEDUP: Mapping = Mapping {
    keys: &[
        key(
            "key",
            TEXTS,
            "Fields that are equal in messages which are folded.",
        ),
        key(
            "keep",
            Shape::Word(KEEPS),
            "`first`: a message is dropped while one waits. `last`: the one that waits gets its payload.",
        ),
        key(
            "debounce",
            Shape::Text,
            "Like `last`, and due only when no other has come for this time.",
        ),
        key(
            "at_most",
            Shape::Text,
            "How long `debounce` may put it off, counted from the first.",
        ),
    ],
};

/// `schedule`.
pub static SCHEDULE: Mapping = Mapping {
    keys: &[
        key(
            "cron",
            Shape::Text,
            "Minute, hour, day of the month, month, day of the week: `0 3 * * *`; or @hourly, @daily, @weekly, @monthly, @yearly.",
        ),
        key(
            "every",
            Shape::Text,
            "Instead of `cron`: at all multiples of a time, like 10s, 15m, 1h or 7d.",
        ),
        key(
            "timezone",
            Shape::Text,
            "Whose wall clock `cron` means, like Europe/Berlin. Default: UTC.",
        ),
        key(
            "missed",
            Shape::Word(MISSED),
            "What nobody fired in time, as no worker ran: `once` (default) fires one for all of it, `skip` none.",
        ),
        key(
            "with",
            Shape::Named(&Shape::Any),
            "Fields of the message that do not have their defaults.",
        ),
    ],
};

/// An event with columns.
pub static UPDATE_OF: Mapping = Mapping {
    keys: &[key(
        "update_of",
        TEXTS,
        "An update that sets one of these columns, whether it changes them or not.",
    )],
};

const EVENT: Shape = Shape::Either(&[
    Shape::Word(EVENTS),
    Shape::Mapping(&UPDATE_OF),
    Shape::List(&Shape::Either(&[
        Shape::Word(EVENTS),
        Shape::Mapping(&UPDATE_OF),
    ])),
]);

/// `changed`.
pub static CHANGED: Mapping = Mapping {
    keys: &[
        key(
            "any",
            TEXTS,
            "At least one of these columns has another value.",
        ),
        key("all", TEXTS, "Each of these columns has another value."),
        key("none", TEXTS, "None of these columns has another value."),
    ],
};

/// `when` by event.
pub static WHEN: Mapping = Mapping {
    keys: &[
        key("insert", Shape::Text, "SQL condition on `new`."),
        key("update", Shape::Text, "SQL condition on `old` and `new`."),
        key("delete", Shape::Text, "SQL condition on `old`."),
    ],
};

/// `payload` by row image.
pub static PAYLOAD: Mapping = Mapping {
    keys: &[
        key("new", TEXTS, "Columns of the row after."),
        key("old", TEXTS, "Columns of the row before."),
    ],
};

/// A field in its long form.
pub static FIELD: Mapping = Mapping {
    keys: &[
        DOC,
        key("type", Shape::Text, "Type; `?` behind it: may be null."),
        key("default", Shape::Any, "Value when it is not given."),
        WAS,
        UNTIL,
        FROM,
    ],
};
