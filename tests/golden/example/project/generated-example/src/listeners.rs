// Skeleton of the listeners of schema.example.yaml, written once by pgpubsub-gen and yours from then on.
//
// Remove the comment marks, then give `Listeners::all(App)` to a worker:
//
//     pgpubsub_runtime::Worker::new(config)
//         .listeners(pubsub::Listeners::all(App))
//         .run_until(shutdown)
//         .await?;
//
// `pubsub` stands for the module that holds generated-example/src/pubsub.rs.

// use pgpubsub_runtime::{Cx, ListenerError, TransientCx};
//
// use crate::pubsub;
//
// /// What the listeners share: pools, clients, settings.
// pub struct App;
//
// // Listener `create_first_post` on the channel `author_created`.
// //
// // Gives each new author a first post.
// impl pubsub::CreateFirstPost for App {
//     async fn create_first_post(
//         &self,
//         event: pubsub::AuthorCreated,
//         cx: &mut Cx<'_>,
//     ) -> Result<(), ListenerError> {
//         let _ = cx;
//         // An error keeps a stored notification; `Ok` would remove it.
//         Err(format!("not written yet: {event:?}").into())
//     }
// }
//
// // Listener `count_reads` on the channel `post_reads`.
// //
// // Adds the reads to the count of their day.
// impl pubsub::CountReads for App {
//     async fn count_reads(
//         &self,
//         event: pubsub::PostReads,
//         cx: &mut Cx<'_>,
//     ) -> Result<(), ListenerError> {
//         let _ = cx;
//         // An error keeps a stored notification; `Ok` would remove it.
//         Err(format!("not written yet: {event:?}").into())
//     }
// }
//
// // Listener `mail_author` on the channel `post_deleted`.
// //
// // Tells the author that a post is gone.
// impl pubsub::MailAuthor for App {
//     async fn mail_author(
//         &self,
//         event: pubsub::PostDeleted,
//         cx: &mut Cx<'_>,
//     ) -> Result<(), ListenerError> {
//         let _ = cx;
//         // An error keeps a stored notification; `Ok` would remove it.
//         Err(format!("not written yet: {event:?}").into())
//     }
// }
//
// // Listener `scan_media` on the channel `media_saved`.
// //
// // Scans what was uploaded.
// impl pubsub::ScanMedia for App {
//     async fn scan_media(
//         &self,
//         event: pubsub::MediaSaved,
//         cx: &mut Cx<'_>,
//     ) -> Result<(), ListenerError> {
//         let _ = cx;
//         // An error keeps a stored notification; `Ok` would remove it.
//         Err(format!("not written yet: {event:?}").into())
//     }
// }
//
// // Listener `drop_cache` on the channel `cache_expired`.
// impl pubsub::DropCache for App {
//     async fn drop_cache(
//         &self,
//         event: pubsub::CacheExpired,
//         cx: &mut TransientCx,
//     ) -> Result<(), ListenerError> {
//         let _ = cx;
//         // An error keeps a stored notification; `Ok` would remove it.
//         Err(format!("not written yet: {event:?}").into())
//     }
// }
//
// // Listener `on_model_reads` on the channel `model_reads`.
// impl pubsub::OnModelReads for App {
//     async fn on_model_reads(
//         &self,
//         event: pubsub::ModelReads,
//         cx: &mut Cx<'_>,
//     ) -> Result<(), ListenerError> {
//         let _ = cx;
//         // An error keeps a stored notification; `Ok` would remove it.
//         Err(format!("not written yet: {event:?}").into())
//     }
// }
