//! The live check: what a database holds, compared with what its schema file says. Pure; [`crate::database`] does the reading.

mod columns;
mod finding;
mod functions;
mod repair;
pub(crate) mod snapshot;
mod storage;
mod text;
mod triggers;
mod types;
mod withhold;

pub(crate) use finding::{Finding, Place, Severity, State, Subject};
pub(crate) use repair::transactions;
pub(crate) use triggers::enable;

use crate::history::Key;
use crate::plan::{Plan, Source};
use crate::render::Text;

use snapshot::Snapshot;

/// All that differs, in order of the objects; what the database has beside them comes last. `texts` are the objects of the plan.
pub(crate) fn compare(plan: &Plan, texts: &[Text], snapshot: &Snapshot) -> Vec<Finding> {
    let live = &plan.live;
    let mut findings = columns::compare(live, snapshot);
    findings.extend(types::compare(live, snapshot));
    let content = snapshot
        .storage
        .as_ref()
        .and_then(|storage| storage.content.as_ref());
    let mut wanted = Vec::new();
    for text in texts {
        let subject = Subject::Object(text.object.key.clone());
        match text.object.source {
            Source::Trigger(index) => {
                let trigger = &plan.sql.triggers[index];
                let tried = snapshot.trials.triggers.get(index).and_then(Option::as_ref);
                findings.extend(triggers::compare(live, trigger, tried, snapshot, &text.sql));
            }
            Source::Listener(index) => {
                let listener = &plan.sql.listeners[index];
                match content {
                    Some(content) => {
                        findings.extend(storage::listener(listener, content, &text.sql));
                    }
                    // Nothing is installed, or this role may not look.
                    None if snapshot.storage.is_none() => findings.push(
                        Finding::new(State::Missing, subject, "is not in the registry")
                            .repair(Place::Ours, &*text.sql),
                    ),
                    None => {}
                }
            }
            Source::Index(index) => {
                let index = &plan.sql.indexes[index];
                findings.extend(storage::index(index, snapshot, &text.sql));
            }
            Source::Schedule(index) => {
                let schedule = &plan.sql.schedules[index];
                match content {
                    Some(content) => {
                        findings.extend(storage::schedule(schedule, content, &text.sql));
                    }
                    None if snapshot.storage.is_none() => findings.push(
                        Finding::new(State::Missing, subject, "is not there")
                            .repair(Place::Ours, &*text.sql),
                    ),
                    None => {}
                }
            }
            source => {
                if let (Source::Schedules, Some(storage)) = (source, &snapshot.storage) {
                    findings.extend(storage::schedules(storage, &subject, &text.sql));
                }
                if source == Source::Storage {
                    findings.extend(storage::compare(live, snapshot, &subject, &text.sql));
                }
                if source == Source::Processed {
                    findings.extend(storage::processed(snapshot, &subject, &text.sql));
                }
                if let Source::Function(index) = source {
                    findings.extend(refused(index, snapshot, &subject));
                }
                for function in text::functions(&text.sql) {
                    // What is missing with its storage is said once.
                    let with_storage = matches!(source, Source::Storage | Source::Processed);
                    if !with_storage || snapshot.storage.is_some() {
                        findings.extend(functions::compare(
                            &function,
                            snapshot,
                            subject.clone(),
                            &live.storage,
                            &text.sql,
                        ));
                    }
                    wanted.push(function);
                }
            }
        }
    }
    withhold::withhold(plan, snapshot, &mut findings);
    findings.extend(triggers::orphans(live, &plan.sql, snapshot));
    findings.extend(functions::orphans(&live.storage, &wanted, snapshot));
    if let Some(content) = content {
        findings.extend(storage::orphans(live, &plan.sql.listeners, content));
        findings.extend(storage::orphaned_schedules(
            live,
            &plan.sql.schedules,
            content,
        ));
        findings.extend(storage::newer(live, content));
    }
    findings.extend(
        snapshot
            .notes
            .iter()
            .map(|note| Finding::new(State::Note, Subject::Database, note.as_str())),
    );
    findings
}

/// What PostgreSQL says to the expressions of a function.
fn refused(index: usize, snapshot: &Snapshot, subject: &Subject) -> Option<Finding> {
    let trials = &snapshot.trials;
    let (_, error) = trials
        .functions
        .iter()
        .chain(&trials.rights)
        .find(|(function, _)| *function == index)?;
    let message = format!("a write would fail in it: {error}");
    Some(Finding::new(State::Refused, subject.clone(), message))
}

/// State of an object of the plan, in the worst of its findings.
pub(crate) fn state_of(key: &Key, findings: &[Finding]) -> State {
    const ORDER: [State; 4] = [
        State::Refused,
        State::Missing,
        State::Disabled,
        State::Outdated,
    ];
    let has = |state: &State| {
        findings.iter().any(|finding| {
            finding.state == *state && finding.subject == Subject::Object(key.clone())
        })
    };
    ORDER.into_iter().find(has).unwrap_or(State::Ok)
}
