//! `schedule` of a channel.

use crate::schema::document::ScheduleDecl;
use crate::schema::language;
use crate::schema::node::{Node, Value};
use crate::schema::reader::{Fields, Reader};

pub(super) fn schedule(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<ScheduleDecl> {
    let node = fields.get("schedule")?;
    let mut schedule = ScheduleDecl {
        span: node.span.clone(),
        ..ScheduleDecl::default()
    };
    match &node.value {
        Value::Text(_) => schedule.cron = reader.text(node, "`schedule`"),
        Value::Mapping(_) => read(reader, node, &mut schedule)?,
        _ => {
            let expected =
                "a cron expression like `\"0 3 * * *\"`, or a mapping with `cron` or `every`";
            reader.wrong_kind(node, "`schedule`", expected);
            return None;
        }
    }
    Some(schedule)
}

fn read(reader: &mut Reader<'_>, node: &Node, schedule: &mut ScheduleDecl) -> Option<()> {
    let before = reader.diagnostics.len();
    let fields = reader.fields(node, "`schedule`", &language::SCHEDULE)?;
    schedule.cron = reader.optional_text(&fields, "cron");
    schedule.every = reader.optional_text(&fields, "every");
    schedule.time_zone = reader.optional_text(&fields, "timezone");
    schedule.missed = reader.word(&fields, "missed", language::MISSED);
    if let Some(node) = fields.get("with") {
        let entries = reader.entries(node, "`with`").unwrap_or_default();
        schedule.with = entries
            .into_iter()
            .map(|(name, node)| (name, node.clone()))
            .collect();
    }
    schedule.broken = reader.diagnostics.len() > before;
    Some(())
}
