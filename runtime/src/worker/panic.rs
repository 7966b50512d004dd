//! A panic of a listener is a failure of it, nothing more.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

use super::failure::Failure;
use crate::ListenerError;
use crate::generated::BoxFuture;
use crate::payload::DecodeError;

/// The listener's result, or the message of its panic.
///
/// Unwind safety: what the listener shared with others is its own affair, as in any thread; of ours it only held the
/// transaction, which is rolled back.
pub(super) async fn guard(call: BoxFuture<'_, Result<(), ListenerError>>) -> Result<(), Failure> {
    match AssertUnwindSafe(call).catch_unwind().await {
        Ok(result) => result.map_err(Failure::from),
        Err(payload) => {
            let message = message(payload.as_ref());
            Err(format!("the listener panicked: {message}").into())
        }
    }
}

/// The same for what decodes an event, in which conversions of the application run.
pub(super) fn guard_decoding(
    decode: impl FnOnce() -> Result<(), DecodeError>,
) -> Result<(), Failure> {
    match std::panic::catch_unwind(AssertUnwindSafe(decode)) {
        Ok(result) => result.map_err(|error| ListenerError::decode(error).into()),
        Err(payload) => {
            let message = message(payload.as_ref());
            Err(format!("decoding the event panicked: {message}").into())
        }
    }
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("(no message)")
}
