//! Runs statements for the commands that change a database.

use tokio_postgres::Client;

use super::session::chain;

/// All of it, or nothing.
pub(crate) async fn run(client: &mut Client, sql: &str) -> anyhow::Result<()> {
    let failed = |error: tokio_postgres::Error| {
        let hint = if error.code() == Some(&tokio_postgres::error::SqlState::LOCK_NOT_AVAILABLE) {
            "; somebody holds a lock on the table, try again"
        } else {
            ""
        };
        anyhow::anyhow!("the database refuses: {}{hint}", chain(&error))
    };
    let transaction = client.transaction().await.map_err(failed)?;
    transaction.batch_execute(sql).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)
}
