//! Many new authors at once, and a worker that dies in the middle of it.

use anyhow::Context;

use super::Stage;
use super::workers::Workers;

const POSTS: &str = "SELECT count(*) FROM app.post";
const WAITING: &str = "SELECT count(*) FROM pgpubsub.notification";

/// Writes the authors and returns when nothing waits any more.
///
/// The kill is in the middle for certain: it happens once a quarter of the posts is there, and until then only half of the authors are.
pub(super) async fn run(stage: &Stage, workers: &mut Workers, authors: i64) -> anyhow::Result<()> {
    let batch = (authors / 40).max(1);
    let mut progress = Progress {
        stage,
        authors,
        shown: 0,
    };
    let mut written = 0;
    stage.say(&format!(
        "{authors} new authors are coming; each gets a first post from a listener"
    ));
    let posts = loop {
        let posts = stage.count(POSTS).await?;
        progress.show(posts);
        if posts * 4 >= authors {
            break posts;
        }
        if written < authors / 2 {
            written += write(stage, batch.min(authors / 2 - written)).await?;
        } else {
            stage.rest("the first quarter of the posts").await?;
        }
    };
    let (killed, fresh) = workers.replace_first().await?;
    stage.say(&format!(
        "KILLED {killed} with SIGKILL at {posts} of {authors} posts; {fresh} takes its place"
    ));
    while written < authors {
        written += write(stage, batch.min(authors - written)).await?;
    }
    workers
        .wait_for_lines(1, |line| line.starts_with(&fresh))
        .await?;
    while stage.count(WAITING).await? > 0 {
        progress.show(stage.count(POSTS).await?);
        stage.rest("the posts").await?;
    }
    progress.show(stage.count(POSTS).await?);
    Ok(())
}

/// One transaction of the application: it knows nothing of listeners.
async fn write(stage: &Stage, authors: i64) -> anyhow::Result<i64> {
    let insert = "INSERT INTO app.author (name, email)
                  SELECT 'author ' || n, 'author' || n || '@example.org' FROM generate_series(1, $1::bigint) AS n";
    stage
        .client
        .execute(insert, &[&authors])
        .await
        .context("cannot write authors")?;
    Ok(authors)
}

/// A line for every tenth of the way.
struct Progress<'a> {
    stage: &'a Stage,
    authors: i64,
    shown: i64,
}

impl Progress<'_> {
    fn show(&mut self, posts: i64) {
        let tenth = (posts * 10 / self.authors).min(10);
        if tenth > self.shown {
            self.shown = tenth;
            let bar = "#".repeat(usize::try_from(tenth).unwrap_or(0) * 2);
            self.stage.say(&format!(
                "[{bar:<20}] {posts} of {} first posts",
                self.authors
            ));
        }
    }
}
