//! What a change of the schema does to a system that is running: compares two schemas, reads and writes nothing.
//!
//! A deployment applies the migration first; then old and new programs run side by side, and stored notifications of before
//! still wait. Every finding answers three questions on that, see [`Finding`]. What the history proves is not said a second
//! time here: whether an old payload can be read is the answer of [`plan::check`], whether an old worker claims a new
//! notification is a matter of the versions that [`Versions`] gives.

mod channels;
mod finding;
mod listeners;
mod message_options;
mod models;
mod order;
mod pairs;
mod parts;
mod payload;
mod schedule;
mod types;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::history::{Installed, Shape, Shaped, Shapes, State};
use crate::model::{ChannelKind, Delivery, Schema};
use crate::plan::{self, Versions};

pub use finding::{Finding, Kind, Outcome, Verdict};

use pairs::Pairs;
use waiting::Left;

/// What differs between two schemas, and what that does, in order of the places in the new one; what is gone comes last.
///
/// `shapes` are those that migrations have recorded, whether the old schema's own are among them or not.
pub fn compare(old: &Schema, new: &Schema, shapes: &Shapes) -> Vec<Finding> {
    let mut comparison = Comparison::new(old, new, shapes);
    types::compare(&mut comparison);
    models::compare(&mut comparison);
    channels::compare(&mut comparison);
    listeners::compare(&mut comparison);
    comparison.storage();
    comparison.rest();
    let mut findings = comparison.findings;
    findings.sort_by_cached_key(|finding| {
        let start = finding.span.as_ref().map_or(usize::MAX, |span| span.start);
        (start, finding.kind, finding.what.clone())
    });
    findings.dedup();
    findings
}

/// Two schemas, what the history says of them, and what was found so far.
struct Comparison<'s> {
    old: &'s Schema,
    new: &'s Schema,
    models: Pairs,
    channels: Pairs,
    listeners: Pairs,
    before: Versions,
    after: Versions,
    shapes_before: BTreeMap<(Shaped, String), Shape>,
    shapes_after: BTreeMap<(Shaped, String), Shape>,
    /// What the history does not allow, and whether a finding has told of it.
    mistakes: Vec<(Diagnostic, bool)>,
    left: Left,
    findings: Vec<Finding>,
}

impl<'s> Comparison<'s> {
    fn new(old: &'s Schema, new: &'s Schema, shapes: &Shapes) -> Self {
        let mut known_before = as_of(old, shapes);
        let before = Versions::new(old, &known_before);
        let mut known = shapes.clone();
        for recorded in before.recorded() {
            known_before.record(recorded.clone());
            known.record(recorded);
        }
        let after = Versions::new(new, &known);
        let installed = State {
            objects: plan::objects(old, &before)
                .into_iter()
                .map(|object| {
                    let installed = Installed {
                        spec: object.spec,
                        kin: object.kin,
                        text: String::new(),
                    };
                    (object.key, installed)
                })
                .collect(),
            ..State::default()
        };
        // As if the old schema's were the last migration: that one of the new schema is there already excuses nothing.
        let names = |schema: &Schema| -> BTreeSet<(Shaped, String)> {
            shaped(schema)
                .flat_map(|(of, names)| names.into_iter().map(move |name| (of, name.to_owned())))
                .collect()
        };
        for (of, name) in names(new).difference(&names(old)) {
            known_before.forget(*of, name);
        }
        let refused = plan::check(new, &known_before);
        let unreadable = plan::check(new, &known);
        let renamed = plan::check_renames(new, &installed, &plan::objects(new, &after));
        let channels = Pairs::of_channels(old, new);
        Self {
            models: Pairs::of_models(old, new),
            listeners: Pairs::of_listeners(old, new, &channels),
            channels,
            before,
            after,
            shapes_before: shapes_of(old),
            shapes_after: shapes_of(new),
            mistakes: refused
                .iter()
                .chain(unreadable.iter())
                .chain(renamed.iter())
                .map(|mistake| (mistake.clone(), false))
                .collect(),
            left: Left::new(old, new),
            findings: Vec::new(),
            old,
            new,
        }
    }

    /// What the history does not allow at a place; told of with that.
    fn mistake(&mut self, span: &Span) -> Option<Mistake> {
        let mut found = None;
        for (diagnostic, told) in &mut self.mistakes {
            if diagnostic.span == *span && !*told {
                *told = true;
                found.get_or_insert_with(|| Mistake::new(diagnostic));
            }
        }
        found
    }

