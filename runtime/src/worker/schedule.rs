//! Fires the schedules of the database when they are due.
//!
//! Each worker looks, and the database decides who fires what: an occurrence is sent, and its row moved on to the next, in one
//! transaction that holds the row. When they are due is said by the table and by the clock of the database, and not by this
//! program, which may be older or newer than the migration.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::time::{sleep, timeout};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::WorkerEvent;
use super::bounds::Role;
use super::connect::Session;
use super::delivery::begin;
use super::shared::Shared;
use crate::Error;
use crate::error::Kind;
use crate::failpoint;
use crate::sql::Sql;

/// A migration may have changed what is due.
const LONGEST: Duration = Duration::from_secs(60);
/// Another worker is at it, and may die of it.
const TAKEN: Duration = Duration::from_secs(1);
/// One of them failed, in the database.
const AGAIN: Duration = Duration::from_secs(5);
/// For longer than this, no session is kept.
const KEPT: Duration = Duration::from_secs(10);
/// So far apart, the first of several workers has fired before the others look.
const SPREAD: Duration = Duration::from_millis(50);

/// Until the worker stops.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut session = None;
    let mut failures = 0;
    loop {
        let looked = tokio::select! {
            // A session that nothing answers on is given up; what it has not committed has not happened.
            looked = timeout(LONGEST, look(&shared, &mut session)) => looked,
            () = shared.stop.cancelled() => return,
        };
        let pause = match looked.unwrap_or_else(|_| Err(Error::no_answer(LONGEST))) {
            Ok(pause) => pause,
            // Those of a newer schema, which has none; a program of an older one may run on.
            Err(error) if error.code() == Some(&SqlState::UNDEFINED_FUNCTION) => {
                tracing::debug!("there are no schedules any more: {error}");
                LONGEST
            }
            Err(error) => {
                session = None;
                failures += 1;
                match shared
                    .pause_before_reconnect(failures, &error.to_string())
                    .await
                {
                    true => continue,
                    false => return,
                }
            }
        };
        failures = 0;
        if pause > KEPT {
            session = None;
        }
        let spread = SPREAD.mul_f64(rand::random());
        tokio::select! {
            () = sleep(pause + spread) => {}
            () = shared.stop.cancelled() => return,
        }
    }
}

/// Fires what is due; returns how long nothing is.
async fn look(shared: &Shared, session: &mut Option<Session>) -> Result<Duration, Error> {
    let session = match session {
        Some(session) => session,
        None => session.insert(shared.connect(Role::Schedules).await?),
    };
    let fired = fire(shared, session).await?;
    let mut failed = false;
    for occurrence in fired["results"].as_array().into_iter().flatten() {
        let text = |key: &str| occurrence[key].as_str();
        let channel = text("channel").unwrap_or_default().to_owned();
        let at = text("at").unwrap_or_default();
        if let Some(error) = text("error") {
            failed = true;
            tracing::error!(channel, at, "the schedule could not be fired: {error}");
        } else if occurrence["skipped"] == true {
            tracing::info!(channel, at, "an occurrence was missed and is skipped");
        } else if let Ok(at) = at.parse::<DateTime<Utc>>() {
            shared.emit(WorkerEvent::Fired { channel, at });
        }
    }
    let wait = fired["wait"].as_f64().map_or(LONGEST, |seconds| {
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    });
    Ok(match wait {
        _ if failed => AGAIN,
        Duration::ZERO => TAKEN,
        wait => wait.min(LONGEST),
    })
}

/// What was due, with what became of it, and the seconds until the next occurrence.
async fn fire(shared: &Shared, session: &mut Session) -> Result<Value, Error> {
    let failed = |error| Error::postgres("fire schedules", error);
    let transaction = begin(&mut session.client, &shared.connector)
        .await
        .map_err(failed)?;
    let row = transaction
        .query_typed_one(&shared.sql.fire_schedules(), &[])
        .await
        .map_err(failed)?;
    // It is JSON of PostgreSQL's own making.
    let fired: Value = serde_json::from_str(row.get(0)).unwrap_or_default();
    if fired["results"]
        .as_array()
        .is_some_and(|results| !results.is_empty())
    {
        failpoint::reach(failpoint::AFTER_FIRING);
    }
    transaction.commit().await.map_err(failed)?;
    Ok(fired)
}

/// That the migration is there which a schedule was declared in. A role without the right to look need not: it can fire.
pub(super) async fn check(client: &Client, sql: &Sql, scheduled: &[&str]) -> Result<(), Error> {
    if scheduled.is_empty() {
        return Ok(());
    }
    let installed: Vec<String> = match client.query_typed(&sql.schedules(), &[]).await {
        Ok(rows) => rows.iter().map(|row| row.get(0)).collect(),
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Vec::new(),
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => return Ok(()),
        Err(error) => return Err(Error::postgres("read the schedules", error)),
    };
    let missing = |channel: &&&str| installed.iter().all(|known| known != **channel);
    let Some(channel) = scheduled.iter().find(missing) else {
        return Ok(());
    };
    let message = format!(
        "the database does not fit this program: the schedule of channel `{channel}` is not installed; apply the newest migration of pgpubsub-gen, or run the program that belongs to it"
    );
    Err(Error::new(Kind::NotInstalled, message))
}
