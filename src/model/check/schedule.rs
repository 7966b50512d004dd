//! `schedule:`.

use std::ops::Range;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span, nearest};
use crate::schema::{ChannelDecl, Node, ScheduleDecl, Spanned};

use super::super::{
    Channel, ChannelKind, DeclaredType, Delivery, Listener, Literal, MessageField, Schedule, When,
    cron, default, schedule,
};

/// Of a message channel with these fields.
pub(super) fn check(
    channel: &ChannelDecl,
    delivery: Delivery,
    fields: &[MessageField],
    types: &[DeclaredType],
    diagnostics: &mut Diagnostics,
) -> Option<Schedule> {
    let declared = channel.schedule.as_ref()?;
    if delivery == Delivery::Transient {
        let help = "remove it, or make the channel durable: what is transient waits for nobody";
        refuse(channel, "a transient channel", help, diagnostics);
        return None;
    }
    let when = when(declared, diagnostics);
    let with = with(declared, fields, types, diagnostics);
    // A firing has nobody to ask.
    for field in fields.iter().filter(|field| field.past.until.is_none()) {
        let said = declared
            .with
            .iter()
            .any(|(name, _)| name.value == field.name);
        if field.default.is_none() && !said {
            let message = format!(
                "nobody says what `{}` is when the schedule fires",
                field.name
            );
            let diagnostic = Diagnostic::new(Code::InvalidSchedule, declared.span.clone(), message);
            diagnostics.push(diagnostic.help(format!(
                "give the field a default, or say it here: `with: {{{}: …}}`",
                field.name
            )));
        }
    }
    Some(Schedule {
        when: when?,
        skips_missed: declared
            .missed
            .as_ref()
            .is_some_and(|missed| missed.value == "skip"),
        with,
    })
}

/// Of a channel on a model.
pub(super) fn of_messages_only(channel: &ChannelDecl, diagnostics: &mut Diagnostics) {
    if channel.on.is_some() {
        let help = "remove it; make a message channel for what happens by the clock";
        refuse(channel, "a channel on a model", help, diagnostics);
    }
}

/// A listener that filters would leave what a schedule sends to nobody.
pub(super) fn check_filters(
    channels: &[Channel],
    listeners: &[Listener],
    diagnostics: &mut Diagnostics,
) {
    for listener in listeners
        .iter()
        .filter(|listener| !listener.filter.is_empty())
    {
        let scheduled = listener.channels.iter().find_map(|subscription| {
            let channel = &channels[subscription.channel];
            let is = matches!(
                &channel.kind,
                ChannelKind::Message {
                    schedule: Some(_),
                    ..
                }
            );
            is.then_some(channel)
        });
        if let Some(channel) = scheduled {
            let message = format!(
                "listener `{}` filters by the context, and nobody sets one when the schedule of `{}` fires",
                listener.name, channel.name
            );
            let diagnostic = Diagnostic::new(Code::Incompatible, listener.span.clone(), message)
                .secondary(channel.span.clone(), "has a schedule");
            diagnostics.push(
                diagnostic.help("what it sends would wait for ever: make another channel of it"),
            );
        }
    }
}

fn refuse(channel: &ChannelDecl, what: &str, help: &str, diagnostics: &mut Diagnostics) {
    if let Some(key) = channel.keys.iter().find(|key| key.value == "schedule") {
        let message = format!("{what} has no `schedule`");
        diagnostics
            .push(Diagnostic::new(Code::InvalidOption, key.span.clone(), message).help(help));
    }
}