    fn push(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Whether an old model is carried by durable channels, and whether by transient ones.
    fn carried(&self, model: usize) -> (bool, bool) {
        let of = |delivery| {
            self.old.channels.iter().any(|channel| {
                let on = match &channel.kind {
                    ChannelKind::Trigger(on) => self.extends(on.model, model),
                    ChannelKind::Message { .. } => false,
                };
                on && channel.delivery == delivery
            })
        };
        (of(Delivery::Durable), of(Delivery::Transient))
    }

    /// Whether an old model is another one, or extends it.
    fn extends(&self, model: usize, base: usize) -> bool {
        let parent = || self.old.models[model].parent.as_ref();
        model == base || parent().is_some_and(|parent| self.extends(parent.model, base))
    }

    fn storage(&mut self) {
        let (old, new) = (
            &self.old.generate.storage_schema,
            &self.new.generate.storage_schema,
        );
        if old == new {
            return;
        }
        let mut finding = Finding {
            kind: Kind::StorageMoved,
            what: format!("stored notifications are in the schema `{new}`, and were in `{old}`"),
            span: None,
            waiting: Verdict::breaks(format!(
                "the migration fails while something waits in `{old}`, which it removes"
            )),
            workers: Verdict::breaks(format!("they read `{old}`, which is gone")),
            publishers: Verdict::ok("rows are captured as before"),
            advice: vec![
                "drain first: stop the writers, `pgpubsub-gen pending` with the old schema, then deploy everything at once".to_owned(),
            ],
        };
        let is_message = |kind: &ChannelKind| matches!(kind, ChannelKind::Message { .. });
        if self
            .old
            .channels
            .iter()
            .any(|channel| is_message(&channel.kind))
        {
            finding.publishers =
                Verdict::breaks(format!("they call functions of `{old}`, which are gone"));
        }
        self.push(finding);
    }

    /// What no finding has told of.
    fn rest(&mut self) {
        let mistakes = std::mem::take(&mut self.mistakes);
        for (diagnostic, _) in mistakes.iter().filter(|(_, told)| !told) {
            let mistake = Mistake::new(diagnostic);
            self.push(Finding {
                kind: Kind::Refused,
                what: format!("the generator refuses this [{}]", diagnostic.code.as_str()),
                span: Some(diagnostic.span.clone()),
                waiting: Verdict::breaks(mistake.message),
                workers: Verdict::ok("nothing is deployed"),
                publishers: Verdict::ok("nothing is deployed"),
                advice: mistake.advice,
            });
        }
        let untold: Vec<_> = self.left.untold().cloned().collect();
        for stored in untold {
            self.push(Finding {
                kind: Kind::LeftToNobody,
                what: format!(
                    "`{}` of channel `{}` for group `{}`",
                    stored.op.as_str(),
                    stored.channel,
                    stored.group
                ),
                span: None,
                waiting: Verdict::breaks("no listener takes what waits"),
                workers: Verdict::ok("they take it while they run"),
                publishers: Verdict::ok("nothing changes for them"),
                advice: vec![drain(&stored.channel)],
            });
        }
    }
}

/// A mistake, as a finding tells of it.
struct Mistake {
    code: Code,
    message: String,
    advice: Vec<String>,
}

impl Mistake {
    fn new(diagnostic: &Diagnostic) -> Self {
        Self {
            code: diagnostic.code,
            message: diagnostic.message.clone(),
            advice: diagnostic.help.iter().cloned().collect(),
        }
    }
}

/// How to wait until nothing of a channel waits.
fn drain(channel: &str) -> String {
    format!(
        "drain first: remove it when `pgpubsub-gen pending --channel {channel}` says with the old schema that nothing waits"
    )
}

/// The shapes that were known when a schema was the newest one: a branch may have recorded what comes after it already.
fn as_of(schema: &Schema, shapes: &Shapes) -> Shapes {
    let mut found = shapes.clone();
    let mut open: Vec<(Shaped, Vec<&str>)> = shaped(schema).collect();
    while !open.is_empty() {
        let versions = Versions::new(schema, &found);
        open.retain(|(of, names)| versions.is_new(*of, names[0]));
        open.retain(|(of, names)| {
            let is_earlier = found.forget_newest(*of, names);
            if !is_earlier {
                // It was never recorded: then it follows all that was.
                for name in names {
                    found.copy(shapes, *of, name);
                }
            }
            is_earlier
        });
    }
    found
}

/// All that has a shape, with the names that it has and had.
fn shaped(schema: &Schema) -> impl Iterator<Item = (Shaped, Vec<&str>)> {
    let models = schema
        .models
        .iter()
        .map(|model| (Shaped::Model, &model.name, &model.was));
    let messages = schema
        .channels
        .iter()
        .filter(|channel| matches!(channel.kind, ChannelKind::Message { .. }))
        .map(|channel| (Shaped::Message, &channel.name, &channel.was));
    models.chain(messages).map(|(of, name, was)| {
        let names = std::iter::once(name).chain(was.iter().flatten());
        (of, names.map(String::as_str).collect())
    })
}

/// Every shape of a schema by itself.
fn shapes_of(schema: &Schema) -> BTreeMap<(Shaped, String), Shape> {
    let recorded = Versions::new(schema, &Shapes::default()).recorded();
    recorded
        .into_iter()
        .map(|recorded| ((recorded.of, recorded.name), recorded.shape))
        .collect()
}
