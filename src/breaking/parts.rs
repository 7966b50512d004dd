//! Columns of a model, and fields of a message: what was which, and what that does.

use crate::diagnostic::{Code, Span};
use crate::history::Shape;
use crate::model::{Column, Past};

use super::{Comparison, Finding, Kind, Verdict};

/// A column or field, as payloads have it.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Key in the YAML.
    pub(super) name: String,
    /// Name in the payload.
    pub(super) key: String,
    /// Type as its shape has it, without `?`.
    pub(super) ty: String,
    pub(super) nullable: bool,
    pub(super) default: Option<String>,
    pub(super) was: Vec<String>,
    /// Former types and what converts them.
    pub(super) from: Vec<String>,
    pub(super) until: bool,
    pub(super) span: Span,
    /// Of a column with a declared type: its index.
    pub(super) declared: Option<usize>,
}

impl Part {
    pub(super) fn new<T>(
        name: &str,
        key: &str,
        default: Option<String>,
        past: &Past<T>,
        shape: &Shape,
    ) -> Self {
        let ty = shape.columns.get(key).cloned().unwrap_or_default();
        let plain = ty.strip_suffix('?').unwrap_or(&ty);
        Self {
            name: name.to_owned(),
            key: key.to_owned(),
            nullable: plain.len() < ty.len(),
            ty: plain.to_owned(),
            default,
            was: past.former_names().to_vec(),
            from: past
                .from
                .iter()
                .map(|conversion| format!("{} by `{}`", conversion.text, conversion.function))
                .collect(),
            until: past.until.is_some(),
            span: past.span.clone(),
            declared: None,
        }
    }

    pub(super) fn of_column(column: &Column, shape: &Shape) -> Self {
        let default = column.default.clone();
        Self::new(&column.field, &column.column, default, &column.past, shape)
    }
}

/// Which kinds of findings, and how they are called.
pub(super) struct Words {
    /// `column` or `field`.
    pub(super) part: &'static str,
    /// `model` or `channel`.
    pub(super) whole: &'static str,
    /// Name of the whole.
    pub(super) name: String,
    pub(super) added: Kind,
    pub(super) removed: Kind,
    pub(super) kept: Kind,
    pub(super) renamed: Kind,
    pub(super) retyped: Kind,
    pub(super) required: Kind,
    pub(super) optional: Kind,
    pub(super) default: Kind,
    /// What old workers do with what is written after the migration.
    pub(super) workers: Verdict,
    /// What becomes of what old programs write.
    pub(super) publishers: Verdict,
    /// Whether what old programs publish is read as what waits is.
    pub(super) publishes: bool,
    /// The version that the old schema writes.
    pub(super) before: u32,
    /// The version that the new schema writes.
    pub(super) after: u32,
}

/// Compares the parts of one whole; `hidden` are those of today that are not in payloads.
pub(super) fn compare(
    comparison: &mut Comparison<'_>,
    words: &Words,
    old: &[Part],
    new: &[Part],
    hidden: &[&str],
) {
    let mut gone: Vec<&Part> = old.iter().collect();
    for part in new.iter().filter(|part| !part.until) {
        let Some(index) = former(part, new, &gone) else {
            added(comparison, words, part);
            continue;
        };
        let was = gone.remove(index);
        changed(comparison, words, was, part);
    }
    for part in gone {
        let is_kept =
            |kept: &&Part| kept.until && (kept.key == part.key || kept.was.contains(&part.key));
        removed(comparison, words, part, new.iter().find(is_kept), hidden);
    }
}

/// What a part was: under its own name, unless that belonged to another one, otherwise under a former one.
pub(super) fn former(part: &Part, all: &[Part], old: &[&Part]) -> Option<usize> {
    let position = |name: &str| old.iter().position(|old| old.key == name);
    let is_taken = all.iter().any(|other| {
        other.key != part.key && other.was.contains(&part.key) && position(&other.key).is_none()
    });
    let own = position(&part.key).filter(|_| !is_taken);
    own.or_else(|| part.was.iter().find_map(|name| position(name)))
}

impl Words {
    fn finding(&self, kind: Kind, part: &Part, change: &str, reason: &str) -> Finding {
        Finding {
            kind,
            what: format!(
                "{} `{}` of {} `{}` {change}",
                self.part, part.name, self.whole, self.name
            ),
            span: Some(part.span.clone()),
            waiting: Verdict::ok(reason),
            workers: self.workers.clone(),
            publishers: self.publishers.clone(),
            advice: Vec::new(),
        }
    }

