//! Checks before the first notification: better a clear message now than silence later.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_util::sync::CancellationToken;

use super::alarm::Alarm;
use super::bounds::{Bounds, Role, Way};
use super::careful::Attempts;
use super::connect::{Connector, Listen, Session};
use super::door::Rest;
use super::options::Options;
use super::retention::{self, Keeps};
use super::schedule;
use super::selection::{check_names, filter, is_selected};
use super::shared::{Durable, Shared, Transient};
use crate::error::Kind;
use crate::generated::{FORMAT, ListenerSpec};
use crate::sql::Sql;
use crate::{Error, ListenerSet, PgTimestampTz};

/// Opens a first session, checks everything, and puts together what the tasks share.
pub(super) async fn start(
    connector: Connector,
    listen: Listen,
    listeners: Option<ListenerSet>,
    options: Options,
) -> Result<Shared, Error> {
    let listeners = listeners.ok_or_else(|| {
        Error::new(
            Kind::Options,
            "the worker has no listeners: call `.listeners(...)` before it runs",
        )
    })?;
    let specs: Vec<ListenerSpec> = listeners.specs().copied().collect();
    check_options(&options, &specs)?;
    let sql = Sql::new(listeners.catalog.storage_schema);

    let known = listeners.catalog.listeners.iter().chain(&specs);
    let ordered: HashSet<&str> = known
        .filter(|spec| spec.subscriptions.iter().any(|taken| taken.channel.ordered))
        .map(|spec| spec.group)
        .collect();
    let mut durable = Vec::new();
    for (spec, handler) in listeners.durable {
        if is_selected(&options.only, &spec) {
            let filter: serde_json::Map<_, _> = filter(&spec)?
                .into_iter()
                .map(|(key, value)| (key, value.into()))
                .collect();
            let filter =
                (!filter.is_empty()).then(|| serde_json::Value::Object(filter).to_string());
            let (wanted, versions): (Vec<_>, Vec<_>) = wanted(&spec).into_iter().unzip();
            for group in std::iter::once(&spec.group).chain(spec.was) {
                durable.push(Durable {
                    spec,
                    handler: handler.clone(),
                    group,
                    wanted: wanted.clone(),
                    versions: versions.clone(),
                    filter: filter.clone(),
                    keeps: Keeps::of(&spec),
                    ordered: ordered.contains(spec.group),
                    leftovers: Arc::default(),
                });
            }
        }
    }
    let mut transient = Vec::new();
    for (spec, handler) in listeners.transient {
        if is_selected(&options.only, &spec) {
            transient.push(Transient {
                spec,
                handler,
                filter: filter(&spec)?,
            });
        }
    }

    let bounds = Bounds::new(options.dead_after);
    let connector = connector.bounded(bounds);
    let listen = match listen {
        Listen::WhereWorkIsDone => Some(connector.clone()),
        Listen::On(other) => Some(other.bounded(bounds).together_with(&connector)),
        Listen::Never => None,
    };
    if let (None, Some(entry)) = (&listen, transient.first()) {
        let message = format!(
            "listener `{}` is one of a transient channel, which only a session that listens hears: give the worker one with `.session(...)`, or serve others with `.only(...)`",
            entry.spec.name
        );
        return Err(Error::new(Kind::Options, message));
    }
    let session = connect(&connector, &options).await?;
    let client = &session.client;
    if let (Way::Pooled, Some(listen)) = (connector.way(), &listen) {
        check_same_database(client, listen).await?;
    }
    check_storage(client, &sql).await?;
    if !durable.is_empty() {
        let keeps = durable.iter().any(|entry| entry.keeps.is_some());
        check_rights(client, &sql, keeps).await?;
    }
    let served: Vec<ListenerSpec> = durable
        .iter()
        .filter(|entry| entry.group == entry.spec.group)
        .map(|entry| entry.spec)
        .chain(transient.iter().map(|entry| entry.spec))
        .collect();
    check_installed(client, &sql, &served).await?;
    let scheduled = listeners.catalog.scheduled;
    schedule::check(client, &sql, scheduled).await?;
    retention::check(client, &sql, &durable).await?;
    let floor = if options.recovery {
        0
    } else {
        newest_id(client, &sql).await?
    };

    Ok(Shared {
        connector,
        session: listen,
        sql,
        options,
        durable,
        transient,
        floor,
        wake: Notify::new(),
        alarm: Alarm::default(),
        rest: Rest::default(),
        has_schedules: !scheduled.is_empty(),
        stop: CancellationToken::new(),
        failure: Mutex::new(None),
        said_too_new: Mutex::default(),
        counted: Attempts::default(),
    })
}

