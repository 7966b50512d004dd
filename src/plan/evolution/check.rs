//! Whether every version that is still declared can be read.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::history::Shapes;
use crate::model::{Channel, ChannelKind, Column, FieldType, Schema};
use crate::schema::Spanned;

use super::super::rust_message::yaml_type;
use super::super::rust_types::{field_type, plain_type};
use super::super::versions::Versions;
use super::seen::Image;
use super::written::{column_default, column_type_text, field_default, quoted, rest, word};
use super::{Field, Readers, Seen, Source, Unreadable, renames, resolve};

/// Mistakes of a schema that only its history tells: what cannot be read, and what looks like a rename.
pub fn check(schema: &Schema, shapes: &Shapes) -> Diagnostics {
    let versions = Versions::new(schema, shapes);
    let mut diagnostics = Diagnostics::new();
    renames::check(schema, shapes, &versions, &mut diagnostics);
    // What is renamed is found again once that is said.
    let renamed: Vec<Span> = diagnostics
        .iter()
        .map(|diagnostic| diagnostic.span.clone())
        .collect();
    let readers = Readers::new(schema, &versions);
    let mut own = Diagnostics::new();
    for (index, model) in schema.models.iter().enumerate() {
        let what = What {
            kind: "model",
            name: &model.name,
            oldest: &model.oldest,
            current: versions.of_model(model),
            known: versions.is_known(model),
        };
        what.check_oldest(&mut own);
        check_model(schema, index, &readers, &what, &mut own);
    }
    for channel in &schema.channels {
        check_message(schema, channel, &readers, &versions, &mut own);
    }
    for diagnostic in own.iter() {
        if !renamed.contains(&diagnostic.span) {
            diagnostics.push(diagnostic.clone());
        }
    }
    diagnostics.sorted()
}

/// A model or message channel.
struct What<'s> {
    kind: &'static str,
    name: &'s str,
    oldest: &'s Option<Spanned<u32>>,
    current: u32,
    /// Whether there is a history: without one, nobody can say that a version does not exist.
    known: bool,
}

impl What<'_> {
    fn check_oldest(&self, diagnostics: &mut Diagnostics) {
        if let Some(oldest) = self.oldest
            && oldest.value > self.current
            && self.known
        {
            let message = format!(
                "there is no version {} of {} `{}` yet: the current one is {}",
                oldest.value, self.kind, self.name, self.current
            );
            no_version(oldest, self.current, message, diagnostics);
        }
    }

    fn check_until(&self, until: Option<&Spanned<u32>>, diagnostics: &mut Diagnostics) {
        if let Some(until) = until
            && until.value >= self.current
            && self.known
        {
            let message = format!(
                "version {} of {} `{}` is no earlier one: the current one is {}",
                until.value, self.kind, self.name, self.current
            );
            no_version(until, self.current - 1, message, diagnostics);
        }
    }

    /// What can be done when nothing of it waits any more.
    fn oldest_line(&self, version: u32) -> String {
        format!(
            "`oldest: {}` at {} `{}` once nothing older waits",
            version + 1,
            self.kind,
            self.name
        )
    }
}

fn no_version(said: &Spanned<u32>, highest: u32, message: String, diagnostics: &mut Diagnostics) {
    let diagnostic = Diagnostic::new(Code::UnknownVersion, said.span.clone(), message);
    diagnostics.push(diagnostic.help(match highest {
        0 => "remove it: no earlier version is on record".to_owned(),
        highest => format!("{highest} is the highest that is possible here"),
    }));
}

/// A field, and how it is written.
struct Shown<'s> {
    field: Field<'s>,
    /// Key in the YAML.
    name: &'s str,
    /// Type as it is written, without `?`.
    ty: String,
    /// What else is said of it, as it would stand in its mapping.
    rest: String,
    /// A default that would fit.
    default: Option<String>,
    /// Whether it may become nullable.
    optional: bool,
    /// Usual Rust type.
    rust: String,
    span: &'s Span,
}

/// What is wrong with a field, with the highest version that has it.
type Problems = BTreeMap<usize, (u32, Problem, Option<String>)>;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    Unreadable(Unreadable),
    /// Shapes of one version want different things.
    TwoShapes,
}

fn check_model(
    schema: &Schema,
    index: usize,
    readers: &Readers<'_>,
    what: &What<'_>,
    diagnostics: &mut Diagnostics,
) {
    let model = &schema.models[index];
    let columns = model.columns.iter().filter(|column| column.captured);
    let all: Vec<&Column> = columns.chain(&model.gone).collect();
    let shown: Vec<Shown<'_>> = all
        .iter()
        .map(|column| Shown {
            field: Field::of_column(schema, column),
            name: &column.field,
            ty: column_type_text(&column.ty, schema),
            rest: rest(
                (column.field != column.column).then_some(column.column.as_str()),
                column.past.was.as_deref(),
            ),
            default: column_default(&column.ty, schema),
            optional: !column.primary_key,
            rust: plain_type(&column.ty, &schema.types),
            span: &column.past.span,
        })
        .collect();
    for column in &all {
        what.check_until(column.past.own_until(), diagnostics);
    }
    let mut problems = Problems::new();
    let everything: Vec<usize> = (0..shown.len()).collect();
    find(
        &shown,
        &everything,
        &readers.whole_row(index),
        None,
        &mut problems,
    );
    for channel in readers.channels_on(index) {
        let ChannelKind::Trigger(on) = &channel.kind else {
            continue;
        };
        for (image, list) in [(Image::Old, &on.old), (Image::New, &on.new)] {
            let Some(list) = list.as_ref().filter(|list| !list.is_empty()) else {
                continue;
            };
            let sent = |position: &usize| {
                let column = all[*position];
                list.iter()
                    .any(|sent| std::ptr::eq(&model.columns[*sent], column))
            };
            let wanted: Vec<usize> = everything.iter().copied().filter(sent).collect();
            let seen = readers.image(channel, index, image);
            find(&shown, &wanted, &seen, Some(&channel.name), &mut problems);
        }
    }
    report(what, &shown, problems, diagnostics);
}

