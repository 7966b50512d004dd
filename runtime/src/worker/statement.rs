//! A statement that is executed again and again, on a session of one's own or through a pooler.

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row, Transaction};

use super::bounds::Way;

type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Prepared on the session; or through a pooler, which may give each transaction another session of the server, text that is sent
/// each time, with the types of its parameters, in one round trip as well.
pub(super) enum Statement {
    Prepared(tokio_postgres::Statement),
    Text { text: String, types: Vec<Type> },
}

impl Statement {
    /// Through a pooler, within a transaction.
    pub(super) async fn prepare(
        client: &Client,
        text: String,
        way: Way,
    ) -> Result<Self, tokio_postgres::Error> {
        let prepared = client.prepare(&text).await?;
        Ok(match way {
            Way::Direct => Self::Prepared(prepared),
            // What was prepared is closed again when it is dropped, on the same session.
            Way::Pooled => Self::Text {
                types: prepared.params().to_vec(),
                text,
            },
        })
    }

    pub(super) async fn query(
        &self,
        handle: &Transaction<'_>,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        match self {
            Self::Prepared(statement) => handle.query(statement, parameters).await,
            Self::Text { text, types } => handle.query_typed(text, &typed(parameters, types)).await,
        }
    }

    pub(super) async fn execute(
        &self,
        handle: &Transaction<'_>,
        parameters: Parameters<'_>,
    ) -> Result<u64, tokio_postgres::Error> {
        match self {
            Self::Prepared(statement) => handle.execute(statement, parameters).await,
            Self::Text { text, types } => {
                handle.execute_typed(text, &typed(parameters, types)).await
            }
        }
    }
}

fn typed<'a>(parameters: Parameters<'a>, types: &[Type]) -> Vec<(&'a (dyn ToSql + Sync), Type)> {
    parameters
        .iter()
        .copied()
        .zip(types.iter().cloned())
        .collect()
}