fn when(declared: &ScheduleDecl, diagnostics: &mut Diagnostics) -> Option<When> {
    match (&declared.cron, &declared.every) {
        (Some(cron), None) => {
            let time_zone = declared.time_zone.as_ref();
            let time_zone = time_zone.map(|name| self::time_zone(name, diagnostics));
            let cron = self::cron(cron, diagnostics);
            Some(When::Cron {
                cron: cron?,
                time_zone: time_zone.unwrap_or_else(|| Some("UTC".to_owned()))?,
            })
        }
        (None, Some(every)) => {
            if let Some(time_zone) = &declared.time_zone {
                let message = "`every` goes by no wall clock";
                let diagnostic =
                    Diagnostic::new(Code::Incompatible, time_zone.span.clone(), message);
                diagnostics
                    .push(diagnostic.help("remove `timezone`, or say the times with `cron`"));
            }
            let time = schedule::every(&every.value);
            if time.is_none() {
                let message = format!("`{}` is no time between 1s and a year", every.value);
                let diagnostic =
                    Diagnostic::new(Code::InvalidSchedule, every.span.clone(), message);
                diagnostics.push(diagnostic.help("write for instance `10s`, `15m`, `1h` or `7d`"));
            }
            time.map(When::Every)
        }
        (Some(_), Some(every)) => {
            let message = "`cron` and `every` exclude each other";
            let diagnostic = Diagnostic::new(Code::Incompatible, every.span.clone(), message);
            diagnostics.push(diagnostic.help("keep one of them"));
            None
        }
        (None, None) => {
            if !declared.broken {
                let message = "`schedule` does not say when";
                let diagnostic = Diagnostic::new(Code::MissingKey, declared.span.clone(), message);
                diagnostics.push(diagnostic.help("add `cron: \"0 3 * * *\"`, or `every: 15m`"));
            }
            None
        }
    }
}

fn cron(text: &Spanned<String>, diagnostics: &mut Diagnostics) -> Option<cron::Cron> {
    let mistakes = match cron::parse(&text.value) {
        Ok(cron) => return Some(cron),
        Err(mistakes) => mistakes,
    };
    for mistake in mistakes {
        let help = match schedule::every(text.value.trim()) {
            Some(_) => format!("write `{{every: {}}}`", text.value.trim()),
            None => mistake.help,
        };
        let place = within(text, &mistake.place);
        let diagnostic = Diagnostic::new(Code::InvalidSchedule, place, mistake.message);
        diagnostics.push(diagnostic.help(help));
    }
    None
}

/// The place of a part of a text; all of it where the file writes it in another way.
fn within(text: &Spanned<String>, part: &Range<usize>) -> Span {
    let quotes = text.span.len().saturating_sub(text.value.len());
    match quotes {
        0 | 2 => {
            let start = text.span.start + quotes / 2;
            start + part.start..start + part.end
        }
        _ => text.span.clone(),
    }
}

fn time_zone(name: &Spanned<String>, diagnostics: &mut Diagnostics) -> Option<String> {
    if let Some(known) = schedule::time_zones().find(|known| *known == name.value) {
        return Some(known.to_owned());
    }
    let message = format!("there is no time zone `{}`", name.value);
    let diagnostic = Diagnostic::new(Code::InvalidSchedule, name.span.clone(), message);
    let in_city = |known: &str| known.rsplit('/').next().unwrap_or_default().to_owned();
    // A city alone is most of the name.
    let city = schedule::time_zones()
        .find(|known| in_city(known).eq_ignore_ascii_case(&name.value.replace(' ', "_")));
    diagnostics.push(match city.or_else(|| nearest(&name.value, schedule::time_zones())) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help("write `UTC`, or a place like `Europe/Berlin`: a short name like CET has no daylight saving time"),
    });
    None
}

fn with(
    declared: &ScheduleDecl,
    fields: &[MessageField],
    types: &[DeclaredType],
    diagnostics: &mut Diagnostics,
) -> Vec<(String, Literal)> {
    let published = || fields.iter().filter(|field| field.past.until.is_none());
    let mut values = Vec::new();
    for (name, node) in &declared.with {
        let Some(field) = published().find(|field| field.name == name.value) else {
            let message = format!("the message has no field `{}`", name.value);
            let diagnostic = Diagnostic::new(Code::InvalidSchedule, name.span.clone(), message);
            let names = published().map(|field| field.name.as_str());
            diagnostics.push(diagnostic.help_nearest(&name.value, names));
            continue;
        };
        match value(field, node, types) {
            Ok(value) => values.push((name.value.clone(), value)),
            Err(problem) => {
                let message = format!("`{}` does not fit its type: {problem}", name.value);
                diagnostics.push(Diagnostic::new(
                    Code::InvalidSchedule,
                    node.span.clone(),
                    message,
                ));
            }
        }
    }
    values
}

fn value(field: &MessageField, node: &Node, types: &[DeclaredType]) -> Result<Literal, String> {
    default::from_node(&field.ty, node, types)
}
