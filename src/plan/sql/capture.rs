//! Capture functions: what they send, for a row or for all rows of a statement.

use std::collections::BTreeSet;

use crate::model::builtin::Setting;
use crate::model::{
    Channel, Delivery, Level, Model, Op, Schema, Timing, TriggerChannel, TriggerEvent,
};

use super::super::ident::{free_sql_name, sql_ident, sql_literal};
use super::super::rust_types::{payload_cast, settings};
use super::super::versions::Versions;
use super::condition::{self, Rows};
use super::door;
use super::trigger::{NEW_ROWS, OLD_ROWS};
use super::{SqlBranch, SqlColumn, SqlFunction, SqlGroup, SqlImage, SqlParent, order, qualified};

/// Name of a row in its sub-select.
const ALIAS: &str = "_row";

/// So many columns are the arguments of one call; it takes a hundred, two for each. It costs a writer less than a sub-select does, for
/// which PL/pgSQL starts the executor.
const COLUMNS_OF_A_CALL: usize = 50;

pub(super) fn function(
    schema: &Schema,
    channel: &Channel,
    on: &TriggerChannel,
    events: &[TriggerEvent],
    versions: &Versions,
    groups: impl Fn(Op) -> Vec<SqlGroup>,
) -> SqlFunction {
    let model = &schema.models[on.model];
    let mut ops: Vec<Op> = events.iter().map(|event| event.op).collect();
    ops.sort_unstable();
    ops.dedup();
    let rows = match on.level {
        Level::Row => Rows::Records,
        Level::Statement => Rows::Tables,
    };
    let mut needed: BTreeSet<Setting> = BTreeSet::new();
    let branches = ops
        .into_iter()
        .enumerate()
        .map(|(index, op)| {
            let images = images(schema, on, op, rows, &mut needed);
            let (order_key, key_values) = order::of_row(schema, channel, on, op, rows, &mut needed);
            let groups = groups(op);
            let by_row = op == Op::Truncate || rows == Rows::Records;
            SqlBranch {
                keyword: if index == 0 { "IF" } else { "ELSIF" },
                tg_op: sql_literal(&op.as_str().to_uppercase()),
                op: sql_literal(op.as_str()),
                several: groups.len() > 1,
                ordered: order::is_ordered(&groups),
                doors: door::keys(schema, channel, &groups),
                groups,
                order_key,
                key_values,
                images,
                condition: condition::in_function(schema, on, op, rows, &mut needed),
                rows: (!by_row).then(|| statement_rows(model, op)),
            }
        })
        .collect();
    let mut function = super::function(schema, channel, "capture", &channel.name, "", branches);
    function.model_version = versions.of_model(model);
    if channel.delivery == Delivery::Transient {
        // The time of the notification is part of what is sent.
        needed.insert(Setting::TimeZone);
    }
    function.settings = needed.into_iter().map(clause).collect();
    function.statement = on.level == Level::Statement;
    function.skip_errors = on.skip_errors;
    function.own_triggers = on.own_triggers;
    function.has_condition = function
        .branches
        .iter()
        .any(|branch| branch.rows.is_none() && !branch.condition.is_empty());
    function.has_order_key = function
        .branches
        .iter()
        .any(|branch| branch.rows.is_none() && branch.order_key.is_some());
    function.returns_row = on.own_triggers
        || events
            .iter()
            .any(|event| event.timing == Timing::Before && event.op != Op::Truncate);
    function
}

fn clause(setting: Setting) -> &'static str {
    match setting {
        Setting::TimeZone => "timezone = 'UTC'",
        Setting::DateStyle => "datestyle = 'ISO, YMD'",
        Setting::IntervalStyle => "intervalstyle = 'iso_8601'",
        Setting::ExtraFloatDigits => "extra_float_digits = 1",
        Setting::ByteaOutput => "bytea_output = 'hex'",
        Setting::LcMonetary => "lc_monetary = 'C'",
    }
}

