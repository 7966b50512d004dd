//! Tries what reading cannot prove: expressions of the functions by queries that read no row, triggers on temporary copies of
//! their tables. Everything is rolled back; a table of the user's is locked in ACCESS SHARE, as any SELECT does.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error, Transaction};

use super::session::chain;
use super::snapshot::without_names;
use crate::live::snapshot::{Snapshot, Trials};
use crate::plan::Plan;
use crate::render;

/// That of the functions.
const SEARCH_PATH: &str =
    "SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL quote_all_identifiers = off";

const POSSIBLE: &str = "SELECT pg_catalog.pg_is_in_recovery(),
    pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY')";

/// The owner of a function, if that one may not read a table.
const MAY_READ: &str = "SELECT pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(p.proowner))
    FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
    WHERE n.nspname = $1 AND p.proname = $2
        AND NOT coalesce(pg_catalog.has_table_privilege(p.proowner, pg_catalog.to_regclass($3::text), 'SELECT'), true)";

const DEFINITION: &str =
    "SELECT pg_catalog.pg_get_triggerdef(t.oid), 'pg_temp.' || pg_catalog.quote_ident(c.relname),
        pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)
    FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = $1::text::pg_catalog.regclass AND t.tgname = $2";

/// What was tried goes into the snapshot.
pub(super) async fn run(
    client: &mut Client,
    plan: &Plan,
    snapshot: &mut Snapshot,
) -> anyhow::Result<()> {
    let failed = |error: Error| anyhow::anyhow!("cannot try the expressions: {}", chain(&error));
    let mut notes = Notes::default();
    let mut trials = Trials::default();
    probes(client, plan, snapshot, &mut trials, &mut notes)
        .await
        .map_err(failed)?;
    rights(client, plan, &mut trials).await.map_err(failed)?;
    let row = client.query_one(POSSIBLE, &[]).await.map_err(failed)?;
    let (standby, may): (bool, bool) = (row.get(0), row.get(1));
    if standby || !may {
        notes.add(if standby {
            "this server is a standby: the definitions of the triggers were not tried and not compared"
        } else {
            "this role may not create temporary tables: the definitions of the triggers were not tried and not compared"
        });
    } else {
        let copies = Copies::new(plan);
        let texts = render::triggers_on_copies(plan, |table| copies.name(table))?;
        triggers(
            client,
            plan,
            snapshot,
            &copies,
            &texts,
            &mut trials,
            &mut notes,
        )
        .await
        .map_err(failed)?;
    }
    snapshot.trials = trials;
    snapshot.notes.extend(notes.texts);
    Ok(())
}

/// What could not be tried, each once.
#[derive(Default)]
struct Notes {
    texts: BTreeSet<String>,
}

impl Notes {
    fn add(&mut self, text: impl Into<String>) {
        self.texts.insert(text.into());
    }
}

/// Whether an error says nothing about the expression: somebody else's lock, or rights that the owner has and we have not.
pub(super) fn is_ours(error: &Error) -> bool {
    error.code().is_some_and(|code| {
        [
            SqlState::INSUFFICIENT_PRIVILEGE,
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::QUERY_CANCELED,
            SqlState::T_R_DEADLOCK_DETECTED,
        ]
        .contains(code)
    })
}

fn is_database_error(error: &Error) -> bool {
    error.as_db_error().is_some()
}

async fn probes(
    client: &mut Client,
    plan: &Plan,
    snapshot: &Snapshot,
    trials: &mut Trials,
    notes: &mut Notes,
) -> Result<(), Error> {
    let mut transaction = client.build_transaction().read_only(true).start().await?;
    transaction.batch_execute(SEARCH_PATH).await?;
    limit(&transaction, plan).await?;
    // Models whose tables cannot be asked.
    let mut skipped = missing_columns(plan, snapshot);
    for probe in &plan.sql.probes {
        let function = probe.function;
        // What is missing is said of the table; and of a function, one error is enough.
        let channel = &plan.live.channels[function];
        if skipped.contains(&channel.model)
            || trials.functions.iter().any(|(known, _)| *known == function)
        {
            continue;
        }
        let savepoint = transaction.savepoint("probe").await?;
        match savepoint.batch_execute(&probe.sql).await {
            Ok(()) => savepoint.commit().await?,
            Err(error) if !is_database_error(&error) => return Err(error),
            Err(error) => {
                savepoint.rollback().await?;
                if is_ours(&error) {
                    notes.add(format!(
                        "the expressions of the channels on {} could not be tried: {}",
                        channel.model.as_deref().unwrap_or(&channel.name),
                        chain(&error)
                    ));
                    // Not a wait for each of them.
                    skipped.insert(channel.model.clone());
                } else {
                    trials.functions.push((function, told(&error, &probe.sql)));
                }
            }
        }
    }
    transaction.rollback().await
}

/// The owner of a capture function reads the rows that a row extends.
async fn rights(client: &Client, plan: &Plan, trials: &mut Trials) -> Result<(), Error> {
    for (index, function) in plan.sql.functions.iter().enumerate() {
        let mut images: Vec<_> = function
            .branches
            .iter()
            .flat_map(|branch| &branch.images)
            .collect();
        while let Some(parent) = images.pop().and_then(|image| image.parent.as_deref()) {
            let name = &plan.live.channels[index].function;
            let rows = client
                .query(MAY_READ, &[&plan.live.storage, name, &parent.table])
                .await?;
            if let Some(row) = rows.first() {
                let owner: String = row.get(0);
                let error = format!("its owner {owner} may not read {}", parent.table);
                trials.rights.push((index, error));
                break;
            }
            images.push(&parent.image);
        }
    }
    Ok(())
}

