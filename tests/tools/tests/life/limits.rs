//! What a migration refuses, and life without a way back.

use pgpubsub_testkit::Database;
use pgpubsub_tools::Tool;

use crate::catalogue;
use crate::project::Project;
use crate::steps::{SCHEMA, TABLES};

/// golang-migrate leaves its table dirty when a file fails, for somebody to look at.
const TOOLS: [Tool; 5] = [
    Tool::Sqlx,
    Tool::Refinery,
    Tool::Diesel,
    Tool::Dbmate,
    Tool::Plain,
];

#[tokio::test]
async fn what_waits_keeps_its_storage_whichever_way_it_would_go() {
    const WAITS: &str = "notifications are still waiting";
    const GIVE_UP: &str = "DELETE FROM pgpubsub.notification";
    for tool in TOOLS {
        let what = tool.word();
        let database = Database::create().await.expect("a database");
        let mut project = Project::new(tool, database.url(), SCHEMA);
        project.migration(TABLES);
        project.edit(&[], what);
        let files = project.generate(what);
        project.up(what).await;
        let client = database.connect().await.expect("a session");
        let write = async |id: i64| {
            let write = format!("INSERT INTO app.account (id) VALUES ({id})");
            client.batch_execute(&write).await.expect("a write");
        };
        let count = async |storage: &str| -> i64 {
            let query = format!("SELECT count(*) FROM {storage}.notification");
            client
                .query_one(&query, &[])
                .await
                .expect("it is there")
                .get(0)
        };
        write(1).await;
        // The triggers go, the storage does not.
        project.down(files - 1, what).await;
        let said = project.down_is_refused().await;
        assert!(said.contains(WAITS), "{what}: {said}");
        assert_eq!(count("pgpubsub").await, 1, "{what}");
        project.up(what).await;

        // To another storage schema: the last file waits for the old one to be empty, everything else is done.
        let renamed = ("generate: {", "generate: {postgres: {schema: other}, ");
        project.edit(&[renamed], what);
        project.generate(what);
        let said = project.up_is_refused().await;
        assert!(said.contains(WAITS), "{what}: {said}");
        write(2).await;
        assert_eq!(
            (count("pgpubsub").await, count("other").await),
            (1, 1),
            "{what}"
        );
        client.batch_execute(GIVE_UP).await.expect("it is there");
        project.up(what).await;
        let output = project.check(what);
        catalogue::check(&client, &database.url(), &output.plan, what).await;
        write(3).await;
        assert_eq!(count("other").await, 2, "{what}");
    }
}

#[tokio::test]
async fn without_a_way_back_every_tool_applies_what_comes() {
    for tool in TOOLS {
        let what = tool.word();
        let database = Database::create().await.expect("a database");
        let mut project = Project::new(tool, database.url(), SCHEMA);
        project.migration(TABLES);
        // Files with a way back, and then files without.
        project.edit(&[], what);
        project.generate(what);
        project.up(what).await;
        project.edit(
            &[
                ("tool: ", "reversible: false, tool: "),
                ("after: save}", "after: [insert, delete]}"),
            ],
            what,
        );
        assert!(project.generate(what) > 0, "{what}");
        project.up(what).await;
        project.edit(&[("after: [insert, delete]}", "after: delete}")], what);
        assert!(project.generate(what) > 0, "{what}");
        project.up(what).await;
        let output = project.check(what);
        let client = database.connect().await.expect("a session");
        catalogue::check(&client, &database.url(), &output.plan, what).await;
        if tool == Tool::Dbmate {
            // It wants a way back in every file: one that refuses, or it would forget what it has not taken back.
            let said = project.down_is_refused().await;
            assert!(said.contains("no way back"), "{said}");
            catalogue::check(&client, &database.url(), &output.plan, what).await;
        }
    }
}