    /// With what the history does not allow at its place.
    fn proven(
        &self,
        comparison: &mut Comparison<'_>,
        part: &Part,
        mut finding: Finding,
    ) -> Finding {
        let span = finding.span.clone().unwrap_or_default();
        if let Some(mistake) = comparison.mistake(&span) {
            finding.waiting = Verdict::breaks(mistake.message);
            finding.advice = mistake.advice;
            let becomes_mandatory = [self.added, self.required].contains(&finding.kind);
            if becomes_mandatory && mistake.code == Code::Unreadable {
                finding.advice.extend(self.recipe(part));
            }
            if self.publishes {
                finding.publishers = Verdict::breaks(format!(
                    "they publish version {}, which new workers cannot read",
                    self.before
                ));
            }
        }
        finding
    }

    /// How something becomes mandatory without an end of service.
    fn recipe(&self, part: &Part) -> Vec<String> {
        let (name, ty, next) = (&part.name, &part.ty, self.after);
        vec![
            format!(
                "or in three releases: 1. `{name}: {ty}?`, or with a `default`: what waits has none of it, what is new has it"
            ),
            format!(
                "2. fill the {} where it is null, and wait until `pgpubsub-gen pending --{} {} --before {next}` says that nothing waits",
                self.part, self.whole, self.name
            ),
            format!(
                "3. `{name}: {ty}`, and `oldest: {next}` at the {}",
                self.whole
            ),
        ]
    }
}

fn added(comparison: &mut Comparison<'_>, words: &Words, part: &Part) {
    let reason = match (&part.default, part.nullable) {
        (Some(default), _) => format!("they get {default} for it"),
        (None, true) => "they get none for it".to_owned(),
        (None, false) => "nothing of it waits".to_owned(),
    };
    let finding = words.finding(words.added, part, "is new", &reason);
    let finding = words.proven(comparison, part, finding);
    comparison.push(finding);
}

fn removed(
    comparison: &mut Comparison<'_>,
    words: &Words,
    part: &Part,
    kept: Option<&Part>,
    hidden: &[&str],
) {
    let finding = match kept {
        Some(kept) => {
            let reason = "it is still read from the versions that had it";
            let mut finding =
                words.finding(words.kept, kept, "is gone, and kept for what waits", reason);
            finding = words.proven(comparison, kept, finding);
            finding
        }
        None if hidden.contains(&part.key.as_str()) => {
            let reason = "it is not looked at";
            words.finding(
                Kind::ColumnHidden,
                part,
                "does not leave the table any more",
                reason,
            )
        }
        None => words.finding(words.removed, part, "is gone", "it is not looked at"),
    };
    let finding = Finding {
        span: kept.map(|kept| kept.span.clone()),
        ..finding
    };
    comparison.push(finding);
}

fn changed(comparison: &mut Comparison<'_>, words: &Words, was: &Part, part: &Part) {
    let mut findings = Vec::new();
    if was.ty != part.ty {
        let change = format!("is `{}`, and was `{}`", part.ty, was.ty);
        let (kind, reason) = retyped(comparison, words, was, part);
        findings.push(words.finding(kind, part, &change, &reason));
    }
    if was.nullable && !part.nullable {
        let reason = match &part.default {
            Some(default) => format!("they get {default} for null"),
            None => "null does not wait".to_owned(),
        };
        findings.push(words.finding(words.required, part, "cannot be null any more", &reason));
    }
    if !was.nullable && part.nullable {
        let reason = "they have a value";
        findings.push(words.finding(words.optional, part, "can be null now", reason));
    }
    if was.key != part.key {
        let change = format!("was `{}`", was.key);
        let reason = "it is read under its former name";
        findings.push(words.finding(words.renamed, part, &change, reason));
    }
    if findings.is_empty() && was.default != part.default {
        let mut finding = words.finding(
            words.default,
            part,
            "has another default",
            "those without it get the new one",
        );
        finding.waiting = Verdict::note(finding.waiting.reason);
        finding.workers = Verdict::ok("they keep theirs");
        findings.push(finding);
    }
    for finding in findings {
        let finding = words.proven(comparison, part, finding);
        comparison.push(finding);
    }
}

/// How a value of another type is read.
fn retyped(comparison: &Comparison<'_>, words: &Words, was: &Part, part: &Part) -> (Kind, String) {
    if let Some(from) = part.from.iter().find(|from| from.starts_with(&was.ty)) {
        return (words.retyped, format!("made of {from}"));
    }
    let is_refused = comparison
        .mistakes
        .iter()
        .any(|(mistake, told)| mistake.span == part.span && !told);
    let kind = super::types::kind_of_change(comparison, was.declared, part.declared);
    let reason = "its values read as those of the former type".to_owned();
    match kind {
        Some(kind) => (kind, reason),
        None if is_refused || words.retyped == Kind::FieldRetyped => (words.retyped, reason),
        None if part.from.is_empty() => (Kind::ColumnWidened, reason),
        None => (words.retyped, format!("made of {}", part.from.join(", "))),
    }
}
