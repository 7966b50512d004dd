//! Tries SQL on a database, and takes it back.

use tokio_postgres::Client;

use super::session::chain;

/// Applies a migration in a transaction that is rolled back; the error names what PostgreSQL said, and where in the file.
pub(crate) async fn try_migration(client: &mut Client, sql: &str) -> anyhow::Result<()> {
    let transaction = client
        .transaction()
        .await
        .map_err(|error| anyhow::anyhow!("cannot begin a transaction: {}", chain(&error)))?;
    let outcome = transaction.batch_execute(sql).await;
    drop(transaction.rollback().await);
    outcome.map_err(|error| {
        let Some(found) = error.as_db_error() else {
            return anyhow::anyhow!("the connection was lost: {}", chain(&error));
        };
        let mut text = found.message().to_owned();
        if let Some(tokio_postgres::error::ErrorPosition::Original(position)) = found.position() {
            let before: String = sql.chars().take(*position as usize).collect();
            text += &format!(", in line {} of the migration", before.lines().count());
            if let Some(line) = before
                .lines()
                .count()
                .checked_sub(1)
                .and_then(|line| sql.lines().nth(line))
            {
                text += &format!(": {}", line.trim());
            }
        }
        if let Some(hint) = found.hint() {
            text += &format!(" ({hint})");
        }
        anyhow::anyhow!(text)
    })
}
