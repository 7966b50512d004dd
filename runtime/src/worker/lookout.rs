//! A consumer whose session is half-open: both ends believe in it, and nothing comes through.
//!
//! That an answer takes long proves nothing, as a statement may take long. So the server is asked on another session what it makes of
//! this one. If it has ended it, or has been waiting for us while we wait for it, the connection is lost. While it executes a
//! statement, all is well.

use std::time::Duration;

use tokio_postgres::types::{ToSql, Type};

use super::bounds::{Role, Way};
use super::connect::Session;
use super::shared::Shared;
use crate::Error;
use crate::error::Kind;
use crate::vigil::Vigil;

/// What the server says of a session.
enum Seen {
    Gone,
    /// It waits for a statement, for so long.
    Waiting(Duration),
    Busy,
}

const LOOK: &str = "SELECT \"state\", extract(epoch FROM pg_catalog.clock_timestamp() - \"state_change\")::float8 \
     FROM pg_catalog.pg_stat_activity WHERE \"pid\" = $1";

/// Uses the session with this backend until that has an end, or the session is lost.
pub(super) async fn keep<T>(
    shared: &Shared,
    vigil: &Vigil,
    backend: i32,
    serving: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let connector = &shared.connector;
    // The backends of a pooler are not ours to watch.
    let (Some(patience), Way::Direct) = (connector.bounds().silence(), connector.way()) else {
        return serving.await;
    };
    tokio::select! {
        // Whatever has been answered meanwhile is seen first.
        biased;
        served = serving => served,
        error = lost(shared, vigil, backend, patience) => Err(error),
    }
}

/// Why it is lost; it never ends while it is not.
async fn lost(shared: &Shared, vigil: &Vigil, backend: i32, patience: Duration) -> Error {
    let mut session = None;
    loop {
        let since = vigil.since();
        let waited = since.map(|since| since.elapsed()).unwrap_or_default();
        if waited < patience {
            session = None;
            tokio::time::sleep(patience - waited).await;
            continue;
        }
        let seen = look(shared, &mut session, backend).await;
        if vigil.since() == since {
            match seen {
                Ok(Seen::Gone) => {
                    let message = "PostgreSQL has ended a session, and its connection did not tell";
                    return Error::new(Kind::Connect, message);
                }
                // Long enough for an answer to get here, also over a slow network.
                Ok(Seen::Waiting(time)) if time >= patience / 2 => {
                    return Error::no_answer(patience);
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!("a silent session cannot be looked after: {error}");
                    session = None;
                }
            }
        }
        tokio::time::sleep(patience / 2).await;
    }
}

async fn look(shared: &Shared, session: &mut Option<Session>, backend: i32) -> Result<Seen, Error> {
    let session = match session {
        Some(session) => session,
        None => session.insert(shared.connector.connect(Role::Lookout).await?),
    };
    let deadline = shared.options.heartbeat;
    let parameters: [(&(dyn ToSql + Sync), Type); 1] = [(&backend, Type::INT4)];
    let looked = session.client.query_typed(LOOK, &parameters);
    let rows = tokio::time::timeout(deadline, looked)
        .await
        .map_err(|_| Error::no_answer(deadline))?
        .map_err(|error| Error::postgres("look after a session", error))?;
    let Some(row) = rows.first() else {
        return Ok(Seen::Gone);
    };
    let state: Option<&str> = row.get(0);
    let time: Option<f64> = row.get(1);
    Ok(match (state, time) {
        (Some(state), Some(time)) if state.starts_with("idle") => {
            Seen::Waiting(Duration::try_from_secs_f64(time).unwrap_or_default())
        }
        // Or the server does not say.
        _ => Seen::Busy,
    })
}
