// Skeleton of the listeners of schema.yaml, written once by pgpubsub-gen and yours from then on.
//
// Remove the comment marks, then give `Listeners::all(App)` to a worker:
//
//     pgpubsub_runtime::Worker::new(config)
//         .listeners(pubsub::Listeners::all(App))
//         .run_until(shutdown)
//         .await?;
//
// `pubsub` stands for the module that holds src/pubsub.rs.

// use pgpubsub_runtime::{Cx, ListenerError, TransientCx};
//
// use crate::pubsub;
//
// /// What the listeners share: pools, clients, settings.
// pub struct App;
//
// // Listener `on_nightly` on the channel `nightly`.
// impl pubsub::OnNightly for App {
//     async fn on_nightly(
//         &self,
//         event: pubsub::Nightly,
//         cx: &mut Cx<'_>,
//     ) -> Result<(), ListenerError> {
//         let _ = cx;
//         // An error keeps a stored notification; `Ok` would remove it.
//         Err(format!("not written yet: {event:?}").into())
//     }
// }
//
// // Listener `on_working` on the channel `working`.
// impl pubsub::OnWorking for App {
//     async fn on_working(
//         &self,
//         event: pubsub::Working,
//         cx: &mut Cx<'_>,
//     ) -> Result<(), ListenerError> {
//         let _ = cx;
//         // An error keeps a stored notification; `Ok` would remove it.
//         Err(format!("not written yet: {event:?}").into())
//     }
// }
//
// // Listener `on_beat` on the channel `beat`.
// impl pubsub::OnBeat for App {
//     async fn on_beat(
//         &self,
//         event: pubsub::Beat,
//         cx: &mut Cx<'_>,
//     ) -> Result<(), ListenerError> {
//         let _ = cx;
//         // An error keeps a stored notification; `Ok` would remove it.
//         Err(format!("not written yet: {event:?}").into())
//     }
// }
//
// // Listener `on_plain` on the channel `plain`.
// impl pubsub::OnPlain for App {
//     async fn on_plain(
//         &self,
//         event: pubsub::Plain,
//         cx: &mut Cx<'_>,
//     ) -> Result<(), ListenerError> {
//         let _ = cx;
//         // An error keeps a stored notification; `Ok` would remove it.
//         Err(format!("not written yet: {event:?}").into())
//     }
// }