/// The transition tables, under the names that conditions have for the rows.
fn statement_rows(model: &Model, op: Op) -> String {
    let old = format!("{} AS \"old\"", sql_ident(OLD_ROWS));
    let new = format!("{} AS \"new\"", sql_ident(NEW_ROWS));
    match op {
        Op::Insert => new,
        Op::Delete => old,
        _ => {
            let keys = model.columns.iter().filter(|column| column.primary_key);
            let pairs: Vec<String> = keys
                .map(|column| {
                    let name = sql_ident(&column.column);
                    format!("\"old\".{name} = \"new\".{name}")
                })
                .collect();
            format!("{old} FULL JOIN {new} ON {}", pairs.join(" AND "))
        }
    }
}

fn images(
    schema: &Schema,
    on: &TriggerChannel,
    op: Op,
    rows: Rows,
    needed: &mut BTreeSet<Setting>,
) -> Vec<SqlImage> {
    let model = &schema.models[on.model];
    let keys: &[&str] = match op {
        Op::Insert => &["new"],
        Op::Update => &["old", "new"],
        Op::Delete => &["old"],
        Op::Truncate | Op::Message => &[],
    };
    keys.iter()
        .filter_map(|key| {
            let (key, record, list) = match (*key, rows) {
                ("new", Rows::Records) => ("'new'", "NEW", &on.new),
                ("new", Rows::Tables) => ("'new'", "\"new\"", &on.new),
                (_, Rows::Records) => ("'old'", "OLD", &on.old),
                (_, Rows::Tables) => ("'old'", "\"old\"", &on.old),
            };
            if list.as_ref().is_some_and(Vec::is_empty) {
                return None;
            }
            let mut image = image(schema, model, key, record, list.as_deref(), needed);
            // A row whose primary key was changed has no partner.
            if rows == Rows::Tables && op == Op::Update {
                let key = model.columns.iter().find(|column| column.primary_key);
                image.absent = key.map(|column| format!("{record}.{}", sql_ident(&column.column)));
            }
            Some(image)
        })
        .collect()
}

fn image(
    schema: &Schema,
    model: &Model,
    key: &'static str,
    record: &str,
    list: Option<&[usize]>,
    needed: &mut BTreeSet<Setting>,
) -> SqlImage {
    let sent: Vec<_> = model
        .columns
        .iter()
        .enumerate()
        .filter(|(index, column)| column.captured && list.is_none_or(|list| list.contains(index)))
        .map(|(_, column)| column)
        .collect();
    for column in &sent {
        needed.extend(settings(&column.ty, &schema.types));
    }
    let names = model.columns.iter().map(|column| column.column.as_str());
    let parent = match list {
        None => parent(schema, model, record, needed).map(Box::new),
        Some(_) => None,
    };
    let arguments = sent.len() + usize::from(parent.is_some());
    SqlImage {
        key,
        // `to_json(x)` means the column x before the row x.
        alias: (arguments > COLUMNS_OF_A_CALL).then(|| sql_ident(&free_sql_name(ALIAS, names))),
        columns: sent
            .iter()
            .map(|column| {
                let name = sql_ident(&column.column);
                let cast = payload_cast(&column.ty, &schema.types);
                SqlColumn {
                    value: format!("{record}.{name}{cast}"),
                    name,
                    key: sql_literal(&column.column),
                }
            })
            .collect(),
        parent,
        absent: None,
    }
}

fn parent(
    schema: &Schema,
    model: &Model,
    record: &str,
    needed: &mut BTreeSet<Setting>,
) -> Option<SqlParent> {
    let parent = model.parent.as_ref()?;
    let base = &schema.models[parent.model];
    // Another name than the record's, which would hide it.
    let wanted = format!(
        "_{}",
        record.trim_matches(['"', '_']).to_lowercase() + "_parent"
    );
    let alias = sql_ident(&wanted);
    let pairs: Vec<String> = parent
        .key
        .iter()
        .map(|(own, key)| {
            format!(
                "{alias}.{} = {record}.{}",
                sql_ident(&base.columns[*key].column),
                sql_ident(&model.columns[*own].column)
            )
        })
        .collect();
    Some(SqlParent {
        name: sql_ident(&base.name),
        key: sql_literal(&base.name),
        table: qualified(&base.table.schema, &base.table.name),
        image: image(schema, base, "", &alias, None, needed),
        alias,
        condition: pairs.join(" AND "),
    })
}
