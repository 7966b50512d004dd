//! What a group gets that is there from a later migration on.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

#[path = "live/project.rs"]
#[allow(dead_code)] // Each test file uses some of it.
mod project;

use project::Project;

const TABLES: &str =
    "CREATE SCHEMA app; CREATE TABLE app.item (id bigint PRIMARY KEY, name text NOT NULL);";
const EARLY: &str = r#"version: 1
models:
  item: {table: app.item, columns: {id: bigint pk, name: text}}
channels:
  item_saved: {on: item, after: save}
listeners:
  index: {channel: item_saved}
"#;

async fn waiting(project: &Project) -> Vec<String> {
    let sql = "SELECT listener_group || ' ' || (payload->'new'->>'name') FROM pgpubsub.notification
               ORDER BY id, listener_group";
    let rows = project.client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_late_group_starts_with_its_migration() {
    let project = Project::installed(TABLES, EARLY).await;
    let write = "INSERT INTO app.item VALUES";
    project.execute(&format!("{write} (1, 'before')")).await;
    // Begun before the migration, it writes before and after it.
    let mut writer = project.database.connect().await.unwrap();
    let transaction = writer.transaction().await.unwrap();
    transaction.execute("SELECT", &[]).await.unwrap();

    project.generate(&format!(
        "{EARLY}  mirror: {{channel: item_saved, group: late}}\n"
    ));
    project.migrate().await;
    transaction
        .execute(&format!("{write} (2, 'after')"), &[])
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(
        waiting(&project).await,
        ["index before", "index after", "late after"]
    );
    project.is_clean();
}