fn check_message(
    schema: &Schema,
    channel: &Channel,
    readers: &Readers<'_>,
    versions: &Versions,
    diagnostics: &mut Diagnostics,
) {
    let ChannelKind::Message { fields, .. } = &channel.kind else {
        return;
    };
    let seen = readers.message(channel);
    let current = versions.of_channel(schema, channel);
    let what = What {
        kind: "channel",
        name: &channel.name,
        oldest: &channel.oldest,
        current,
        known: versions.is_known_message(channel),
    };
    what.check_oldest(diagnostics);
    let shown: Vec<Shown<'_>> = fields
        .iter()
        .map(|message_field| {
            let field = Field::of_message(schema, message_field);
            let plain = match &message_field.ty {
                FieldType::Optional(inner) => inner.as_ref(),
                ty => ty,
            };
            Shown {
                name: &message_field.name,
                ty: yaml_type(plain, &schema.types),
                rest: rest(None, message_field.past.was.as_deref()),
                default: field_default(plain, schema),
                optional: true,
                rust: field_type(plain, &schema.types),
                span: &message_field.past.span,
                field,
            }
        })
        .collect();
    for field in fields {
        what.check_until(field.past.own_until(), diagnostics);
    }
    let mut problems = Problems::new();
    let everything: Vec<usize> = (0..shown.len()).collect();
    find(&shown, &everything, &seen, None, &mut problems);
    report(&what, &shown, problems, diagnostics);
}

/// Fields that a reader cannot read from what it may find.
fn find(
    shown: &[Shown<'_>],
    wanted: &[usize],
    seen: &[Seen],
    channel: Option<&str>,
    problems: &mut Problems,
) {
    let all: Vec<Field<'_>> = shown.iter().map(|shown| shown.field.clone()).collect();
    for position in wanted {
        let field = &all[*position];
        let mut by_version: BTreeMap<u32, Source> = BTreeMap::new();
        for found in seen {
            let problem = match resolve(field, &all, found) {
                Ok(source) => match by_version.insert(found.version, source.clone()) {
                    Some(other) if !agree(&other, &source) => Problem::TwoShapes,
                    _ => continue,
                },
                Err(unreadable) => Problem::Unreadable(unreadable),
            };
            let known = problems.get(position);
            if known.is_none_or(|(version, ..)| *version < found.version) {
                let channel = channel.map(str::to_owned);
                problems.insert(*position, (found.version, problem, channel));
            }
        }
    }
}

/// Whether one way of reading does for both: a value is looked up by its keys, so that it does not matter which is there.
pub(super) fn agree(left: &Source, right: &Source) -> bool {
    match (left, right) {
        (Source::Convert(_, left), Source::Convert(_, right)) => left == right,
        (Source::Convert(..), Source::Key(_)) | (Source::Key(_), Source::Convert(..)) => false,
        _ => true,
    }
}

fn report(what: &What<'_>, shown: &[Shown<'_>], problems: Problems, diagnostics: &mut Diagnostics) {
    for (position, (version, problem, channel)) in problems {
        let shown = &shown[position];
        let name = shown.name;
        let (why, mut ways) = match &problem {
            Problem::Unreadable(Unreadable::Absent) => {
                ("it is not there".to_owned(), shown.values())
            }
            Problem::Unreadable(Unreadable::Null) => {
                ("it can be null there".to_owned(), shown.values())
            }
            Problem::Unreadable(Unreadable::Type(old)) => (
                format!("it is `{old}` there"),
                vec![format!(
                    "`{name}: {{type: {}{}, from: {{{}: crate::{name}_from_{}}}}}` with your function, which returns a `Result<{}, _>`",
                    quoted(&shown.written()),
                    shown.rest,
                    quoted(old),
                    word(old),
                    shown.rust.trim_start_matches("runtime::"),
                )],
            ),
            Problem::TwoShapes => (
                "two branches took this number, and it has another type in each".to_owned(),
                Vec::new(),
            ),
        };
        let through = channel.map_or_else(String::new, |channel| {
            format!(", as channel `{channel}` sent it")
        });
        let message = format!(
            "`{name}` cannot be read from version {version} of {} `{}`{through}: {why}",
            what.kind, what.name
        );
        if version < what.current {
            ways.push(what.oldest_line(version));
        }
        let diagnostic = Diagnostic::new(Code::Unreadable, shown.span.clone(), message);
        diagnostics.push(diagnostic.help(format!("write {}", ways.join(", or "))));
    }
}

impl Shown<'_> {
    /// Type as it is written now: null does not reach a conversion, and may still come.
    fn written(&self) -> String {
        let may_be_null = self.field.nullable && self.field.until.is_none();
        format!("{}{}", self.ty, if may_be_null { "?" } else { "" })
    }

    /// What can stand for nothing.
    fn values(&self) -> Vec<String> {
        let (name, ty, rest) = (self.name, quoted(&self.ty), &self.rest);
        let default = self.default.as_ref().map(|default| {
            format!("`{name}: {{type: {ty}{rest}, default: {default}}}` with a value of yours")
        });
        let ty = quoted(&format!("{}?", self.ty));
        let nullable = self.optional.then(|| {
            if rest.is_empty() {
                format!("`{name}: {ty}` to get none")
            } else {
                format!("`{name}: {{type: {ty}{rest}}}` to get none")
            }
        });
        default.into_iter().chain(nullable).collect()
    }
}