/// Waits for a server that is there and has no room for us yet; whatever else is wrong at the start is better told.
async fn connect(connector: &Connector, options: &Options) -> Result<Session, Error> {
    let mut failures = 0;
    loop {
        match connector.connect(Role::Start).await {
            Err(error) if error.is_not_now() => {
                failures += 1;
                let pause = options.reconnecting(failures, &error.to_string());
                tokio::time::sleep(pause).await;
            }
            connected => return connected,
        }
    }
}

/// Channels and operations, as a claim compares them, with the highest version of each that the code reads.
fn wanted(spec: &ListenerSpec) -> Vec<(String, i64)> {
    let mut wanted = Vec::new();
    for subscription in spec.subscriptions {
        let channel = subscription.channel;
        for name in std::iter::once(&channel.name).chain(channel.was) {
            for op in subscription.ops {
                wanted.push((format!("{name} {op}"), i64::from(channel.version)));
            }
        }
    }
    wanted
}

fn check_options(options: &Options, specs: &[ListenerSpec]) -> Result<(), Error> {
    if specs.is_empty() {
        return Err(Error::new(
            Kind::Options,
            "the worker has no listeners to serve",
        ));
    }
    let mut seen = HashMap::new();
    for spec in specs {
        if seen.insert(spec.name, ()).is_some() {
            return Err(Error::new(
                Kind::Options,
                format!("listener `{}` is there twice", spec.name),
            ));
        }
    }
    check_names(&options.only, specs)
}

/// Listening in another database than that of the work would be silence.
async fn check_same_database(client: &Client, listen: &Connector) -> Result<(), Error> {
    let session = listen.connect(Role::Start).await?;
    let sql = "SELECT oid, pg_catalog.pg_postmaster_start_time(), datname::text FROM pg_catalog.pg_database \
               WHERE datname = pg_catalog.current_database()";
    let place = async |client: &Client| {
        let row = client
            .query_typed_one(sql, &[])
            .await
            .map_err(|error| Error::postgres("ask for the database", error))?;
        let place: (u32, PgTimestampTz, String) = (row.get(0), row.get(1), row.get(2));
        Ok::<_, Error>(place)
    };
    let (work, wakes) = (place(client).await?, place(&session.client).await?);
    if work == wakes {
        return Ok(());
    }
    let message = format!(
        "the worker would listen on another database (\"{}\") than it works on (\"{}\"): both configurations must go to the same server and database",
        wakes.2, work.2
    );
    Err(Error::new(Kind::Options, message))
}

async fn check_storage(client: &Client, sql: &Sql) -> Result<(), Error> {
    let row = match client.query_typed_one(&sql.storage_version(), &[]).await {
        Ok(row) => row,
        Err(error)
            if matches!(
                error.code(),
                Some(&SqlState::UNDEFINED_TABLE | &SqlState::INVALID_SCHEMA_NAME)
            ) =>
        {
            let message = format!(
                "the storage table {} is not in this database: apply the migrations that pgpubsub-gen wrote, and check that the worker connects to the right database",
                sql.name("storage")
            );
            return Err(Error::new(Kind::StorageMissing, message));
        }
        Err(error) => return Err(access_error(sql, error)),
    };
    let version: i32 = row.get(0);
    match i64::from(version) - i64::from(FORMAT) {
        0 => Ok(()),
        newer => {
            let what_to_do = if newer > 0 {
                "this program is too old: build it with the pgpubsub-runtime that belongs to the migrations"
            } else {
                "the database is too old: generate with the newer pgpubsub-gen and apply its migration"
            };
            let message = format!(
                "the storage has format {version}, this program knows {FORMAT}; {what_to_do}"
            );
            Err(Error::new(Kind::StorageVersion, message))
        }
    }
}

