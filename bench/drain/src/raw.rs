//! The ceiling: the same work by hand, without a runtime around it.

use std::error::Error;

use bytes::BytesMut;
use futures_util::FutureExt as _;
use futures_util::future::join4;
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use pgpubsub_runtime::tokio_postgres::{Client, Config, NoTls, Row, Statement};

use pgpubsub_bench_bed::Result;

use crate::child::{Progress, Task, Who};

/// Settings of the session, which the runtime sets for each transaction.
const WALK_THE_KEY: &str = "SET enable_seqscan = off; SET enable_sort = off";
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
const CLAIM: &str = "SELECT id, channel, op, model_version, db_version, txid::text, created_at, payload::text, context, attempts, ctid
  FROM pgpubsub.notification
  WHERE listener_group = $1 AND id > $4::bigint
    AND model_version <= ($3::bigint[])[array_position($2::text[], channel || ' ' || op)]
    AND (not_before IS NULL OR not_before <= clock_timestamp())
  ORDER BY id LIMIT $5::bigint FOR UPDATE SKIP LOCKED";
const REMOVE: &str = "DELETE FROM pgpubsub.notification WHERE ctid = ANY ($1::tid[])";

/// Where a row is, as PostgreSQL sends it.
#[derive(Debug)]
struct Place([u8; 6]);

impl<'a> FromSql<'a> for Place {
    fn from_sql(
        _: &Type,
        raw: &'a [u8],
    ) -> std::result::Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.try_into()?))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TID
    }
}

impl ToSql for Place {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TID
    }

    to_sql_checked!();
}

/// One effect for all of a batch.
pub(crate) const EFFECTS: &str = "INSERT INTO effect SELECT pg_catalog.unnest($1::bigint[])";

pub(crate) async fn drain(config: Config, task: Task, progress: Progress) -> Result<()> {
    let (batch, insert) = (i64::try_from(task.batch)?, task.insert);
    let savepoints = task.who == Who::RawSavepoints;
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    client.batch_execute(WALK_THE_KEY).await?;
    let claim = client.prepare(CLAIM).await?;
    let remove = client.prepare(REMOVE).await?;
    let effect = client.prepare("INSERT INTO effect VALUES ($1)").await?;
    let slices = task.who == Who::RawSlices;
    let effects = client.prepare(EFFECTS).await?;
    client.batch_execute(BEGIN).await?;
    let mut last = 0;
    let mut rows = next(&client, &claim, last, batch).await?;
    loop {
        let mut done = Vec::with_capacity(rows.len());
        let mut places: Vec<Place> = Vec::with_capacity(rows.len());
        for (place, row) in rows.iter().enumerate() {
            let payload: Value = pgpubsub_runtime::serde_json::from_str(row.get(7))?;
            if payload.is_null() {
                return Err("no payload".into());
            }
            let id: i64 = row.get(0);
            if insert && savepoints {
                let release = if place > 0 {
                    "RELEASE SAVEPOINT listener; "
                } else {
                    ""
                };
                let savepoint = format!("{release}SAVEPOINT listener");
                // Sent ahead, nobody waits for it.
                drop(client.batch_execute(&savepoint).now_or_never());
            }
            if insert && !slices {
                client.execute(&effect, &[&id]).await?;
            }
            done.push(id);
            places.push(row.get(10));
        }
        if insert && slices && !done.is_empty() {
            client.execute(&effects, &[&done]).await?;
        }
        // After a short claim once more from the start, as somebody has to.
        last = match done.last() {
            Some(id) if rows.len() as i64 == batch => *id,
            _ => 0,
        };
        let (removed, committed, begun, claimed) = join4(
            client.execute(&remove, &[&places]),
            client.batch_execute("COMMIT"),
            client.batch_execute(BEGIN),
            next(&client, &claim, last, batch),
        )
        .await;
        removed?;
        committed?;
        begun?;
        progress.add(done.len());
        let started_over = last == 0;
        rows = claimed?;
        if rows.is_empty() && started_over {
            break;
        }
    }
    client.batch_execute("COMMIT").await?;
    Ok(())
}

async fn next(client: &Client, claim: &Statement, last: i64, batch: i64) -> Result<Vec<Row>> {
    let (wanted, versions) = (vec!["jobs message"], vec![1_i64]);
    Ok(client
        .query(claim, &[&"work", &wanted, &versions, &last, &batch])
        .await?)
}
