//! What happens when something happens. pgpubsub-gen wrote the skeleton of this file once; it does not touch it again.

use pgpubsub_runtime::types::PgDate;
use pgpubsub_runtime::{Cx, ListenerError, TransientCx};
use tracing::{debug, info};

use crate::pubsub::{
    AuthorCreated, CacheExpired, CountReads, CreateFirstPost, DropCache, MailAuthor, MediaSaved,
    ModelReads, OnModelReads, PostDeleted, PostReads, ScanMedia,
};

/// The application: all its listeners.
#[derive(Debug)]
pub(crate) struct App {
    /// How this process calls itself in its log lines.
    name: String,
}

impl App {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
        }
    }
}

impl CreateFirstPost for App {
    async fn create_first_post(
        &self,
        event: AuthorCreated,
        cx: &mut Cx<'_>,
    ) -> Result<(), ListenerError> {
        let author = event.new;
        let content = format!("Hello, I am {}.", author.name);
        let insert = "INSERT INTO app.post (author_id, content) VALUES ($1, $2)";
        cx.transaction()
            .execute(insert, &[&author.id, &content])
            .await?;
        debug!("{}: first post of {}", self.name, author.name);
        record(cx, author.id).await
    }
}

impl CountReads for App {
    async fn count_reads(&self, event: PostReads, cx: &mut Cx<'_>) -> Result<(), ListenerError> {
        let mut per_day = event.per_day;
        if let Some(day) = event.date {
            *per_day.entry(day).or_insert(0) += 1;
        }
        // In the order of the days, so that two workers which add to the same days never wait for each other in a circle.
        let add = "INSERT INTO app.post_reads_per_day AS counted (date, reads) VALUES ($1, $2)
                   ON CONFLICT (date) DO UPDATE SET reads = counted.reads + excluded.reads";
        for (day, reads) in &per_day {
            cx.transaction()
                .execute(add, &[&PgDate::from(*day), reads])
                .await?;
        }
        info!(
            "{}: counted {} reads of post {}",
            self.name,
            per_day.values().sum::<i64>(),
            event.model_id
        );
        record(cx, event.model_id).await
    }
}

impl OnModelReads for App {
    async fn on_model_reads(
        &self,
        event: ModelReads,
        cx: &mut Cx<'_>,
    ) -> Result<(), ListenerError> {
        info!("{}: a {} was read", self.name, event.model_type);
        record(cx, event.model_id).await
    }
}

impl MailAuthor for App {
    async fn mail_author(&self, event: PostDeleted, cx: &mut Cx<'_>) -> Result<(), ListenerError> {
        let post = event.old;
        let select = "SELECT coalesce(email, name) FROM app.author WHERE id = $1";
        let author = cx
            .transaction()
            .query_opt(select, &[&post.author_id])
            .await?;
        match author {
            Some(row) => info!(
                "{}: mail to {}: your post {} is gone",
                self.name,
                row.get::<_, String>(0),
                post.id
            ),
            None => info!(
                "{}: post {} is gone, and nobody has written it",
                self.name, post.id
            ),
        }
        record(cx, post.id).await
    }
}

impl ScanMedia for App {
    async fn scan_media(&self, event: MediaSaved, cx: &mut Cx<'_>) -> Result<(), ListenerError> {
        let (what, media) = match event {
            MediaSaved::Insert { new } => ("new", new),
            MediaSaved::Update { old, new } if old.key != new.key => ("replaced", new),
            MediaSaved::Update { new, .. } => ("renamed", new),
        };
        info!(
            "{}: scanned {} ({what}, {} bytes)",
            self.name, media.name, media.size
        );
        record(cx, media.id).await
    }
}

impl DropCache for App {
    async fn drop_cache(
        &self,
        event: CacheExpired,
        _cx: &mut TransientCx,
    ) -> Result<(), ListenerError> {
        info!(
            "{}: dropped its copy of post {}: {}",
            self.name, event.post_id, event.reason
        );
        Ok(())
    }
}

/// Writes the notification into the ledger, in the transaction that also removes it from the stored ones.
async fn record(cx: &mut Cx<'_>, subject: i64) -> Result<(), ListenerError> {
    let (listener, id) = (cx.notification().listener.to_string(), cx.notification().id);
    let insert = "INSERT INTO app.ledger (listener, notification_id, subject) VALUES ($1, $2, $3)";
    cx.transaction()
        .execute(insert, &[&listener, &id, &subject])
        .await?;
    Ok(())
}
