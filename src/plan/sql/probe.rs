//! Queries that fail where a capture function would: PostgreSQL looks into the body of a function only when it runs.

use super::{SqlFunction, SqlImage};

/// One for each row image, each order key and each condition of a function on a table (quoted, with schema). They read no row.
pub(super) fn of(function: &SqlFunction, table: &str) -> Vec<String> {
    let mut probes = Vec::new();
    for branch in &function.branches {
        for image in &branch.images {
            let rows = format!("{table} AS \"old\", {table} AS \"new\"");
            add(&mut probes, image, &rows);
        }
        if !branch.key_values.is_empty() {
            probes.push(format!(
                "SELECT {} FROM {table} AS \"old\", {table} AS \"new\" WHERE false",
                branch.key_values.join(", ")
            ));
        }
        if !branch.condition.is_empty() {
            let condition = branch.condition.join(" ");
            probes.push(format!(
                "SELECT FROM {table} AS \"old\", {table} AS \"new\" WHERE ({condition}) AND false"
            ));
        }
    }
    probes.dedup();
    probes
}

fn add(probes: &mut Vec<String>, image: &SqlImage, rows: &str) {
    let values: Vec<&str> = image
        .columns
        .iter()
        .map(|column| column.value.as_str())
        .collect();
    probes.push(format!(
        "SELECT {} FROM {rows} WHERE false",
        values.join(", ")
    ));
    if let Some(parent) = &image.parent {
        add(
            probes,
            &parent.image,
            &format!("{rows}, {} AS {}", parent.table, parent.alias),
        );
        probes.push(format!(
            "SELECT FROM {rows}, {} AS {} WHERE {} AND false",
            parent.table, parent.alias, parent.condition
        ));
    }
}
