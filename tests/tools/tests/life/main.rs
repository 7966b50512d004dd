//! The life of a schema: changes of every kind, one after the other, each generated, applied by the real tool, used, taken back, and
//! applied again.
//!
//! A change is one of the schema file and, where the table changes, a migration of the user's own before or after ours, in the tool's
//! layout. After each, the database is what the schema says, every write of every table becomes each notification exactly once, and the
//! way down ends where the change began.

mod catalogue;
mod limits;
mod notifications;
mod project;
mod step;
mod steps;

use pgpubsub_testkit::Database;
use pgpubsub_tools::Tool;

use catalogue::Snapshot;
use notifications::Session;
use project::Project;
use steps::{SCHEMA, STEPS, TABLES};

/// Lives through all changes with a tool.
async fn lives(tool: Tool) {
    let database = Database::create().await.expect("a database");
    let mut session = Session::new(&database).await;
    let mut project = Project::new(tool, database.url(), SCHEMA);
    let empty = Snapshot::of(session.client()).await;

    for (number, step) in STEPS.iter().enumerate() {
        let what = format!("{tool}, change {number}: {}", step.what);
        let before = Snapshot::of(session.client()).await;
        let files = project.files();
        if number == 0 {
            project.migration(TABLES);
        }
        step.before.iter().for_each(|sql| project.migration(*sql));
        project.edit(step.edits, &what);
        let ours = project.generate(&what);
        step.after.iter().for_each(|sql| project.migration(*sql));
        assert_eq!(ours > 0, step.emits, "{what}: {ours} files of ours");
        let new = project.files() - files;

        project.up(&what).await;
        let output = project.check(&what);
        catalogue::check(session.client(), &database.url(), &output.plan, &what).await;
        let after = Snapshot::of(session.client()).await;
        session
            .every_write_is_told_once(&project.schema(), &what)
            .await;
        after.is(
            &Snapshot::of(session.client()).await,
            &format!("{what}: after writes"),
        );

        project.down(new, &what).await;
        before.is(
            &Snapshot::of(session.client()).await,
            &format!("{what}: down"),
        );
        project.up(&format!("{what}: again")).await;
        after.is(
            &Snapshot::of(session.client()).await,
            &format!("{what}: up again"),
        );
    }

    project.is_of_these_templates(tool.word());
    let lived = Snapshot::of(session.client()).await;
    let fresh = Database::create().await.expect("a database");
    project.up_at(&fresh.url(), "all at once").await;
    let client = fresh.connect().await.expect("a session");
    lived.is(
        &Snapshot::of(&client).await,
        &format!("{tool}: all at once"),
    );

    project.down(project.files(), "everything").await;
    empty.is(
        &Snapshot::of(session.client()).await,
        &format!("{tool}: everything down"),
    );
}

#[tokio::test]
async fn every_change_goes_up_and_down_with_sqlx() {
    lives(Tool::Sqlx).await;
}

#[tokio::test]
async fn every_change_goes_up_and_down_with_refinery() {
    lives(Tool::Refinery).await;
}

#[tokio::test]
async fn every_change_goes_up_and_down_with_diesel() {
    lives(Tool::Diesel).await;
}

#[tokio::test]
async fn every_change_goes_up_and_down_with_dbmate() {
    lives(Tool::Dbmate).await;
}

#[tokio::test]
async fn every_change_goes_up_and_down_with_psql() {
    lives(Tool::Plain).await;
}

#[tokio::test]
async fn every_change_goes_up_and_down_with_golang_migrate() {
    match Tool::GolangMigrate.installed() {
        Ok(()) => lives(Tool::GolangMigrate).await,
        Err(error) => eprintln!("skipped: {error}"),
    }
}