/// What a worker with durable listeners does to which table.
const RIGHTS: [(&str, &str); 5] = [
    ("notification", "SELECT"),
    ("notification", "UPDATE"),
    ("notification", "DELETE"),
    ("quarantine", "SELECT"),
    ("quarantine", "INSERT"),
];

/// What one does whose listeners keep what was processed.
const RIGHT_TO_KEEP: (&str, &str) = ("processed", "INSERT");

/// What is missing would be found out at night otherwise, by the first notification that fails too often.
async fn check_rights(client: &Client, sql: &Sql, keeps: bool) -> Result<(), Error> {
    let (tables, rights): (Vec<String>, Vec<&str>) = RIGHTS
        .iter()
        .chain(keeps.then_some(&RIGHT_TO_KEEP))
        .map(|(table, right)| (sql.name(table), *right))
        .unzip();
    let rows = client
        .query(Sql::MISSING_RIGHTS, &[&tables, &rights])
        .await
        .map_err(|error| Error::postgres("look at the rights of this role", error))?;
    if rows.is_empty() {
        return Ok(());
    }
    let missing: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let message = format!(
        "this role lacks rights on the storage: let the worker connect as its owner, or grant {}",
        missing.join(", ")
    );
    Err(Error::new(Kind::Postgres, message))
}

fn access_error(sql: &Sql, error: tokio_postgres::Error) -> Error {
    if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
        let table = sql.name("notification");
        let doing = format!(
            "read the storage schema (let the worker connect as its owner, or grant its role SELECT on all tables there and UPDATE, DELETE on {table})"
        );
        return Error::postgres(&doing, error);
    }
    Error::postgres("read the storage schema", error)
}

/// A listener that is not installed would wait for ever: nothing is stored for it.
async fn check_installed(client: &Client, sql: &Sql, served: &[ListenerSpec]) -> Result<(), Error> {
    let rows = client
        .query_typed(&sql.installed_listeners(), &[])
        .await
        .map_err(|error| access_error(sql, error))?;
    let installed: HashMap<(&str, &str), (&str, Vec<&str>)> = rows
        .iter()
        .map(|row| ((row.get(0), row.get(1)), (row.get(2), row.get(3))))
        .collect();
    let mut problems = Vec::new();
    for spec in served {
        for subscription in spec.subscriptions {
            let channel = subscription.channel.name;
            let Some((group, ops)) = installed.get(&(spec.name, channel)) else {
                problems.push(format!(
                    "listener `{}` is not installed for channel `{channel}`",
                    spec.name
                ));
                continue;
            };
            if *group != spec.group {
                problems.push(format!(
                    "listener `{}` is installed for group `{group}`, not for `{}`",
                    spec.name, spec.group
                ));
            }
            let missing = subscription
                .ops
                .iter()
                .filter(|op| !ops.contains(&op.as_str()));
            problems.extend(
                missing.map(|op| format!("listener `{}` is installed without `{op}`", spec.name)),
            );
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    let message = format!(
        "the database does not fit this program: {}; apply the newest migration of pgpubsub-gen, or run the program that belongs to it",
        problems.join(", ")
    );
    Err(Error::new(Kind::NotInstalled, message))
}

async fn newest_id(client: &Client, sql: &Sql) -> Result<i64, Error> {
    let row = client
        .query_typed_one(&sql.newest_id(), &[])
        .await
        .map_err(|error| access_error(sql, error))?;
    Ok(row.get(0))
}
