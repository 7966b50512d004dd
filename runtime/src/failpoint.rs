//! Places at which a worker kills itself, for tests of what a crash leaves behind. Without the feature `failpoints`, nothing.
//!
//! `PGPUBSUB_FAILPOINT="before commit:0.02"` arms one: each time the worker comes by, it dies there with this probability, as
//! by SIGKILL from outside, after a line on standard error that names the place.
#![cfg_attr(
    not(feature = "failpoints"),
    allow(dead_code, unreachable_pub) // Only with the feature does anybody outside come by.
)]

/// A consumer holds what it has claimed, and has called no listener.
pub const AFTER_CLAIM: &str = "after claim";
/// A careful consumer has counted the attempt, and has called no listener.
pub const AFTER_COUNTING: &str = "after counting";
/// The listener is at work. Listeners themselves come by here: nobody else knows when.
pub const IN_THE_LISTENER: &str = "in the listener";
/// A listener has succeeded; others of its batch may follow.
pub const AFTER_ITS_EFFECT: &str = "after its effect";
/// All listeners of the batch have ended, and nothing of what follows is sent.
pub const BEFORE_DELETE: &str = "before delete";
/// The batch is removed, says the server, and COMMIT is not sent.
pub const BEFORE_COMMIT: &str = "before commit";
/// COMMIT is sent, and its answer is not known.
pub const DURING_COMMIT: &str = "during commit";
/// It is committed, says the server.
pub const AFTER_COMMIT: &str = "after commit";
/// Schedules are fired, says the server, and COMMIT is not sent.
pub const AFTER_FIRING: &str = "after firing";

/// All of them.
#[cfg(feature = "failpoints")]
pub const ALL: [&str; 9] = [
    AFTER_CLAIM,
    AFTER_COUNTING,
    IN_THE_LISTENER,
    AFTER_ITS_EFFECT,
    BEFORE_DELETE,
    BEFORE_COMMIT,
    DURING_COMMIT,
    AFTER_COMMIT,
    AFTER_FIRING,
];

/// Dies here, if the point is armed and chance wants it.
#[inline]
pub fn reach(point: &'static str) {
    if drawn(point) {
        die(point);
    }
}

/// Whether to die at a point, for places that have to wait for something first.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) const fn drawn(_: &'static str) -> bool {
    false
}

/// Whether to die at a point, for places that have to wait for something first.
#[cfg(feature = "failpoints")]
pub(crate) fn drawn(point: &'static str) -> bool {
    use std::sync::LazyLock;
    static ARMED: LazyLock<Option<(String, f64)>> = LazyLock::new(|| {
        let text = std::env::var("PGPUBSUB_FAILPOINT").ok()?;
        let armed = text.split_once(':').and_then(|(point, probability)| {
            let probability: f64 = probability.parse().ok()?;
            let fits = ALL.contains(&point) && (0.0..=1.0).contains(&probability);
            fits.then(|| (point.to_owned(), probability))
        });
        // A test that arms nothing would prove nothing.
        assert!(
            armed.is_some(),
            "PGPUBSUB_FAILPOINT is not POINT:PROBABILITY with one of {ALL:?}: {text}"
        );
        armed
    });
    ARMED
        .as_ref()
        .is_some_and(|(armed, probability)| armed == point && rand::random_bool(*probability))
}

/// Nothing was drawn.
#[cfg(not(feature = "failpoints"))]
pub(crate) fn die(point: &'static str) -> ! {
    unreachable!("{point} is not armed")
}

/// SIGKILL: nothing runs after it, no destructor and no handler.
#[cfg(feature = "failpoints")]
pub(crate) fn die(point: &'static str) -> ! {
    use rustix::process::{Signal, getpid, kill_process};
    use std::sync::atomic::{AtomicBool, Ordering};
    static DYING: AtomicBool = AtomicBool::new(false);
    // One death has one place; another thread may come to one in the same moment.
    if !DYING.swap(true, Ordering::Relaxed) {
        eprintln!("failpoint: {point}");
        // It cannot fail for oneself.
        let _ = kill_process(getpid(), Signal::KILL);
    }
    // The signal is delivered before the call returns, or at once after it.
    loop {
        std::thread::park();
    }
}
