//! The count at the end.

use std::fmt;

use anyhow::Context;
use tokio_postgres::Client;

/// What the burst came to.
pub(super) struct Verdict {
    authors: i64,
    posts: i64,
    /// Authors without a post.
    missing: i64,
    /// Authors with more than one post, and notifications that took effect more than once.
    twice: i64,
}

impl Verdict {
    pub(super) async fn read(client: &Client) -> anyhow::Result<Self> {
        let sql = "
            WITH posts_of AS (
                SELECT author.id, count(post.id) AS posts
                FROM app.author AS author LEFT JOIN app.post AS post ON post.author_id = author.id
                GROUP BY author.id
            ), effects AS (
                SELECT count(*) AS times FROM app.ledger GROUP BY listener, notification_id
            )
            SELECT (SELECT count(*) FROM app.author),
                   (SELECT count(*) FROM app.post),
                   (SELECT count(*) FROM posts_of WHERE posts = 0),
                   (SELECT count(*) FROM posts_of WHERE posts > 1) + (SELECT count(*) FROM effects WHERE times > 1)";
        let row = client.query_one(sql, &[]).await.context("cannot count")?;
        Ok(Self {
            authors: row.get(0),
            posts: row.get(1),
            missing: row.get(2),
            twice: row.get(3),
        })
    }

    pub(super) fn is_exact(&self) -> bool {
        self.authors == self.posts && self.missing == 0 && self.twice == 0
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            authors,
            posts,
            missing,
            twice,
        } = self;
        let word = if self.is_exact() {
            "exact"
        } else {
            "NOT EXACT"
        };
        write!(
            f,
            "{authors} authors, {posts} first posts, {missing} missing, {twice} twice: {word}"
        )
    }
}
