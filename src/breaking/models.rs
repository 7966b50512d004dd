//! Models.

use crate::model::{Model, QualifiedName};

use super::parts::{self, Part, Words};
use super::{Comparison, Finding, Kind, Verdict, types};
use crate::history::{Shape, Shaped};

pub(super) fn compare(comparison: &mut Comparison<'_>) {
    let (old, new) = (comparison.old, comparison.new);
    for index in comparison.models.added.clone() {
        let model = &new.models[index];
        let finding = finding(Kind::ModelAdded, model, "is new");
        let finding = refused(comparison, finding);
        comparison.push(finding);
    }
    for index in comparison.models.gone.clone() {
        let model = &old.models[index];
        let mut finding = finding(Kind::ModelRemoved, model, "is gone");
        finding.span = None;
        finding.waiting = Verdict::ok("its channels say what becomes of what waits");
        comparison.push(finding);
    }
    for (was, is) in comparison.models.both.clone() {
        let (was, is) = (&old.models[was], &new.models[is]);
        itself(comparison, was, is);
        columns(comparison, was, is);
    }
}

fn finding(kind: Kind, model: &Model, change: &str) -> Finding {
    Finding {
        kind,
        what: format!("model `{}` {change}", model.name),
        span: Some(model.span.clone()),
        waiting: Verdict::ok("nothing of it waits"),
        workers: Verdict::ok("nothing changes for them"),
        publishers: Verdict::ok("nothing changes for them"),
        advice: Vec::new(),
    }
}

/// With what the history does not allow at its place.
pub(super) fn refused(comparison: &mut Comparison<'_>, mut finding: Finding) -> Finding {
    let span = finding.span.clone().unwrap_or_default();
    if let Some(mistake) = comparison.mistake(&span) {
        finding.waiting = Verdict::breaks(mistake.message);
        finding.advice = mistake.advice;
    }
    finding
}

fn itself(comparison: &mut Comparison<'_>, was: &Model, is: &Model) {
    let (old, new) = (comparison.old, comparison.new);
    let same_version = comparison.before.of_model(was) == comparison.after.of_model(is);
    if was.name != is.name {
        let mut finding = finding(Kind::ModelRenamed, is, &format!("was `{}`", was.name));
        finding.waiting = Verdict::ok("payloads do not hold its name");
        comparison.push(finding);
    }
    if was.table != is.table {
        table(comparison, was, is);
    }
    let parent = |schema: &crate::model::Schema, model: &Model| {
        let parent = model.parent.as_ref()?;
        Some(schema.models[parent.model].name.clone())
    };
    let (parent_before, parent) = (parent(old, was), parent(new, is));
    let is_renamed = || {
        let (before, after) = (was.parent.as_ref(), is.parent.as_ref());
        let before = before.and_then(|before| comparison.models.new_of(before.model));
        before.is_some() && before == after.map(|after| after.model)
    };
    if parent_before != parent && !is_renamed() {
        let change = match (&parent_before, &parent) {
            (_, Some(parent)) => format!("extends `{parent}`"),
            (Some(parent), None) => format!("does not extend `{parent}` any more"),
            (None, None) => String::new(),
        };
        let mut finding = finding(Kind::ParentChanged, is, &change);
        finding.waiting = Verdict::ok(match parent {
            Some(parent) => format!("they have no `{parent}`, which is `None`"),
            None => "it is not looked at".to_owned(),
        });
        finding.workers = workers(comparison, was, is);
        comparison.push(finding);
    }
    let oldest = |model: &Model| model.oldest.as_ref().map_or(1, |oldest| oldest.value);
    if oldest(is) > oldest(was) {
        let (oldest, before) = (oldest(is), comparison.before.of_model(was));
        comparison.push(raised(
            ("model", &is.name),
            is.oldest.as_ref().map(|oldest| oldest.span.clone()),
            oldest,
            before,
        ));
    }
    if was.doc != is.doc && same_version {
        let mut finding = finding(Kind::Documentation, is, "has other documentation");
        finding.waiting = Verdict::ok("nothing changes for them");
        comparison.push(finding);
    }
}

