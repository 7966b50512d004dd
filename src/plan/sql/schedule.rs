//! Schedules: rows of a table, which the functions in the database go by.

use serde::Serialize;
use serde_json::Value;

use crate::history::Key;
use crate::model::{Channel, ChannelKind, MessageField, Schedule, Schema, When};
use crate::plan::literal::payload;
use crate::plan::names::function_name;

use super::super::ident::sql_literal;

/// A row of the table; all literals.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SqlSchedule {
    /// Channel.
    pub channel: String,
    /// Its former names.
    pub was: Vec<String>,
    /// Numbers of each field, or `NULL`.
    pub cron: String,
    /// Time zone of `cron`, or `NULL`.
    pub time_zone: String,
    /// An interval, or `NULL`.
    pub every: String,
    /// Whether what was missed is given up.
    pub skips_missed: bool,
    /// Function of the channel, without schema.
    pub function: String,
    /// The message.
    pub message: String,
    /// What it is called.
    #[serde(skip)]
    pub key: Key,
}

/// In order of the schema.
pub(super) fn plan(schema: &Schema) -> Vec<SqlSchedule> {
    let of = |channel: &Channel| match &channel.kind {
        ChannelKind::Message {
            fields,
            schedule: Some(schedule),
            ..
        } => Some(self::schedule(schema, channel, fields, schedule)),
        _ => None,
    };
    schema.channels.iter().filter_map(of).collect()
}

fn schedule(
    schema: &Schema,
    channel: &Channel,
    fields: &[MessageField],
    schedule: &Schedule,
) -> SqlSchedule {
    let null = || "NULL".to_owned();
    let (cron, time_zone, every) = match &schedule.when {
        When::Cron { cron, time_zone } => (
            sql_literal(&cron.to_string()),
            sql_literal(time_zone),
            null(),
        ),
        When::Every(time) => {
            let text = format!("{} milliseconds", time.as_millis());
            (null(), null(), sql_literal(&text))
        }
    };
    SqlSchedule {
        channel: sql_literal(&channel.name),
        was: channel
            .was
            .iter()
            .flatten()
            .map(|name| sql_literal(name))
            .collect(),
        cron,
        time_zone,
        every,
        skips_missed: schedule.skips_missed,
        function: sql_literal(&function_name("notify", &channel.name)),
        message: sql_literal(&message(fields, schedule).to_string()),
        key: Key::Schedule {
            schema: schema.generate.storage_schema.clone(),
            channel: channel.name.clone(),
        },
    }
}

/// With all fields, as a program would send it.
fn message(fields: &[MessageField], schedule: &Schedule) -> Value {
    let published = fields.iter().filter(|field| field.past.until.is_none());
    let values = published.filter_map(|field| {
        let said = schedule.with.iter().find(|(name, _)| *name == field.name);
        // A schema has no schedule whose fields nobody knows.
        let value = said.map(|(_, value)| value).or(field.default.as_ref())?;
        Some((field.name.clone(), payload(&field.ty, value)))
    });
    Value::Object(values.collect())
}