/// Models whose table is not what it should be, so that no expression on it can work.
fn missing_columns(plan: &Plan, snapshot: &Snapshot) -> BTreeSet<Option<String>> {
    plan.live
        .tables
        .iter()
        .filter(|wanted| {
            snapshot.tables.get(&wanted.table).is_none_or(|found| {
                wanted
                    .columns
                    .iter()
                    .any(|column| !found.columns.contains_key(&column.name))
            })
        })
        .map(|wanted| Some(wanted.model.clone()))
        .collect()
}

pub(super) async fn limit(transaction: &Transaction<'_>, plan: &Plan) -> Result<(), Error> {
    let sql = format!("SET LOCAL lock_timeout = {}", plan.sql.lock_timeout);
    transaction.batch_execute(&sql).await
}

/// What PostgreSQL says, with what stands where it points to.
fn told(error: &Error, sql: &str) -> String {
    let Some(found) = error.as_db_error() else {
        return chain(error);
    };
    let mut text = found.message().to_owned();
    if let Some(tokio_postgres::error::ErrorPosition::Original(position)) = found.position() {
        let at = (*position as usize).saturating_sub(1);
        let near: String = sql.chars().skip(at).take(40).collect();
        let near = near.lines().next().unwrap_or_default().trim();
        if !near.is_empty() {
            text += &format!(", at: {near}");
        }
    }
    if let Some(hint) = found.hint() {
        text += &format!(" ({hint})");
    }
    text
}

/// Temporary copies of tables.
struct Copies {
    /// Of a quoted table, the name.
    names: BTreeMap<String, String>,
}

impl Copies {
    fn new(plan: &Plan) -> Self {
        let tables: BTreeSet<&String> = plan
            .sql
            .triggers
            .iter()
            .map(|trigger| &trigger.table)
            .collect();
        Self {
            names: tables
                .into_iter()
                .enumerate()
                .map(|(index, table)| (table.clone(), format!("pg_temp.\"pgpubsub_copy_{index}\"")))
                .collect(),
        }
    }

    fn name(&self, table: &str) -> String {
        self.names.get(table).cloned().unwrap_or_default()
    }
}

async fn triggers(
    client: &mut Client,
    plan: &Plan,
    snapshot: &Snapshot,
    copies: &Copies,
    texts: &[String],
    trials: &mut Trials,
    notes: &mut Notes,
) -> Result<(), Error> {
    let mut transaction = client.build_transaction().read_only(false).start().await?;
    transaction.batch_execute(SEARCH_PATH).await?;
    limit(&transaction, plan).await?;
    trials.triggers = vec![None; texts.len()];
    let missing = missing_tables(plan, snapshot);
    let mut copied = BTreeSet::new();
    for (table, copy) in &copies.names {
        if missing.contains(table) {
            continue;
        }
        let savepoint = transaction.savepoint("copy").await?;
        let sql = format!("CREATE TEMPORARY TABLE {copy} (LIKE {table} INCLUDING GENERATED)");
        match savepoint.batch_execute(&sql).await {
            Ok(()) => {
                savepoint.commit().await?;
                copied.insert(table);
            }
            Err(error) if !is_database_error(&error) => return Err(error),
            Err(error) => {
                savepoint.rollback().await?;
                notes.add(format!(
                    "the definitions of the triggers on {table} were not tried and not compared: {}",
                    chain(&error)
                ));
            }
        }
    }
    for (index, (trigger, text)) in plan.sql.triggers.iter().zip(texts).enumerate() {
        if !copied.contains(&trigger.table) {
            continue;
        }
        let copy = copies.name(&trigger.table);
        let savepoint = transaction.savepoint("trigger").await?;
        match savepoint.batch_execute(text).await {
            Ok(()) => {
                let crate::history::Key::Trigger { trigger: name, .. } = &trigger.key else {
                    continue;
                };
                let row = savepoint.query_one(DEFINITION, &[&copy, name]).await?;
                let (text, temporary, real): (&str, &str, &str) =
                    (row.get(0), row.get(1), row.get(2));
                // PostgreSQL 14 does not call the schema of temporary tables pg_temp.
                let is_real = text.contains(&format!(" ON {real} "));
                let definition = without_names(text, if is_real { real } else { temporary });
                trials.triggers[index] = Some(Ok(definition));
            }
            Err(error) if !is_database_error(&error) => return Err(error),
            Err(error) if is_ours(&error) => notes.add(format!(
                "the definition of the trigger {} was not tried and not compared: {}",
                trigger.name,
                chain(&error)
            )),
            Err(error) => trials.triggers[index] = Some(Err(told(&error, text))),
        }
        // The next one is tried as if it were alone.
        savepoint.rollback().await?;
    }
    transaction.rollback().await
}

/// Tables (quoted) that are not there.
fn missing_tables(plan: &Plan, snapshot: &Snapshot) -> BTreeSet<String> {
    use crate::plan::ident::sql_ident;
    plan.live
        .tables
        .iter()
        .map(|wanted| &wanted.table)
        .filter(|table| !snapshot.tables.contains_key(table))
        .map(|table| format!("{}.{}", sql_ident(&table.schema), sql_ident(&table.name)))
        .collect()
}