/// Earlier versions are no longer read; `before` is the version that the old schema writes.
pub(super) fn raised(
    (whole, name): (&str, &str),
    span: Option<crate::diagnostic::Span>,
    oldest: u32,
    before: u32,
) -> Finding {
    let reason = format!("versions before {oldest} fail, and stay with an error");
    Finding {
        kind: Kind::OldestRaised,
        what: format!("the oldest version of {whole} `{name}` is {oldest}"),
        span,
        waiting: if before < oldest {
            Verdict::breaks(format!("{reason}: the old schema writes version {before}"))
        } else {
            Verdict::note(reason)
        },
        workers: Verdict::ok("nothing changes for them"),
        publishers: Verdict::ok("nothing changes for them"),
        advice: vec![format!(
            "before: `pgpubsub-gen pending --{whole} {name} --before {oldest}` says whether something waits"
        )],
    }
}

fn table(comparison: &mut Comparison<'_>, was: &Model, is: &Model) {
    let shown = |table: &QualifiedName| format!("{}.{}", table.schema, table.name);
    let change = format!(
        "is on the table `{}`, and was on `{}`",
        shown(&is.table),
        shown(&was.table)
    );
    let is_renamed = is
        .table_was
        .iter()
        .flatten()
        .any(|former| *former == was.table);
    if is_renamed {
        let mut finding = finding(Kind::TableRenamed, is, &change);
        finding.waiting = Verdict::ok("payloads do not hold the name of the table");
        finding.publishers = Verdict::ok("the triggers move with the table");
        comparison.push(finding);
        return;
    }
    let mut finding = finding(Kind::TableReplaced, is, &change);
    finding.waiting = Verdict::ok("payloads do not hold the name of the table");
    finding.publishers = Verdict::note(format!(
        "what they write to `{}` is not captured any more",
        shown(&was.table)
    ));
    let finding = refused(comparison, finding);
    comparison.push(finding);
}

/// What old workers do with what is written after the migration, as the shape of the row has changed.
fn workers(comparison: &Comparison<'_>, was: &Model, is: &Model) -> Verdict {
    let models = comparison.old.models.iter();
    let index = models.take_while(|model| model.name != was.name).count();
    let (before, after) = (
        comparison.before.of_model(was),
        comparison.after.of_model(is),
    );
    newer(before, after, comparison.carried(index))
}

/// Old workers know versions up to `before`.
pub(super) fn newer(before: u32, after: u32, (durable, transient): (bool, bool)) -> Verdict {
    if !durable && !transient {
        return Verdict::ok("no channel of theirs carries it");
    }
    if after <= before {
        return Verdict::ok("what they read is as before");
    }
    let left = Verdict::ok(format!("they leave version {after} to newer workers"));
    if transient {
        left.or(Verdict::note(format!(
            "they leave version {after} to newer workers; of a transient channel they hear nothing more"
        )))
    } else {
        left
    }
}

fn columns(comparison: &mut Comparison<'_>, was: &Model, is: &Model) {
    let none = Shape::default();
    let shape = |shapes: &std::collections::BTreeMap<(Shaped, String), Shape>, model: &Model| {
        shapes
            .get(&(Shaped::Model, model.name.clone()))
            .unwrap_or(&none)
            .clone()
    };
    let (before, after) = (
        shape(&comparison.shapes_before, was),
        shape(&comparison.shapes_after, is),
    );
    let parts = |model: &Model, shape: &Shape| -> Vec<Part> {
        let columns = model.columns.iter().filter(|column| column.captured);
        columns
            .map(|column| Part {
                declared: types::declared(&column.ty),
                ..Part::of_column(column, shape)
            })
            .collect()
    };
    let old = parts(was, &before);
    let mut new = parts(is, &after);
    new.extend(is.gone.iter().map(|column| Part::of_column(column, &after)));
    let hidden: Vec<&str> = is
        .columns
        .iter()
        .filter(|column| !column.captured)
        .map(|column| column.column.as_str())
        .collect();
    let words = Words {
        part: "column",
        whole: "model",
        name: is.name.clone(),
        added: Kind::ColumnAdded,
        removed: Kind::ColumnRemoved,
        kept: Kind::ColumnKept,
        renamed: Kind::ColumnRenamed,
        retyped: Kind::ColumnRetyped,
        required: Kind::ColumnRequired,
        optional: Kind::ColumnOptional,
        default: Kind::ColumnDefault,
        workers: workers(comparison, was, is),
        publishers: Verdict::ok("rows are captured whoever writes them"),
        publishes: false,
        before: comparison.before.of_model(was),
        after: comparison.after.of_model(is),
    };
    parts::compare(comparison, &words, &old, &new, &hidden);
}
